//! A container of a task definition.

use super::shape::{Count, List, Named, Port, Texts, Whole, words};
use crate::name::{Argument, EcsName, ImageRef, Line, Name, SecretRef, VariableName, VariableValue, Word};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// A container of the task.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.image) != has(self.imageFrom)").message("set exactly one of image and imageFrom"))]
#[x_kube(validation = Rule::new("!has(self.memory) || !has(self.memoryReservation) || self.memoryReservation <= self.memory")
    .message("memoryReservation is at most memory: lower it"))]
pub struct ContainerDefinition {
    /// The container's name.
    pub name: EcsName,
    /// A literal image, with a tag other than `latest`, or with a digest. Exactly one of image and imageFrom is set.
    pub image: Option<ImageRef>,
    /// The image that a stage of a Pipeline is to run, in place of `image`. Launchway's own; all other members are AWS's.
    pub image_from: Option<ImageFrom>,
    /// The secret with which a private registry outside ECR is read.
    pub repository_credentials: Option<RepositoryCredentials>,
    /// CPU units of the container; 1024 are one vCPU.
    pub cpu: Option<Count>,
    /// The memory in MiB above which the container is killed.
    pub memory: Option<Count>,
    /// The memory in MiB that is reserved.
    pub memory_reservation: Option<Count>,
    /// Containers that this one reaches by name, in network mode bridge.
    pub links: Option<List<Line, 20>>,
    /// The ports that the container listens on.
    pub port_mappings: Option<List<PortMapping, 100>>,
    /// Whether the task stops when this container does. AWS's default: true.
    pub essential: Option<bool>,
    /// Whether ECS starts the container again by itself when it exits.
    pub restart_policy: Option<RestartPolicy>,
    /// The entry point, in place of the image's own.
    pub entry_point: Option<List<Argument, 1000>>,
    /// The command, in place of the image's own.
    pub command: Option<List<Argument, 1000>>,
    /// Plain environment variables. Everybody who may look at the task definition can read them: not for secrets.
    pub environment: Option<Named<KeyValuePair, 1000>>,
    /// Files in S3 with environment variables.
    pub environment_files: Option<List<EnvironmentFile, 10>>,
    /// Volumes of the task, and where the container has them.
    pub mount_points: Option<List<MountPoint, 50>>,
    /// Containers whose volumes this one has too.
    pub volumes_from: Option<List<VolumeFrom, 10>>,
    /// Settings of the Linux kernel for the container.
    pub linux_parameters: Option<LinuxParameters>,
    /// Environment variables that ECS reads from the Parameter Store or Secrets Manager when a task starts.
    pub secrets: Option<Named<Secret, 500>>,
    /// Containers that must have got so far before this one starts.
    pub depends_on: Option<List<ContainerDependency, 20>>,
    /// How long ECS waits for what this container depends on, in seconds.
    pub start_timeout: Option<Count>,
    /// How long the container has to end by itself before it is killed, in seconds.
    pub stop_timeout: Option<Count>,
    /// Whether ECS pins the image to the digest that its tag had at the start of the rollout. AWS's default: enabled.
    pub version_consistency: Option<VersionConsistency>,
    /// The host name inside the container.
    pub hostname: Option<Line>,
    /// The user inside the container: name or ID, with or without a group.
    pub user: Option<Line>,
    /// The directory in which the command runs.
    pub working_directory: Option<Word>,
    /// Whether the container has no network. AWS's default: false.
    pub disable_networking: Option<bool>,
    /// Whether the container has the host's root rights. AWS's default: false.
    pub privileged: Option<bool>,
    /// Whether the container's root file system cannot be written. AWS's default: false.
    pub readonly_root_filesystem: Option<bool>,
    /// The name servers.
    pub dns_servers: Option<List<Line, 20>>,
    /// The domains in which short names are looked up.
    pub dns_search_domains: Option<List<Line, 20>>,
    /// Entries of `/etc/hosts`.
    pub extra_hosts: Option<List<HostEntry, 50>>,
    /// Options of SELinux, AppArmor or Windows credential specs.
    pub docker_security_options: Option<List<Line, 20>>,
    /// Whether the container keeps its standard input open. AWS's default: false.
    pub interactive: Option<bool>,
    /// Whether the container has a terminal. AWS's default: false.
    pub pseudo_terminal: Option<bool>,
    /// Docker's labels.
    pub docker_labels: Option<Texts>,
    /// Limits of the operating system.
    pub ulimits: Option<Named<Ulimit, 20>>,
    /// Where the container's output goes. Absent: nowhere.
    pub log_configuration: Option<LogConfiguration>,
    /// How ECS finds out whether the container is well.
    pub health_check: Option<HealthCheck>,
    /// Kernel parameters of the container's name space.
    pub system_controls: Option<List<SystemControl, 20>>,
    /// GPUs and other accelerators.
    pub resource_requirements: Option<List<ResourceRequirement, 20>>,
    /// What makes this container the task's log router.
    pub firelens_configuration: Option<FirelensConfiguration>,
    /// Credential specs for Active Directory.
    pub credential_specs: Option<List<Word, 10>>,
}

/// The image that a stage of a Pipeline is to run. The stage must list this Service among its targets.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImageFrom {
    /// A Pipeline of the same namespace.
    pub pipeline: Name,
    /// One of its stages.
    pub stage: Name,
    /// One of its images.
    pub image: Name,
}

/// The secret with which a private registry is read.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryCredentials {
    /// The secret's ARN.
    pub credentials_parameter: SecretRef,
}

/// A port that a container listens on.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    /// The port in the container.
    pub container_port: Option<Port>,
    /// The port on the container instance. In network modes awsvpc and host it is the container's.
    pub host_port: Option<Port>,
    /// The protocol. AWS's default: tcp.
    pub protocol: Option<TransportProtocol>,
    /// The name by which Service Connect and VPC Lattice know the port.
    pub name: Option<Line>,
    /// The application's protocol, for Service Connect.
    pub app_protocol: Option<ApplicationProtocol>,
    /// A range of ports, such as `8000-8010`, in place of containerPort.
    pub container_port_range: Option<Line>,
}

/// Whether ECS starts a container again by itself.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RestartPolicy {
    /// Whether it does.
    pub enabled: bool,
    /// Exit codes after which it does not.
    pub ignored_exit_codes: Option<List<Whole<0, 255>, 50>>,
    /// How long the container must have run before it is started again, in seconds.
    pub restart_attempt_period: Option<Count>,
}

/// A name with a plain value.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KeyValuePair {
    /// The name.
    pub name: VariableName,
    /// The value. Absent: empty.
    pub value: Option<VariableValue>,
}

/// A file with environment variables.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentFile {
    /// The file's ARN in S3.
    pub value: Word,
    /// Where it is.
    pub r#type: EnvironmentFileType,
}

/// A volume of the task in a container.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MountPoint {
    /// The volume's name.
    pub source_volume: Option<Line>,
    /// The path in the container.
    pub container_path: Option<Word>,
    /// Whether the container can only read it. AWS's default: false.
    pub read_only: Option<bool>,
}

/// A container whose volumes are had too.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VolumeFrom {
    /// The other container's name.
    pub source_container: Option<EcsName>,
    /// Whether they can only be read. AWS's default: false.
    pub read_only: Option<bool>,
}

/// Settings of the Linux kernel for a container.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LinuxParameters {
    /// Capabilities beside or below Docker's default.
    pub capabilities: Option<KernelCapabilities>,
    /// Devices of the host.
    pub devices: Option<List<Device, 20>>,
    /// Whether an init process reaps what the container leaves. AWS's default: false.
    pub init_process_enabled: Option<bool>,
    /// The size of `/dev/shm` in MiB.
    pub shared_memory_size: Option<Count>,
    /// File systems in memory.
    pub tmpfs: Option<List<Tmpfs, 20>>,
    /// How much swap the container may use, in MiB.
    pub max_swap: Option<Count>,
    /// How readily it swaps, 0 to 100. AWS's default: 60.
    pub swappiness: Option<Whole<0, 100>>,
}

/// Capabilities of the Linux kernel.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KernelCapabilities {
    /// Those that are added.
    pub add: Option<List<Line, 50>>,
    /// Those that are taken away.
    pub drop: Option<List<Line, 50>>,
}

/// A device of the host.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Its path on the host.
    pub host_path: Word,
    /// Its path in the container. Absent: the same.
    pub container_path: Option<Word>,
    /// What the container may do with it. AWS's default: everything.
    pub permissions: Option<List<DeviceCgroupPermission, 3>>,
}

/// A file system in memory.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Tmpfs {
    /// Where it is mounted.
    pub container_path: Word,
    /// Its size in MiB.
    pub size: Count,
    /// Options of the mount.
    pub mount_options: Option<List<Line, 30>>,
}

/// A variable or an option whose value ECS reads when a task starts.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// The name of the variable or of the option.
    pub name: VariableName,
    /// The ARN of a secret or of a parameter, or the parameter's name.
    pub value_from: SecretRef,
}

/// A container that must have got so far first.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContainerDependency {
    /// The other container's name.
    pub container_name: EcsName,
    /// How far it must be.
    pub condition: ContainerCondition,
}

/// An entry of `/etc/hosts`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HostEntry {
    /// The host's name.
    pub hostname: Line,
    /// Its address.
    pub ip_address: Line,
}

/// A limit of the operating system.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Ulimit {
    /// Which one.
    pub name: UlimitName,
    /// The limit that the process may raise; -1 is none.
    pub soft_limit: Whole<-1, { i32::MAX }>,
    /// The limit up to which it may; -1 is none.
    pub hard_limit: Whole<-1, { i32::MAX }>,
}

/// Where a container's output goes.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LogConfiguration {
    /// The log driver.
    pub log_driver: LogDriver,
    /// The driver's options, such as `awslogs-group`.
    pub options: Option<Texts>,
    /// Options whose values ECS reads from the Parameter Store or Secrets Manager.
    pub secret_options: Option<Named<Secret, 20>>,
}

/// How ECS finds out whether a container is well.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// The command: `["CMD-SHELL", "curl -f http://localhost/ || exit 1"]`.
    pub command: List<Argument, 1000>,
    /// How often it runs, in seconds. AWS's default: 30.
    pub interval: Option<Whole<5, 300>>,
    /// How long it may take, in seconds. AWS's default: 5.
    pub timeout: Option<Whole<2, 120>>,
    /// How often it may fail in a row. AWS's default: 3.
    pub retries: Option<Whole<1, 10>>,
    /// How long failures do not count after the start, in seconds. AWS's default: 0.
    pub start_period: Option<Whole<0, 300>>,
}

/// A kernel parameter.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SystemControl {
    /// Its name.
    pub namespace: Option<Line>,
    /// Its value.
    pub value: Option<Line>,
}

/// An accelerator that a container needs.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRequirement {
    /// How many, or which.
    pub value: Option<Line>,
    /// Of what kind.
    pub r#type: ResourceType,
    /// How a GPU is shared with other containers. Absent: not at all.
    pub sharing_strategy: Option<SharingStrategy>,
}

/// How a GPU is shared: exactly one way.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SharingStrategy {
    /// By NVIDIA's Multi-Process Service.
    pub nvidia_mps: Option<NvidiaMps>,
}

/// A share of a GPU.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NvidiaMps {
    /// The GPU's memory for the container in MiB.
    pub memory: Count,
    /// The most of the GPU's computing capacity that the container may use, in percent.
    pub max_compute_percent: Option<Whole<1, 100>>,
}

/// What makes a container the task's log router.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FirelensConfiguration {
    /// The router.
    pub r#type: FirelensConfigurationType,
    /// Its options.
    pub options: Option<Texts>,
}

words! {
    /// A transport protocol.
    TransportProtocol: "tcp", "udp";
    /// An application's protocol.
    ApplicationProtocol: "http", "http2", "grpc";
    /// Where a file with variables is.
    EnvironmentFileType: "s3";
    /// How far a container must be.
    ContainerCondition: "START", "COMPLETE", "SUCCESS", "HEALTHY";
    /// What a container may do with a device.
    DeviceCgroupPermission: "read", "write", "mknod";
    /// Whether an image is pinned to its digest.
    VersionConsistency: "enabled", "disabled";
    /// A limit's name.
    UlimitName: "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack";
    /// A log driver.
    LogDriver: "json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens";
    /// An accelerator's kind.
    ResourceType: "GPU", "InferenceAccelerator", "NeuronDevice";
    /// A log router.
    FirelensConfigurationType: "fluentd", "fluentbit";
}
