//! What is done about a Release: the first step that can act, acts.

use super::desired::Desired;
use super::stages::StageState;
use super::state::{Course, State, at_work};
use super::steps::{Start, StepState};
use crate::Plan;
use crate::fault::{Fault, Remedy};
use crate::service::desired::Life;
use crate::wake::Wake;
use crate::world::LiveBuild;
use launchway_crds::release::{ReleaseStatus, StepPhase};

/// How often a build is looked at, in seconds. Source: aws.md, 30 s is what CodeBuild bears from many callers.
const BUILDS: i64 = 30;
/// How often a verification is asked, in seconds.
const VERIFIES: i64 = 10;
/// How often something that only a watch can tell is looked at all the same, in seconds.
const LISTENS: i64 = 60;

/// One effect, with every argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Adds our finalizer to the object.
    Guard,
    /// Takes our finalizer away.
    Unguard,
    /// Writes the intent, then starts the build.
    Start(Box<Start>),
    /// Makes the call of an intent that was found once more.
    Repeat(Box<Start>),
    /// Stops a build.
    Stop {
        /// The step.
        step: String,
        /// The build's ID.
        id: String,
    },
}

/// What an effect brought back.
#[derive(Clone, Debug, PartialEq)]
pub enum Effected {
    /// Nothing that is recorded.
    Plain,
    /// The build of that step.
    Started {
        /// The step.
        step: String,
        /// The build.
        build: Box<LiveBuild>,
    },
}

/// What is done, and when to come back.
pub fn decide(desired: &Desired, record: &ReleaseStatus, state: &State) -> Plan<Action> {
    if desired.life == Life::Abandoned {
        return if desired.finalizer { Plan::act(Action::Unguard) } else { Plan::rest(Wake::OnChange) };
    }
    let over = state.course.is_over();
    let action = state
        .steps
        .iter()
        .find_map(|(name, step)| if over { ending(record, name, step) } else { going(desired, step, name) });
    if let Some(action) = action {
        return Plan::act(action);
    }
    if desired.finalizer && !at_work(record) {
        return Plan::act(Action::Unguard);
    }
    Plan::rest(wake(state, over))
}

fn going(desired: &Desired, step: &StepState, name: &str) -> Option<Action> {
    match step {
        StepState::Startable(_) if !desired.finalizer => Some(Action::Guard),
        StepState::Startable(start) => Some(Action::Start(start.clone())),
        StepState::Repeatable(start) => Some(Action::Repeat(start.clone())),
        StepState::Overdue(build) => Some(Action::Stop { step: name.to_owned(), id: build.id.clone() }),
        StepState::Surplus(id) => Some(Action::Stop { step: name.to_owned(), id: id.clone() }),
        StepState::Waiting
        | StepState::Doubtful
        | StepState::Found(_)
        | StepState::Running(_)
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped
        | StepState::Unknown(_) => None,
    }
}

/// What runs of a Release that is over is stopped. What is in doubt is first found.
fn ending(record: &ReleaseStatus, name: &str, step: &StepState) -> Option<Action> {
    let stop = |id: &str| Some(Action::Stop { step: name.to_owned(), id: id.to_owned() });
    match step {
        StepState::Running(build) | StepState::Overdue(build) => stop(&build.id),
        StepState::Found(build) if super::state::is_live(&build.status) && recorded(record, name, build) => {
            stop(&build.id)
        }
        StepState::Surplus(id) => stop(id),
        StepState::Found(_)
        | StepState::Waiting
        | StepState::Startable(_)
        | StepState::Repeatable(_)
        | StepState::Doubtful
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped
        | StepState::Unknown(_) => None,
    }
}

fn recorded(record: &ReleaseStatus, name: &str, build: &LiveBuild) -> bool {
    record.steps.iter().any(|step| {
        *step.name == *name
            && step.phase == StepPhase::Running
            && step.build.as_ref().is_some_and(|one| one.id == build.id)
    })
}

fn wake(state: &State, over: bool) -> Wake {
    let steps = state.steps.iter().filter_map(|(_, step)| of_step(step, over)).reduce(sooner);
    steps.unwrap_or_else(|| of_course(&state.course))
}

fn of_step(step: &StepState, over: bool) -> Option<Wake> {
    match step {
        StepState::Found(_) | StepState::Again(_) => Some(Wake::Now),
        StepState::Done(Some(_)) => Some(Wake::Now),
        StepState::Failed { build: Some(_), .. } => Some(Wake::Now),
        StepState::Running(_) | StepState::Overdue(_) => Some(Wake::After(BUILDS)),
        StepState::Doubtful | StepState::Surplus(_) => Some(Wake::After(BUILDS)),
        StepState::Repeatable(_) | StepState::Startable(_) if over => Some(Wake::After(BUILDS)),
        StepState::Unknown(fault) => Some(of_fault(fault)),
        StepState::Repeatable(_)
        | StepState::Startable(_)
        | StepState::Waiting
        | StepState::Done(None)
        | StepState::Failed { .. }
        | StepState::Stopped => None,
    }
}

fn of_fault(fault: &Fault) -> Wake {
    if fault.remedy == Remedy::LookAgain { Wake::Backoff } else { Wake::of(fault) }
}

fn of_course(course: &Course) -> Wake {
    match course {
        Course::Starting(_) | Course::Built(_) => Wake::Now,
        Course::Refused(_) => Wake::OnChange,
        Course::Suspended | Course::Ended(_) => Wake::OnChange,
        Course::Checking | Course::Building => Wake::After(BUILDS),
        Course::Blind(fault) => of_fault(fault),
        Course::AtStage { state, .. } => of_stage(state),
        Course::Succeeded | Course::Failed(..) | Course::Superseded(_) | Course::Cancelled(_) => Wake::Now,
    }
}

fn of_stage(state: &StageState) -> Wake {
    match state {
        StageState::Deployed | StageState::Verified => Wake::Now,
        StageState::Verifying(_) => Wake::After(VERIFIES),
        StageState::Waiting | StageState::Rolling(_) | StageState::Stuck(_) | StageState::Failed(..) => {
            Wake::After(LISTENS)
        }
    }
}

/// The sooner of two wakes: a time before a back-off, a back-off before a change.
pub fn sooner(a: Wake, b: Wake) -> Wake {
    let rank = |wake: Wake| match wake {
        Wake::Now => (0, 0),
        Wake::After(seconds) => (1, seconds),
        Wake::Backoff => (2, 0),
        Wake::Operator => (3, 0),
        Wake::OnChange => (4, 0),
    };
    if rank(a) <= rank(b) { a } else { b }
}
