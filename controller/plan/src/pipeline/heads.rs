//! Heads of the branch: which of them still needs a Release. A name is never made twice.

use super::observed::{Observed, is_made};
use crate::condition::whole;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Head, PipelineStatus};

/// What the head asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// The head is recorded, or cannot be seen.
    Same,
    /// A Release was made and its head was not recorded: it is recorded now.
    Adopted(Head),
    /// A Release is to be made.
    New {
        /// The commit.
        commit: String,
        /// Its number.
        number: i64,
    },
}

/// What the head asks for. A Release with a number above the recorded head's was made by a pass that was cut off.
pub fn turn(status: Option<&PipelineStatus>, observed: &Observed) -> Turn {
    let recorded = status.and_then(|status| status.head.as_ref());
    let newest = observed.releases.iter().filter(|release| is_made(release)).max_by_key(|release| release.spec.number);
    let newest_number = newest.and_then(|release| release.spec.number).unwrap_or(0);
    if let Some(release) = newest.filter(|_| newest_number > recorded.map_or(0, |head| head.number)) {
        return Turn::Adopted(head(&release.spec.commit, newest_number, observed.at));
    }
    match observed.head.seen() {
        Some(Ok(commit)) if recorded.is_none_or(|head| *head.commit != **commit) => {
            Turn::New { commit: commit.clone(), number: recorded.map_or(0, |head| head.number) + 1 }
        }
        Some(Ok(_) | Err(_)) | None => Turn::Same,
    }
}

/// A head that is recorded.
pub fn head(commit: &str, number: i64, at: Timestamp) -> Head {
    Head { commit: commit.into(), number, seen_at: Time(whole(at)) }
}
