//! Where a check or the build stands: its build judged, its doubt measured (docs/effects.md, "StartBuild in doubt").

use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::request::{code_build, intent, minutes, request};
use super::{BUILD, told};
use crate::condition::{cut, whole};
use crate::fault::Fault;
use crate::hash;
use crate::look::Looked;
use crate::reason::Reason;
use crate::world::{BuildRequest, BuildStatus, LiveBuild};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::condition::Time;
use launchway_crds::release::{BuildRecord, Intent, ReleasePlan, StepPhase, StepStatus};

/// The same call may be repeated for this long after the intent, in seconds: CodeBuild keeps an idempotency token for
/// five minutes (API reference of StartBuild), and a minute is left for the way.
const REPEATS: i64 = 240;
/// After this long, in seconds, a call whose build is not to be found is known not to have started one.
const EXPIRES: i64 = 360;
/// How long after CodeBuild's own timeout a build is stopped by us, in seconds.
const OVERDUE: i64 = 120;
/// The number of the call of an intent that only looks.
pub const LOOK: i32 = 0;
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
    /// It is known by now not to have been started.
    Expired,
    /// It was found to be started.
    Found(Box<LiveBuild>),
    /// It was started more than once: the oldest is kept, this one is to be stopped.
    Surplus(String),
    /// It was started, and CodeBuild does not show it.
    Hidden,
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
pub fn step_state(plan: &ReleasePlan, step: &StepStatus, observed: &Observed) -> StepState {
    match step.phase {
        StepPhase::Waiting => StepState::Waiting,
        StepPhase::Succeeded => StepState::Done(None),
        StepPhase::Stopped => StepState::Stopped,
        StepPhase::Failed => StepState::Failed {
            reason: failed(&step.name),
            message: step.message.clone().unwrap_or_default(),
            build: None,
        },
        StepPhase::Intended => doubt(step, observed),
        StepPhase::Running => running(plan, step, observed),
    }
}

/// The word for a step that failed.
pub fn failed(step: &str) -> Reason {
    if step == BUILD { Reason::BuildFailed } else { Reason::CheckFailed }
}

/// The call that starts the step. A call of this attempt that is known to have come to nothing is followed by the next.
pub fn start(
    desired: &Desired,
    plan: &ReleasePlan,
    step: &StepStatus,
    account_id: &str,
    at: Timestamp,
) -> Option<Start> {
    let request = request(desired, plan, step, account_id)?;
    let call = step.intent.as_ref().map_or(0, |intent| intent.call) + 1;
    Some(Start { step: step.name.to_string(), intent: intent(desired, step, call, &request, at), request })
}

/// The same call as was intended, while its token is valid and it would say the same.
pub fn repetition(
    desired: &Desired,
    plan: &ReleasePlan,
    step: &StepStatus,
    account_id: &str,
    at: Timestamp,
) -> Option<Start> {
    let intent = step.intent.as_ref().filter(|intent| intent.call > LOOK && age(intent, at) < REPEATS)?;
    let request = request(desired, plan, step, account_id)?;
    let equal = hash::of(&request) == intent.request_hash;
    equal.then(|| Start { step: step.name.to_string(), intent: intent.clone(), request })
}

/// An intent of no call: the step was perhaps started by a pass whose record was lost, and is looked for first. A call
/// can only be under way if the finalizer is there, which is added before the first one; else one look is enough.
pub fn lookout(desired: &Desired, project: &str, at: Timestamp) -> Intent {
    let since = if desired.finalizer { at } else { at - SignedDuration::from_secs(EXPIRES + 1) };
    Intent {
        call: LOOK,
        token: String::new(),
        project: project.into(),
        request_hash: String::new(),
        since: Time(whole(since)),
    }
}

fn age(intent: &Intent, at: Timestamp) -> i64 {
    at.duration_since(intent.since.0).as_secs()
}

fn doubt(step: &StepStatus, observed: &Observed) -> StepState {
    let Some(intent) = &step.intent else { return StepState::Waiting };
    let found = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Searched(Looked::Seen(found))) => found,
        Some(BuildSeen::Searched(Looked::Blind(fault)) | BuildSeen::Known(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Searched(Looked::NotAsked) | BuildSeen::Known(_)) | None => return StepState::Doubtful,
    };
    match found.as_slice() {
        [] if age(intent, observed.at) <= EXPIRES => StepState::Doubtful,
        // No call was ever intended: it is as if nothing had been.
        [] if intent.call == LOOK => StepState::Waiting,
        [] => StepState::Expired,
        [one] => StepState::Found(Box::new(one.clone())),
        [oldest, others @ ..] => match others.iter().find(|build| build.status == BuildStatus::InProgress) {
            Some(surplus) => StepState::Surplus(surplus.id.clone()),
            None => StepState::Found(Box::new(oldest.clone())),
        },
    }
}

fn running(plan: &ReleasePlan, step: &StepStatus, observed: &Observed) -> StepState {
    let build = match observed.builds.get(&*step.name) {
        Some(BuildSeen::Known(Looked::Seen(Some(build)))) => build,
        Some(BuildSeen::Known(Looked::Blind(fault)) | BuildSeen::Searched(Looked::Blind(fault))) => {
            return StepState::Unknown(fault.clone());
        }
        Some(BuildSeen::Known(Looked::Seen(None))) => return vanished(step, observed.at),
        Some(BuildSeen::Known(Looked::NotAsked) | BuildSeen::Searched(_)) | None => return StepState::Hidden,
    };
    let boxed = Box::new(build.clone());
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
        | BuildStatus::Unknown(_) => StepState::Failed {
            reason: failed(&step.name),
            message: told::failure(plan, step, build),
            build: Some(boxed),
        },
    }
}

fn vanished(step: &StepStatus, at: Timestamp) -> StepState {
    let started = step.build.as_ref().map_or(at, |build| build.started_at.0);
    if at < started + SignedDuration::from_secs(UNKNOWN) {
        return StepState::Hidden;
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
    allowed(plan, step, build)
        .is_some_and(|allowed| at > build.started_at + SignedDuration::from_secs(allowed + OVERDUE))
}

/// How long a build may take from its start, in seconds, as far as it has come: its time in the queue has a limit of its
/// own.
pub fn allowed(plan: &ReleasePlan, step: &StepStatus, build: &LiveBuild) -> Option<i64> {
    let run = code_build(plan, &step.name)?;
    let queued = build
        .phases
        .iter()
        .filter(|phase| matches!(phase.name.as_str(), "SUBMITTED" | "QUEUED"))
        .filter_map(|phase| phase.seconds)
        .sum::<i64>();
    Some(match build.phase.as_str() {
        "SUBMITTED" | "QUEUED" => 60 * i64::from(minutes(&run.queued_timeout)),
        _ => queued + 60 * i64::from(minutes(&run.timeout)),
    })
}

/// What is recorded of a build.
pub fn build_record(build: &LiveBuild) -> BuildRecord {
    let time = |at| Time(whole(at));
    BuildRecord {
        id: cut(&build.id, 255),
        started_at: time(build.started_at),
        phase: Some(cut(&build.phase, 40)),
        ended_at: build.ended_at.map(time),
        outcome: (build.status != BuildStatus::InProgress).then(|| cut(&told::outcome(&build.status), 40)),
    }
}

/// Whether the image of a build that succeeded may still come.
pub fn still_coming(build: &BuildRecord, at: Timestamp) -> bool {
    let ended = build.ended_at.as_ref().unwrap_or(&build.started_at).0;
    at < ended + SignedDuration::from_secs(PUSHED)
}

/// Whether so long a time has passed since the build ended that another attempt may have been begun and forgotten.
pub fn is_long_over(build: &LiveBuild, at: Timestamp) -> bool {
    build.ended_at.is_some_and(|ended| at > ended + SignedDuration::from_secs(EXPIRES))
}
