//! What a pass over a Pipeline has to look at besides its branch and its Releases. Nothing is looked at here.

use super::desired::{Desired, Stage, Target};
use super::observed::ReleaseSeen;
use super::record::Record;
use std::collections::BTreeSet;

/// The names of the Services to look at, to learn what runs: the targets of the stages that a Release has entered. None
/// are looked at while the newest Release is at work.
pub fn targets(desired: &Desired, record: &Record, releases: &[ReleaseSeen]) -> BTreeSet<String> {
    let newest = releases.iter().max_by_key(|release| release.order());
    if newest.is_some_and(|release| !release.ended()) {
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
