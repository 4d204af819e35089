//! ECR's scan of the images as a gate (docs/pipelines.md, "Scans"): a Release enters no stage before the findings are there, and none if
//! they are too bad. An image that the Pipeline has released before is not judged again: the way back stays open.

use super::desired::Desired;
use super::observed::Observed;
use super::origin::{Found, remembered};
use super::record::Work;
use super::told;
use crate::condition::{brief, cut, whole};
use crate::fault::Fault;
use crate::look::Looked;
use crate::world::{LiveFinding, LiveScan, Scanned, badness};
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::ImageScan;
use launchway_crds::release::{Finding, ImageScanStatus};
use std::collections::BTreeMap;

/// How many findings a message names, and a status.
const NAMED: usize = 3;
const RECORDED: usize = 10;

/// Whether the images may go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// No scan is asked for, or nothing that was found fails the Release.
    Open,
    /// The findings are waited for: of what, in words, and until when.
    Waiting(String, Timestamp),
    /// The Release fails, and why.
    Shut(String),
    /// The findings could not be looked at.
    Blind(Fault),
    /// They were not looked at yet.
    Unseen,
}

/// An image whose findings are to be looked at next.
pub(super) struct Unseen {
    pub repository: String,
    pub digest: String,
    /// The severity of the findings that count, and of worse ones, in ECR's words.
    pub fail_on: String,
}

/// The images whose findings are to be looked at next: none before every image is the commit's, or where no scan is asked for.
pub(super) fn unseen(desired: &Desired, each: &[Work], observed: &Observed) -> Vec<Unseen> {
    let Some(scan) = each.first().and_then(|work| work.scan.as_ref()) else { return Vec::new() };
    let is_there = |work: &Work| matches!(told::found(desired, work, observed), Found::Image(_));
    if !each.iter().all(is_there) {
        return Vec::new();
    }
    judged(desired, each, observed)
        .filter(|(work, _)| !observed.scans.contains_key(work.image.repository.as_str()))
        .map(|(work, digest)| Unseen {
            repository: work.image.repository.to_string(),
            digest: digest.to_owned(),
            fail_on: scan.fail_on.to_string(),
        })
        .collect()
}

/// Whether the images may go on, if they are all there. `since`: when their findings were first waited for.
pub(super) fn gate(desired: &Desired, each: &[Work], observed: &Observed, since: Option<Timestamp>) -> Gate {
    let Some(scan) = each.first().and_then(|work| work.scan.as_ref()) else { return Gate::Open };
    let mut waits = Vec::new();
    for (work, digest) in judged(desired, each, observed) {
        let name = format!("{}@{}", work.image.repository, brief(digest.trim_start_matches("sha256:")));
        match observed.scans.get(work.image.repository.as_str()) {
            None | Some(Looked::NotAsked) => return Gate::Unseen,
            Some(Looked::Blind(fault)) => return Gate::Blind(fault.clone()),
            Some(Looked::Seen(seen)) => match &seen.scanned {
                Scanned::Not => waits.push((format!("ECR has no scan of {name} yet"), work)),
                Scanned::Under => waits.push((format!("ECR scans {name}"), work)),
                Scanned::Never(why) => return Gate::Shut(unscannable(&name, why)),
                Scanned::Done => {}
            },
        }
    }
    let found = findings(desired, each, observed, scan);
    let bad: Vec<&Finding> = found.iter().filter(|finding| finding.excepted_until.is_none()).collect();
    if !bad.is_empty() {
        return Gate::Shut(too_bad(scan, &bad));
    }
    let until = since.unwrap_or(observed.at) + jiff::SignedDuration::from_secs(scan.timeout.seconds().unwrap_or(0));
    match waits.first() {
        None => Gate::Open,
        Some((wait, _)) if observed.at < until => Gate::Waiting(wait.clone(), until),
        Some((wait, work)) => Gate::Shut(format!(
            "{wait}, after {} (spec.imageScan.timeout): if its repository is not scanned on push, have it be (aws ecr \
             put-image-scanning-configuration --repository-name {} --image-scanning-configuration scanOnPush=true), and push a new commit; an \
             index of several platforms is not scanned (with buildx, --provenance=false); else make another Release of this one",
            &*scan.timeout, work.image.repository
        )),
    }
}

/// What is recorded of the scan.
pub(super) fn recorded(
    desired: &Desired,
    each: &[Work],
    observed: &Observed,
    since: Option<Timestamp>,
) -> Option<ImageScanStatus> {
    let scan = each.first()?.scan.as_ref()?;
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for (_, seen) in seen(desired, each, observed) {
        for (severity, count) in &seen.counts {
            let sum = counts.entry(cut(severity, 20)).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    let mut findings = findings(desired, each, observed, scan);
    findings.truncate(RECORDED);
    Some(ImageScanStatus {
        since: Time(whole(since.unwrap_or(observed.at))),
        counts: counts.into_iter().take(10).collect(),
        findings,
    })
}

/// The images that are judged, with their digests: not what the Pipeline has released before.
fn judged<'w>(
    desired: &Desired,
    each: &'w [Work],
    observed: &'w Observed,
) -> impl Iterator<Item = (&'w Work, &'w str)> {
    let of = move |work: &'w Work| {
        let digest = observed.image(work).seen()?.as_ref()?.digest.as_str();
        (remembered(desired, work, observed) != Some(digest)).then_some((work, digest))
    };
    each.iter().filter_map(of).collect::<Vec<_>>().into_iter()
}

fn seen<'w>(
    desired: &Desired,
    each: &'w [Work],
    observed: &'w Observed,
) -> impl Iterator<Item = (&'w Work, &'w LiveScan)> {
    let scan =
        |(work, _): (&'w Work, &'w str)| Some((work, observed.scans.get(work.image.repository.as_str())?.seen()?));
    judged(desired, each, observed).filter_map(scan)
}

/// The findings that fail the Release or would without an exception, the worst first.
fn findings(desired: &Desired, each: &[Work], observed: &Observed, scan: &ImageScan) -> Vec<Finding> {
    let exception = |name: &str| {
        let until = scan.exceptions.iter().find(|one| *one.name == *name).map(|one| one.until.clone())?;
        (observed.at < until.0).then_some(until)
    };
    let of = |work: &Work, found: &LiveFinding| Finding {
        id: cut(&found.name, 64),
        severity: cut(&found.severity, 20),
        image: work.image.name.clone(),
        excepted_until: exception(&found.name),
    };
    let counts = |found: &&LiveFinding| badness(&found.severity) >= badness(&scan.fail_on);
    let mut all: Vec<Finding> = seen(desired, each, observed)
        .flat_map(|(work, seen)| seen.findings.iter().filter(counts).map(move |found| of(work, found)))
        .collect();
    all.sort_by(|a, b| {
        let order = |one: &Finding| (one.excepted_until.is_some(), std::cmp::Reverse(badness(&one.severity)));
        order(a).cmp(&order(b)).then_with(|| a.id.cmp(&b.id))
    });
    all
}

fn unscannable(name: &str, why: &str) -> String {
    format!(
        "there will be no findings of {name}: {why}; have it scanned again (aws ecr start-image-scan), or build an image that is scanned, of \
         one platform (with buildx, --provenance=false) and of a distribution that ECR knows; or take spec.imageScan out of the Pipeline; \
         then make another Release"
    )
}

fn too_bad(scan: &ImageScan, bad: &[&Finding]) -> String {
    let named: Vec<String> =
        bad.iter().take(NAMED).map(|one| format!("{} ({}) in {}", one.id, one.severity, &*one.image)).collect();
    let more = bad.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(
        "ECR's scan found {}{more}, and spec.imageScan.failOn is {}: push a commit that mends it; or say in spec.imageScan.exceptions \
         until when it does not count, and make another Release of this commit",
        named.join(", "),
        &*scan.fail_on
    )
}
