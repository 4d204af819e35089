//! Keeps the status of a Release below its largest size. What helps people least is left out first. What later passes
//! need is always kept.

use super::record::MESSAGE;
use crate::condition::cut;
use launchway_crds::release::{ReleaseStatus, StepPhase, StepStatus};

/// The largest status, as JSON, in bytes. It is far below the 1.5 MiB that etcd takes in one request.
pub const STATUS_MAX: usize = 32 * 1024;

/// What is left out, in this order, until the status fits.
const MEASURES: [fn(&mut ReleaseStatus); 8] =
    [other_logs, other_messages, earlier, said, findings, long_logs, long_messages, logs];

/// The status, shortened until it fits.
pub fn fit(mut status: ReleaseStatus) -> ReleaseStatus {
    for measure in MEASURES {
        if size(&status) <= STATUS_MAX {
            break;
        }
        measure(&mut status);
    }
    status
}

fn size(status: &ReleaseStatus) -> usize {
    serde_json::to_vec(status).map_or(0, |json| json.len())
}

/// All steps except the first that failed, because that one explains why the Release failed.
fn others(status: &mut ReleaseStatus) -> impl Iterator<Item = &mut StepStatus> {
    let first = status.steps.iter().position(|step| step.phase == StepPhase::Failed);
    status.steps.iter_mut().enumerate().filter(move |(index, _)| Some(*index) != first).map(|(_, step)| step)
}

fn other_logs(status: &mut ReleaseStatus) {
    others(status).for_each(|step| step.log.clear());
}

fn long_logs(status: &mut ReleaseStatus) {
    for step in &mut status.steps {
        step.log.drain(..step.log.len().saturating_sub(8));
    }
}

fn other_messages(status: &mut ReleaseStatus) {
    others(status).for_each(|step| step.message = None);
}

fn earlier(status: &mut ReleaseStatus) {
    status.steps.iter_mut().for_each(|step| step.earlier.clear());
}

/// What the checks and the build said, once the image is known by digest.
fn said(status: &mut ReleaseStatus) {
    for step in status.steps.iter_mut().filter(|_| !status.images.is_empty()) {
        (step.images, step.artifact, step.variables) = (Vec::new(), None, Vec::new());
    }
}

fn findings(status: &mut ReleaseStatus) {
    if let Some(scan) = &mut status.image_scan {
        scan.findings.clear();
    }
}

fn long_messages(status: &mut ReleaseStatus) {
    for message in status.steps.iter_mut().filter_map(|step| step.message.as_mut()) {
        *message = cut(message, MESSAGE);
    }
}

fn logs(status: &mut ReleaseStatus) {
    status.steps.iter_mut().for_each(|step| step.log.clear());
}
