//! What is done about a Release: the first step that can act, acts.

use super::desired::Desired;
use super::stages::StageState;
use super::state::{Course, State, at_work};
use super::steps::{Start, StepState};
use crate::Plan;
use crate::life::Life;
use crate::wake::{Wake, sooner};
use crate::world::LiveBuild;
use launchway_crds::release::ReleaseStatus;

/// How often a build is looked at, in seconds. CodeBuild publishes no rates; public bug reports say that it throttles
/// many who look every 5 seconds, and AWS's own GitHub action looks every 30.
const BUILDS: i64 = 30;
/// How often an image is looked for whose build succeeded, in seconds.
const PUSHES: i64 = 10;
/// How soon a build that was stopped is looked at, in seconds.
const SOON: i64 = 5;
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
    let action =
        state.steps.iter().find_map(|(name, step)| if over { ending(step, name) } else { going(desired, step, name) });
    match action {
        // CodeBuild takes a moment to stop a build, and says meanwhile that it runs.
        Some(stop @ Action::Stop { .. }) => Plan { action: Some(stop), wake: Wake::After(SOON) },
        Some(action) => Plan::act(action),
        None if desired.finalizer && !at_work(record) => Plan::act(Action::Unguard),
        None => Plan::rest(wake(state)),
    }
}

fn stop(name: &str, id: &str) -> Action {
    Action::Stop { step: name.to_owned(), id: id.to_owned() }
}

fn going(desired: &Desired, step: &StepState, name: &str) -> Option<Action> {
    match step {
        StepState::Startable(_) if !desired.finalizer => Some(Action::Guard),
        StepState::Startable(start) => Some(Action::Start(start.clone())),
        StepState::Repeatable(start) => Some(Action::Repeat(start.clone())),
        StepState::Overdue(build) => Some(stop(name, &build.id)),
        StepState::Surplus(id) => Some(stop(name, id)),
        StepState::Waiting
        | StepState::Doubtful
        | StepState::Expired
        | StepState::Found(_)
        | StepState::Hidden
        | StepState::Running(_)
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped
        | StepState::Unknown(_) => None,
    }
}

/// What runs of a Release that is over is stopped. What is in doubt is first found, and then runs.
fn ending(step: &StepState, name: &str) -> Option<Action> {
    match step {
        StepState::Running(build) | StepState::Overdue(build) => Some(stop(name, &build.id)),
        StepState::Surplus(id) => Some(stop(name, id)),
        StepState::Waiting
        | StepState::Startable(_)
        | StepState::Repeatable(_)
        | StepState::Doubtful
        | StepState::Expired
        | StepState::Found(_)
        | StepState::Hidden
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped
        | StepState::Unknown(_) => None,
    }
}

fn wake(state: &State) -> Wake {
    if state.course.is_over() && state.steps.iter().any(|(_, step)| *step == StepState::Expired) {
        return Wake::Now;
    }
    let steps = state.steps.iter().filter_map(|(_, step)| of_step(step)).reduce(sooner);
    steps.unwrap_or_else(|| of_course(&state.course))
}

fn of_step(step: &StepState) -> Option<Wake> {
    match step {
        StepState::Found(_) | StepState::Again(_) | StepState::Done(Some(_)) => Some(Wake::Now),
        StepState::Failed { build: Some(_), .. } => Some(Wake::Now),
        StepState::Running(_)
        | StepState::Overdue(_)
        | StepState::Doubtful
        | StepState::Hidden
        | StepState::Surplus(_)
        | StepState::Repeatable(_)
        | StepState::Startable(_) => Some(Wake::After(BUILDS)),
        StepState::Unknown(fault) => Some(Wake::of_look(fault)),
        StepState::Waiting
        | StepState::Expired
        | StepState::Done(None)
        | StepState::Failed { build: None, .. }
        | StepState::Stopped => None,
    }
}

fn of_course(course: &Course) -> Wake {
    match course {
        Course::Starting(_) | Course::Built(_) => Wake::Now,
        Course::Refused(refusal) => Wake::of_refusal(refusal),
        Course::Suspended | Course::Ended(_) => Wake::OnChange,
        Course::Checking | Course::Building => Wake::After(BUILDS),
        Course::Pushing => Wake::After(PUSHES),
        Course::Blind(fault) => Wake::of_look(fault),
        Course::AtStage { state, .. } => of_stage(state),
        Course::Succeeded | Course::Failed(..) | Course::Superseded(_) | Course::Cancelled(_) => Wake::Now,
    }
}

fn of_stage(state: &StageState) -> Wake {
    match state {
        StageState::Deployed | StageState::Verified => Wake::Now,
        StageState::Verifying(_) => Wake::After(VERIFIES),
        StageState::Waiting(_) | StageState::Rolling(_) | StageState::Stuck(..) | StageState::Failed(..) => {
            Wake::After(LISTENS)
        }
    }
}
