//! Release: one commit's way through one Pipeline. Its spec never changes; its status is the record.

use crate::name::{CommitId, GitTag, Name};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod status;
mod steps;

pub use status::*;
pub use steps::*;

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
    selectable = ".spec.commit",
    validation = Rule::new("self.metadata.name.size() <= 63").message("a Release's name is at most 63 characters long"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Released", type_ = "string", json_path = r#".status.conditions[?(@.type=="Verified")].status"#),
    printcolumn(name = "Commit", type_ = "string", json_path = ".status.summary.commit"),
    printcolumn(name = "Stage", type_ = "string", json_path = ".status.summary.stage"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.summary.reason"),
    printcolumn(name = "Git tag", type_ = "string", json_path = ".spec.gitTag", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.summary.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("a Release's spec never changes: make another Release"))]
#[x_kube(validation = Rule::new("[has(self.commit)].exists_one(one, one)").message("set exactly one thing to release: commit"))]
#[x_kube(validation = Rule::new("has(self.number) == (self.reason == 'NewCommit')")
    .message("a Release that a Pipeline makes has a number; one that you make has none and says reason: Manual"))]
#[x_kube(validation = Rule::new("!has(self.gitTag) || has(self.number)")
    .message("gitTag says where a Pipeline saw the commit: leave it out of a Release that you make"))]
pub struct ReleaseSpec {
    /// The Pipeline of the same namespace.
    pub pipeline: Name,

    /// The number that the Pipeline gave. Absent for a Release that a person makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 999_999_999))]
    pub number: Option<i64>,

    /// The full ID of the commit that is released. Exactly one thing to release is set, and a commit is the only one so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,

    /// The git tag that the commit was seen at, without `refs/tags/`. Only a Release that a Pipeline makes of a tag has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_tag: Option<GitTag>,

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
