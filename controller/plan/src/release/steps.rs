//! Where one check or the build stands, the others left aside.

use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::record::{Progress, StepKind, StepRecord, Work};
use crate::fault::Fault;
use crate::look::Looked;
use crate::reason::Reason;
use crate::start::build::{self, Standing, words};
use crate::start::{Call, Doubt, Intent, doubt};
use crate::world::{BuildRequest, LiveBuild};
use jiff::SignedDuration;
use launchway_crds::name::Project;
use launchway_crds::start::Started;

/// How long after its start a build may be unknown to BatchGetBuilds, in seconds.
const APPEARS: i64 = 600;

/// A check or the build.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: StepKind,
    /// The CodeBuild project that it runs.
    pub project: Project,
    /// Where it stands.
    pub state: StepState,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    /// It waits for its turn.
    Waiting,
    /// It can be started.
    Startable(Box<Start>),
    /// It may have been started.
    InDoubt(InDoubt),
    /// It was started, and CodeBuild does not show it.
    Hidden,
    /// There is a build of this attempt, and the step is not over.
    Live(Box<LiveBuild>, Live),
    /// It is over.
    Over(Over),
    /// It could not be looked at.
    Unknown(Fault),
}

/// A step that may have been started, and of which no build is found.
#[derive(Clone, Debug, PartialEq)]
pub enum InDoubt {
    /// A call of it was not answered: its build may still appear.
    Searching,
    /// Its status may have been lost: a build from before may still appear.
    Recovering,
    /// The call that was not answered can be made again.
    Repeatable(Box<Start>),
    /// The call is known to have started nothing.
    Expired,
}

/// What follows from a build of a step that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// It was found, and is to be recorded.
    Found,
    /// The attempt has an older one: this one is to be stopped.
    Surplus,
    /// It is queued or runs.
    Running,
    /// It runs longer than it may, and is to be stopped.
    Overdue,
    /// CodeBuild failed: the next attempt follows.
    Again,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// It succeeded. The build is there in the pass that sees it end.
    Succeeded(Option<Box<LiveBuild>>),
    /// It failed for good.
    Failed {
        /// Why, in a word.
        reason: Reason,
        /// Why, for people.
        message: String,
        /// The build, in the pass that sees it end.
        build: Option<Box<LiveBuild>>,
    },
    /// It was stopped, or never started, because the Release ended.
    Stopped,
}

/// A call that starts a build.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The step.
    pub step: String,
    /// Its intent, written before the call.
    pub call: Call,
    /// The request.
    pub request: BuildRequest,
}

impl StepKind {
    /// The word for a step that failed.
    pub fn failed(self) -> Reason {
        match self {
            Self::Check => Reason::CheckFailed,
            Self::Build => Reason::BuildFailed,
        }
    }
}

impl Over {
    /// Whether this pass saw it end: the record does not say so yet.
    pub fn is_news(&self) -> bool {
        match self {
            Self::Succeeded(build) | Self::Failed { build, .. } => build.is_some(),
            Self::Stopped => false,
        }
    }
}

impl StepState {
    /// Whether nothing of it runs or may run: then a suspended Pipeline holds it.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Waiting | Self::InDoubt(InDoubt::Expired) | Self::Over(_))
    }

    /// Whether it takes a place among the checks that run at the same time.
    pub fn takes_a_place(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Over(_))
    }

    /// Whether it succeeded.
    pub fn has_succeeded(&self) -> bool {
        matches!(self, Self::Over(Over::Succeeded(_)))
    }
}

/// Whether every check succeeded.
pub fn is_checked(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.kind == StepKind::Build || step.state.has_succeeded())
}

/// The steps, each judged by itself.
pub(super) fn judged(desired: &Desired, work: &Work, observed: &Observed) -> Vec<Step> {
    let step = |step: &StepRecord| Step {
        name: step.name.to_string(),
        kind: step.kind,
        project: step.run.project.clone(),
        state: state(desired, work, step, observed),
    };
    work.steps.iter().map(step).collect()
}

fn state(desired: &Desired, work: &Work, step: &StepRecord, observed: &Observed) -> StepState {
    match &step.progress {
        Progress::Waiting => StepState::Waiting,
        Progress::Intended(intent) => in_doubt(desired, step, intent, observed),
        Progress::Running(started) => running(work, step, started, observed),
        Progress::Succeeded(_) => StepState::Over(Over::Succeeded(None)),
        Progress::Failed(_) => failed(step, step.message.clone(), None),
        Progress::Stopped(_) => StepState::Over(Over::Stopped),
    }
}

fn failed(step: &StepRecord, message: String, build: Option<Box<LiveBuild>>) -> StepState {
    StepState::Over(Over::Failed { reason: step.kind.failed(), message, build })
}

fn in_doubt(desired: &Desired, step: &StepRecord, intent: &Intent, observed: &Observed) -> StepState {
    let open = match intent {
        Intent::Call(_) => StepState::InDoubt(InDoubt::Searching),
        Intent::Recovery { .. } => StepState::InDoubt(InDoubt::Recovering),
    };
    let found = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Searched(Looked::Seen(found))) => found,
        Some(BuildSeen::Searched(Looked::Blind(fault)) | BuildSeen::Known(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Searched(Looked::NotAsked) | BuildSeen::Known(_)) | None => return open,
    };
    let marker = desired.attempt(step).marker();
    match doubt(intent, &marker, found, build::sight, build::TIMES, observed.at) {
        Doubt::Found(build) => StepState::Live(Box::new(build.clone()), Live::Found),
        Doubt::Surplus(build) => StepState::Live(Box::new(build.clone()), Live::Surplus),
        Doubt::Open => open,
        Doubt::Expired => StepState::InDoubt(InDoubt::Expired),
        Doubt::NeverCalled => StepState::Waiting,
    }
}

fn running(work: &Work, step: &StepRecord, started: &Started, observed: &Observed) -> StepState {
    let live = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Known(Looked::Seen(Some(build)))) => build,
        Some(BuildSeen::Known(Looked::Blind(fault)) | BuildSeen::Searched(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Known(Looked::Seen(None))) => return vanished(step, started, observed),
        Some(BuildSeen::Known(Looked::NotAsked) | BuildSeen::Searched(_)) | None => return StepState::Hidden,
    };
    let boxed = Box::new(live.clone());
    match build::status(&step.run, live, observed.at) {
        Standing::Running => StepState::Live(boxed, Live::Running),
        Standing::Overdue => StepState::Live(boxed, Live::Overdue),
        Standing::Succeeded => StepState::Over(Over::Succeeded(Some(boxed))),
        Standing::ServiceFault if step.attempt <= work.retries => StepState::Live(boxed, Live::Again),
        Standing::ServiceFault | Standing::Failed => {
            let what = match step.kind {
                StepKind::Check => format!("check {}", step.name),
                StepKind::Build => "the build".to_owned(),
            };
            failed(step, words::failure(&what, &step.run, step.attempt, live), Some(boxed))
        }
    }
}

fn vanished(step: &StepRecord, started: &Started, observed: &Observed) -> StepState {
    if observed.at < started.started_at.0 + SignedDuration::from_secs(APPEARS) {
        return StepState::Hidden;
    }
    let message = format!("CodeBuild no longer knows build {}: somebody deleted it; make another Release", started.id);
    failed(step, message, None)
}
