//! What a build says in place of its project: StartBuild's overrides, in AWS's words without the suffix `Override`.

use super::shape::{Count, words};
use crate::name::{Line, LogName, RepositoryUrl, Word};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// What a build says in place of its project. The AwsAccount must allow the kinds of overrides (`allow.overrides`), and what they name.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.sourceLocation) || has(self.sourceType)")
    .message("sourceLocation goes with sourceType: set both, or only sourceType for the Pipeline's own repository"))]
#[x_kube(validation = Rule::new("!has(self.sourceLocation) || !self.sourceLocation.contains('..')").message("sourceLocation has no .. in it"))]
pub struct BuildOverride {
    /// Where the source comes from. Absent for a project that was made for CodePipeline: as the host of the Pipeline's repository says.
    pub source_type: Option<SourceType>,
    /// The repository, which the AwsAccount must allow (`allow.sources`). Absent beside sourceType: that of spec.source; for codeCommit only where sourceType is CODECOMMIT.
    pub source_location: Option<RepositoryUrl>,
    /// How CodeBuild signs in at the git host. Absent: as the account's source credentials say.
    pub source_auth: Option<SourceAuth>,
    /// How many commits are fetched; 0: all.
    pub git_clone_depth: Option<Count>,
    /// Whether submodules are fetched. Override Submodules.
    pub git_submodules_config: Option<GitSubmodulesConfig>,
    /// Where what the build leaves goes. Override Artifacts.
    pub artifacts: Option<BuildArtifacts>,
    /// The kind of machine. Override Machine.
    pub environment_type: Option<EnvironmentType>,
    /// The image that commands run in, such as `aws/codebuild/standard:7.0`. Override Machine.
    pub image: Option<Line>,
    /// The size of the machine, such as `BUILD_GENERAL1_LARGE`. Override Machine.
    pub compute_type: Option<Line>,
    /// Whether commands may use Docker. Override Machine.
    pub privileged_mode: Option<bool>,
    /// Whose rights pull the image. Override Machine.
    pub image_pull_credentials_type: Option<ImagePullCredentialsType>,
    /// Where the log goes. Override Logs.
    pub logs_config: Option<BuildLogsConfig>,
}

/// How CodeBuild signs in at the git host.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SourceAuth {
    /// By what.
    pub r#type: SourceAuthType,
    /// The ARN of the connection, or of the secret. The AwsAccount must allow it.
    pub resource: Option<Word>,
}

/// Whether submodules are fetched.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GitSubmodulesConfig {
    /// Whether they are.
    pub fetch_submodules: bool,
}

/// Where what a build leaves goes.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(!has(self.path) || !self.path.contains('..')) && (!has(self.name) || !self.name.contains('..'))").message("path and name have no .. in them"))]
#[x_kube(validation = Rule::new("(self.type == 'S3') == has(self.location)").message("type S3 needs location, the name of a bucket, and NO_ARTIFACTS has none"))]
pub struct BuildArtifacts {
    /// S3, or nowhere.
    pub r#type: ArtifactsType,
    /// The bucket. The AwsAccount must allow `<bucket>/<path>/<name>` (`allow.buckets`), with `BUILD_ID` before the name where namespaceType says so.
    pub location: Option<Line>,
    /// The path in the bucket.
    pub path: Option<Word>,
    /// The name of the folder or the zip file.
    pub name: Option<Line>,
    /// Whether the build's ID is a part of the path.
    pub namespace_type: Option<ArtifactNamespace>,
    /// Whether it is zipped.
    pub packaging: Option<ArtifactPackaging>,
}

/// Where a build's log goes.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildLogsConfig {
    /// In CloudWatch Logs.
    pub cloud_watch_logs: Option<BuildCloudWatchLogs>,
}

/// A build's log in CloudWatch Logs.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildCloudWatchLogs {
    /// Whether it is written.
    pub status: LogsStatus,
    /// The log group. The AwsAccount must allow it.
    pub group_name: Option<LogName>,
    /// The prefix of the stream.
    pub stream_name: Option<LogName>,
}

words! {
    /// Where the source comes from.
    SourceType: "CODECOMMIT", "GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED";
    /// By what CodeBuild signs in.
    SourceAuthType: "CODECONNECTIONS", "OAUTH", "SECRETS_MANAGER";
    /// Where artifacts go.
    ArtifactsType: "NO_ARTIFACTS", "S3";
    /// Whether the build's ID is a part of the path.
    ArtifactNamespace: "NONE", "BUILD_ID";
    /// Whether artifacts are zipped.
    ArtifactPackaging: "NONE", "ZIP";
    /// The kind of machine.
    EnvironmentType: "LINUX_CONTAINER", "LINUX_GPU_CONTAINER", "ARM_CONTAINER", "WINDOWS_SERVER_2019_CONTAINER", "WINDOWS_SERVER_2022_CONTAINER", "LINUX_LAMBDA_CONTAINER", "ARM_LAMBDA_CONTAINER", "LINUX_EC2", "ARM_EC2", "WINDOWS_EC2", "MAC_ARM";
    /// Whose rights pull the image.
    ImagePullCredentialsType: "CODEBUILD", "SERVICE_ROLE";
    /// Whether a log is written.
    LogsStatus: "ENABLED", "DISABLED";
}
