//! The steps of a Release: what was intended, what runs, how it ended.

use crate::condition::Time;
use crate::name::{Line, Name, Project};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A check or the build.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// The check's name, or `build`.
    pub name: Name,

    /// How far the step is.
    pub phase: StepPhase,

    /// Which attempt this is, from 1.
    pub attempt: i32,

    /// The build that was intended and whose ID is not known yet. Found in a status, it means "perhaps started".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,

    /// The build of this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildRecord>,

    /// How the step stands, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,

    /// The last lines of a failed build's log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub log: Vec<Line>,

    /// Earlier attempts that ended in a fault of the build service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub earlier: Vec<BuildRecord>,
}

/// How far a step is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPhase {
    /// Not started.
    Waiting,
    /// An intent was written; whether the build was started is found out by looking.
    Intended,
    /// The build runs or is queued.
    Running,
    /// The build succeeded, or its image was there already.
    Succeeded,
    /// The build failed for good.
    Failed,
    /// The build was stopped, because the Release ended.
    Stopped,
}

/// A build that is about to be started. Written before the call.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Which call of this attempt, from 1: it grows when an earlier one is known not to have started a build. 0: no call was intended, and builds of a record that was lost are looked for.
    pub call: i32,

    /// The idempotency token that the call carries.
    #[schemars(length(max = 64))]
    pub token: String,

    /// The CodeBuild project that is asked, and in which the build is looked for.
    pub project: Project,

    /// A hash of the whole request: the call is only repeated if it would say the same.
    #[schemars(length(max = 64))]
    pub request_hash: String,

    /// When the intent was written, by AWS's clock.
    pub since: Time,
}

/// A build of CodeBuild.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildRecord {
    /// The build's ID: `<project>:<uuid>`.
    #[schemars(length(max = 255))]
    pub id: String,

    /// When it was started, by AWS's clock.
    pub started_at: Time,

    /// The phase that it is in or ended in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub phase: Option<String>,

    /// When it ended, by AWS's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,

    /// How it ended, in CodeBuild's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub outcome: Option<String>,
}
