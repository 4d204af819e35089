//! Heads of the branch: which of them still needs a Release. A name is never made twice.

use super::desired::Desired;
use super::observed::{Observed, ReleaseSeen};
use super::record::Record;
use crate::condition::whole;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::Head;

/// What the head asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// The head is recorded, or cannot be seen.
    Same,
    /// There is a Release of the head, and it is not recorded: it is recorded now.
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
    // The source names another branch now, and its head was released already.
    if let Some(same) = record.heads().iter().find(|head| *head.of != *of && *head.commit == **commit) {
        return Turn::Adopted(Head { of: of.into(), ..same.clone() });
    }
    let taken = observed.releases.iter().filter_map(numbered).max().unwrap_or(known);
    Turn::New { commit: commit.clone(), number: taken + 1 }
}

/// A head that is recorded.
pub fn head(of: &str, commit: &str, number: i64, at: Timestamp) -> Head {
    Head { of: of.into(), commit: commit.into(), number, seen_at: Time(whole(at)) }
}
