//! What is done about a Release: the first step that can act, acts.

use super::desired::Desired;
use super::stages::StageState;
use super::state::{Course, End, State};
use super::steps::{InDoubt, Live, Start, Step, StepState};
use crate::Plan;
use crate::life::Life;
use crate::wake::{Wake, sooner};
use crate::world::LiveBuild;

/// How often a build is looked at, in seconds. CodeBuild publishes no rates; public bug reports say that it throttles
/// many who look every 5 seconds, and AWS's own GitHub action looks every 30.
const BUILDS: i64 = 30;
/// How often an image is looked for whose build succeeded, in seconds.
const PUSHES: i64 = 10;
/// How soon a build that is being stopped is looked at, in seconds: CodeBuild takes a moment, and shows it running
/// meanwhile.
const STOPS: i64 = 5;
/// How often a verification is asked, in seconds.
const VERIFIES: i64 = 10;
/// How often something is looked at whose changes a watch tells us, in seconds.
const WATCHED: i64 = 60;

/// One effect, with every argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Adds our finalizer to the object.
    Guard,
    /// Takes our finalizer away.
    Unguard,
    /// Writes the intent, then starts the build.
    Start(Box<Start>),
    /// Makes a call again that was not answered.
    Repeat(Box<Start>),
    /// Stops a build.
    Stop {
        /// The step.
        step: String,
        /// The build's ID.
        id: String,
        /// Why.
        because: Stop,
    },
}

/// Why a build is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Its attempt has an older one.
    Surplus,
    /// It runs longer than it may.
    Overdue,
    /// Its Release is over.
    Over,
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

/// What one step can do now, and when it is to be looked at again if nothing is done.
struct Next {
    action: Option<Action>,
    wake: Option<Wake>,
}

impl Next {
    const NOTHING: Self = Self { action: None, wake: None };

    fn act(action: Action) -> Self {
        Self { action: Some(action), wake: None }
    }

    fn wait(wake: Wake) -> Self {
        Self { action: None, wake: Some(wake) }
    }
}

/// What is done, and when to come back.
pub fn decide(desired: &Desired, state: &State) -> Plan<Action> {
    if desired.life == Life::Abandoned {
        return if desired.finalizer { Plan::act(Action::Unguard) } else { Plan::rest(Wake::OnChange) };
    }
    let mut wakes = Vec::new();
    for step in &state.steps {
        let next = next(desired, &state.course, step);
        match next.action {
            Some(stop @ Action::Stop { .. }) => return Plan { action: Some(stop), wake: Wake::After(STOPS) },
            Some(action) => return Plan::act(action),
            None => wakes.extend(next.wake),
        }
    }
    if desired.finalizer && !state.at_work {
        return Plan::act(Action::Unguard);
    }
    Plan::rest(wakes.into_iter().reduce(sooner).unwrap_or_else(|| of_course(&state.course)))
}

/// Of a Release that is over nothing is started any more, what runs is stopped, and what may run is found first.
fn next(desired: &Desired, course: &Course, step: &Step) -> Next {
    match &step.state {
        StepState::Startable(_) if !desired.finalizer => Next::act(Action::Guard),
        StepState::Startable(start) => Next::act(Action::Start(start.clone())),
        StepState::InDoubt(doubt) => match doubt {
            InDoubt::Repeatable(start) => Next::act(Action::Repeat(start.clone())),
            InDoubt::Searching | InDoubt::Recovering => Next::wait(Wake::After(BUILDS)),
            InDoubt::Expired if course.is_over() => Next::wait(Wake::Now),
            InDoubt::Expired => Next::NOTHING,
        },
        StepState::Hidden => Next::wait(Wake::After(BUILDS)),
        StepState::Live(build, live) => match live {
            Live::Surplus => stop(step, build, Stop::Surplus),
            Live::Overdue => stop(step, build, Stop::Overdue),
            Live::Running if course.is_over() => stop(step, build, Stop::Over),
            Live::Running => Next::wait(Wake::After(BUILDS)),
            Live::Found | Live::Again => Next::wait(Wake::Now),
        },
        StepState::Over(over) if over.is_news() => Next::wait(Wake::Now),
        StepState::Waiting | StepState::Over(_) => Next::NOTHING,
        StepState::Unknown(fault) => Next::wait(Wake::of_look(fault)),
    }
}

fn stop(step: &Step, build: &LiveBuild, because: Stop) -> Next {
    Next::act(Action::Stop { step: step.name.clone(), id: build.id.clone(), because })
}

fn of_course(course: &Course) -> Wake {
    match course {
        Course::Starting(_) | Course::Built(_) => Wake::Now,
        Course::Refused(refusal) => Wake::of_refusal(refusal),
        Course::Suspended | Course::InLine(_) | Course::Over(End::Before(_)) => Wake::OnChange,
        Course::Checking | Course::Building | Course::Unproved { .. } => Wake::After(BUILDS),
        Course::Pushing => Wake::After(PUSHES),
        Course::Blind(fault) => Wake::of_look(fault),
        Course::AtStage { state, .. } => of_stage(state),
        Course::Over(_) => Wake::Now,
    }
}

fn of_stage(state: &StageState) -> Wake {
    match state {
        StageState::Deployed | StageState::Verified => Wake::Now,
        StageState::Verifying(_) => Wake::After(VERIFIES),
        StageState::Waiting(_)
        | StageState::Rolling(_)
        | StageState::Unproved(_)
        | StageState::Stuck(..)
        | StageState::Failed(..) => Wake::After(WATCHED),
    }
}
