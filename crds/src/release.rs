//! Release: one commit's way through one Pipeline. Its spec never changes; its status is the record.

use crate::condition::{Condition, Time, conditions, unseen};
use crate::name::{CommitId, Line, Name, ObjectName, Project, Region};
use crate::pipeline::{Build, Check, Image, ImageStatus, Summary};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One commit's way through one Pipeline: made by the Pipeline for each new head, or by a person for any commit.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "launchway.dev",
    version = "v1alpha1",
    kind = "Release",
    plural = "releases",
    singular = "release",
    shortname = "lwr",
    category = "launchway",
    namespaced,
    status = "ReleaseStatus",
    derive = "PartialEq",
    selectable = ".spec.pipeline",
    validation = Rule::new("self.metadata.name.size() <= 63").message("a Release's name is at most 63 characters long"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Released", type_ = "string", json_path = r#".status.conditions[?(@.type=="Verified")].status"#),
    printcolumn(name = "Commit", type_ = "string", json_path = ".status.summary.commit"),
    printcolumn(name = "Stage", type_ = "string", json_path = ".status.summary.stage"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.summary.reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.summary.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("a Release's spec never changes: make another Release"))]
#[x_kube(validation = Rule::new("has(self.number) == (self.reason == 'NewCommit')")
    .message("a Release that a Pipeline makes has a number; one that you make has none and says reason: Manual"))]
pub struct ReleaseSpec {
    /// The Pipeline of the same namespace.
    pub pipeline: Name,

    /// The number that the Pipeline gave. Absent for a Release that a person makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 999_999_999))]
    pub number: Option<i64>,

    /// The full ID of the commit that is released.
    pub commit: CommitId,

    /// Why there is this Release.
    pub reason: ReleaseReason,
}

/// Why there is a Release.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseReason {
    /// The Pipeline saw a new head of its branch.
    NewCommit,
    /// A person made it, to release or to release again a commit that was named.
    Manual,
}

/// The record of a Release.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseStatus {
    /// The generation of the spec that this status is about; -1 before the first look.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The answers to the questions that people ask of a Release: Ready, ChecksPassed, Built, Deployed, Verified; while they are True: Reconciling, Stalled, Held.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,

    /// Whether the Release is at work or how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<ReleasePhase>,

    /// What is to be run, copied from the Pipeline when the Release started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<ReleasePlan>,

    /// The checks and the build: what was intended, what runs, how it ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 11))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub steps: Vec<StepStatus>,

    /// The images of the commit, by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<ImageStatus>,

    /// The stages that were entered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<StageRecord>,

    /// When the Release ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,

    /// What the columns of `kubectl get` show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// Whether a Release is at work, or how it ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleasePhase {
    /// It is at work or waits.
    Active,
    /// The last stage was verified.
    Succeeded,
    /// A step failed for good.
    Failed,
    /// A newer Release took its place.
    Superseded,
    /// It cannot go on, because what it belongs to is gone.
    Cancelled,
}

/// What a Release runs, copied from the Pipeline when it started: an edited Pipeline does not change a build that runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ReleasePlan {
    /// The AwsAccount.
    pub account: ObjectName,

    /// The AWS Region of the builds and the images.
    pub region: Region,

    /// The checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub checks: Vec<Check>,

    /// How many checks may run at the same time.
    pub checks_in_parallel: i32,

    /// The build.
    pub build: Build,

    /// The images.
    #[schemars(length(max = 1))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<Image>,
}

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

/// A stage that a Release entered.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StageRecord {
    /// The stage's name.
    pub name: Name,

    /// The grant under which the Release holds it.
    pub grant: i64,

    /// How far the stage is.
    pub phase: StagePhase,

    /// How it stands, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,

    /// When the Release entered.
    pub since: Time,

    /// When the targets had been rolled and the verification began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_at: Option<Time>,

    /// When the stage ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

/// How far a stage is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagePhase {
    /// The targets are rolled.
    Rolling,
    /// The targets run the release's images; the verification is asked.
    Verifying,
    /// The stage runs the release, proved.
    Verified,
    /// A target or the verification failed.
    Failed,
}
