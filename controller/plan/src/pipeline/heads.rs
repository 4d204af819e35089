//! Whether the head of the branch still needs a Release. No two Releases ever get the same name.

use super::desired::Desired;
use super::observed::{Observed, ReleaseSeen};
use super::record::Record;
use crate::condition::whole;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::Head;

/// What follows from the head of the branch.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// Nothing: the head is recorded already, or cannot be seen.
    Same,
    /// There is a Release of the head, but the head is not recorded. This pass records it.
    Adopted(Head),
    /// A Release is to be created.
    New {
        /// The commit.
        commit: String,
        /// Its number.
        number: i64,
    },
}

/// What follows from the head of the branch. If a Release that belongs to this Pipeline has a higher number than the
/// recorded head, a pass created it and was interrupted before it recorded that. A Release of a deleted Pipeline of the
/// same name is not taken over, but its number is not used again.
pub fn turn(desired: &Desired, record: &Record, observed: &Observed) -> Turn {
    let of = desired.source.reference();
    let known = record.number();
    let numbered = |release: &ReleaseSeen| release.number.filter(|number| *number > known);
    let newest = observed
        .releases
        .iter()
        .filter(|release| release.stays_with(&desired.uid))
        .filter_map(|release| Some((numbered(release)?, release)))
        .max_by_key(|(number, _)| *number);
    if let Some((number, release)) = newest {
        return Turn::Adopted(head(&of, &release.commit, number, observed.at));
    }
    let Some(Ok(commit)) = observed.head.seen() else { return Turn::Same };
    if record.head(&of).is_some_and(|head| *head.commit == **commit) {
        return Turn::Same;
    }
    // The source names another branch now, and the commit at its head was released before.
    if let Some(same) = record.heads().iter().find(|head| *head.of != *of && *head.commit == **commit) {
        return Turn::Adopted(Head { of: of.into(), ..same.clone() });
    }
    let taken = observed.releases.iter().filter_map(numbered).max().unwrap_or(known);
    // A person may have taken the name.
    let is_free = |number: &i64| observed.releases.iter().all(|release| release.name != *desired.release(*number).0);
    let number = (taken + 1..).find(is_free).unwrap_or(taken + 1);
    Turn::New { commit: commit.clone(), number }
}

/// The record of a head.
pub fn head(of: &str, commit: &str, number: i64, at: Timestamp) -> Head {
    Head { of: of.into(), commit: commit.into(), number, seen_at: Time(whole(at)) }
}
