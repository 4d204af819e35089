//! DescribeImageScanFindings: what a scan of an image found. That a repository is scanned is given.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::images::{ImageId, no_image, repository};
use super::{Image, Scan, Scanner, bad_token, invalid, page_size, registry};
use crate::call::{epoch, page, with_token};
use crate::{Answer, Call, Refusal, World};

const SEVERITIES: [&str; 6] = ["UNDEFINED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

/// DescribeImageScanFindings.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    let repository = repository(world, call, "ecr:DescribeImageScanFindings")?;
    let nothing = Value::Null;
    let id = ImageId::parse(call.member("imageId").unwrap_or(&nothing));
    if id.is_nameless() {
        return Err(invalid("Invalid request parameters: an image ID needs an imageDigest or an imageTag"));
    }
    let image = id.image(repository).ok_or_else(|| no_image(call, &id))?;
    let scan = repository.scan.as_ref().ok_or_else(|| no_scan(call, image))?;
    let mut answer = json!({
        "registryId": registry(call),
        "repositoryName": call.text("repositoryName"),
        "imageId": { "imageDigest": image.digest },
    });
    let ends = image.pushed_at + SignedDuration::from_secs(scan.seconds);
    if call.now < ends {
        answer["imageScanStatus"] = status(under(scan.by));
        return Ok(answer);
    }
    if let Some(word) = &scan.ends {
        answer["imageScanStatus"] = status(word);
        return Ok(answer);
    }
    answer["imageScanStatus"] = status(done(scan.by));
    if call.now < ends + SignedDuration::from_secs(scan.settles) {
        answer["imageScanFindings"] = json!({ "findings": [], "enhancedFindings": [] });
        return Ok(answer);
    }
    let (findings, next) = page(&worst_first(scan), call, page_size(call)?).ok_or_else(bad_token)?;
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, severity) in &scan.findings {
        *counts.entry(severity).or_default() += 1;
    }
    let list = match scan.by {
        Scanner::Ecr => "findings",
        Scanner::Inspector => "enhancedFindings",
    };
    answer["imageScanFindings"] = json!({
        "imageScanCompletedAt": epoch(ends),
        "findingSeverityCounts": counts,
        list: findings.iter().map(|(name, severity)| shown(scan.by, name, severity)).collect::<Vec<_>>(),
    });
    Ok(with_token(answer, next))
}

fn under(by: Scanner) -> &'static str {
    match by {
        Scanner::Ecr => "IN_PROGRESS",
        Scanner::Inspector => "PENDING",
    }
}

fn done(by: Scanner) -> &'static str {
    match by {
        Scanner::Ecr => "COMPLETE",
        Scanner::Inspector => "ACTIVE",
    }
}

fn status(word: &str) -> Value {
    json!({ "status": word, "description": format!("The scan of the image is {word}.") })
}

fn worst_first(scan: &Scan) -> Vec<(String, String)> {
    let mut findings = scan.findings.clone();
    findings.sort_by_key(|(_, severity)| Reverse(SEVERITIES.iter().position(|known| known == severity)));
    findings
}

fn shown(by: Scanner, name: &str, severity: &str) -> Value {
    match by {
        Scanner::Ecr => json!({ "name": name, "severity": severity, "uri": format!("https://example.com/{name}") }),
        Scanner::Inspector => json!({
            "title": format!("{name} - a package"),
            "severity": severity,
            "status": "ACTIVE",
            "packageVulnerabilityDetails": { "vulnerabilityId": name },
        }),
    }
}

fn no_scan(call: &Call, image: &Image) -> Refusal {
    let repository = call.text("repositoryName").unwrap_or_default();
    let message = format!(
        "Image scan does not exist for the image with '{{imageDigest:'{}', imageTag:'null'}}' in the repository with name '{repository}' in the registry with id '{}'",
        image.digest,
        registry(call)
    );
    Refusal::new("ScanNotFoundException", message)
}
