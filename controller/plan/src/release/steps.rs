//! The state of each check and of the build, each judged by itself. Which of them can be started is decided in
//! `opening`.

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

/// How long after its start a build may be missing in the answers of BatchGetBuilds, in seconds.
pub(super) const APPEARS: i64 = 600;

/// How long what a build leaves may be missing after it succeeded, in seconds: its image, because ECR is eventually consistent, or a
/// variable that it exports. Where nothing is built, it is the image after the Release was made.
pub(super) const PUSHED: i64 = 60;

/// A check or the build.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: StepKind,
    /// The CodeBuild project that it runs.
    pub project: Project,
    /// Its state.
    pub state: StepState,
}

/// The state of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    /// It waits to be started.
    Waiting,
    /// It can be started.
    Startable(Box<Start>),
    /// It may have been started.
    InDoubt(InDoubt),
    /// It was started, but CodeBuild does not show the build yet.
    Hidden,
    /// There is a build of this attempt, and the step has not ended.
    Live(Box<LiveBuild>, Live),
    /// It has ended.
    Over(Over),
    /// It could not be looked at.
    Unknown(Fault),
}

/// Why it is not known whether a step was started. No build of it was found.
#[derive(Clone, Debug, PartialEq)]
pub enum InDoubt {
    /// A call was not answered. Its build may still appear.
    Searching,
    /// The Release's status may have been lost. A build that was started before may still appear.
    Recovering,
    /// A call was not answered, and can be made again.
    Repeatable(Box<Start>),
    /// A call was not answered, and is known to have started nothing.
    Expired,
}

/// What follows from the build of a step that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// A search found it, and it is to be recorded.
    Found,
    /// The attempt has an older build, so this one is to be stopped.
    Surplus,
    /// It is queued or running.
    Running,
    /// It runs longer than its timeout allows, and is to be stopped.
    Overdue,
    /// It ended with a fault of CodeBuild. The next attempt follows.
    Again,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// It succeeded. The build is given only in the pass that sees it end.
    Succeeded(Option<Box<LiveBuild>>),
    /// It failed for good.
    Failed {
        /// Why, as the reason of a condition.
        reason: Reason,
        /// Why, as the message of a condition.
        message: String,
        /// The build, if it ended in this pass; absent: the failure is recorded already, or CodeBuild no longer knows
        /// the build.
        build: Option<Box<LiveBuild>>,
        /// Whether the failure is not recorded yet.
        is_new: bool,
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
    /// What the image's tag names before the call, where that has to be known.
    pub tag_named: Option<String>,
}

impl StepKind {
    /// The reason of the condition when a step of this kind failed.
    pub fn failed(self) -> Reason {
        match self {
            Self::Check => Reason::CheckFailed,
            Self::Build => Reason::BuildFailed,
        }
    }
}

impl Over {
    /// Whether this pass saw the build end, so that it is not recorded yet.
    pub fn is_news(&self) -> bool {
        match self {
            Self::Succeeded(build) => build.is_some(),
            Self::Failed { is_new, .. } => *is_new,
            Self::Stopped => false,
        }
    }
}

impl StepState {
    /// Whether no build of it runs or may run. If that holds for all steps, a suspended Pipeline holds the Release.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Waiting | Self::InDoubt(InDoubt::Expired) | Self::Over(_))
    }

    /// Whether it is not known if a build of it runs.
    pub fn may_be_started(&self) -> bool {
        matches!(self, Self::Unknown(_)) || matches!(self, Self::InDoubt(doubt) if *doubt != InDoubt::Expired)
    }

    /// Whether it counts among the checks that run at the same time.
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
        Progress::Running(started) => running(desired, work, step, started, observed),
        Progress::Succeeded(_) => StepState::Over(Over::Succeeded(None)),
        Progress::Failed(_) => {
            let (reason, message) = (step.kind.failed(), step.message.clone());
            StepState::Over(Over::Failed { reason, message, build: None, is_new: false })
        }
        Progress::Stopped(_) => StepState::Over(Over::Stopped),
    }
}

fn failed(step: &StepRecord, message: String, build: Option<Box<LiveBuild>>) -> StepState {
    StepState::Over(Over::Failed { reason: step.kind.failed(), message, build, is_new: true })
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

fn running(desired: &Desired, work: &Work, step: &StepRecord, started: &Started, observed: &Observed) -> StepState {
    if !step.run.is_of(&started.id) {
        return not_own(step, started);
    }
    let live = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Known(Looked::Seen(Some(build)))) => build,
        Some(BuildSeen::Known(Looked::Blind(fault)) | BuildSeen::Searched(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Known(Looked::Seen(None))) => return vanished(step, started, observed),
        Some(BuildSeen::Known(Looked::NotAsked) | BuildSeen::Searched(_)) | None => return StepState::Hidden,
    };
    if live.marker != Some(desired.attempt(step).marker()) {
        return not_own(step, started);
    }
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
            let log = observed.logs.get(&*step.name).map_or(&[][..], Vec::as_slice);
            let tests = observed.tests.get(&*step.name).and_then(words::tests);
            let tests = tests.map_or_else(String::new, |tests| format!("; {tests}"));
            let why = words::failure(&what, &step.run, step.attempt, live, log);
            failed(step, format!("{why}{tests}"), Some(boxed))
        }
    }
}

/// The status names a build that this attempt did not start. Nothing of that build is shown, and it is not stopped.
fn not_own(step: &StepRecord, started: &Started) -> StepState {
    let message = format!(
        "the status names build {}, which this Release did not start: somebody wrote that into it; make another Release of this commit",
        started.id
    );
    failed(step, message, None)
}

fn vanished(step: &StepRecord, started: &Started, observed: &Observed) -> StepState {
    if observed.at < started.started_at.0 + SignedDuration::from_secs(APPEARS) {
        return StepState::Hidden;
    }
    let message = format!(
        "CodeBuild no longer knows build {}: somebody deleted it, and its result is not known; make another Release of this commit",
        started.id
    );
    failed(step, message, None)
}
