//! Where a check or the build stands: its build judged, its doubt measured (EFFECTS, "StartBuild in doubt").

use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::request::{code_build, intent, minutes, request};
use super::{BUILD, told};
use crate::fault::Fault;
use crate::reason::Reason;
use crate::service::Looked;
use crate::world::{BuildRequest, BuildStatus, LiveBuild};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::release::{BuildRecord, Intent, ReleasePlan, ReleaseStatus, StepPhase, StepStatus};

/// The same call may be repeated for this long after the intent, in seconds: CodeBuild keeps an idempotency token for
/// five minutes (API reference of StartBuild), and a minute is left for the way.
const REPEATS: i64 = 240;
/// After this long, in seconds, a call whose build is not to be found is known not to have started one.
const EXPIRES: i64 = 360;
/// How long after CodeBuild's own timeout a build is stopped by us, in seconds.
const OVERDUE: i64 = 120;
/// How long a build that was started may be unknown to BatchGetBuilds, in seconds.
const UNKNOWN: i64 = 600;
/// How long the image may be missing after its build succeeded, in seconds: ECR is eventually consistent.
const PUSHED: i64 = 60;

/// Where a step stands.
#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    /// It waits for others.
    Waiting,
    /// It can be started.
    Startable(Box<Start>),
    /// It was perhaps started; the same call is to be made again.
    Repeatable(Box<Start>),
    /// It was perhaps started, and is only looked for.
    Doubtful,
    /// It was found to be started.
    Found(Box<LiveBuild>),
    /// It was started more than once: the oldest is kept, this one is to be stopped.
    Surplus(String),
    /// It runs.
    Running(Box<LiveBuild>),
    /// It runs longer than it may, and is to be stopped.
    Overdue(Box<LiveBuild>),
    /// The build service failed; it is to be started again.
    Again(Box<LiveBuild>),
    /// It succeeded.
    Done(Option<Box<LiveBuild>>),
    /// It failed for good.
    Failed {
        /// Why, in a word.
        reason: Reason,
        /// Why, for people.
        message: String,
        /// The build, where there is one.
        build: Option<Box<LiveBuild>>,
    },
    /// It was stopped.
    Stopped,
    /// It cannot be told.
    Unknown(Fault),
}

/// A call that starts a build.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The step.
    pub step: String,
    /// The intent, written before the call.
    pub intent: Intent,
    /// The call.
    pub request: BuildRequest,
}

/// Where a step stands, the others left aside.
pub fn step_state(desired: &Desired, record: &ReleaseStatus, step: &StepStatus, observed: &Observed) -> StepState {
    let Some(plan) = &record.plan else { return StepState::Waiting };
    match step.phase {
        StepPhase::Waiting => StepState::Waiting,
        StepPhase::Succeeded => StepState::Done(None),
        StepPhase::Stopped => StepState::Stopped,
        StepPhase::Failed => StepState::Failed {
            reason: failed(&step.name),
            message: step.message.clone().unwrap_or_default(),
            build: None,
        },
        StepPhase::Intended => doubt(desired, plan, step, observed),
        StepPhase::Running => running(plan, step, observed),
    }
}

/// The word for a step that failed.
pub fn failed(step: &str) -> Reason {
    if step == BUILD { Reason::BuildFailed } else { Reason::CheckFailed }
}

/// The call that starts the step now, if the account's ID is known.
pub fn start(
    desired: &Desired,
    plan: &ReleasePlan,
    step: &StepStatus,
    call: i32,
    observed: &Observed,
) -> Result<Start, Fault> {
    let account_id = match &observed.account_id {
        Looked::Seen(id) => id.clone(),
        Looked::Blind(fault) => return Err(fault.clone()),
        Looked::NotAsked => String::new(),
    };
    let request = request(desired, plan, step, &account_id).ok_or_else(|| no_such_step(step))?;
    Ok(Start { step: step.name.to_string(), intent: intent(desired, step, call, &request, observed.at), request })
}

fn no_such_step(step: &StepStatus) -> Fault {
    Fault {
        operation: "launchway:plan".into(),
        resource: step.name.to_string(),
        code: "NoSuchStep".into(),
        message: "the recorded plan has no such step: make another Release".into(),
        remedy: crate::fault::Remedy::AskUser,
    }
}

fn doubt(desired: &Desired, plan: &ReleasePlan, step: &StepStatus, observed: &Observed) -> StepState {
    let Some(intended) = &step.intent else { return StepState::Waiting };
    let found = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Searched(Looked::Seen(found))) => found,
        Some(BuildSeen::Searched(Looked::Blind(fault)) | BuildSeen::Known(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Searched(Looked::NotAsked) | BuildSeen::Known(_)) | None => return StepState::Doubtful,
    };
    match found.as_slice() {
        [] => nothing_found(desired, plan, step, intended, observed),
        [one] => StepState::Found(Box::new(one.clone())),
        [oldest, others @ ..] => match others.iter().find(|build| build.status == BuildStatus::InProgress) {
            Some(surplus) => StepState::Surplus(surplus.id.clone()),
            None => StepState::Found(Box::new(oldest.clone())),
        },
    }
}

fn nothing_found(
    desired: &Desired,
    plan: &ReleasePlan,
    step: &StepStatus,
    intended: &Intent,
    observed: &Observed,
) -> StepState {
    let age = observed.at.duration_since(intended.since.0).as_secs();
    if age > EXPIRES {
        return start(desired, plan, step, intended.call + 1, observed)
            .map_or_else(StepState::Unknown, |start| StepState::Startable(Box::new(start)));
    }
    match start(desired, plan, step, intended.call, observed) {
        Ok(again) if age < REPEATS && again.intent.request_hash == intended.request_hash => {
            StepState::Repeatable(Box::new(Start { intent: intended.clone(), ..again }))
        }
        Ok(_) => StepState::Doubtful,
        Err(fault) => StepState::Unknown(fault),
    }
}

fn running(plan: &ReleasePlan, step: &StepStatus, observed: &Observed) -> StepState {
    let build = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Known(Looked::Seen(Some(build)))) => build,
        Some(BuildSeen::Known(Looked::Blind(fault)) | BuildSeen::Searched(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Known(Looked::Seen(None))) => return vanished(step, observed.at),
        Some(BuildSeen::Known(Looked::NotAsked) | BuildSeen::Searched(_)) | None => return StepState::Doubtful,
    };
    let boxed = Box::new(build.clone());
    let fail = |build: Box<LiveBuild>| StepState::Failed {
        reason: failed(&step.name),
        message: told::failure(plan, step, &build),
        build: Some(build),
    };
    match build.status {
        BuildStatus::InProgress if overdue(plan, step, build, observed.at) => StepState::Overdue(boxed),
        BuildStatus::InProgress => StepState::Running(boxed),
        BuildStatus::Succeeded => StepState::Done(Some(boxed)),
        BuildStatus::Fault | BuildStatus::Failed if services_fault(build) && step.attempt <= plan.build.retries => {
            StepState::Again(boxed)
        }
        BuildStatus::Fault
        | BuildStatus::Failed
        | BuildStatus::TimedOut
        | BuildStatus::Stopped
        | BuildStatus::Unknown(_) => fail(boxed),
    }
}

fn vanished(step: &StepStatus, at: Timestamp) -> StepState {
    let started = step.build.as_ref().map_or(at, |build| build.started_at.0);
    if at < started + SignedDuration::from_secs(UNKNOWN) {
        return StepState::Doubtful;
    }
    let message = format!(
        "CodeBuild no longer knows build {}: somebody deleted it; make another Release",
        step.build.as_ref().map_or("", |build| &build.id)
    );
    StepState::Failed { reason: failed(&step.name), message, build: None }
}

/// Whether the build service failed, and not the user's commands or source.
pub fn services_fault(build: &LiveBuild) -> bool {
    let before_source = matches!(
        build.phases.iter().rev().find(|phase| told::went_wrong(phase)).map(|phase| phase.name.as_str()),
        Some("SUBMITTED" | "QUEUED" | "PROVISIONING")
    );
    build.status == BuildStatus::Fault || before_source
}

/// Whether CodeBuild should have ended the build by itself two minutes ago.
fn overdue(plan: &ReleasePlan, step: &StepStatus, build: &LiveBuild, at: Timestamp) -> bool {
    at > build.started_at + SignedDuration::from_secs(allowed(plan, step, build) + OVERDUE)
}

/// How long a build may take from its start, as far as it has come: its time in the queue has a limit of its own.
pub fn allowed(plan: &ReleasePlan, step: &StepStatus, build: &LiveBuild) -> i64 {
    let Some(run) = code_build(plan, &step.name) else { return 0 };
    let queued = build
        .phases
        .iter()
        .filter(|phase| matches!(phase.name.as_str(), "SUBMITTED" | "QUEUED"))
        .filter_map(|phase| phase.seconds)
        .sum::<i64>();
    match build.phase.as_str() {
        "SUBMITTED" | "QUEUED" => 60 * i64::from(minutes(&run.queued_timeout)),
        _ => queued + 60 * i64::from(minutes(&run.timeout)),
    }
}

/// What is recorded of a build.
pub fn build_record(build: &LiveBuild) -> BuildRecord {
    BuildRecord {
        id: build.id.clone(),
        started_at: launchway_crds::condition::Time(crate::condition::whole(build.started_at)),
        phase: Some(build.phase.clone()),
        outcome: (build.status != BuildStatus::InProgress).then(|| told::outcome(&build.status)),
    }
}

/// What the image look says once its build is over: whether the image may still come.
pub fn still_coming(build: Option<&BuildRecord>, ended_at: Option<Timestamp>, at: Timestamp) -> bool {
    let ended = ended_at.or(build.map(|build| build.started_at.0)).unwrap_or(at);
    at < ended + SignedDuration::from_secs(PUSHED)
}
