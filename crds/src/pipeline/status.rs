//! What is known of a Pipeline: the heads that were seen, which Release holds which stage, and who waits for one.

use crate::condition::{Condition, Time, conditions, unseen};
use crate::name::{AccountId, CommitDigits, CommitId, Digest, Name, ObjectName, RefName, Region, Repository, Uid};
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

    /// The heads of the source, as they were last seen and recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["ref".into()]))]
    pub heads: Vec<Head>,

    /// Heads of the branch, or tags, that were not released, the last three, oldest first: none of the Pipeline's files differed, or the message said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["commit".into()]))]
    pub passed_over: Vec<PassedOver>,

    /// The head that a Release is about to be made of. It is written before the Release is made, so that a Release that is found under that number is known to be this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<Head>,

    /// The UIDs of the Releases that this Pipeline made: of the newest, and of all that have not begun. One that says it was made by the Pipeline and is not among them does not begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub made: Vec<Uid>,

    /// Which image each commit was released with: the last twelve images. Another image under the tag of the same commit is refused, unless a build of the Release itself pushed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 12))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub released: Vec<ReleasedImage>,

    /// Which Release holds which stage. Services read here what they are to run, and Releases why they wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<StageStatus>,

    /// Releases of the branch's commits that are being checked and built, or may begin; and Releases that persons made and that may begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub building: Vec<ObjectName>,

    /// Releases that were told to give way to a newer one, and have not ended yet. Where there are more, the oldest are told first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["release".into()]))]
    pub superseded: Vec<Superseded>,

    /// When the last webhook came whose signature was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_at: Option<Time>,

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
    /// What it is the head of, as git names it: `refs/heads/main`. Of tags, the one that was the newest: `refs/tags/v1.2.0`. Of images that somebody else pushes: `refs/images/`, the repository and the tag.
    #[serde(rename = "ref")]
    pub of: RefName,

    /// The commit.
    pub commit: CommitId,

    /// The number of its Release.
    #[schemars(range(min = 1, max = 999_999_999))]
    pub number: i64,

    /// When it was first seen.
    pub seen_at: Time,

    /// Of images that somebody else pushes: which were there when this one was taken. A later one is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<SeenImages>,
}

/// A commit that is not released.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PassedOver {
    /// The commit.
    pub commit: CommitId,

    /// Why, in one word.
    pub reason: PassedOverReason,

    /// Why, for people.
    #[schemars(length(max = 96))]
    pub message: String,

    /// When it was first seen.
    pub seen_at: Time,

    /// A hash of what it was judged by: the commit that it was compared with, and the spec. It is judged anew when that changes.
    #[schemars(length(max = 16))]
    pub judged_by: String,
}

/// Why a commit is not released.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedOverReason {
    /// None of the files that `paths` names differ from those of the commit that was released last.
    NoRelevantChange,
    /// Its message has one of the texts of `skip`.
    SkipWord,
}

/// Images of a repository, by the commits that their tags say. ECR keeps the time of an image's first push: one whose tag was
/// added later is told from others by its commit alone.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SeenImages {
    /// When the oldest of those was pushed that were looked at; what was not pushed after it is not new. Absent: there were no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,

    /// The first seven digits of each of their commits, one after the other.
    pub commits: CommitDigits,
}

/// A stage: what it should run, what it was last proved to run, and who waits for it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StageStatus {
    /// The stage's name.
    pub name: Name,

    /// What the stage should run. Absent: no Release has entered it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,

    /// What the stage was last proved to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,

    /// Why the stage does not run what it was proved to run. Absent: it does, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,

    /// Releases that are ready for the stage and do not enter it yet: of all stages together the newest five.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["release".into()]))]
    pub waiting: Vec<Waiting>,
}

/// Why a stage does not run what it was proved to run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// Why, in one word.
    #[schemars(length(max = 63))]
    pub reason: String,

    /// Why, for people.
    #[schemars(length(max = 512))]
    pub message: String,
}

/// What a stage should run, why, and since when.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Grows whenever what the stage should run changes, and never falls.
    #[schemars(range(min = 0, max = 999_999_999_999_i64))]
    pub number: i64,

    /// Why the stage should run this.
    pub reason: GrantReason,

    /// The Release whose images the stage should run.
    pub release: ObjectName,

    /// Its commit.
    pub commit: CommitId,

    /// Its images, by digest.
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<ImageStatus>,

    /// Since when.
    pub since: Time,
}

/// Why a stage should run what it should run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantReason {
    /// The Release entered, and judges how the stage goes.
    Release,
    /// The stage went back to what it was last proved to run. No Release judges that.
    Rollback,
    /// A person put the stage on that Release. No Release judges that.
    Hold,
}

/// An image by digest, and where it is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    /// The image's name in the Pipeline.
    pub name: Name,

    /// The ID of the AWS account whose registry has it.
    pub registry: AccountId,

    /// The AWS Region of the registry.
    pub region: Region,

    /// The ECR repository.
    pub repository: Repository,

    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Digest,
}

/// The image that a commit was released with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedImage {
    /// A hash of the commit and the repository: both together are too long for a status.
    #[schemars(length(max = 16))]
    pub of: String,

    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Digest,
}

/// What a stage was proved to run. It is complete: going back to it needs no Release, which may be gone by then.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The Release that proved it.
    pub release: ObjectName,

    /// The number of the grant under which it was proved.
    #[schemars(range(min = 0, max = 999_999_999_999_i64))]
    pub grant: i64,

    /// The commit.
    pub commit: CommitId,

    /// The images, by digest.
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<ImageStatus>,

    /// When.
    pub at: Time,
}

/// A Release that is ready for a stage and does not enter it yet.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The Release that waits.
    pub release: ObjectName,

    /// What it waits for.
    #[serde(rename = "for")]
    pub what: WaitsFor,

    /// Why, in one word.
    #[schemars(length(max = 63))]
    pub reason: String,

    /// Why, for people, and what to do where something can be done.
    #[schemars(length(max = 512))]
    pub message: String,

    /// Since when it waits for this.
    pub since: Time,

    /// When it can enter, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Time>,
}

/// What a Release waits for in front of a stage.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// Another Release is at work in the stage. Nobody has to do anything.
    Release,
    /// A moment that is known.
    Time,
    /// A person who decides.
    Person,
    /// Somebody who corrects a mistake: the message says which.
    Correction,
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
