//! The steps of a Release: what was intended, what runs, how it ended.

use crate::name::{EnvName, ExportedValue, Line, Name, SaidImage};
use crate::start::{Intent, Started};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An object in S3.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The bucket.
    #[schemars(length(max = 63))]
    pub bucket: String,

    /// The key.
    #[schemars(length(max = 1024))]
    pub key: String,

    /// The version that was read. Absent: the bucket keeps no versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub version_id: Option<String>,
}

/// A variable that the buildspec of a check exported.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExportedVariable {
    /// Its name.
    pub name: EnvName,

    /// Its value.
    pub value: ExportedValue,
}

/// How many tests a build ran, as its test reports say.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TestCounts {
    /// All.
    pub total: i32,

    /// Those that failed or could not be run.
    pub failed: i32,

    /// Those that were skipped.
    pub skipped: i32,
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

    /// The call that was perhaps made and whose answer is not known. Whoever finds it here looks in AWS first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,

    /// The build of this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,

    /// What the image's tag named when the build was started: a digest, or `none`. An image that it did not name before is this build's, also where ECR shows it as older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub tag_named: Option<String>,

    /// What the git host shows of it, as far as it answered. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,

    /// The images that the build said it pushed, as it said them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub images: Vec<SaidImage>,

    /// The object in S3 in which it said them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,

    /// What it exported, of the variables that the build is to get as `$(steps.CHECK.VARIABLE)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub variables: Vec<ExportedVariable>,

    /// What the test reports of its build say. Absent: there are none, or they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestCounts>,

    /// How the step stands, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,

    /// The last lines of a failed build's log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub log: Vec<Line>,

    /// Earlier attempts that ended in a fault of CodeBuild.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub earlier: Vec<Started>,
}

/// What a git host shows of a step or a stage.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It waits or is at work.
    Pending,
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// The Release ended before it did.
    Cancelled,
}

/// How far a step is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPhase {
    /// Not started.
    Waiting,
    /// An intent was written, and it is not known whether its call started a build: it is looked for.
    Intended,
    /// The build runs or is queued.
    Running,
    /// The build succeeded, or its image was there already.
    Succeeded,
    /// The build failed for good.
    Failed,
    /// The build was stopped, or never started, because the Release ended.
    Stopped,
}
