//! Images: which are there, and whether their tags can be moved. No image is pulled, pushed or tagged.

use super::failure::Failure;
use super::words;
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecr::operation::describe_image_scan_findings::DescribeImageScanFindingsOutput;
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageIdentifier, ImageScanFindings, ImageScanStatus, ImageStatus,
    ImageTagMutability, TagStatus,
};
use jiff::Timestamp;
use launchway_plan::fault::Fault;
use launchway_plan::image::ImageId;
use launchway_plan::world::{LiveFinding, LiveImage, LiveScan, Scanned, badness};
use std::collections::BTreeMap;

/// The most images or findings that a page has. Source: API reference of DescribeImages and DescribeImageScanFindings.
const PAGE: i32 = 1000;

/// How many pages of findings are read.
const SCAN_PAGES: usize = 10;

impl Cloud {
    /// An image; an archived one cannot be pulled and counts as none. One call.
    pub async fn image(&self, repository: &str, id: &ImageId) -> Result<Option<LiveImage>, Fault> {
        let wanted = match id {
            ImageId::Tag(tag) => ImageIdentifier::builder().image_tag(tag).build(),
            ImageId::Digest(digest) => ImageIdentifier::builder().image_digest(digest).build(),
        };
        let request = self.inner().clients.ecr.describe_images().repository_name(repository).image_ids(wanted);
        match self.look(Operation::DescribeImages, || request.clone().send()).await {
            Ok(seen) => Ok(seen.image_details().iter().find_map(image)),
            Err(failure) if failure.code == "ImageNotFoundException" => Ok(None),
            Err(failure) => Err(self.repository_fault(Operation::DescribeImages, &failure, repository)),
        }
    }

    /// Shows every tag of a repository's images, and when its image was pushed first, in no order. One call for a thousand images.
    pub async fn tags(&self, repository: &str, mut see: impl FnMut(&str, Timestamp) + Send) -> Result<(), Fault> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let request = self.inner().clients.ecr.describe_images().repository_name(repository).filter(tagged);
        let request = request.max_results(PAGE);
        let mut token = None;
        loop {
            let page = request.clone().set_next_token(token);
            let seen = self.look(Operation::DescribeImages, || page.clone().send()).await;
            let seen =
                seen.map_err(|failure| self.repository_fault(Operation::DescribeImages, &failure, repository))?;
            for detail in seen.image_details() {
                let Some(image) = image(detail) else { continue };
                detail.image_tags().iter().for_each(|tag| see(tag, image.pushed_at));
            }
            token = seen.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// What ECR's scan of an image found: how many of each severity, and the findings of that severity and of worse ones. One call
    /// where the counts say that there are none of those, else one for a thousand findings.
    pub async fn scan(&self, repository: &str, digest: &str, fail_on: &str) -> Result<LiveScan, Fault> {
        let is_bad = |severity: &str| badness(severity) >= badness(fail_on);
        let mut scan = LiveScan { scanned: Scanned::Not, counts: BTreeMap::new(), findings: Vec::new() };
        let (mut token, mut lists_bad) = (None, false);
        for page in 0..SCAN_PAGES {
            let Some(seen) = self.scan_page(repository, digest, token).await? else {
                return Ok(LiveScan { scanned: Scanned::Not, ..scan });
            };
            scan.scanned = scanned(seen.image_scan_status());
            let found = seen.image_scan_findings().filter(|found| page > 0 || is_settled(found));
            let (Scanned::Done, Some(found)) = (&scan.scanned, found) else {
                let scanned = if scan.scanned == Scanned::Done { Scanned::Under } else { scan.scanned.clone() };
                return Ok(LiveScan { scanned, ..scan });
            };
            if scan.counts.is_empty() {
                scan.counts = counts(found);
            }
            let bad = || findings(found).filter(|(one, _)| is_bad(&one.severity));
            lists_bad |= bad().next().is_some();
            scan.findings.extend(bad().filter(|(_, counts)| *counts).map(|(one, _)| one));
            token = seen.next_token;
            let counts_bad = scan.counts.iter().any(|(severity, count)| *count > 0 && is_bad(severity));
            if token.is_none() || !counts_bad && !scan.counts.is_empty() {
                let is_whole = lists_bad || !counts_bad;
                return Ok(LiveScan { scanned: if is_whole { Scanned::Done } else { Scanned::Under }, ..scan });
            }
        }
        Ok(LiveScan { scanned: Scanned::Never("it has more findings than are read here".to_owned()), ..scan })
    }

    /// A page of what a scan found; `None`: there is no scan.
    async fn scan_page(
        &self,
        repository: &str,
        digest: &str,
        token: Option<String>,
    ) -> Result<Option<DescribeImageScanFindingsOutput>, Fault> {
        let wanted = ImageIdentifier::builder().image_digest(digest).build();
        let request = self.inner().clients.ecr.describe_image_scan_findings().repository_name(repository);
        let request = request.image_id(wanted).max_results(PAGE).set_next_token(token);
        match self.look(Operation::DescribeImageScanFindings, || request.clone().send()).await {
            Ok(seen) => Ok(Some(seen)),
            Err(failure) if failure.code == "ScanNotFoundException" => Ok(None),
            Err(failure) => Err(self.repository_fault(Operation::DescribeImageScanFindings, &failure, repository)),
        }
    }

    /// Whether no tag of the repository can be moved to another image. One call.
    pub async fn is_immutable(&self, repository: &str) -> Result<bool, Fault> {
        let request = self.inner().clients.ecr.describe_repositories().repository_names(repository);
        match self.look(Operation::DescribeRepositories, || request.clone().send()).await {
            Ok(seen) => Ok(seen
                .repositories()
                .iter()
                .any(|one| one.image_tag_mutability() == Some(&ImageTagMutability::Immutable))),
            Err(failure) => Err(self.repository_fault(Operation::DescribeRepositories, &failure, repository)),
        }
    }

    fn repository_fault(&self, operation: Operation, failure: &Failure, repository: &str) -> Fault {
        self.fault(operation, failure, "ecr", &format!("repository/{repository}"))
    }
}

/// A status that this version does not know counts as under way: the time that it may take is bounded.
fn scanned(status: Option<&ImageScanStatus>) -> Scanned {
    let word = status.and_then(|status| status.status()).map(|word| word.as_str()).unwrap_or_default();
    match word {
        // Inspector goes on looking at what is ACTIVE.
        "COMPLETE" | "ACTIVE" => Scanned::Done,
        "FAILED"
        | "UNSUPPORTED_IMAGE"
        | "SCAN_ELIGIBILITY_EXPIRED"
        | "FINDINGS_UNAVAILABLE"
        | "LIMIT_EXCEEDED"
        | "IMAGE_ARCHIVED" => {
            let why = status.and_then(|status| words::reason(status.description()));
            Scanned::Never(why.map_or_else(|| word.to_owned(), |why| format!("{word}, {why}")))
        }
        _ => Scanned::Under,
    }
}

/// Whether the findings are there: a scan was seen to be done, and to have none yet (aws/aws-sdk issue 289).
fn is_settled(found: &ImageScanFindings) -> bool {
    found.image_scan_completed_at().is_some()
        || found.finding_severity_counts().is_some_and(|counts| !counts.is_empty())
}

fn counts(found: &ImageScanFindings) -> BTreeMap<String, i32> {
    let counts = found.finding_severity_counts().into_iter().flatten();
    counts.map(|(severity, count)| (severity.as_str().to_owned(), *count)).collect()
}

/// ECR's own findings, or Inspector's, and whether each counts: what was mended, or is suppressed in Inspector, does not.
fn findings(found: &ImageScanFindings) -> impl Iterator<Item = (LiveFinding, bool)> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let basic = found.findings().iter().map(move |one| {
        let severity = text(one.severity().map(|severity| severity.as_str()));
        (LiveFinding { name: text(one.name()), severity }, true)
    });
    let enhanced = found.enhanced_findings().iter().map(move |one| {
        let name = one.package_vulnerability_details().and_then(|one| one.vulnerability_id()).or(one.title());
        let found = LiveFinding { name: text(name), severity: text(one.severity()) };
        (found, one.status().is_none_or(|status| status == "ACTIVE"))
    });
    basic.chain(enhanced)
}

fn image(detail: &ImageDetail) -> Option<LiveImage> {
    if detail.image_status() == Some(&ImageStatus::Archived) {
        return None;
    }
    let pushed_at = words::moment(detail.image_pushed_at()).unwrap_or(Timestamp::MIN);
    Some(LiveImage { digest: words::text(detail.image_digest())?, pushed_at })
}
