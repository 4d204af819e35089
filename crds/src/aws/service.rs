//! CreateService's request: how many tasks of a service run, where, and behind what.

use super::connect::{GatewayConnector, ServiceConnectConfiguration, VpcLatticeConfiguration};
use super::deployment::DeploymentConfiguration;
use super::shape::{Count, List, Named, Port, Whole, words};
use super::task::{Enabled, Tag};
use crate::name::{EcsName, Line, Role, SecurityGroupId, SubnetId, TargetGroupArn, Word};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// How the service runs: the request of ECS's CreateService, in AWS's own words. What is absent is not Launchway's: it is
/// neither sent, nor compared, nor reset.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.launchType) || !has(self.capacityProviderStrategy) || size(self.capacityProviderStrategy) == 0")
    .message("set launchType or capacityProviderStrategy, not both: ECS refuses the two together"))]
#[x_kube(validation = Rule::new("!has(self.platformVersion) || !has(self.launchType) || self.launchType == 'FARGATE'")
    .message("platformVersion is only for launchType FARGATE: remove it"))]
#[x_kube(validation = Rule::new("!has(self.launchType) || self.launchType != 'EXTERNAL' || !has(self.loadBalancers) || size(self.loadBalancers) == 0")
    .message("launchType EXTERNAL does not know load balancers: remove loadBalancers"))]
#[x_kube(validation = Rule::new("!has(self.schedulingStrategy) || self.schedulingStrategy != 'DAEMON' || !has(self.desiredCount)")
    .message("with schedulingStrategy DAEMON ECS counts the tasks itself: remove desiredCount"))]
pub struct EcsService {
    /// Whether ECS moves tasks to spread them over Availability Zones. A service that Launchway creates has DISABLED unless this says otherwise.
    pub availability_zone_rebalancing: Option<Enabled>,
    /// The load balancers that the tasks are registered with.
    pub load_balancers: Option<List<LoadBalancer, 5>>,
    /// The registries of Cloud Map that the tasks are registered in.
    pub service_registries: Option<List<ServiceRegistry, 5>>,
    /// How many tasks run. Absent: the service is created with 1, and from then on the number is an autoscaler's or a person's.
    pub desired_count: Option<Whole<0, 5000>>,
    /// On what the tasks run. Absent, without capacityProviderStrategy: the cluster's default. It cannot be changed.
    pub launch_type: Option<LaunchType>,
    /// The capacity providers on which the tasks run, in place of launchType.
    pub capacity_provider_strategy: Option<List<CapacityProvider, 20>>,
    /// The Fargate platform version. `LATEST` is AWS's default, and says nothing.
    pub platform_version: Option<Line>,
    /// The role with which ECS registers tasks with a load balancer, where the network mode is not awsvpc: a name or an ARN. It cannot be changed.
    pub role: Option<Role>,
    /// How a new task definition replaces the old one.
    pub deployment_configuration: Option<DeploymentConfiguration>,
    /// On which container instances tasks may run.
    pub placement_constraints: Option<List<PlacementConstraint, 10>>,
    /// Which of them are taken first, in this order.
    pub placement_strategy: Option<List<PlacementStrategy, 5>>,
    /// Subnets and security groups of the tasks, for network mode awsvpc.
    pub network_configuration: Option<NetworkConfiguration>,
    /// How long ECS ignores a new task's health, with a load balancer, in seconds.
    pub health_check_grace_period_seconds: Option<Count>,
    /// How ECS counts the tasks. Launchway drives REPLICA.
    pub scheduling_strategy: Option<SchedulingStrategy>,
    /// Who brings new task definitions to the service. Launchway drives ECS.
    pub deployment_controller: Option<DeploymentController>,
    /// Tags of the service, beside Launchway's own. Tags that are not named here are left alone.
    pub tags: Option<List<Tag, 40>>,
    /// Whether ECS gives tasks tags of cluster and service.
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: Option<bool>,
    /// Whose tags new tasks get.
    pub propagate_tags: Option<PropagateTags>,
    /// Whether people may run commands in the containers.
    pub enable_execute_command: Option<bool>,
    /// How the service finds others, and is found, in a Service Connect namespace.
    pub service_connect_configuration: Option<ServiceConnectConfiguration>,
    /// What the volumes are that the task definition leaves to the service.
    pub volume_configurations: Option<Named<VolumeConfiguration, 10>>,
    /// The target groups of VPC Lattice.
    pub vpc_lattice_configurations: Option<List<VpcLatticeConfiguration, 5>>,
    /// The gateways through which the service is reached.
    pub gateway_connectors: Option<List<GatewayConnector, 5>>,
    /// Which metrics ECS publishes, and how finely.
    pub monitoring: Option<Monitoring>,
}

/// A load balancer that the tasks are registered with.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// The target group's ARN.
    pub target_group_arn: Option<TargetGroupArn>,
    /// The name of a Classic Load Balancer.
    pub load_balancer_name: Option<Line>,
    /// The container that is reached.
    pub container_name: Option<EcsName>,
    /// Its port.
    pub container_port: Option<Port>,
    /// The second target group and the listener rules of blue/green deployments.
    pub advanced_configuration: Option<AdvancedConfiguration>,
}

/// The second target group and the listener rules of blue/green deployments.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AdvancedConfiguration {
    /// The ARN of the second target group.
    pub alternate_target_group_arn: Option<Word>,
    /// The ARN of the rule or listener of production traffic.
    pub production_listener_rule: Option<Word>,
    /// The ARN of the rule or listener of test traffic.
    pub test_listener_rule: Option<Word>,
    /// The role with which ECS changes the rules. The AwsAccount must allow it.
    pub role_arn: Option<Role>,
}

/// A registry of Cloud Map.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRegistry {
    /// The registry's ARN.
    pub registry_arn: Option<Word>,
    /// The port of SRV records.
    pub port: Option<Port>,
    /// The container that is reached.
    pub container_name: Option<EcsName>,
    /// Its port.
    pub container_port: Option<Port>,
}

/// A capacity provider, and its part of the tasks.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProvider {
    /// Its name.
    pub capacity_provider: Line,
    /// Its part of the tasks, relative to the others'. AWS's default: 0.
    pub weight: Option<Whole<0, 1000>>,
    /// How many tasks it has before the parts count. AWS's default: 0.
    pub base: Option<Whole<0, 100_000>>,
}

/// On which container instances tasks may run.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PlacementConstraint {
    /// The kind of constraint.
    pub r#type: Option<PlacementConstraintType>,
    /// The expression in ECS's cluster query language.
    pub expression: Option<Word>,
}

/// Which container instances are taken first.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PlacementStrategy {
    /// The kind of strategy.
    pub r#type: Option<PlacementStrategyType>,
    /// By what they are ordered.
    pub field: Option<Line>,
}

/// The network of the tasks.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkConfiguration {
    /// Subnets and security groups.
    pub awsvpc_configuration: Option<AwsvpcConfiguration>,
}

/// Subnets and security groups of tasks in network mode awsvpc.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AwsvpcConfiguration {
    /// The subnets.
    pub subnets: List<SubnetId, 16>,
    /// The security groups. Absent: those that the service has; a new one gets the VPC's default group.
    pub security_groups: Option<List<SecurityGroupId, 5>>,
    /// Whether the tasks get public addresses.
    pub assign_public_ip: Option<Enabled>,
}

/// Who brings new task definitions to the service.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentController {
    /// ECS itself, CodeDeploy, or somebody outside of AWS.
    pub r#type: DeploymentControllerType,
}

/// What a volume is that the task definition leaves to the service.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VolumeConfiguration {
    /// The volume's name in the task definition.
    pub name: Line,
    /// A disk of EBS for each task.
    #[serde(rename = "managedEBSVolume")]
    pub managed_ebs_volume: Option<ManagedEbsVolume>,
}

/// A disk of EBS for each task.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ManagedEbsVolume {
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// The key with which it is encrypted.
    pub kms_key_id: Option<Word>,
    /// Its type, such as gp3.
    pub volume_type: Option<Line>,
    /// Its size in GiB.
    #[serde(rename = "sizeInGiB")]
    pub size_in_gib: Option<Count>,
    /// The snapshot that it is made from.
    pub snapshot_id: Option<Line>,
    /// How fast it is filled from the snapshot, in MiB a second.
    pub volume_initialization_rate: Option<Count>,
    /// Its operations a second.
    pub iops: Option<Count>,
    /// Its throughput in MiB a second.
    pub throughput: Option<Count>,
    /// The tags that it gets.
    pub tag_specifications: Option<List<EbsTagSpecification, 5>>,
    /// The role with which ECS makes it. The AwsAccount must allow it.
    pub role_arn: Role,
    /// Its file system.
    pub filesystem_type: Option<TaskFilesystemType>,
}

/// Tags of a disk.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EbsTagSpecification {
    /// What is tagged.
    pub resource_type: EbsResourceType,
    /// The tags.
    pub tags: Option<List<Tag, 40>>,
    /// Whose tags it gets, too.
    pub propagate_tags: Option<PropagateTags>,
}

/// Which metrics ECS publishes.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Monitoring {
    /// The metrics.
    pub metric_configurations: Option<List<MetricConfiguration, 10>>,
}

/// Metrics, and how finely they are published.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MetricConfiguration {
    /// Their names.
    pub metric_names: List<Line, 20>,
    /// How far two values are apart, in seconds.
    pub resolution_seconds: Count,
}

words! {
    /// On what tasks run.
    LaunchType: "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES";
    /// How ECS counts tasks.
    SchedulingStrategy: "REPLICA", "DAEMON";
    /// Who brings new task definitions.
    DeploymentControllerType: "ECS", "CODE_DEPLOY", "EXTERNAL";
    /// Whose tags new tasks get.
    PropagateTags: "TASK_DEFINITION", "SERVICE", "NONE";
    /// A kind of constraint of a service.
    PlacementConstraintType: "distinctInstance", "memberOf";
    /// A kind of strategy.
    PlacementStrategyType: "random", "spread", "binpack";
    /// A file system.
    TaskFilesystemType: "ext3", "ext4", "xfs", "ntfs";
    /// What is tagged.
    EbsResourceType: "volume";
}
