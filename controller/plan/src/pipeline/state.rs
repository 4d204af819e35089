//! The state of a Pipeline. It is computed in every pass from what is wanted, recorded and seen, and never stored.

use super::desired::{Desired, Target};
use super::heads::{Turn, turn};
use super::observed::{Observed, ReleaseSeen};
use super::record::Record;
use super::stages::{Holding, hold};
use crate::account::scope;
use crate::condition::whole;
use crate::life::{Life, resume_command};
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::target::{Standing, TargetSeen, standing, together};
use launchway_crds::pipeline::{Grant, StageStatus, Summary, Waiting, WaitsFor};
use launchway_crds::release::ReleasePhase;

/// The state of a Pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What follows from the head of the branch.
    pub turn: Turn,
    /// Which Release holds which stage.
    pub holding: Holding,
    /// The name of an ended Release to delete, because more are there than are kept.
    pub surplus: Option<String>,
    /// How far the newest Release has come.
    pub course: Course,
    /// The newest Release that succeeded or failed; absent: there is none.
    pub last: Option<Last>,
}

/// A Release that succeeded or failed. Its result stands while a newer Release is at work.
#[derive(Clone, Debug, PartialEq)]
pub enum Last {
    /// It succeeded.
    Released(Newest),
    /// It failed.
    Failed(Newest),
}

/// How far the newest Release of a Pipeline has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// The account does not allow what the spec names.
    Refused(Refusal),
    /// It waits for a person or a time, or the Pipeline is suspended and starts nothing new.
    Held(Held),
    /// There is no Release.
    Nothing,
    /// It is at work, or waits for another Release that is.
    AtWork(Newest),
    /// It cannot go on until somebody changes something.
    Stuck(Newest),
    /// It failed.
    Failed(Newest),
    /// It was verified in every stage, and every target still runs it.
    Released(Newest),
    /// It succeeded, but before the Pipeline had this stage.
    Unreached {
        /// It.
        newest: Newest,
        /// The stage's name.
        stage: String,
    },
    /// It was verified in every stage, but a target of this stage does not run it now as it should.
    Adrift {
        /// It.
        newest: Newest,
        /// The stage's name.
        stage: String,
        /// What the stage's targets run.
        standing: Standing,
    },
    /// This stage was granted to a Release that was deleted before it had verified the stage.
    Gone {
        /// The stage's name.
        stage: String,
        /// The stage's grant.
        grant: Box<Grant>,
    },
}

/// Why a Pipeline is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The Release that waits; absent: the Pipeline is suspended.
    pub newest: Option<Newest>,
    /// Why, as the reason of a condition.
    pub reason: Reason,
    /// Why, since when, and how to continue, as a message for people.
    pub message: String,
}

/// What is said of a Release, in the words of its own status.
#[derive(Clone, Debug, PartialEq)]
pub struct Newest {
    /// Its name.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// The step or stage that it is at.
    pub stage: String,
    /// The reason of its `Ready`.
    pub reason: String,
    /// Its last message; may be empty.
    pub message: String,
}

/// The state of the Pipeline.
pub fn assess(desired: &Desired, record: &Record, observed: &Observed) -> State {
    let allowed = scope(&observed.account, desired.region.as_deref()).and_then(|scope| desired.plan(&scope));
    let refusal = allowed.err();
    let holding = hold(desired, record, observed, refusal.as_ref());
    let begins = refusal.is_none() && !desired.suspended;
    let turn = if begins { turn(desired, record, observed) } else { Turn::Same };
    let course = match refusal {
        Some(refusal) => Course::Refused(refusal),
        None if desired.suspended => Course::Held(suspended(desired, record, observed)),
        None => standing_now(desired, observed, &holding),
    };
    State { turn, surplus: surplus(desired, &holding, observed), holding, course, last: last(observed) }
}

fn suspended(desired: &Desired, record: &Record, observed: &Observed) -> Held {
    let since = record.held_since(Reason::Suspended).unwrap_or_else(|| whole(observed.at));
    let message =
        format!("suspended since {since}; to continue: {}", resume_command(&desired.namespace, &desired.name));
    Held { newest: None, reason: Reason::Suspended, message }
}

/// How far the newest Release has come, according to the grants of the stages and to what their targets run now. A
/// Release that was deleted is described by what the Pipeline recorded of it, because deleting it changes nothing that
/// runs.
fn standing_now(desired: &Desired, observed: &Observed, holding: &Holding) -> Course {
    let course = match holding.newest_grant().filter(|grant| is_gone(grant, observed)) {
        Some(grant) => Course::Released(recorded(grant)),
        None => match last_made(observed).filter(|release| !release.is_clear()) {
            Some(release) => unreadable(release, desired, holding),
            None => course(observed, holding),
        },
    };
    let Course::Released(newest) = course else { return course };
    for stage in &desired.stages {
        let status = holding.stages.iter().find(|status| *status.name == *stage.name);
        let Some((grant, verified)) =
            status.and_then(|status| Some((status.grant.as_ref()?, status.verified.as_ref())))
        else {
            return Course::Unreached { newest, stage: stage.name.clone() };
        };
        let proved = verified.is_some_and(|verified| verified.grant == grant.number);
        if !proved || *grant.release != *newest.name {
            return Course::Gone { stage: stage.name.clone(), grant: Box::new(grant.clone()) };
        }
        let source = format!("{}/{}", desired.name, stage.name);
        let of = |target: &Target| match target {
            Target::Service(name) => match observed.targets.get(name) {
                // What was verified stands while it cannot be looked at.
                Some(Some(TargetSeen { unreadable: Some(_), .. })) => Standing::Done,
                seen => standing(name, &source, grant, seen, observed.at),
            },
        };
        let standing = together(stage.targets.iter().map(of).collect());
        if standing != Standing::Done {
            return Course::Adrift { newest, stage: stage.name.clone(), standing };
        }
    }
    Course::Released(newest)
}

/// How far the newest Release has come, if that one cannot be read: what the stages recorded of it stands.
fn unreadable(release: &ReleaseSeen, desired: &Desired, holding: &Holding) -> Course {
    let has_proved = |status: &StageStatus| {
        let grant = status.grant.as_ref().filter(|grant| release.was_given(grant));
        grant.is_some_and(|grant| status.verified.as_ref().is_some_and(|verified| verified.grant == grant.number))
    };
    let is_proved = |name: &str| holding.stages.iter().any(|status| *status.name == *name && has_proved(status));
    match desired.stages.iter().all(|stage| is_proved(&stage.name)) {
        true => Course::Released(newest(release)),
        false => Course::Stuck(newest(release)),
    }
}

/// Whether the Release that entered a stage last was deleted, and no other is at work or was made since then.
fn is_gone(grant: &Grant, observed: &Observed) -> bool {
    let there = observed.releases.iter().any(|release| release.was_given(grant));
    let newer =
        |release: &ReleaseSeen| !release.ended() || release.created.is_some_and(|created| created > grant.since.0);
    !there && !observed.releases.iter().any(newer)
}

/// A Release that was deleted, described by its grant.
fn recorded(grant: &Grant) -> Newest {
    Newest {
        name: grant.release.to_string(),
        commit: grant.commit.to_string(),
        stage: String::new(),
        reason: Reason::Succeeded.to_string(),
        message: format!(
            "commit {} runs in every stage, verified; the Release itself was deleted",
            grant.commit.short()
        ),
    }
}

/// The newest Release. Superseded and cancelled ones do not count.
fn last_made(observed: &Observed) -> Option<&ReleaseSeen> {
    let gone = |release: &&ReleaseSeen| matches!(release.phase, ReleasePhase::Superseded | ReleasePhase::Cancelled);
    observed.releases.iter().filter(|release| !gone(release)).max_by_key(|release| release.order())
}

/// How far the newest Release has come.
pub(super) fn course(observed: &Observed, holding: &Holding) -> Course {
    let Some(release) = last_made(observed) else { return Course::Nothing };
    let newest = newest(release);
    match release.phase {
        ReleasePhase::Succeeded => Course::Released(newest),
        ReleasePhase::Failed => Course::Failed(newest),
        ReleasePhase::Active | ReleasePhase::Superseded | ReleasePhase::Cancelled => {
            match holding.waiting(&release.name) {
                Some((stage, waiting)) => waits(newest, &stage.name, waiting),
                // What it said before it entered the stage does not count any more.
                None if release.stalled && !holding.has_just_entered(release) => Course::Stuck(newest),
                None => Course::AtWork(newest),
            }
        }
    }
}

/// A Release that waits for a stage. Only one that waits for a person or a time is held.
fn waits(newest: Newest, stage: &str, waiting: &Waiting) -> Course {
    match (waiting.what, Reason::parse(&waiting.reason)) {
        (WaitsFor::Person | WaitsFor::Time, Some(reason)) => {
            let since = waiting.since.0;
            let message = format!(
                "Release {} has been waiting for stage {stage} since {since}: {}",
                newest.name, waiting.message
            );
            Course::Held(Held { newest: Some(newest), reason, message })
        }
        (WaitsFor::Release | WaitsFor::Correction, _) | (WaitsFor::Person | WaitsFor::Time, None) => {
            Course::AtWork(newest)
        }
    }
}

/// The newest Release that succeeded or failed.
fn last(observed: &Observed) -> Option<Last> {
    let mut all: Vec<&ReleaseSeen> = observed.releases.iter().collect();
    all.sort_by_key(|release| release.order());
    all.into_iter().rev().find_map(|release| {
        if release.phase == ReleasePhase::Succeeded {
            return Some(Last::Released(newest(release)));
        }
        (release.phase == ReleasePhase::Failed).then(|| Last::Failed(newest(release)))
    })
}

fn newest(release: &ReleaseSeen) -> Newest {
    let Summary { commit: _, stage, reason: _, message } = release.summary.clone();
    Newest {
        name: release.name.clone(),
        commit: release.commit.clone(),
        stage,
        reason: release.reason.clone(),
        message,
    }
}

/// The oldest ended Release that the Pipeline made, if more than `historyLimit` of them have ended; absent: there is
/// none to delete. A Release that a stage names in its grant or as verified is kept.
fn surplus(desired: &Desired, holding: &Holding, observed: &Observed) -> Option<String> {
    let mut over: Vec<&ReleaseSeen> =
        observed.releases.iter().filter(|release| release.number.is_some() && release.ended()).collect();
    over.sort_by_key(|release| release.order());
    let surplus = over.len().saturating_sub(desired.history);
    let rests = |release: &ReleaseSeen| {
        holding.stages.iter().any(|stage| {
            stage.grant.as_ref().is_some_and(|grant| *grant.release == *release.name)
                || stage.verified.as_ref().is_some_and(|verified| *verified.release == *release.name)
        })
    };
    let free = over.into_iter().take(surplus).find(|release| !rests(release) && release.life == Life::Stays);
    free.map(|release| release.name.clone())
}
