//! Service: one ECS service and its task definition. What is known of it is in `status`.

use crate::name::{
    Duration, EcsName, EnvValue, ImageRef, Line, LogName, Name, ObjectName, Region, Role, SecretRef, SecurityGroupId,
    SubnetId, TagKey, TargetGroupArn, VariableName, Word,
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod status;

pub use status::*;

/// One ECS service and its task definition.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "launchway.dev",
    version = "v1alpha1",
    kind = "Service",
    plural = "ecsservices",
    singular = "ecsservice",
    shortname = "esvc",
    category = "launchway",
    namespaced,
    status = "ServiceStatus",
    derive = "PartialEq",
    validation = Rule::new("self.metadata.name.size() <= 63").message("a Service's name is at most 63 characters long"),
    validation = Rule::new("!self.metadata.name.contains('.')").message("a Service's name has no dots: ECS and the Pipelines' targets know none"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "RolledOut", type_ = "string", json_path = r#".status.conditions[?(@.type=="RolledOut")].status"#),
    printcolumn(name = "Commit", type_ = "string", json_path = ".status.summary.commit"),
    printcolumn(name = "Stage", type_ = "string", json_path = ".status.summary.stage"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.summary.reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.summary.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)")
    .message("name cannot change: ECS cannot rename a service; delete this Service and make another"))]
#[x_kube(validation = Rule::new("self.cluster == oldSelf.cluster")
    .message("cluster cannot change: ECS cannot move a service; delete this Service and make another"))]
#[x_kube(validation = Rule::new("!has(oldSelf.region) || (has(self.region) && self.region == oldSelf.region)")
    .message("region cannot change: ECS cannot move a service; delete this Service and make another"))]
#[x_kube(validation = Rule::new("self.taskDefinition.networkMode != 'awsvpc' || has(self.network)")
    .message("networkMode awsvpc needs network: name the subnets"))]
#[x_kube(validation = Rule::new("!has(self.network) || self.taskDefinition.networkMode == 'awsvpc'")
    .message("network is only for networkMode awsvpc: remove it, or set the mode"))]
#[x_kube(validation = Rule::new("self.capacity.launchType != 'Fargate' || self.taskDefinition.networkMode == 'awsvpc'")
    .message("launchType Fargate needs networkMode awsvpc"))]
#[x_kube(validation = Rule::new("self.capacity.launchType != 'Fargate' || (has(self.taskDefinition.cpu) && has(self.taskDefinition.memory))")
    .message("launchType Fargate needs taskDefinition.cpu and taskDefinition.memory"))]
#[x_kube(validation = Rule::new("self.capacity.launchType != 'Fargate' || has(self.taskDefinition.executionRole) || self.taskDefinition.containers.all(c, !has(c.imageFrom) && !has(c.logs))")
    .message("launchType Fargate needs taskDefinition.executionRole: ECS pulls from ECR and writes logs with that role"))]
#[x_kube(validation = Rule::new("self.capacity.launchType != 'External' || self.taskDefinition.networkMode != 'awsvpc'")
    .message("launchType External does not know networkMode awsvpc: take bridge, host or none"))]
#[x_kube(validation = Rule::new("self.capacity.launchType != 'External' || !has(self.loadBalancers) || size(self.loadBalancers) == 0")
    .message("launchType External does not know load balancers: remove loadBalancers"))]
#[x_kube(validation = Rule::new("!has(self.platformVersion) || self.capacity.launchType == 'Fargate'")
    .message("platformVersion is only for launchType Fargate: remove it"))]
#[x_kube(validation = Rule::new("!has(self.loadBalancers) || self.loadBalancers.all(l, self.taskDefinition.containers.exists(c, c.name == l.container && has(c.ports) && c.ports.exists(p, p.containerPort == l.port)))")
    .message("each load balancer names a container of the task definition and one of its ports"))]
#[x_kube(validation = Rule::new("!has(self.healthCheckGracePeriod) || (has(self.loadBalancers) && size(self.loadBalancers) > 0)")
    .message("healthCheckGracePeriod is only for services with a load balancer: remove it"))]
#[x_kube(validation = Rule::new("!has(self.healthCheckGracePeriod) || duration(self.healthCheckGracePeriod) <= duration('24h')")
    .message("healthCheckGracePeriod is at most 24h"))]
pub struct ServiceSpec {
    /// The name of the ECS service. Absent: this object's name. It cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<EcsName>,

    /// The name of the ECS cluster. The AwsAccount must allow it. It cannot be changed.
    pub cluster: EcsName,

    /// The AwsAccount that the cluster belongs to. Absent: the one called `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ObjectName>,

    /// The AWS Region of the cluster. Absent: the account's first. It cannot be changed once it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,

    /// What each task runs.
    pub task_definition: TaskDefinition,

    /// On what the tasks run. Default: Fargate.
    #[serde(default)]
    pub capacity: Capacity,

    /// The Fargate platform version. Absent: AWS's choice, and not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<PlatformVersion>,

    /// The subnets and security groups of the tasks, for network mode awsvpc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,

    /// The target groups that the tasks are registered with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub load_balancers: Vec<LoadBalancer>,

    /// How long ECS ignores a new task's health, with a load balancer. Absent: AWS's choice, and not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check_grace_period: Option<Duration>,

    /// How many tasks run, 0 to 5000. Absent: the service is created with 1, and from then on the number is not ours: an autoscaler's, or a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5000))]
    pub desired_count: Option<i32>,

    /// How a new task definition replaces the old one.
    #[serde(default)]
    pub rollout: Rollout,

    /// Tags of the ECS service, beside Launchway's own. Tags that are not named here are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    pub tags: Vec<Tag>,

    /// What becomes of the ECS service when this object is deleted. Default: Retain.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// A Fargate platform version: a number. Whoever wants the newest names none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct PlatformVersion(
    #[schemars(length(min = 5, max = 12), regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+$"))] pub String,
);

/// What each task runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.containers.exists(c, !has(c.essential) || c.essential)")
    .message("at least one container must be essential"))]
#[x_kube(validation = Rule::new("!has(self.executionRole) ? self.containers.all(c, !has(c.secrets) || size(c.secrets) == 0) : true")
    .message("secrets need executionRole: ECS reads them with that role"))]
#[x_kube(validation = Rule::new("!(self.networkMode in ['awsvpc', 'host']) || self.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == p.containerPort))")
    .message("with networkMode awsvpc or host hostPort is the containerPort: remove it"))]
#[x_kube(validation = Rule::new("self.networkMode != 'none' || self.containers.all(c, !has(c.ports) || size(c.ports) == 0)")
    .message("with networkMode none no container has ports: remove them, or take another mode"))]
#[x_kube(validation = Rule::new("has(self.memory) || self.containers.all(c, has(c.memory) || has(c.memoryReservation))")
    .message("set memory of the task, or memory or memoryReservation of each container"))]
pub struct TaskDefinition {
    /// The family. Absent: `<installation>-<namespace>-<name>`. Use a family that nobody else registers in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<EcsName>,

    /// CPU units of the task; 1024 are one vCPU. Fargate needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 128, max = 196608))]
    pub cpu: Option<i32>,

    /// Memory of the task in MiB. Fargate needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 6, max = 2000000))]
    pub memory: Option<i32>,

    /// The network mode. Default: awsvpc.
    #[serde(default)]
    pub network_mode: NetworkMode,

    /// The role with which ECS pulls images, reads secrets and writes logs: a name or an ARN. The AwsAccount must allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_role: Option<Role>,

    /// The role that the containers have: a name or an ARN. The AwsAccount must allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_role: Option<Role>,

    /// The containers.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub containers: Vec<Container>,
}

/// How containers reach the network.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// Each task has a network interface of its own.
    #[default]
    #[serde(rename = "awsvpc")]
    Awsvpc,
    /// Docker's bridge on the container instance.
    #[serde(rename = "bridge")]
    Bridge,
    /// The container instance's own network.
    #[serde(rename = "host")]
    Host,
    /// No network.
    #[serde(rename = "none")]
    None,
}

/// A container of the task.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.image) != has(self.imageFrom)").message("set exactly one of image and imageFrom"))]
#[x_kube(validation = Rule::new("!has(self.image) || self.image.contains('@') || self.image.matches(':[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$')")
    .message("an image without a tag means whatever is the latest: name a tag, or a digest"))]
#[x_kube(validation = Rule::new("!has(self.memory) || !has(self.memoryReservation) || self.memoryReservation <= self.memory")
    .message("memoryReservation is at most memory: lower it"))]
#[x_kube(validation = Rule::new("!has(self.image) || !self.image.endsWith(':latest')")
    .message("the tag latest says nothing about what runs: name another tag, or a digest"))]
#[x_kube(validation = Rule::new("!has(self.environment) || !has(self.secrets) || self.environment.all(e, self.secrets.all(s, s.name != e.name))")
    .message("a variable is set by environment or by secrets, not by both"))]
pub struct Container {
    /// The container's name.
    pub name: EcsName,

    /// A literal image, with a tag other than `latest`, or with a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageRef>,

    /// The image that a stage of a Pipeline is to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_from: Option<ImageFrom>,

    /// Whether the task stops when this container does. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub essential: Option<bool>,

    /// CPU units of the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 196608))]
    pub cpu: Option<i32>,

    /// The memory in MiB above which the container is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 6, max = 2000000))]
    pub memory: Option<i32>,

    /// The memory in MiB that is reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 6, max = 2000000))]
    pub memory_reservation: Option<i32>,

    /// The ports that the container listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["containerPort".into(), "protocol".into()]))]
    pub ports: Vec<Port>,

    /// Plain environment variables. Everybody who may look at the task definition can read them: not for secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub environment: Vec<Variable>,

    /// Environment variables that ECS reads from the Parameter Store or Secrets Manager when a task starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secrets: Vec<Secret>,

    /// Where the container's output goes. Absent: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Logs>,

    /// How ECS finds out whether the container is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,

    /// The command, in place of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub command: Vec<Word>,
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

/// A port that a container listens on.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Port {
    /// The port in the container, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub container_port: i32,

    /// The port on the container instance, for network modes other than awsvpc. Absent: AWS chooses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub host_port: Option<i32>,

    /// The protocol. Default: tcp.
    #[serde(default)]
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// A plain environment variable.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// The variable's name.
    pub name: VariableName,

    /// Its value.
    pub value: EnvValue,
}

/// An environment variable whose value ECS reads when a task starts.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// The variable's name.
    pub name: VariableName,

    /// The ARN of a secret or of a parameter, or the parameter's name.
    pub value_from: SecretRef,
}

/// Where a container's output goes: a log group of CloudWatch Logs in the service's Region.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// The log group, which must be there.
    pub group: LogName,

    /// The prefix of the streams' names.
    pub stream_prefix: LogName,
}

/// How ECS finds out whether a container is well.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('5s') && duration(self.interval) <= duration('5m')").message("interval is between 5s and 5m"))]
#[x_kube(validation = Rule::new("duration(self.timeout) >= duration('2s') && duration(self.timeout) <= duration('1m')").message("timeout is between 2s and 1m"))]
#[x_kube(validation = Rule::new("!has(self.startPeriod) || duration(self.startPeriod) <= duration('5m')").message("startPeriod is at most 5m"))]
#[x_kube(validation = Rule::new("self.command[0] in ['CMD', 'CMD-SHELL', 'NONE']").message("command begins with CMD, CMD-SHELL or NONE"))]
pub struct HealthCheck {
    /// The command: `["CMD-SHELL", "curl -f http://localhost/ || exit 1"]`.
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub command: Vec<Word>,

    /// How often it runs, 5s to 5m. Default: 30s.
    #[serde(default = "thirty_seconds")]
    pub interval: Duration,

    /// How long it may take, 2s to 1m. Default: 5s.
    #[serde(default = "five_seconds")]
    pub timeout: Duration,

    /// How often it may fail in a row, 1 to 10. Default: 3.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    pub retries: i32,

    /// How long failures do not count after the start, at most 5m. Absent: they count at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_period: Option<Duration>,
}

fn thirty_seconds() -> Duration {
    "30s".into()
}

fn five_seconds() -> Duration {
    "5s".into()
}

fn three() -> i32 {
    3
}

/// On what the tasks run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// The launch type. It cannot be changed once the service is there. Default: Fargate.
    #[serde(default)]
    pub launch_type: LaunchType,
}

/// On what tasks run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaunchType {
    /// AWS's machines.
    #[default]
    Fargate,
    /// Container instances of the cluster.
    Ec2,
    /// Machines outside AWS.
    External,
}

/// The network of the tasks.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// The subnets.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub subnets: Vec<SubnetId>,

    /// The security groups. Absent: those that the service has; a new one gets the VPC's default group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub security_groups: Vec<SecurityGroupId>,

    /// Whether the tasks get public addresses. Default: false.
    #[serde(default)]
    pub assign_public_ip: bool,
}

/// A target group that the tasks are registered with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// The target group's ARN.
    pub target_group: TargetGroupArn,

    /// The container that is reached.
    pub container: EcsName,

    /// Its port, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
}

/// How a new task definition replaces the old one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.deadline) >= duration('1m') && duration(self.deadline) <= duration('24h')")
    .message("deadline is between 1m and 24h"))]
pub struct Rollout {
    /// Tasks are replaced bit by bit.
    #[serde(default)]
    pub rolling: Rolling,

    /// Change this to any other text in order to try a rollout again that failed and is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Line>,

    /// How long a rollout may take, 1m to 24h. One that takes longer is said to hang, and a change of the spec replaces it; one that has nothing to roll back to counts as failed. Default: 30m.
    #[serde(default = "half_hour")]
    pub deadline: Duration,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { rolling: Rolling::default(), retry: None, deadline: half_hour() }
    }
}

fn half_hour() -> Duration {
    "30m".into()
}

/// Tasks are replaced bit by bit.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.maximumPercent > self.minimumHealthyPercent")
    .message("maximumPercent must be greater than minimumHealthyPercent, or no task could ever be replaced"))]
pub struct Rolling {
    /// How much of the desired count must stay healthy, in percent, 0 to 100. Default: 100.
    #[serde(default = "hundred")]
    #[schemars(range(min = 0, max = 100))]
    pub minimum_healthy_percent: i32,

    /// How much of the desired count may run at once, in percent, 100 to 200. Default: 200.
    #[serde(default = "two_hundred")]
    #[schemars(range(min = 100, max = 200))]
    pub maximum_percent: i32,

    /// What happens to a rollout whose tasks do not start. Default: it is rolled back.
    #[serde(default)]
    pub circuit_breaker: CircuitBreaker,
}

impl Default for Rolling {
    fn default() -> Self {
        Self { minimum_healthy_percent: 100, maximum_percent: 200, circuit_breaker: CircuitBreaker::default() }
    }
}

fn hundred() -> i32 {
    100
}

fn two_hundred() -> i32 {
    200
}

/// ECS's circuit breaker. It is always on: without it a crash loop has no end.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Whether ECS goes back to the last task definition that ran. Default: true.
    #[serde(default = "yes")]
    pub rollback: bool,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { rollback: yes() }
    }
}

fn yes() -> bool {
    true
}

/// A tag.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!self.key.lowerAscii().startsWith('aws:') && !self.key.startsWith('launchway.dev/')")
    .message("keys that begin with aws: or launchway.dev/ are taken: choose another"))]
pub struct Tag {
    /// The key.
    pub key: TagKey,

    /// The value.
    pub value: Line,
}

/// What becomes of the ECS service when the object is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It stays and runs on. A Service of the same name finds it again.
    #[default]
    Retain,
    /// It is deleted, with its tasks, before this object goes.
    Delete,
}
