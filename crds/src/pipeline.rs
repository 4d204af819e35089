//! Pipeline: where commits come from, how they are checked and built, and through which stages they go. What is known of
//! it is in `status`.

use crate::name::{
    Branch, CodeCommitRepository, Duration, Name, ObjectName, PathPattern, Region, Repository, SkipWord, TagNames,
    TagPattern, Url, VersionRange,
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod build;
mod image_scan;
mod reference;
mod report;
mod required_statuses;
mod stage;
mod status;

pub use build::*;
pub use image_scan::*;
pub use reference::*;
pub use report::*;
pub use required_statuses::*;
pub use stage::*;
pub use status::*;

/// A road from the commits of a git branch, from its tags, or from the images that another CI pushes, to running ECS services: checks, an image build, stages.
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
#[x_kube(validation = Rule::new("self.stages.all(s, s.targets.all(t, !has(t.service) || self.stages.exists_one(other, other.targets.exists(x, has(x.service) && x.service == t.service))))")
    .message("a Service is a target of one stage only: make a Service for each stage"))]
#[x_kube(validation = Rule::new("has(self.build) != has(self.source.image)")
    .message("set build, or, where somebody else builds and pushes the image, source.image: one of them"))]
#[x_kube(validation = Rule::new("(has(self.source.git) && has(self.source.git.branch)) || (has(self.source.codeCommit) && has(self.source.codeCommit.branch)) || ((!has(self.build) || !has(self.build.codeBuild) || !has(self.build.codeBuild.environment) || self.build.codeBuild.environment.all(one, !has(one.value) || !one.value.matches('(^|[^$])[$][(]branch[)]'))) && (!has(self.checks) || self.checks.all(check, !has(check.codeBuild) || !has(check.codeBuild.environment) || check.codeBuild.environment.all(one, !has(one.value) || !one.value.matches('(^|[^$])[$][(]branch[)]')))))")
    .message("$(branch) is for a source that follows a branch: this one follows none"))]
#[x_kube(validation = Rule::new("(has(self.source.git) && has(self.source.git.tags)) || (has(self.source.codeCommit) && has(self.source.codeCommit.tags)) || ((!has(self.build) || !has(self.build.codeBuild) || !has(self.build.codeBuild.environment) || self.build.codeBuild.environment.all(one, !has(one.value) || !one.value.matches('(^|[^$])[$][(]gitTag[)]'))) && (!has(self.checks) || self.checks.all(check, !has(check.codeBuild) || !has(check.codeBuild.environment) || check.codeBuild.environment.all(one, !has(one.value) || !one.value.matches('(^|[^$])[$][(]gitTag[)]')))))")
    .message("$(gitTag) is for a source that follows tags: this one follows none"))]
#[x_kube(validation = Rule::new("self.images.all(image, self.images.exists_one(other, other.repository == image.repository))")
    .message("images: each has a repository of its own"))]
#[x_kube(validation = Rule::new("self.images.size() * self.stages.size() <= 10")
    .message("images: at most 10 in one stage, 5 in two, 3 in three: what runs in each stage is recorded image by image"))]
#[x_kube(validation = Rule::new("self.images.size() == 1 || !has(self.build) || ((!has(self.build.imageFrom) || has(self.build.imageFrom.artifact)) && (!has(self.build.tag) || self.build.tag.contains('$(commit)')))")
    .message("of several images the tag says the whole commit, or a file lists them: let build.tag have $(commit), or set imageFrom.artifact"))]
#[x_kube(validation = Rule::new("!has(self.report) || !has(self.report.commitStatus) || has(self.report.commitStatus.repository) || has(self.source.git)")
    .message("report.commitStatus.repository says where the commits are, because the source is no git repository"))]
#[x_kube(validation = Rule::new("!has(self.report) || !has(self.report.commitStatus) || has(self.report.commitStatus.secretRef) || !has(self.source.git) || has(self.source.git.secretRef)")
    .message("report.commitStatus.secretRef names the Secret that may write commit statuses, because the source has none"))]
#[x_kube(validation = Rule::new("!has(self.requiredStatuses) || has(self.requiredStatuses.repository) || has(self.source.git)")
    .message("requiredStatuses.repository says where the commits are, because the source is no git repository"))]
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

    /// What others have to report of the commit at its git host, such as GitHub Actions or Travis, before the image is built. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_statuses: Option<RequiredStatuses>,

    /// How many checks may run at the same time, 1 to 10. Default: 5.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 10))]
    pub checks_in_parallel: i32,

    /// How the image is built. Absent where `source.image` says that somebody else builds and pushes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,

    /// The images that the build, or another CI, pushes, each into a repository of its own and tagged alike: up to 10, or as many as 10 divided by the number of stages. A release has all of them or none. Of another CI's, the first is followed: let it be the one that is pushed last.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub images: Vec<Image>,

    /// What ECR's scan of the images has to come to before a release enters the first stage. Absent: it is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_scan: Option<ImageScan>,

    /// How many commits are checked and built at once, and what a newer commit does to an older one. Default: `{mode: Newest, limit: 1}`.
    #[serde(default)]
    pub concurrency: Concurrency,

    /// The environments that a release goes through, in this order.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<Stage>,

    /// Where to report how the commits fare, beside the statuses of the Releases. Absent: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,

    /// Holds everything back: no polling, no new release, no build and no stage is started. Builds and rollouts that have started continue. Default: false.
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

/// Where commits come from: exactly one member is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.git), has(self.codeCommit), has(self.image)].exists_one(one, one)").message("set exactly one source: git, codeCommit or image"))]
pub struct Source {
    /// A branch, or tags, of a git repository, looked at over git's smart HTTP protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,

    /// A branch, or tags, of a repository of AWS CodeCommit, looked at with the AwsAccount's role: there are no git credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_commit: Option<CodeCommit>,

    /// Images that somebody else's CI builds and pushes into the ECR repository of `images`. Nothing is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSource>,

    /// A webhook that tells of pushes, so that they are seen at once. The source is looked at all the same, five times as seldom while webhooks come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// A webhook of the git host, or of the CI that pushes images, to the path `/hooks/NAMESPACE/PIPELINE` of the controller's webhook
/// address. It only wakes: what it says of commits is not read.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Who sends it, and so how it is signed. `Generic` is anything that sends `X-Signature: sha256=<HMAC of the body>`, or signs as Standard Webhooks says.
    pub provider: WebhookProvider,

    /// A Secret of this namespace with the webhook's secret as `token`, and, while it is being changed, the one before as `previousToken`.
    pub secret_ref: LocalRef,
}

/// Who sends a webhook.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookProvider {
    /// GitHub, and GitHub Enterprise: `X-Hub-Signature-256`.
    GitHub,
    /// GitLab: a signing token that begins with `whsec_`, or a secret token.
    GitLab,
    /// Gitea and Forgejo: `X-Gitea-Signature`, `X-Forgejo-Signature`.
    Gitea,
    /// Bitbucket Cloud and Data Center: `X-Hub-Signature`.
    Bitbucket,
    /// Anything else.
    Generic,
}

/// A branch, or tags, of a git repository.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('10s') && duration(self.interval) <= duration('24h')")
    .message("interval is between 10s and 24h"))]
#[x_kube(validation = Rule::new("!has(self.branch) || !self.branch.startsWith('refs/')").message("branch is the name after refs/heads/, such as main"))]
#[x_kube(validation = Rule::new("has(self.branch) != has(self.tags)").message("follow either a branch or tags"))]
pub struct Git {
    /// The repository's https URL, without user and password: those go into a Secret, see secretRef.
    pub url: Url,

    /// The branch whose head is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,

    /// Tags, in place of a branch: the commit of the newest one is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,

    /// How often the repository is looked at, 10s to 24h. Default: 1m.
    #[serde(default = "minute")]
    pub interval: Duration,

    /// Which files this Pipeline is about: those that `include` names, without those that `exclude` names. A commit that differs in none of them from the commit that was released last is not released. In a pattern `*` stands for any characters of one name and `**` for any folders, or none; a folder's name stands for all that is in it. Absent: all files count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Paths>,

    /// A commit whose message has one of these texts, such as `[skip ci]`, is not released. What it changed comes with the next one. Upper and lower case are the same. There is no default: without this, `[skip ci]` means nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub skip: Vec<SkipWord>,

    /// A Secret of this namespace with `username` and `password`, or with `token`, or with `bearerToken`, or with `githubAppID`, `githubAppInstallationID` and `githubAppPrivateKey` (and `githubAppBaseURL` of an Enterprise Server); and with `ca.crt`, alone or beside them, where an authority of your own signs the server's certificate. Absent: the repository is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
}

/// Which tags of a repository are followed. Whichever is the newest is released: also one that was there before, once a newer one is
/// taken away. A tag that is moved is released again.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("has(self.pattern) || has(self.semver)").message("name tags in pattern, in semver, or in both"))]
#[x_kube(validation = Rule::new("!has(self.semver) || !has(self.pattern) || self.pattern.contains('*')")
    .message("with semver, pattern has a * where the version stands, such as web/v*"))]
pub struct Tags {
    /// The tags' names, with `*` for the part in which they differ, such as `release-*` or `web/v*`; it stands for anything without a `/`. Without semver the newest tag is the last one by name, where numbers count as numbers: `build-10` comes after `build-9`, and `v1.0.0-rc.1` after `v1.0.0`, so use semver for versions. Default: `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<TagNames>,

    /// The versions that count, of those that stand at `*`, with or without a `v` in front: a range such as `>=1.0.0 <2.0.0`, `1.x`, or `^1.2.0 || ^2.0.0`. The newest tag is the highest version. Pre-releases count where the range names one, such as `>=1.0.0-0`. Absent: the tags are no versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semver: Option<VersionRange>,
}

/// Which files of a repository a Pipeline is about: those that `include` names, without those that `exclude` names. In a
/// pattern `*` stands for any characters of one name, and `**` for any folders, or none; a folder's name stands for all that is in it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.include) && self.include.size() > 0) || (has(self.exclude) && self.exclude.size() > 0)")
    .message("name files in include, in exclude, or in both"))]
pub struct Paths {
    /// Patterns of files that count, such as `services/iridium`. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub include: Vec<PathPattern>,

    /// Patterns of files that do not count, whatever `include` has, such as `**/*.md`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub exclude: Vec<PathPattern>,
}

/// A branch, or tags, of a repository of AWS CodeCommit, in the account and the Region of the Pipeline.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('10s') && duration(self.interval) <= duration('24h')")
    .message("interval is between 10s and 24h"))]
#[x_kube(validation = Rule::new("!has(self.branch) || !self.branch.startsWith('refs/')").message("branch is the name after refs/heads/, such as main"))]
#[x_kube(validation = Rule::new("has(self.branch) != has(self.tags)").message("follow either a branch or tags"))]
pub struct CodeCommit {
    /// The repository's name. The AwsAccount must allow it (`allow.codeCommitRepositories`).
    pub repository: CodeCommitRepository,

    /// The branch whose head is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,

    /// Tags, in place of a branch: the commit of the newest one is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,

    /// How often the repository is looked at, 10s to 24h. Default: 1m.
    #[serde(default = "minute")]
    pub interval: Duration,
}

/// Images that somebody else's CI builds (GitHub Actions, GitLab CI, Jenkins, Travis) and pushes into the ECR repository of
/// `images`. One whose tag says a commit that was not there before is released.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('10s') && duration(self.interval) <= duration('24h')")
    .message("interval is between 10s and 24h"))]
#[x_kube(validation = Rule::new("!has(self.tag) || self.tag.contains('$(commit)')")
    .message("tag needs $(commit), the full commit ID: of an image that is tagged with a few digits nobody here knows the commit"))]
pub struct ImageSource {
    /// How the images are tagged: text around `$(commit)`, the full commit ID in lower case. Other tags are not looked at. Default: `$(commit)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagPattern>,

    /// How often the repository is looked at, 10s to 24h. Default: 1m.
    #[serde(default = "minute")]
    pub interval: Duration,
}

fn minute() -> Duration {
    "1m".into()
}

/// An image that the build, or another CI, pushes.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The name by which Services refer to the image.
    pub name: Name,

    /// The ECR repository. The AwsAccount must allow it.
    pub repository: Repository,
}

/// How many commits of the branch are checked and built at once, and what a newer commit does to an older one. A Release
/// that a person made is built at once, and gives way to nothing that comes from the branch.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.mode != 'Supersede' || self.limit == 1")
    .message("limit is for the modes Newest and Queue: Supersede stops the older build"))]
pub struct Concurrency {
    /// What becomes of older commits. `Newest`, the default: a build that runs is never stopped, and of the commits that wait only the newest is built. `Supersede`: a newer commit stops the older one's checks and build. `Queue`: every commit that the branch was seen at is built and goes through every stage, in order; while 20 wait to begin, no other is taken into the queue.
    #[serde(default)]
    pub mode: Mode,

    /// How many commits are checked and built at once, 1 to 10. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub limit: i32,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { mode: Mode::default(), limit: one() }
    }
}

fn one() -> i32 {
    1
}

/// What a newer commit does to an older one.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The build that runs ends; then only the newest commit that waits is built.
    #[default]
    Newest,
    /// The older one's checks and builds are stopped, and it ends as superseded.
    Supersede,
    /// Every commit is built and goes through every stage, in order.
    Queue,
}
