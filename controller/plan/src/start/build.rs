//! A build of CodeBuild: the request that starts it, its state, and what is recorded of it. Messages about builds are
//! in `words`.

pub mod bounds;
pub mod project;
pub mod remedy;
pub mod words;

use super::{Attempt, Sight, Times};
use crate::condition::{cut, whole};
use crate::world::{
    BuildPhase, BuildRequest, BuildStatus, BuildVariable, LiveBuild, Members, PhaseKind, PhaseStatus, VariableKind,
};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::aws::BuildOverride;
use launchway_crds::condition::Time;
use launchway_crds::name::{CommitId, Duration, Project};
use launchway_crds::pipeline::{self, CodeBuild};
use launchway_crds::start::{Started, StartedOutcome};

/// CodeBuild keeps an idempotency token for five minutes (API reference of StartBuild). A call is repeated only within
/// the first four, so that it arrives in time. It counts as lost after six, a minute after its token was forgotten.
pub const TIMES: Times = Times { repeats: 240, expires: 360 };
/// How long after CodeBuild's own timeout we stop a build that still runs, in seconds.
const OVERDUE: i64 = 120;
/// CodeBuild's longest build timeout and its longest timeout in the queue, in minutes (API reference of StartBuild).
const LIMITS: (i32, i32) = (2160, 480);

/// What a step runs: a CodeBuild project, and how the Pipeline wants it run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The project.
    pub project: Project,
    /// The buildspec: a path or inline YAML; absent: the project's own.
    pub buildspec: Option<String>,
    /// What else it says in place of the project.
    pub given: Option<BuildOverride>,
    /// The environment variables that the Pipeline adds.
    pub environment: Vec<BuildVariable>,
    /// How long it may run, in minutes.
    pub timeout_minutes: i32,
    /// How long it may wait in the queue, in minutes.
    pub queued_timeout_minutes: i32,
}

/// What the request for a build needs besides the `Run`.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The commit.
    pub commit: &'a CommitId,
    /// The tag of its image.
    pub tag: &'a str,
    /// The repository that the image is pushed to.
    pub repository: &'a str,
    /// The Region.
    pub region: &'a str,
    /// The account's ID.
    pub account_id: &'a str,
}

/// The state of a build, and whether it is worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is queued or running.
    Running,
    /// It still runs although CodeBuild should have ended it. It is to be stopped.
    Overdue,
    /// It succeeded.
    Succeeded,
    /// CodeBuild failed, not the user's source or commands. Another attempt may succeed.
    ServiceFault,
    /// It failed, and another attempt would fail in the same way.
    Failed,
}

impl Run {
    /// Whether the build of that ID, `<project>:<uuid>`, is one of this project.
    pub fn is_of(&self, id: &str) -> bool {
        id.rsplit_once(':').is_some_and(|(project, _)| *project == *self.project)
    }

    /// The run that the Pipeline's spec asks for.
    pub fn parse(given: &CodeBuild) -> Self {
        let source = given.buildspec.as_ref();
        let path = source.and_then(|source| source.path.as_ref()).map(ToString::to_string);
        let inline = source.and_then(|source| source.inline.as_ref()).map(ToString::to_string);
        Self {
            project: given.project.clone(),
            buildspec: path.or(inline),
            given: given.r#override.clone(),
            environment: given.environment.iter().map(variable).collect(),
            timeout_minutes: minutes(&given.timeout, LIMITS.0),
            queued_timeout_minutes: minutes(&given.queued_timeout, LIMITS.1),
        }
    }
}

/// A duration in whole minutes, rounded up, as CodeBuild takes it. The API server admits only a duration of at most
/// `most` minutes; from any other text comes `most`.
fn minutes(duration: &Duration, most: i32) -> i32 {
    let minutes = duration.seconds().and_then(|seconds| i32::try_from((seconds + 59) / 60).ok());
    minutes.map_or(most, |minutes| minutes.min(most))
}

fn variable(given: &pipeline::BuildVariable) -> BuildVariable {
    let (value, kind) = match (&given.value, &given.parameter_store, &given.secrets_manager) {
        (_, Some(parameter), _) => (parameter.as_str(), VariableKind::ParameterStore),
        (_, None, Some(secret)) => (secret.as_str(), VariableKind::SecretsManager),
        (Some(value), None, None) => (value.as_str(), VariableKind::Plain),
        (None, None, None) => ("", VariableKind::Plain),
    };
    BuildVariable { name: given.name.to_string(), value: value.to_owned(), kind }
}

/// The request that starts a build.
pub fn request(run: &Run, attempt: Attempt<'_>, inputs: &Inputs<'_>) -> BuildRequest {
    let own = [
        ("IMAGE_REPO_NAME", inputs.repository),
        ("IMAGE_TAG", inputs.tag),
        ("COMMIT_ID", inputs.commit),
        ("AWS_DEFAULT_REGION", inputs.region),
        ("AWS_ACCOUNT_ID", inputs.account_id),
    ];
    let plain = |(name, value): (&str, &str)| BuildVariable {
        name: name.to_owned(),
        value: value.to_owned(),
        kind: VariableKind::Plain,
    };
    BuildRequest {
        project: run.project.to_string(),
        commit: inputs.commit.clone(),
        marker: attempt.marker(),
        buildspec: run.buildspec.clone(),
        overrides: run.given.as_ref().map(overrides).unwrap_or_default(),
        environment: run.environment.iter().cloned().chain(own.map(plain)).collect(),
        timeout_minutes: run.timeout_minutes,
        queued_timeout_minutes: run.queued_timeout_minutes,
    }
}

/// The overrides under StartBuild's names.
fn overrides(given: &BuildOverride) -> Members {
    let members = serde_json::to_value(given).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default();
    members.into_iter().map(|(name, value)| (format!("{name}Override"), value)).collect()
}

/// What [`doubt`](super::doubt) needs to know of a build.
pub fn sight(build: &LiveBuild) -> Sight<'_> {
    Sight {
        id: &build.id,
        marker: build.marker.as_deref(),
        started_at: build.started_at,
        is_running: build.status == BuildStatus::InProgress,
    }
}

/// The state of a build.
pub fn status(run: &Run, build: &LiveBuild, at: Timestamp) -> Standing {
    match build.status {
        BuildStatus::InProgress if is_overdue(run, build, at) => Standing::Overdue,
        BuildStatus::InProgress => Standing::Running,
        BuildStatus::Succeeded => Standing::Succeeded,
        BuildStatus::Fault => Standing::ServiceFault,
        BuildStatus::Failed if failed_before_source(build) => Standing::ServiceFault,
        BuildStatus::Failed | BuildStatus::TimedOut | BuildStatus::Stopped | BuildStatus::Unknown(_) => {
            Standing::Failed
        }
    }
}

/// Whether a phase ended in anything but success.
fn went_wrong(one: &BuildPhase) -> bool {
    one.status == PhaseStatus::Failed && one.phase.kind != PhaseKind::Completed
}

fn failed_before_source(build: &LiveBuild) -> bool {
    let last = build.phases.iter().rev().find(|one| went_wrong(one)).map(|one| one.phase.kind);
    matches!(last, Some(PhaseKind::Queue | PhaseKind::Provisioning))
}

fn is_overdue(run: &Run, build: &LiveBuild, at: Timestamp) -> bool {
    at > build.started_at + SignedDuration::from_secs(allowed(run, build) + OVERDUE)
}

/// How long a build may take from its start to the end of its present phase, in seconds. While it is queued, the
/// timeout of the queue counts; after that, the build's own timeout, which begins when the build leaves the queue.
fn allowed(run: &Run, build: &LiveBuild) -> i64 {
    let queue = build.phases.iter().filter(|one| one.phase.kind == PhaseKind::Queue);
    let queued: i64 = queue.filter_map(|one| one.seconds).sum();
    match build.phase.kind {
        PhaseKind::Queue => 60 * i64::from(run.queued_timeout_minutes),
        PhaseKind::Provisioning | PhaseKind::Source | PhaseKind::Commands | PhaseKind::Completed => {
            queued + 60 * i64::from(run.timeout_minutes)
        }
    }
}

/// What is recorded of a build.
pub fn record(build: &LiveBuild) -> Started {
    let time = |at| Time(whole(at));
    Started {
        id: cut(&build.id, 255),
        started_at: time(build.started_at),
        phase: Some(cut(&build.phase.name, 40)),
        ended_at: build.ended_at.map(time),
        outcome: match build.status {
            BuildStatus::InProgress => None,
            BuildStatus::Succeeded => Some(StartedOutcome::Succeeded),
            BuildStatus::Failed => Some(StartedOutcome::Failed),
            BuildStatus::Fault => Some(StartedOutcome::Fault),
            BuildStatus::TimedOut => Some(StartedOutcome::TimedOut),
            BuildStatus::Stopped => Some(StartedOutcome::Stopped),
            BuildStatus::Unknown(_) => Some(StartedOutcome::Unknown),
        },
    }
}
