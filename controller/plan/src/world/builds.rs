//! Builds of CodeBuild: what is seen of one, and what starts one. Facts and requests only.

use jiff::Timestamp;
use serde::Serialize;

/// A build, as BatchGetBuilds shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveBuild {
    /// `<project>:<uuid>`.
    pub id: String,
    /// How it stands.
    pub status: BuildStatus,
    /// CodeBuild's `currentPhase`: QUEUED, DOWNLOAD_SOURCE, …
    pub phase: String,
    /// The phases so far, oldest first.
    pub phases: Vec<BuildPhase>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The value of the variable `LAUNCHWAY_BUILD`, where there is one.
    pub marker: Option<String>,
    /// Where its log is; absent before PROVISIONING.
    pub log: Option<BuildLog>,
    /// The console's page of the log.
    pub log_link: Option<String>,
    /// Whether the project runs its builds inside a VPC.
    pub in_vpc: bool,
}

/// How a build stands. `buildComplete` decides whether it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildStatus {
    /// Queued or running.
    InProgress,
    /// Ended well.
    Succeeded,
    /// A phase failed.
    Failed,
    /// CodeBuild itself failed.
    Fault,
    /// It took longer than it may.
    TimedOut,
    /// Somebody stopped it.
    Stopped,
    /// Ended with a status that the SDK does not know; never success.
    Unknown(String),
}

/// A phase of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildPhase {
    /// CodeBuild's name of it.
    pub name: String,
    /// CodeBuild's status of it; absent while it lasts.
    pub status: Option<String>,
    /// How long it took, in seconds; absent while it lasts.
    pub seconds: Option<i64>,
    /// `statusCode: message` of its contexts, without empty ones.
    pub contexts: Vec<String>,
}

/// Where a build's log is, in CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildLog {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
}

/// What starts a build, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildRequest {
    /// The CodeBuild project.
    pub project: String,
    /// The full commit ID, sent as `sourceVersion`.
    pub commit: String,
    /// `buildspecOverride`: a path or inline YAML; absent: the project's own.
    pub buildspec: Option<String>,
    /// `environmentVariablesOverride`, in this order.
    pub environment: Vec<BuildVariable>,
    /// `timeoutInMinutesOverride`, 5 to 2160.
    pub timeout_minutes: i32,
    /// `queuedTimeoutInMinutesOverride`, 5 to 480.
    pub queued_timeout_minutes: i32,
}

/// An environment variable of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildVariable {
    /// Its name.
    pub name: String,
    /// Its value, or where the value is.
    pub value: String,
    /// What the value is.
    pub kind: VariableKind,
}

/// What the value of a build's environment variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum VariableKind {
    /// The value itself.
    Plain,
    /// The name of a parameter.
    ParameterStore,
    /// The reference to a secret.
    SecretsManager,
}
