//! Where a Pipeline stands: computed from what is wanted, recorded and seen, and never stored.

use super::desired::{Desired, checked_plan};
use super::heads::{Turn, turn};
use super::observed::{Observed, ended, is_made, name, order, phase};
use super::stages::{Entrance, Holding, hold};
use crate::account::scope;
use crate::condition::{find, is_true};
use crate::reason::{Kind, Reason};
use crate::refusal::Refusal;
use launchway_crds::pipeline::PipelineStatus;
use launchway_crds::release::{Release, ReleasePhase};

/// Where a Pipeline stands.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What the head asks for.
    pub turn: Turn,
    /// Who holds what.
    pub holding: Holding,
    /// An ended Release that is no longer kept.
    pub surplus: Option<String>,
    /// How the newest Release stands.
    pub course: Course,
    /// How the last Release before it ended, if one did.
    pub last: Option<Last>,
}

/// How a Release ended that had a result: what stands while a newer one is at work.
#[derive(Clone, Debug, PartialEq)]
pub enum Last {
    /// It was released.
    Released(Newest),
    /// It failed.
    Failed(Newest),
}

/// How the newest Release stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// The account does not allow what the spec names.
    Refused(Refusal),
    /// Nothing new is begun.
    Suspended,
    /// There is none.
    Nothing,
    /// It is at work.
    AtWork(Newest),
    /// It cannot go on until somebody changes something.
    Stuck(Newest),
    /// It failed.
    Failed(Newest),
    /// It runs in the last stage, verified.
    Released(Newest),
    /// It ended well, but before the Pipeline had this stage.
    Unreached {
        /// It.
        newest: Newest,
        /// The stage's name.
        stage: String,
    },
}

/// The newest Release, in the words of its own status.
#[derive(Clone, Debug, PartialEq)]
pub struct Newest {
    /// Its name.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// The step or stage that it is at.
    pub stage: String,
    /// Why, in a word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

/// Where the Pipeline stands.
pub fn assess(desired: &Desired, status: Option<&PipelineStatus>, observed: &Observed) -> State {
    let allowed =
        scope(&observed.account, desired.spec.region.as_deref()).and_then(|scope| checked_plan(&desired.spec, &scope));
    let course = match allowed {
        Err(refusal) => Course::Refused(refusal),
        Ok(_) if desired.spec.suspend => Course::Suspended,
        Ok(_) => course(observed),
    };
    let shut = matches!(course, Course::Refused(_) | Course::Suspended);
    let entrance = if shut { Entrance::Shut } else { Entrance::Open };
    let holding = hold(&desired.spec, status, observed, entrance);
    let course = reached(course, desired, &holding);
    let turn = if shut { Turn::Same } else { turn(&desired.uid, status, observed) };
    State { turn, surplus: surplus(desired, &holding, observed), holding, course, last: last(observed) }
}

/// A Release that ended well is released only if it went through every stage that there is now.
fn reached(course: Course, desired: &Desired, holding: &Holding) -> Course {
    let Course::Released(newest) = course else { return course };
    let verified = |name: &str| {
        holding.stages.iter().filter(|stage| *stage.name == *name).find_map(|stage| stage.verified.as_ref())
    };
    let missing = desired
        .spec
        .stages
        .iter()
        .find(|stage| verified(&stage.name).is_none_or(|verified| *verified.release != *newest.name));
    match missing {
        Some(stage) => Course::Unreached { newest, stage: stage.name.to_string() },
        None => Course::Released(newest),
    }
}

fn course(observed: &Observed) -> Course {
    let gone = |release: &&Release| matches!(phase(release), Some(ReleasePhase::Superseded | ReleasePhase::Cancelled));
    let Some(release) = observed.releases.iter().filter(|release| !gone(release)).max_by_key(|release| order(release))
    else {
        return Course::Nothing;
    };
    let newest = newest(release);
    match phase(release) {
        Some(ReleasePhase::Succeeded) => Course::Released(newest),
        Some(ReleasePhase::Failed) => Course::Failed(newest),
        None | Some(ReleasePhase::Active | ReleasePhase::Superseded | ReleasePhase::Cancelled) => {
            let stuck = release.status.as_ref().is_some_and(|status| is_true(&status.conditions, Kind::Stalled));
            if stuck { Course::Stuck(newest) } else { Course::AtWork(newest) }
        }
    }
}

/// The newest Release with a result.
fn last(observed: &Observed) -> Option<Last> {
    let mut all: Vec<&Release> = observed.releases.iter().collect();
    all.sort_by_key(|release| order(release));
    all.into_iter().rev().find_map(|release| match phase(release) {
        Some(ReleasePhase::Succeeded) => Some(Last::Released(newest(release))),
        Some(ReleasePhase::Failed) => Some(Last::Failed(newest(release))),
        Some(ReleasePhase::Active | ReleasePhase::Superseded | ReleasePhase::Cancelled) | None => None,
    })
}

fn newest(release: &Release) -> Newest {
    let summary = release.status.as_ref().and_then(|status| status.summary.clone()).unwrap_or_default();
    let ready = release.status.as_ref().and_then(|status| find(&status.conditions, Kind::Ready));
    Newest {
        name: name(release).to_owned(),
        commit: release.spec.commit.to_string(),
        stage: summary.stage,
        reason: ready.map_or_else(|| Reason::Progressing.to_string(), |ready| ready.reason.clone()),
        message: summary.message,
    }
}

/// The oldest ended Release of those that the Pipeline made, if there are more than are kept and no stage rests on it.
fn surplus(desired: &Desired, holding: &Holding, observed: &Observed) -> Option<String> {
    let mut over: Vec<_> = observed.releases.iter().filter(|release| is_made(release) && ended(release)).collect();
    over.sort_by_key(|release| order(release));
    let kept = usize::try_from(desired.spec.history_limit).unwrap_or(usize::MAX);
    let surplus = over.len().saturating_sub(kept);
    let rests = |release: &&&Release| {
        let own = name(release);
        holding.stages.iter().any(|stage| {
            *stage.release == *own || stage.verified.as_ref().is_some_and(|verified| *verified.release == *own)
        })
    };
    over.iter()
        .take(surplus)
        .find(|release| !rests(release) && release.metadata.deletion_timestamp.is_none())
        .map(|release| name(release).to_owned())
}
