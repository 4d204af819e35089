//! Heads of the branch: which of them still needs a Release. A name is never made twice.

use super::observed::{Observed, is_made};
use crate::condition::whole;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Head, PipelineStatus};
use launchway_crds::release::Release;

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

/// What the head asks for. A Release of this very Pipeline with a number above the recorded head's was made by a pass
/// that was cut off. One of a Pipeline of the same name that was deleted only keeps its number.
pub fn turn(uid: &str, status: Option<&PipelineStatus>, observed: &Observed) -> Turn {
    let recorded = status.and_then(|status| status.head.as_ref());
    let known = recorded.map_or(0, |head| head.number);
    let made = || observed.releases.iter().filter(|release| is_made(release) && number(release) > known);
    let newest = made().filter(|release| stays_with(release, uid)).max_by_key(|release| number(release));
    if let Some(release) = newest {
        return Turn::Adopted(head(&release.spec.commit, number(release), observed.at));
    }
    match observed.head.seen() {
        Some(Ok(commit)) if recorded.is_none_or(|head| *head.commit != **commit) => {
            let taken = made().map(number).max().unwrap_or(known);
            Turn::New { commit: commit.clone(), number: taken + 1 }
        }
        Some(Ok(_) | Err(_)) | None => Turn::Same,
    }
}

fn number(release: &Release) -> i64 {
    release.spec.number.unwrap_or_default()
}

/// Whether a Release belongs to the Pipeline of that UID and is not being deleted.
pub fn stays_with(release: &Release, uid: &str) -> bool {
    let owners = release.metadata.owner_references.iter().flatten();
    release.metadata.deletion_timestamp.is_none() && owners.into_iter().any(|owner| owner.uid == uid)
}

/// A head that is recorded.
pub fn head(commit: &str, number: i64, at: Timestamp) -> Head {
    Head { commit: commit.into(), number, seen_at: Time(whole(at)) }
}
