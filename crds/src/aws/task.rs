//! RegisterTaskDefinition's request: what each task of a service runs.

use super::container::{ContainerDefinition, KeyValuePair};
use super::shape::{List, Named, Port, Size, Texts, Whole, cpu, memory, words};
use crate::name::{EcsName, Line, Role, SecretRef, TagKey, Word};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// What each task runs: the request of ECS's RegisterTaskDefinition, in AWS's own words.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.containerDefinitions.exists(c, !has(c.essential) || c.essential)")
    .message("at least one container must be essential"))]
#[x_kube(validation = Rule::new("!has(self.requiresCompatibilities) || !self.requiresCompatibilities.exists(c, c == 'FARGATE') || has(self.executionRoleArn) || self.containerDefinitions.all(c, !has(c.imageFrom))")
    .message("FARGATE needs executionRoleArn: ECS pulls from ECR with that role"))]
#[x_kube(validation = Rule::new("!has(self.networkMode) || !(self.networkMode in ['awsvpc', 'host']) || self.containerDefinitions.all(c, !has(c.portMappings) || c.portMappings.all(p, !has(p.hostPort) || p.hostPort == 0 || !has(p.containerPort) || p.hostPort == p.containerPort))")
    .message("with networkMode awsvpc or host hostPort is the containerPort: remove it"))]
#[x_kube(validation = Rule::new("self.containerDefinitions.all(c, !has(c.imageFrom) || self.containerDefinitions.all(d, !has(d.imageFrom) || (c.imageFrom.pipeline == d.imageFrom.pipeline && c.imageFrom.stage == d.imageFrom.stage)))")
    .message("all imageFrom of a Service name the same pipeline and stage: one stage decides what the task runs"))]
pub struct TaskDefinition {
    /// The family. Absent: `<installation>_<namespace>_<name>`. One that does not begin with `<installation>_<namespace>_` must be allowed by the AwsAccount. Use a family that nobody else registers in.
    pub family: Option<EcsName>,
    /// The role that the containers have: a name or an ARN. The AwsAccount must allow it.
    pub task_role_arn: Option<Role>,
    /// The role with which ECS pulls images, reads secrets and writes logs: a name or an ARN. The AwsAccount must allow it.
    pub execution_role_arn: Option<Role>,
    /// How containers reach the network. AWS's default on container instances: bridge.
    pub network_mode: Option<NetworkMode>,
    /// The containers.
    pub container_definitions: Containers,
    /// The volumes that containers may mount.
    pub volumes: Option<List<Volume, 20>>,
    /// On which container instances the task may run.
    pub placement_constraints: Option<List<TaskPlacementConstraint, 10>>,
    /// On what the task must be able to run; ECS refuses a definition that cannot.
    pub requires_compatibilities: Option<List<Compatibility, 4>>,
    /// CPU units of the task, such as `256` or `"1 vCPU"`; 1024 are one vCPU. Fargate needs it.
    #[serde(default)]
    #[schemars(schema_with = "cpu")]
    pub cpu: Option<Size>,
    /// Memory of the task, such as `512` (MiB) or `"1GB"`. Fargate needs it.
    #[serde(default)]
    #[schemars(schema_with = "memory")]
    pub memory: Option<Size>,
    /// Tags of the task definition, beside Launchway's own.
    pub tags: Option<List<Tag, 40>>,
    /// With what the containers share their processes.
    pub pid_mode: Option<PidMode>,
    /// With what the containers share their memory segments.
    pub ipc_mode: Option<IpcMode>,
    /// App Mesh's proxy.
    pub proxy_configuration: Option<ProxyConfiguration>,
    /// Elastic Inference accelerators. AWS has ended that service.
    pub inference_accelerators: Option<List<InferenceAccelerator, 10>>,
    /// The task's disk on Fargate.
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// The processor and the operating system. AWS's default: X86_64 and LINUX.
    pub runtime_platform: Option<RuntimePlatform>,
    /// Whether the task accepts requests to inject faults. AWS's default: false.
    pub enable_fault_injection: Option<bool>,
}

/// The containers of a task, at least one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Containers(pub Vec<ContainerDefinition>);

impl std::ops::Deref for Containers {
    type Target = [ContainerDefinition];
    fn deref(&self) -> &[ContainerDefinition] {
        &self.0
    }
}

impl JsonSchema for Containers {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Containers".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = <Named<ContainerDefinition, 10>>::json_schema(generator);
        schema.insert("minItems".to_owned(), 1.into());
        schema
    }
}

/// A volume of the task.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The volume's name.
    pub name: Option<Line>,
    /// A path of the container instance.
    pub host: Option<HostVolumeProperties>,
    /// A volume of Docker's.
    pub docker_volume_configuration: Option<DockerVolumeConfiguration>,
    /// A file system of EFS.
    pub efs_volume_configuration: Option<EfsVolumeConfiguration>,
    /// A file system of S3 Files.
    #[serde(rename = "s3filesVolumeConfiguration")]
    pub s3files_volume_configuration: Option<S3FilesVolumeConfiguration>,
    /// A file system of FSx for Windows File Server.
    pub fsx_windows_file_server_volume_configuration: Option<FsxWindowsFileServerVolumeConfiguration>,
    /// Whether the service says what the volume is, under volumeConfigurations. AWS's default: false.
    pub configured_at_launch: Option<bool>,
}

/// A path of the container instance.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HostVolumeProperties {
    /// The path. Absent: an empty directory that lives as long as the task.
    pub source_path: Option<Word>,
}

/// A volume of Docker's.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DockerVolumeConfiguration {
    /// Whether it lives with the task or longer.
    pub scope: Option<DockerScope>,
    /// Whether it is made where it is missing. AWS's default: false.
    pub autoprovision: Option<bool>,
    /// The volume driver.
    pub driver: Option<Line>,
    /// The driver's options.
    pub driver_opts: Option<Texts>,
    /// Docker's labels.
    pub labels: Option<Texts>,
}

/// A file system of EFS.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EfsVolumeConfiguration {
    /// The file system's ID.
    pub file_system_id: Line,
    /// The directory that is mounted. AWS's default: `/`.
    pub root_directory: Option<Word>,
    /// Whether the traffic is encrypted. AWS's default: DISABLED.
    pub transit_encryption: Option<Enabled>,
    /// The port of the encrypted traffic.
    pub transit_encryption_port: Option<Port>,
    /// Who may mount it.
    pub authorization_config: Option<EfsAuthorizationConfig>,
}

/// Who may mount a file system of EFS.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EfsAuthorizationConfig {
    /// The access point's ID.
    pub access_point_id: Option<Line>,
    /// Whether the task role is asked. AWS's default: DISABLED.
    pub iam: Option<Enabled>,
}

/// A file system of S3 Files.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct S3FilesVolumeConfiguration {
    /// The file system's ARN.
    pub file_system_arn: Word,
    /// The directory that is mounted. AWS's default: `/`.
    pub root_directory: Option<Word>,
    /// The port of the encrypted traffic.
    pub transit_encryption_port: Option<Port>,
    /// The access point's ARN.
    pub access_point_arn: Option<Word>,
}

/// A file system of FSx for Windows File Server.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FsxWindowsFileServerVolumeConfiguration {
    /// The file system's ID.
    pub file_system_id: Line,
    /// The directory that is mounted.
    pub root_directory: Word,
    /// Who may mount it.
    pub authorization_config: FsxAuthorizationConfig,
}

/// Who may mount a file system of FSx.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FsxAuthorizationConfig {
    /// The ARN of a secret or of a parameter with the credentials.
    pub credentials_parameter: SecretRef,
    /// The Active Directory domain.
    pub domain: Line,
}

/// On which container instances a task may run.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TaskPlacementConstraint {
    /// The kind of constraint.
    pub r#type: Option<TaskPlacementConstraintType>,
    /// The expression in ECS's cluster query language.
    pub expression: Option<Word>,
}

/// A tag.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!self.key.lowerAscii().startsWith('aws:') && !self.key.lowerAscii().startsWith('launchway.dev/')")
    .message("keys that begin with aws: or launchway.dev/ are taken: choose another"))]
pub struct Tag {
    /// The key.
    pub key: TagKey,
    /// The value. Absent: empty.
    pub value: Option<Line>,
}

/// App Mesh's proxy.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ProxyConfiguration {
    /// The kind of proxy.
    pub r#type: Option<ProxyConfigurationType>,
    /// The container that is the proxy.
    pub container_name: EcsName,
    /// Its settings.
    pub properties: Option<Named<KeyValuePair, 20>>,
}

/// An Elastic Inference accelerator.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InferenceAccelerator {
    /// Its name.
    pub device_name: Line,
    /// Its type.
    pub device_type: Line,
}

/// A task's disk on Fargate.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EphemeralStorage {
    /// Its size in GiB, 21 to 200.
    #[serde(rename = "sizeInGiB")]
    pub size_in_gib: Whole<21, 200>,
}

/// The processor and the operating system of a task.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RuntimePlatform {
    /// The processor. AWS's default: X86_64.
    pub cpu_architecture: Option<CpuArchitecture>,
    /// The operating system. AWS's default: LINUX.
    pub operating_system_family: Option<OperatingSystemFamily>,
}

words! {
    /// How containers reach the network.
    NetworkMode: "awsvpc", "bridge", "host", "none";
    /// On what a task can run.
    Compatibility: "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES";
    /// How long a volume of Docker's lives.
    DockerScope: "task", "shared";
    /// Whether something is switched on.
    Enabled: "ENABLED", "DISABLED";
    /// A kind of constraint of a task definition.
    TaskPlacementConstraintType: "memberOf";
    /// With what processes are shared.
    PidMode: "host", "task";
    /// With what memory segments are shared.
    IpcMode: "host", "task", "none";
    /// A kind of proxy.
    ProxyConfigurationType: "APPMESH";
    /// A processor.
    CpuArchitecture: "X86_64", "ARM64";
    /// An operating system.
    OperatingSystemFamily: "LINUX", "WINDOWS_SERVER_2025_FULL", "WINDOWS_SERVER_2025_CORE", "WINDOWS_SERVER_2022_FULL", "WINDOWS_SERVER_2022_CORE", "WINDOWS_SERVER_2019_FULL", "WINDOWS_SERVER_2019_CORE", "WINDOWS_SERVER_2016_FULL", "WINDOWS_SERVER_2004_CORE", "WINDOWS_SERVER_20H2_CORE";
}
