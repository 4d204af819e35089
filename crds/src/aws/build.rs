//! What a build says in place of its project: StartBuild's overrides, in AWS's words without the suffix `Override`.

use super::shape::{Count, words};
use crate::name::{Bucket, BuildImage, CacheNamespace, Identifier, Line, LogName, ObjectPath, RepositoryUrl, Word};
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
#[x_kube(validation = Rule::new("!has(self.secondarySourcesVersion) || (has(self.secondarySources) && self.secondarySourcesVersion.all(one, self.secondarySources.exists(source, source.sourceIdentifier == one.sourceIdentifier)))")
    .message("secondarySourcesVersion is of what secondarySources names here: set that too"))]
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
    pub image: Option<BuildImage>,
    /// The size of the machine, such as `BUILD_GENERAL1_LARGE`. Override Machine.
    pub compute_type: Option<Line>,
    /// Whether commands may use Docker. Override Machine.
    pub privileged_mode: Option<bool>,
    /// Whose rights pull the image. Override Machine.
    pub image_pull_credentials_type: Option<ImagePullCredentialsType>,
    /// Where the log goes. Override Logs.
    pub logs_config: Option<BuildLogsConfig>,
    /// The role whose rights the build has, by its name or its ARN, which the AwsAccount must allow (`allow.roles`). It has to trust CodeBuild. Override ServiceRole.
    #[schemars(length(min = 1))]
    pub service_role: Option<Word>,
    /// What earlier builds left to be used again. Override Cache.
    pub cache: Option<BuildCache>,
    /// The KMS key that artifacts are encrypted with: a key's ARN, or `alias/<name>`. The AwsAccount must allow it (`allow.keys`).
    #[schemars(length(min = 1))]
    pub encryption_key: Option<Word>,
    /// Reserved machines. Override Machine; and the AwsAccount must allow the fleet (`allow.capacity`).
    pub fleet: Option<BuildFleet>,
    /// With what the build's own image is pulled. Override Machine; and the AwsAccount must allow the secret (`allow.secrets`).
    pub registry_credential: Option<RegistryCredential>,
    /// Which kernel the machine's host has. Override Machine.
    pub host_kernel: Option<HostKernel>,
    /// The ARN in S3 of the certificate of the git host, or of another server that commands talk to. The AwsAccount must allow it (`allow.buckets`).
    #[schemars(length(min = 1))]
    pub certificate: Option<Word>,
    /// Whether the git host's certificate is not checked. Override InsecureSsl.
    pub insecure_ssl: Option<bool>,
    /// Whether CodeBuild reports to the git host by itself, beside what spec.report says. Override BuildStatus.
    pub report_build_status: Option<bool>,
    /// Under which name it reports. Override BuildStatus.
    pub build_status_config: Option<BuildStatusConfig>,
    /// Other repositories, which commands find in `CODEBUILD_SRC_DIR_<sourceIdentifier>`. The AwsAccount must allow each (`allow.sources`).
    #[schemars(length(max = 12))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["sourceIdentifier".into()]))]
    pub secondary_sources: Option<Vec<SecondarySource>>,
    /// Which branch, tag or commit of them. One that is not named here is taken from its main branch, as it is when the build starts.
    #[schemars(length(max = 12))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["sourceIdentifier".into()]))]
    pub secondary_sources_version: Option<Vec<SecondaryVersion>>,
    /// What else the build leaves in S3. Override Artifacts.
    #[schemars(length(max = 12))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["artifactIdentifier".into()]))]
    pub secondary_artifacts: Option<Vec<SecondaryArtifacts>>,
}

/// What earlier builds left to be used again.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.type == 'S3') == has(self.location)").message("type S3 needs location, <bucket>/<prefix>, and no other type has one"))]
#[x_kube(validation = Rule::new("self.type == 'LOCAL' || !has(self.modes)").message("modes are for type LOCAL"))]
pub struct BuildCache {
    /// Where it is kept.
    pub r#type: CacheType,
    /// `<bucket>/<prefix>`, without `..`. The AwsAccount must allow it (`allow.buckets`).
    pub location: Option<ObjectPath>,
    /// What a machine keeps.
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub modes: Option<Vec<CacheMode>>,
    /// A name under which several projects share it.
    pub cache_namespace: Option<CacheNamespace>,
}

/// Reserved machines.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildFleet {
    /// The fleet's ARN.
    #[schemars(length(min = 1))]
    pub fleet_arn: Word,
}

/// With what an image is pulled from a private registry that is not ECR.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RegistryCredential {
    /// The name or the ARN of the secret.
    #[schemars(length(min = 1))]
    pub credential: Word,
    /// Where it is.
    pub credential_provider: CredentialProvider,
}

/// Under which name CodeBuild reports to the git host.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildStatusConfig {
    /// The name.
    pub context: Option<Line>,
    /// The page that it links to.
    pub target_url: Option<Word>,
}

/// Another repository.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!self.location.contains('..')").message("location has no .. in it"))]
pub struct SecondarySource {
    /// Its name among the sources of the build.
    pub source_identifier: Identifier,
    /// What kind of git host it is on.
    pub r#type: SourceType,
    /// The repository.
    pub location: RepositoryUrl,
    /// How CodeBuild signs in at the git host. Absent: as the account's source credentials say.
    pub auth: Option<SourceAuth>,
    /// How many commits are fetched; 0: all.
    pub git_clone_depth: Option<Count>,
    /// Whether submodules are fetched. Override Submodules.
    pub git_submodules_config: Option<GitSubmodulesConfig>,
}

/// Which branch, tag or commit of another repository.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!self.sourceVersion.contains('$(')").message("write a branch, a tag or a commit of that repository: $(…) stands for something in values of environment only"))]
pub struct SecondaryVersion {
    /// The repository's name among the sources of the build.
    pub source_identifier: Identifier,
    /// The branch, tag or commit.
    pub source_version: Line,
}

/// What else a build leaves in S3.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(!has(self.path) || !self.path.contains('..')) && (!has(self.name) || !self.name.contains('..'))").message("path and name have no .. in them"))]
pub struct SecondaryArtifacts {
    /// Its name among the artifacts of the buildspec.
    pub artifact_identifier: Identifier,
    /// S3.
    pub r#type: SecondaryArtifactsType,
    /// The bucket. The AwsAccount must allow `<bucket>/<path>/<name>` (`allow.buckets`), with `BUILD_ID` before the name where namespaceType says so.
    pub location: Bucket,
    /// The path in the bucket.
    pub path: Option<Word>,
    /// The name of the folder or the zip file.
    pub name: Option<Line>,
    /// Whether the build's ID is a part of the path.
    pub namespace_type: Option<ArtifactNamespace>,
    /// Whether it is zipped.
    pub packaging: Option<ArtifactPackaging>,
    /// Whether it is left without encryption.
    pub encryption_disabled: Option<bool>,
}

/// How CodeBuild signs in at the git host.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SourceAuth {
    /// By what.
    pub r#type: SourceAuthType,
    /// The ARN of the connection, or of the secret. The AwsAccount must allow it. Absent: the account's own credential for that kind of git host, which it must allow as `default` among the connections.
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
    pub location: Option<Bucket>,
    /// The path in the bucket.
    pub path: Option<Word>,
    /// The name of the folder or the zip file.
    pub name: Option<Line>,
    /// Whether the build's ID is a part of the path.
    pub namespace_type: Option<ArtifactNamespace>,
    /// Whether it is zipped.
    pub packaging: Option<ArtifactPackaging>,
    /// Whether it is left without encryption.
    pub encryption_disabled: Option<bool>,
}

/// Where a build's log goes.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BuildLogsConfig {
    /// In CloudWatch Logs.
    pub cloud_watch_logs: Option<BuildCloudWatchLogs>,
    /// In S3.
    pub s3_logs: Option<BuildS3Logs>,
}

/// A build's log in S3.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.status != 'ENABLED' || has(self.location)").message("a log in S3 needs location, <bucket>/<prefix>"))]
pub struct BuildS3Logs {
    /// Whether it is written.
    pub status: LogsStatus,
    /// `<bucket>/<prefix>`. The AwsAccount must allow it (`allow.buckets`).
    pub location: Option<ObjectPath>,
    /// Whether it is left without encryption.
    pub encryption_disabled: Option<bool>,
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
    /// Where secondary artifacts go.
    SecondaryArtifactsType: "S3";
    /// Which kernel the machine's host has.
    HostKernel: "LINUX_KERNEL_4", "LINUX_KERNEL_6", "LINUX_KERNEL_LATEST";
    /// Where a cache is kept.
    CacheType: "NO_CACHE", "S3", "LOCAL";
    /// What a machine keeps for later builds.
    CacheMode: "LOCAL_DOCKER_LAYER_CACHE", "LOCAL_SOURCE_CACHE", "LOCAL_CUSTOM_CACHE";
    /// Where a registry's secret is.
    CredentialProvider: "SECRETS_MANAGER";
    /// The kind of machine.
    EnvironmentType: "LINUX_CONTAINER", "LINUX_GPU_CONTAINER", "ARM_CONTAINER", "WINDOWS_SERVER_2019_CONTAINER", "WINDOWS_SERVER_2022_CONTAINER", "LINUX_LAMBDA_CONTAINER", "ARM_LAMBDA_CONTAINER", "LINUX_EC2", "ARM_EC2", "WINDOWS_EC2", "MAC_ARM";
    /// Whose rights pull the image.
    ImagePullCredentialsType: "CODEBUILD", "SERVICE_ROLE";
    /// Whether a log is written.
    LogsStatus: "ENABLED", "DISABLED";
}
