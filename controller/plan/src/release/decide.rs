//! What to do about a Release: what the first step needs for which something can be done.

use super::commit_status::{CommitStatus, Host, Unreported};
use super::crowd::Counted;
use super::desired::Desired;
use super::record::{Progress, Record};
use super::required_statuses::Awaited;
use super::stages::StageState;
use super::state::{Course, End, Line, RECORDED, State};
use super::steps::{InDoubt, Live, Start, Step, StepState};
use crate::fault::Fault;
use crate::life::Life;
use crate::wake::{Wake, sooner};
use crate::world::LiveBuild;
use crate::{Outcome, Plan};

/// How often to look at a build, in seconds. CodeBuild publishes no rates. Public bug reports say that it throttles
/// when many clients look every 5 seconds, and AWS's own GitHub action looks every 30.
const BUILDS: i64 = 30;
/// How often to look for the image of a build that succeeded, in seconds.
const PUSHES: i64 = 10;
/// When to look again at a build that we asked CodeBuild to stop, in seconds. CodeBuild shows it as running for a
/// moment.
const STOPS: i64 = 5;
/// How often to send a stage's verifications, in seconds.
const VERIFIES: i64 = 10;
/// How often to look at a stage's targets, in seconds. A watch reports most changes before that.
const WATCHED: i64 = 60;

/// One effect, with all that is needed to carry it out.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Adds our finalizer to the Release.
    Guard,
    /// Removes our finalizer from the Release.
    Unguard,
    /// Writes the intent, then starts the build.
    Start(Box<Start>),
    /// Repeats a call that was not answered, with the same token.
    Repeat(Box<Start>),
    /// Stops a build.
    Stop {
        /// The step.
        step: String,
        /// The build's ID.
        id: String,
        /// Why it is stopped.
        because: Stop,
    },
    /// Has the git host show commit statuses. Nothing else is to be done.
    Report {
        /// The host.
        host: Host,
        /// The commit statuses.
        statuses: Vec<CommitStatus>,
    },
}

/// Why a build is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The same attempt has an older build, which is kept.
    Surplus,
    /// It runs longer than its timeout allows.
    Overdue,
    /// Its Release is over.
    Over,
}

/// What is recorded of an effect that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub enum Effected {
    /// Nothing.
    Plain,
    /// A step's build was started.
    Started {
        /// The step.
        step: String,
        /// The build.
        build: Box<LiveBuild>,
    },
    /// The git host was asked.
    Reported {
        /// The commit statuses that it took.
        statuses: Vec<CommitStatus>,
        /// Why it did not take the others, if it refused any.
        fault: Option<Fault>,
    },
}

/// What to do for one step now, and otherwise when to look at it again.
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

/// What to do about the Release, and when the next pass is due.
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
    let wake = wakes.into_iter().reduce(sooner).unwrap_or_else(|| of_course(&state.course));
    let Unreported { statuses, host } = &state.unreported;
    let host = host.as_ref().filter(|_| wake != Wake::Now && !statuses.is_empty());
    let action = host.map(|host| Action::Report { host: host.clone(), statuses: statuses.clone() });
    Plan { action, wake }
}

/// When the next pass is due, where this is what the git host lacks after this one. What it does not take keeps the Release from nothing
/// else.
pub fn due(plan: &Plan<Action>, outcome: &Outcome<Effected>, lacks: &Unreported) -> Wake {
    let lacks = lacks.host.is_some() && !lacks.statuses.is_empty();
    match (&plan.action, outcome) {
        (_, Outcome::Done(Effected::Reported { fault: Some(fault), .. })) => sooner(plan.wake, Wake::of(fault)),
        // There was no time for the others.
        (_, Outcome::Done(Effected::Reported { statuses, fault: None })) if lacks && !statuses.is_empty() => Wake::Now,
        // Something has turned.
        (None, _) if lacks => Wake::Now,
        (_, Outcome::Idle | Outcome::Done(_) | Outcome::Failed(_)) => outcome.wake(plan.wake),
    }
}

/// What this pass adds to what is at work of the namespace, if it adds anything. A step whose earlier call started nothing counts
/// already.
pub fn added(record: &Record, course: &Course, action: Option<&Action>) -> Option<Counted> {
    let mut steps = record.work.iter().flat_map(|work| &work.steps);
    let mut waits = |name: &str| steps.any(|step| *step.name == *name && step.progress == Progress::Waiting);
    match (course, action) {
        (Course::Starting(_), _) => Some(Counted::Releases),
        (_, Some(Action::Start(start))) if waits(&start.step) => Some(Counted::Builds),
        (_, Some(_) | None) => None,
    }
}

/// What to do for one step. When the Release is over, no call is made to start a build, running builds are stopped, and
/// a build that may have been started is looked for until it is found or known not to exist.
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
        Course::Suspended | Course::InLine(Line::Pipeline) | Course::Over(End::Before(_)) => Wake::OnChange,
        Course::InLine(Line::Record) => Wake::After(RECORDED),
        Course::InLine(Line::Namespace(_)) => Wake::After(BUILDS),
        Course::Checking | Course::Building | Course::Unproved { .. } | Course::Scanning { .. } => Wake::After(BUILDS),
        Course::AwaitingStatuses(Awaited::Statuses(..) | Awaited::Unseen) => Wake::After(BUILDS),
        Course::Pushing => Wake::After(PUSHES),
        Course::AwaitingStatuses(Awaited::Blind(fault)) | Course::Blind(fault) => Wake::of_look(fault),
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
