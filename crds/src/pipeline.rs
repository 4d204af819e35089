//! Pipeline: where commits come from, how they are checked and built, and through which stages they go.

use crate::condition::{Condition, Time, conditions, unseen};
use crate::name::{
    Branch, Buildspec, CommitId, Duration, EnvName, EnvValue, HealthUrl, ImageRef, Name, ObjectName, Path, Project,
    Region, Repository, SecretRef, Url,
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A road from the commits of a git branch to running ECS services: checks, an image build, stages.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "launchway.dev",
    version = "v1alpha1",
    kind = "Pipeline",
    plural = "pipelines",
    singular = "pipeline",
    shortname = "lwp",
    category = "launchway",
    namespaced,
    status = "PipelineStatus",
    derive = "PartialEq",
    validation = Rule::new("self.metadata.name.size() <= 50").message("a Pipeline's name is at most 50 characters long: its Releases are called <name>-<number>"),
    validation = Rule::new("!self.metadata.name.contains('.')").message("a Pipeline's name has no dots: Services and Releases refer to it by a name without"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Released", type_ = "string", json_path = r#".status.conditions[?(@.type=="Released")].status"#),
    printcolumn(name = "Commit", type_ = "string", json_path = ".status.summary.commit"),
    printcolumn(name = "Stage", type_ = "string", json_path = ".status.summary.stage"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.summary.reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.summary.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.stages.all(s, s.targets.all(t, self.stages.exists_one(other, other.targets.exists(x, x.service == t.service))))")
    .message("a Service is a target of one stage only: make a Service for each stage"))]
pub struct PipelineSpec {
    /// The AwsAccount whose projects, repositories and clusters are used. Absent: the one called `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ObjectName>,

    /// The AWS Region of the builds and the images. Absent: the account's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,

    /// Where commits come from.
    pub source: Source,

    /// What must succeed before the image is built. A check that fails stops the release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub checks: Vec<Check>,

    /// How many checks may run at the same time, 1 to 10. Default: 5.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 10))]
    pub checks_in_parallel: i32,

    /// How the image is built.
    pub build: Build,

    /// The images that the build pushes, tagged with the commit ID. One, for now.
    #[schemars(length(min = 1, max = 1))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<Image>,

    /// What a newer commit does to an older one that is being checked or built. `Supersede`, the default, stops it.
    #[serde(default)]
    pub concurrency: Concurrency,

    /// The environments that a release goes through, in this order.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<Stage>,

    /// Holds everything back: no polling, no new release, no build and no stage is started. What runs, runs on. Default: false.
    #[serde(default)]
    pub suspend: bool,

    /// How many ended Releases, of those that this Pipeline made, are kept, 1 to 100. Default: 10.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100))]
    pub history_limit: i32,
}

fn five() -> i32 {
    5
}

fn ten() -> i32 {
    10
}

/// Where commits come from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// A branch of a git repository, looked at over git's smart HTTP protocol.
    pub git: Git,
}

/// A branch of a git repository.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('10s') && duration(self.interval) <= duration('24h')")
    .message("interval is between 10s and 24h"))]
#[x_kube(validation = Rule::new("!self.branch.startsWith('refs/')").message("branch is the name after refs/heads/, such as main"))]
pub struct Git {
    /// The repository's https URL, without user and password: those go into a Secret, see secretRef.
    pub url: Url,

    /// The branch whose head is released.
    pub branch: Branch,

    /// How often the branch is looked at, 10s to 24h. Default: 1m.
    #[serde(default = "minute")]
    pub interval: Duration,

    /// A Secret of this namespace with `username` and `password`, or with `token`, or with `bearerToken`. Absent: the repository is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
}

fn minute() -> Duration {
    "1m".into()
}

/// Another object of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
pub struct LocalRef {
    /// The object's name.
    pub name: ObjectName,
}

/// A CodeBuild run that must succeed before the image is built.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(self.name in ['build', 'image'])").message("a check cannot be called build or image: these are steps of every release"))]
pub struct Check {
    /// The check's name, shown in the Release's status.
    pub name: Name,

    /// What CodeBuild runs.
    pub code_build: CodeBuild,
}

/// How the image is built.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// What CodeBuild runs. It gets IMAGE_REPO_NAME, IMAGE_TAG, COMMIT_ID, AWS_ACCOUNT_ID and AWS_DEFAULT_REGION, and pushes the image under that tag.
    pub code_build: CodeBuild,

    /// How often a build or a check is started again after a fault of the build service, 0 to 2. A failing command is never retried. Default: 2.
    #[serde(default = "two")]
    #[schemars(range(min = 0, max = 2))]
    pub retries: i32,
}

fn two() -> i32 {
    2
}

/// One run of a CodeBuild project on the release's commit.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.timeout) >= duration('5m') && duration(self.timeout) <= duration('36h')")
    .message("timeout is between 5m and 36h: CodeBuild knows no other"))]
#[x_kube(validation = Rule::new("duration(self.queuedTimeout) >= duration('5m') && duration(self.queuedTimeout) <= duration('8h')")
    .message("queuedTimeout is between 5m and 8h: CodeBuild knows no other"))]
pub struct CodeBuild {
    /// The CodeBuild project. The AwsAccount must allow it.
    pub project: Project,

    /// The buildspec. Absent: the project's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buildspec: Option<BuildspecSource>,

    /// Environment variables, beside the project's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub environment: Vec<BuildVariable>,

    /// How long the build may run, 5m to 36h. Default: 1h.
    #[serde(default = "hour")]
    pub timeout: Duration,

    /// How long the build may wait in CodeBuild's queue, 5m to 8h. Default: 30m.
    #[serde(default = "half_hour")]
    pub queued_timeout: Duration,
}

fn hour() -> Duration {
    "1h".into()
}

fn half_hour() -> Duration {
    "30m".into()
}

/// Where a buildspec is.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.path) != has(self.inline)").message("set exactly one of path and inline"))]
pub struct BuildspecSource {
    /// A file of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,

    /// The buildspec itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<Buildspec>,
}

/// An environment variable of a build.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.value) ? 1 : 0) + (has(self.parameterStore) ? 1 : 0) + (has(self.secretsManager) ? 1 : 0) == 1")
    .message("set exactly one of value, parameterStore and secretsManager"))]
#[x_kube(validation = Rule::new("!(self.name in ['IMAGE_TAG', 'IMAGE_REPO_NAME', 'COMMIT_ID', 'AWS_DEFAULT_REGION', 'AWS_ACCOUNT_ID', 'LAUNCHWAY_BUILD'])")
    .message("this variable is set by Launchway: take another name"))]
#[x_kube(validation = Rule::new("!self.name.startsWith('CODEBUILD_')").message("names that begin with CODEBUILD_ belong to CodeBuild: take another name"))]
pub struct BuildVariable {
    /// The variable's name.
    pub name: EnvName,

    /// A plain value. Everybody who may look at the build can read it: not for secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<EnvValue>,

    /// The name of a parameter in the Parameter Store, which CodeBuild reads with the project's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_store: Option<SecretRef>,

    /// `secret-id:json-key:version-stage:version-id` in Secrets Manager, which CodeBuild reads with the project's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_manager: Option<SecretRef>,
}

/// An image that the build pushes.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The name by which Services refer to the image.
    pub name: Name,

    /// The ECR repository. The AwsAccount must allow it.
    pub repository: Repository,
}

/// What a newer commit does to an older one that is being checked or built.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// The older one's checks and builds are stopped, and it ends as superseded.
    #[default]
    Supersede,
}

/// An environment that a release reaches.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// The stage's name.
    pub name: Name,

    /// The Services of this namespace that are rolled, all at once. They succeed or fail as a whole.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["service".into()]))]
    pub targets: Vec<Target>,

    /// What must answer as expected after the rollout, before the stage counts as verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub verify: Vec<Verification>,
}

/// What a stage rolls.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// A Service of the same namespace, one of whose containers takes its image from this Pipeline and stage.
    pub service: Name,
}

/// What must answer as expected after the rollout.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The verification's name.
    pub name: Name,

    /// An http(s) request whose answer proves health.
    pub http: HttpVerification,
}

/// A GET request and the answer that is expected.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.timeout) >= duration('10s') && duration(self.timeout) <= duration('1h')")
    .message("timeout is between 10s and 1h"))]
pub struct HttpVerification {
    /// The URL that is asked.
    pub url: HealthUrl,

    /// The answer that is expected.
    #[serde(default)]
    pub expect: Expectation,

    /// How long the answer may stay another one before the stage fails, 10s to 1h. Default: 5m.
    #[serde(default = "five_minutes")]
    pub timeout: Duration,
}

fn five_minutes() -> Duration {
    "5m".into()
}

/// An answer that proves health.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Expectation {
    /// The status code, 100 to 599. Default: 200.
    #[serde(default = "ok")]
    #[schemars(range(min = 100, max = 599))]
    pub status: i32,

    /// Members that the JSON object in the body must have, with these values: texts of at most 256 bytes, numbers or booleans. Absent: the body is not looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "json_members")]
    pub json: BTreeMap<String, serde_json::Value>,
}

impl Default for Expectation {
    fn default() -> Self {
        Self { status: ok(), json: BTreeMap::new() }
    }
}

fn ok() -> i32 {
    200
}

fn json_members(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "object", "maxProperties": 10, "x-kubernetes-map-type": "atomic",
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true}})
}

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
