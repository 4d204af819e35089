//! The checks and the build of a Pipeline: what CodeBuild runs.

use crate::aws::BuildOverride;
use crate::name::{
    ArtifactPath, Buildspec, Duration, EnvName, EnvValue, Name, Path, Project, ScanPath, ScanText, SecretRef,
    TagPattern,
};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A CodeBuild run that must succeed before the image is built.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(self.name in ['build', 'image'])").message("a check cannot be called build or image: these are steps of every release"))]
#[x_kube(validation = Rule::new("[has(self.codeBuild)].exists_one(one, one)").message("set exactly one kind of check: codeBuild"))]
#[x_kube(validation = Rule::new("!has(self.codeBuild) || !has(self.codeBuild.environment) || self.codeBuild.environment.all(one, !has(one.value) || !one.value.matches('(^|[^$])[$][(]steps[.]'))")
    .message("checks run side by side: only the build gets what a check exported, $(steps.CHECK.VARIABLE)"))]
#[x_kube(validation = Rule::new("!has(self.scan) || !has(self.codeBuild) || !has(self.codeBuild.buildspec)")
    .message("scan is the buildspec: leave codeBuild.buildspec out"))]
pub struct Check {
    /// The check's name, shown in the Release's status.
    pub name: Name,

    /// What CodeBuild runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_build: Option<CodeBuild>,

    /// A ready-made buildspec, which needs nothing in the repository. Absent: that of `codeBuild`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
}

/// A ready-made buildspec of a check: exactly one member is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.secrets) != has(self.templates)").message("set exactly one kind of scan: secrets or templates"))]
pub struct Scan {
    /// Fails if access keys, private keys or tokens stand in the commit's files. It says where, and never what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<SecretScan>,

    /// Fails if cfn-lint finds errors in CloudFormation templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<TemplateScan>,
}

/// How the image is built.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.codeBuild)].exists_one(one, one)").message("set exactly one kind of build: codeBuild"))]
#[x_kube(validation = Rule::new("!has(self.tag) || !has(self.imageFrom)")
    .message("tag and imageFrom both say which image the build pushed: set one of them"))]
pub struct Build {
    /// What CodeBuild runs. It gets IMAGE_REPO_NAME, IMAGE_TAG, COMMIT_ID, AWS_ACCOUNT_ID and AWS_DEFAULT_REGION, and pushes the image under that tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_build: Option<CodeBuild>,

    /// How the build tags the image: text around one of `$(commit)`, `$(shortCommit)`, which is 7 digits, and `$(shortCommit:N)`, N from 7 to 40. IMAGE_TAG says it to a buildspec; one that computes the tag itself has to come to the same. Default: `$(commit)`, the full commit ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagPattern>,

    /// Where the build says itself which image it pushed. Then it may tag the image as it likes. Absent: the tag says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_from: Option<ImageFrom>,

    /// How often a build or a check is started again after a fault of the build service, 0 to 2. A failing command is never retried. Default: 2.
    #[serde(default = "two")]
    #[schemars(range(min = 0, max = 2))]
    pub retries: i32,
}

fn two() -> i32 {
    2
}

/// Where a build says which image it pushed: exactly one member is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.variable) != has(self.artifact)").message("set exactly one place where the build says its image: variable or artifact"))]
pub struct ImageFrom {
    /// A variable that the buildspec exports (`env: {exported-variables: [IMAGE_URI]}`). Its value is the image with its digest, `<registry>/<repository>@sha256:…`, or the digest alone, or the image with a tag other than `latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<EnvName>,

    /// A file of the artifact that the build leaves in S3, by its path there: CodePipeline's `imagedefinitions.json`, a list of `{name, imageUri}`, or `imageDetail.json`, `{ImageURI}`. Of its images those count that are in the repositories of spec.images, with a digest or a tag other than `latest`. The artifact's path has to have the build's ID (`namespaceType: BUILD_ID`), and the role needs `s3:GetObject` of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<ArtifactPath>,
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

    /// What the build says in place of the project, in the words of StartBuild.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#override: Option<BuildOverride>,

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

/// A scan for secrets in the commit's files: keys of AWS, private keys, tokens of GitHub, GitLab and Slack. The build image needs GNU grep.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretScan {
    /// What is no secret: these texts are passed over, such as the ID of a key that is known and worth nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allow: Vec<ScanText>,

    /// Files and folders that are not scanned: paths from the root, in which `*` stands for any text, folders too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub exclude: Vec<ScanPath>,
}

/// A scan of CloudFormation templates by cfn-lint. The build image needs cfn-lint, or Python 3.10 and a way to pypi.org.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TemplateScan {
    /// The templates: paths from the root, in which `*` stands for any text, folders too. Empty: every YAML or JSON file that has `AWSTemplateFormatVersion`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub files: Vec<ScanPath>,
}

/// An environment variable of a build.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.value) ? 1 : 0) + (has(self.parameterStore) ? 1 : 0) + (has(self.secretsManager) ? 1 : 0) == 1")
    .message("set exactly one of value, parameterStore and secretsManager"))]
#[x_kube(validation = Rule::new("!(self.name in ['IMAGE_TAG', 'IMAGE_REPO_NAME', 'COMMIT_ID', 'AWS_DEFAULT_REGION', 'AWS_ACCOUNT_ID', 'LAUNCHWAY_BUILD'])")
    .message("this variable is set by Launchway: leave it out, or take another name for something else"))]
#[x_kube(validation = Rule::new("!self.name.startsWith('CODEBUILD_')").message("names that begin with CODEBUILD_ belong to CodeBuild: take another name"))]
pub struct BuildVariable {
    /// The variable's name.
    pub name: EnvName,

    /// A plain value. Everybody who may look at the build can read it: not for secrets. In it you can write `$(commit)`, `$(shortCommit)`, which is 7 digits, `$(shortCommit:N)`, `$(branch)`, `$(gitTag)`, `$(release)`, `$(pipeline)`, `$(namespace)`; and in the build's, once the checks have succeeded, `$(steps.CHECK.VARIABLE)`, a variable that the buildspec of a check exports. `$$(` stands for `$(`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<EnvValue>,

    /// The name of a parameter in the Parameter Store, which CodeBuild reads with the project's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_store: Option<SecretRef>,

    /// `secret-id:json-key:version-stage:version-id` in Secrets Manager, which CodeBuild reads with the project's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_manager: Option<SecretRef>,
}
