//! What a pass over a Pipeline has to look at beside its branch and its Releases. Nothing is looked at here.

use super::desired::{Desired, Stage, Target};
use super::observed::ReleaseSeen;
use super::record::Record;
use std::collections::BTreeSet;

/// The Services that tell what runs, once no Release is at work: the targets of stages that were given to one.
pub fn targets(desired: &Desired, record: &Record, releases: &[ReleaseSeen]) -> BTreeSet<String> {
    if releases.iter().any(|release| !release.ended()) {
        return BTreeSet::new();
    }
    let given = |stage: &&Stage| {
        record.stage(&stage.name).is_some_and(|status| status.grant.is_some())
            || releases.iter().any(|release| release.stage(&stage.name).is_some())
    };
    let targets = desired.stages.iter().filter(given).flat_map(|stage| &stage.targets);
    targets
        .map(|target| match target {
            Target::Service(name) => name.clone(),
        })
        .collect()
}
