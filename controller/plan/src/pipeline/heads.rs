//! Whether the head of the branch still needs a Release. No two Releases ever get the same name.
//!
//! Anybody who may create Releases can make one that says that the Pipeline made it. So what a Release says of itself is
//! not believed: the Pipeline writes down the head and the number first, then makes the Release, then writes down its UID.

use super::desired::Desired;
use super::observed::{Observed, ReleaseSeen, Tip};
use super::pushed::Images;
use super::record::Record;
use super::relevance::{Judged, Question};
use crate::condition::whole;
use crate::image::key;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::name::Uid;
use launchway_crds::pipeline::{Head, PassedOver};
use std::collections::BTreeSet;

/// The highest number of a Release: the schema admits no higher one.
pub const LAST: i64 = 999_999_999;
/// A Release that was not proved to be the Pipeline's may be left over from a deleted Pipeline of the same name, and its
/// number is not used again. Above this it is not believed: the numbers would be at their end.
const BELIEVED: i64 = LAST / 2;
/// How many Releases of the branch may wait to begin. While there are so many, no other is made.
pub const LINE: usize = 20;
/// How many UIDs are recorded at least. Those of Releases that wait to begin come on top.
const MADE: usize = 10;

/// What follows from the head of the branch.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// Nothing: the head is recorded already, or cannot be seen.
    Same,
    /// There is a Release of the head, but the head is not recorded. This pass records it, and the Release's UID; absent:
    /// that is recorded already.
    Adopted(Head, Option<Uid>),
    /// A Release of this head is to be created.
    New(Head),
    /// The head is not released. This pass records why.
    PassedOver(PassedOver),
}

/// What follows from the head of the branch.
pub fn turn(desired: &Desired, record: &Record, observed: &Observed) -> Turn {
    let head = match found(desired, record, observed) {
        Found::Known(turn) => return turn,
        Found::Fresh(head) => head,
    };
    let Some(rules) = desired.source.relevance() else { return Turn::New(head) };
    match rules.judge(record, observed, &head.commit, base(desired, record, observed)) {
        Some(Judged::Released) => Turn::New(head),
        Some(Judged::PassedOver(why)) => Turn::PassedOver(why),
        None => Turn::Same,
    }
}

/// What is found before it is known whether the head is released.
enum Found {
    /// All that has to be known.
    Known(Turn),
    /// A head that no Release is made of, and that none was to be made of.
    Fresh(Head),
}

/// What has to be asked about the head before that can be told; absent: nothing.
pub fn asked<'a>(desired: &'a Desired, record: &Record, observed: &Observed) -> Option<Question<'a>> {
    let rules = desired.source.relevance()?;
    match found(desired, record, observed) {
        Found::Known(_) => None,
        Found::Fresh(head) => rules.question(record, &head.commit, base(desired, record, observed)),
    }
}

/// The commit that a Release was made of last. Whatever became of it: what a commit changes is released once.
fn base(desired: &Desired, record: &Record, observed: &Observed) -> Option<String> {
    let recorded = record.heads().first().map(|head| head.commit.to_string());
    // Of one that has not begun nobody knows, without a record, whether the Pipeline made it.
    let begun = observed.releases.iter().filter(|release| release.stays_with(&desired.uid));
    let last = begun.filter(|release| named(desired, release).is_some()).max_by_key(|release| release.order());
    recorded.or_else(|| last.map(|release| release.commit.clone()))
}

/// What would follow if every commit were released.
fn found(desired: &Desired, record: &Record, observed: &Observed) -> Found {
    if let Some(making) = record.making().filter(|making| desired.source.may_have_had(&making.of)) {
        return Found::Known(match observed.releases.iter().find(|release| is_made(desired, making, release)) {
            Some(release) => Turn::Adopted(making.clone(), Some(release.uid.as_str().into())),
            None => again(desired, making, observed),
        });
    }
    let Some(Ok(tip)) = observed.head.seen() else { return Found::Known(Turn::Same) };
    let of = match tip {
        Tip::Commit { of, .. } => Some(of.clone()),
        Tip::NoTag(_) => None,
        Tip::Images(_) => desired.source.list(),
    };
    let Some(of) = of else { return Found::Known(Turn::Same) };
    if let Tip::Images(images) = tip
        && let Some((number, release)) = last_made(desired, record, observed)
    {
        return Found::Known(adopted(&of, number, release, images, observed.at));
    }
    let is_known = |commit: &str| {
        let released = |repository: &str| record.status().released.iter().any(|one| one.of == key(commit, repository));
        desired.source.repository().is_some_and(released)
            || observed.releases.iter().any(|release| release.number.is_some() && *release.commit == *commit)
    };
    let Some((commit, images)) = tip.next(record.head(&of), is_known) else { return Found::Known(Turn::Same) };
    // The source names another branch now, and the commit at its head was released before.
    if let Some(same) = record.heads().iter().find(|head| *head.of != *of && *head.commit == *commit) {
        return Found::Known(Turn::Adopted(Head { of: of.as_str().into(), images, ..same.clone() }, None));
    }
    let head = |number| Head { images: images.clone(), ..head(&of, commit, number, observed.at) };
    if let Some((number, release)) = found_again(desired, record, observed, commit) {
        return Found::Known(Turn::Adopted(head(number), Some(release.uid.as_str().into())));
    }
    if is_line_full(observed) {
        return Found::Known(Turn::Same);
    }
    match free(desired, observed, record.number().max(believed(desired, observed))) {
        Some(number) => Found::Fresh(head(number)),
        None => Found::Known(Turn::Same),
    }
}

/// The Release that a pass wrote down and did not find: it was not made, or its name is taken by something else.
fn again(desired: &Desired, making: &Head, observed: &Observed) -> Turn {
    match free(desired, observed, making.number.saturating_sub(1)) {
        Some(number) => Turn::New(Head { number, ..making.clone() }),
        None => Turn::Same,
    }
}

/// Whether this is the Release that was about to be made, whoever made it: another one would say the same.
pub fn is_made(desired: &Desired, making: &Head, release: &ReleaseSeen) -> bool {
    release.number == Some(making.number)
        && release.name == *desired.release(making.number).0
        && *release.commit == *making.commit
        && release.stays_with(&desired.uid)
}

/// The Release of the branch's head, where the record was lost and the Release has not begun.
fn found_again<'a>(
    desired: &Desired,
    record: &Record,
    observed: &'a Observed,
    commit: &str,
) -> Option<(i64, &'a ReleaseSeen)> {
    made_before(desired, record, observed).filter(|(_, release)| release.commit == commit).max_by_key(order)
}

/// The newest Release that the Pipeline made, where the record was lost.
fn last_made<'a>(desired: &Desired, record: &Record, observed: &'a Observed) -> Option<(i64, &'a ReleaseSeen)> {
    made_before(desired, record, observed).max_by_key(order)
}

fn order<'a>((_, release): &(i64, &'a ReleaseSeen)) -> (Option<Timestamp>, i64, &'a str) {
    release.order()
}

/// Releases that the Pipeline made, by their names and owner, where the record was lost.
fn made_before<'a>(
    desired: &Desired,
    record: &Record,
    observed: &'a Observed,
) -> impl Iterator<Item = (i64, &'a ReleaseSeen)> {
    let all = observed.releases.iter().chain(&observed.strangers).filter(|_| record.heads().is_empty());
    let own = all.filter(|release| release.stays_with(&desired.uid));
    own.filter_map(|release| Some((named(desired, release)?, release)))
}

/// The head that is taken to have been recorded: of the images nothing says which came last but that Release. What had been pushed
/// by the time that it was made is not new.
fn adopted(of: &str, number: i64, release: &ReleaseSeen, images: &Images, at: Timestamp) -> Turn {
    let images = images.until(release.created.unwrap_or(at)).seen(None);
    let head = Head { images: Some(images), ..head(of, &release.commit, number, at) };
    Turn::Adopted(head, Some(release.uid.as_str().into()))
}

/// The number of a Release, if it is called by it.
fn named(desired: &Desired, release: &ReleaseSeen) -> Option<i64> {
    release.number.filter(|number| release.name == *desired.release(*number).0)
}

/// The highest number of all Releases that are called by it, as far as it is believed.
fn believed(desired: &Desired, observed: &Observed) -> i64 {
    let all = observed.releases.iter().chain(&observed.strangers).filter_map(|release| named(desired, release));
    all.filter(|number| *number <= BELIEVED).max().unwrap_or(0)
}

/// The first number above this one whose name nothing has. After the last number the first follows.
fn free(desired: &Desired, observed: &Observed, above: i64) -> Option<i64> {
    let above = above.clamp(0, LAST);
    let taken: BTreeSet<&str> =
        observed.releases.iter().chain(&observed.strangers).map(|release| release.name.as_str()).collect();
    (above..LAST)
        .chain(0..above)
        .map(|number| number + 1)
        .find(|number| !taken.contains(desired.release(*number).as_str()))
}

/// Whether as many Releases wait to begin as may.
pub fn is_line_full(observed: &Observed) -> bool {
    waiting(observed).count() >= LINE
}

/// The Releases of the branch that have not begun.
fn waiting(observed: &Observed) -> impl Iterator<Item = &ReleaseSeen> {
    observed.releases.iter().filter(|release| !release.is_persons() && !release.has_begun())
}

/// The Releases that count, and those that say of themselves that the Pipeline made them and are not known to be: they are
/// left alone, and only their names are taken. Known are those whose UID is recorded, the one that was about to be made, and
/// those that have begun: only the Pipeline lets one begin.
pub fn sorted(desired: &Desired, record: &Record, all: Vec<ReleaseSeen>) -> (Vec<ReleaseSeen>, Vec<ReleaseSeen>) {
    let making = record.making();
    all.into_iter().partition(|release| {
        release.is_persons()
            || named(desired, release).is_some()
                && (release.has_begun()
                    || record.has_made(&release.uid)
                    || making.is_some_and(|making| is_made(desired, making, release)))
    })
}

/// The UIDs that are recorded after this pass: the oldest leave first, and never the new one or one of a Release that waits to
/// begin.
pub fn made(record: &Record, observed: &Observed, new: Option<Uid>) -> Vec<Uid> {
    let mut all = record.made().to_vec();
    all.extend(new.clone().filter(|new| !record.has_made(new)));
    let waiting: BTreeSet<&str> = waiting(observed).map(|release| release.uid.as_str()).collect();
    let mut over = all.len().saturating_sub(MADE);
    all.retain(|uid| {
        let leaves = over > 0 && !waiting.contains(uid.as_str()) && new.as_ref() != Some(uid);
        over -= usize::from(leaves);
        !leaves
    });
    all
}

/// The record of a head.
pub fn head(of: &str, commit: &str, number: i64, at: Timestamp) -> Head {
    Head { of: of.into(), commit: commit.into(), number, seen_at: Time(whole(at)), images: None }
}
