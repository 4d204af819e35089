//! What is known of a Release: what it runs, its images, the stages that it entered.

use super::steps::{Reported, StepStatus};
use crate::condition::{Condition, Time, conditions, unseen};
use crate::name::{Branch, GitTag, Name, ObjectName, Region, TagPattern};
use crate::pipeline::{Build, Check, Image, ImageScan, ImageStatus, Summary};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The record of a Release.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseStatus {
    /// The generation of the spec that this status is about; -1 before the first look.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The answers to the questions that people ask of a Release: Ready, ChecksPassed, Built, Deployed, Verified; while they are True: Reconciling, Stalled, Held, Unreported.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,

    /// Whether the Release is under way, or how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<ReleasePhase>,

    /// What the Release runs, copied from the Pipeline when the Release started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<ReleasePlan>,

    /// The checks and the build, each with how far it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 11))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub steps: Vec<StepStatus>,

    /// Since when what `requiredStatuses` of the Pipeline names is waited for. Absent: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_statuses_since: Option<Time>,

    /// What ECR's scan of the images came to. Absent: none was asked for, or there is no image yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_scan: Option<ImageScanStatus>,

    /// The images of the commit, by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
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

/// Whether a Release is under way, or how it ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleasePhase {
    /// It is under way, or waits.
    Active,
    /// The last stage was verified.
    Succeeded,
    /// A step failed for good.
    Failed,
    /// A newer Release took its place.
    Superseded,
    /// It was ended before it was through: its Pipeline is gone, or it was deleted.
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

    /// The branch that the Pipeline follows. Absent: it follows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,

    /// The git tag that the commit has: that of the Release, or, of one that a person made, the newest one where it has that. Absent: none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_tag: Option<GitTag>,

    /// The checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub checks: Vec<Check>,

    /// How many checks may run at the same time.
    pub checks_in_parallel: i32,

    /// The build. Absent: somebody else builds and pushes the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,

    /// How the image is tagged that somebody else pushes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagPattern>,

    /// The images.
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<Image>,

    /// What ECR's scan of the images has to come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_scan: Option<ImageScan>,
}

/// What ECR's scan of the images came to.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImageScanStatus {
    /// Since when the findings are waited for.
    pub since: Time,

    /// How many findings there are of each severity, in ECR's words, of all images.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 10))]
    pub counts: BTreeMap<String, i32>,

    /// The worst findings, of those that fail a Release or would without an exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub findings: Vec<Finding>,
}

/// A finding of a scan.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is called.
    #[schemars(length(max = 64))]
    pub id: String,

    /// How bad it is, in ECR's words.
    #[schemars(length(max = 20))]
    pub severity: String,

    /// The image that has it.
    pub image: Name,

    /// Until when an exception has it not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excepted_until: Option<Time>,
}

/// A stage that a Release entered.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StageRecord {
    /// The stage's name.
    pub name: Name,

    /// The grant under which the Release holds it.
    #[schemars(range(min = 0, max = 999_999_999_999_i64))]
    pub grant: i64,

    /// How far the stage is.
    pub phase: StagePhase,

    /// How it stands, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,

    /// What the git host shows of it, as far as it answered. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,

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
    /// The targets are set to the release's images, and no task runs that could prove them. A newer Release may enter.
    Unproved,
    /// The targets run the release's images; the verification is asked.
    Verifying,
    /// The stage runs the release, proved.
    Verified,
    /// A target or the verification failed.
    Failed,
}
