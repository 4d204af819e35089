//! What is known of a Pipeline: the head that was seen, and which Release holds which stage.

use crate::condition::{Condition, Time, conditions, unseen};
use crate::name::{CommitId, ImageRef, Name, ObjectName};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of a Pipeline.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PipelineStatus {
    /// The generation of the spec that this status is about; -1 before the first look.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The answers to the questions that people ask of a Pipeline: Ready, Released, SourceReady; while they are True: Reconciling, Stalled, Held.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,

    /// The head of the branch, as it was last seen and recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,

    /// Which Release holds which stage. Services read here what they are to run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<StageStatus>,

    /// Releases that were told to give way to a newer one, and have not ended yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["release".into()]))]
    pub superseded: Vec<Superseded>,

    /// What the columns of `kubectl get` show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// What the columns of `kubectl get` show: of the newest Release, for a Pipeline.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The first twelve digits of the commit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 12))]
    pub commit: String,

    /// The step or stage that the commit is at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 63))]
    pub stage: String,

    /// Why it is there, in one word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 63))]
    pub reason: String,

    /// Why it is there, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// The head of a branch.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The commit.
    pub commit: CommitId,

    /// The number of the Release that was made for it.
    pub number: i64,

    /// When it was first seen.
    pub seen_at: Time,
}

/// What a stage should run, since when, and what it was last proved to run.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StageStatus {
    /// The stage's name.
    pub name: Name,

    /// Grows whenever what the stage should run changes, and never falls.
    pub grant: i64,

    /// The Release that holds the stage, or held it last.
    pub release: ObjectName,

    /// When that Release entered.
    pub since: Time,

    /// The commit that the stage should run.
    pub commit: CommitId,

    /// The images that the stage should run, by digest.
    #[schemars(length(max = 1))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<ImageStatus>,

    /// What the stage was last proved to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

/// An image by digest.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    /// The image's name in the Pipeline.
    pub name: Name,

    /// `<registry>/<repository>@sha256:<digest>`.
    pub image: ImageRef,
}

/// What a stage was proved to run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The Release that proved it.
    pub release: ObjectName,

    /// The grant under which it was proved.
    pub grant: i64,

    /// The commit.
    pub commit: CommitId,

    /// When.
    pub at: Time,
}

/// A Release that gives way.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Superseded {
    /// The Release that gives way.
    pub release: ObjectName,

    /// The Release that it gives way to.
    pub by: ObjectName,
}
