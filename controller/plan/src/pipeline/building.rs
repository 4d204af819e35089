//! Which Releases are checked and built now (`spec.concurrency`), and which of those that have no image yet give way to
//! a newer one. A Release that a person made waits for no build of the branch, and gives way only to another one that a person
//! made. Who gives way is decided before anybody begins: of a thousand that are made at once, one is built.

use super::desired::Desired;
use super::observed::{Observed, ReleaseSeen};
use super::record::Record;
use launchway_crds::name::ObjectName;
use launchway_crds::pipeline::{Mode, Superseded};

/// How many Releases of the branch are listed as being built, and how many that persons made and that may begin: a status is
/// at most 32 KiB large.
const LISTED: (usize, usize) = (15, 5);

/// Whether the Release is being checked or built: it counts for the limit. One that is stuck, and of which nothing runs, does not.
fn is_running(release: &ReleaseSeen, record: &Record) -> bool {
    release.at_work || (release.begun || record.may_build(&release.name)) && !release.stalled
}

/// Adds the Releases without an image that give way to a newer one. Those that were told before stay told: a list may
/// have forgotten the newer one, and the older one's build is stopped already.
pub fn outbuilt(
    superseded: &mut Vec<Superseded>,
    desired: &Desired,
    record: &Record,
    observed: &Observed,
    active: &[&ReleaseSeen],
) {
    let others = || {
        observed
            .releases
            .iter()
            .filter(|release| !came_to_nothing(release) && release.is_clear() && !release.is_refused())
    };
    let newest = others().max_by_key(|release| release.order());
    let persons = others().filter(|release| release.is_persons()).max_by_key(|release| release.order());
    // In a queue only what the last stage has left behind gives way; and where all records were lost, what is not the newest:
    // nobody knows what ran before.
    let holder = desired.stages.last().and_then(|last| record.stage(&last.name)?.grant.as_ref());
    let holder = holder.and_then(|grant| observed.releases.iter().find(|release| release.was_given(grant)));
    let lost = record.heads().is_empty();
    for release in active.iter().filter(|release| release.images.is_empty()) {
        let by = if desired.mode == Mode::Queue && !lost {
            holder
        } else if release.is_persons() {
            persons
        } else {
            newest
        };
        let Some(by) = by.filter(|by| by.order() > release.order()) else { continue };
        let gives_way = desired.mode == Mode::Supersede || !is_running(release, record);
        if gives_way && !release.is_among(superseded) {
            superseded.push(release.gives_way(by));
        }
    }
}

/// Whether the Release ended without having entered a stage: nothing gives way to it.
fn came_to_nothing(release: &ReleaseSeen) -> bool {
    release.ended() && release.stages.is_empty()
}

/// Who is checked and built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Building {
    /// The branch's Releases that are being checked and built, or may begin now, and those that persons made and that may
    /// begin now.
    pub releases: Vec<ObjectName>,
    /// Whether a Release that is made in this pass may begin too.
    pub has_room: bool,
}

/// Who is checked and built, of the active Releases, the oldest first. While nothing new is begun, nobody is added.
pub fn building(
    desired: &Desired,
    record: &Record,
    active: &[&ReleaseSeen],
    superseded: &[Superseded],
    begins: bool,
) -> Building {
    let concerned = |release: &&&ReleaseSeen| release.images.is_empty() && !release.is_among(superseded);
    let (persons, all): (Vec<&ReleaseSeen>, Vec<&ReleaseSeen>) =
        active.iter().filter(concerned).copied().partition(|release| release.is_persons());
    let is_running = |release: &&&ReleaseSeen| is_running(release, record);
    let waits = |release: &&&ReleaseSeen| !release.begun && !is_running(release);
    let room = match desired.mode {
        Mode::Supersede => usize::MAX,
        Mode::Newest | Mode::Queue => desired.limit.saturating_sub(all.iter().filter(is_running).count()),
    };
    let waiting: Vec<&str> = all.iter().filter(waits).map(|release| release.name.as_str()).collect();
    let entering = if begins { waiting.get(..room).unwrap_or(&waiting) } else { &[] };
    // One that is stuck keeps its place, and does not count.
    let stuck = |one: &&&ReleaseSeen| one.begun && record.may_build(&one.name);
    let listed = all.iter().filter(|one| is_running(one) || stuck(one) || entering.contains(&one.name.as_str()));
    let (of_branch, of_persons) = LISTED;
    let may_begin = persons.iter().filter(|release| begins && !release.begun);
    // In a queue they do not all begin at once either.
    let places = match desired.mode {
        Mode::Queue => {
            desired.limit.saturating_sub(persons.iter().filter(|release| release.begun && !release.stalled).count())
        }
        Mode::Newest | Mode::Supersede => of_persons,
    };
    let listed = listed.take(of_branch).chain(may_begin.take(places.min(of_persons)));
    Building {
        releases: listed.map(|release| release.name.as_str().into()).collect(),
        has_room: begins && room > waiting.len(),
    }
}
