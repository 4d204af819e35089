//! Service: one ECS service and its task definition. What is known of it is in `status`.

use crate::aws::{EcsService, TaskDefinition};
use crate::name::{Duration, EcsName, Line, ObjectName, Region};
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
#[x_kube(validation = Rule::new("!has(self.service) || !has(self.service.networkConfiguration) || (has(self.taskDefinition.networkMode) && self.taskDefinition.networkMode == 'awsvpc')")
    .message("service.networkConfiguration is only for networkMode awsvpc: remove it, or set taskDefinition.networkMode"))]
#[x_kube(validation = Rule::new("!has(self.service) || !has(self.service.launchType) || self.service.launchType != 'FARGATE' || (has(self.taskDefinition.networkMode) && self.taskDefinition.networkMode == 'awsvpc' && has(self.taskDefinition.cpu) && has(self.taskDefinition.memory))")
    .message("launchType FARGATE needs taskDefinition.networkMode awsvpc, and taskDefinition.cpu and memory"))]
#[x_kube(validation = Rule::new("!has(self.service) || !has(self.service.launchType) || self.service.launchType != 'EXTERNAL' || !has(self.taskDefinition.networkMode) || self.taskDefinition.networkMode != 'awsvpc'")
    .message("launchType EXTERNAL does not know networkMode awsvpc: take bridge, host or none"))]
#[x_kube(validation = Rule::new("!has(self.service) || !has(self.service.loadBalancers) || self.service.loadBalancers.all(l, !has(l.containerName) || !has(l.containerPort) || self.taskDefinition.containerDefinitions.exists(c, c.name == l.containerName && has(c.portMappings) && c.portMappings.exists(p, has(p.containerPortRange) || (has(p.containerPort) && p.containerPort == l.containerPort))))")
    .message("each load balancer names a container of the task definition and one of its ports"))]
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

    /// What each task runs: RegisterTaskDefinition's request, in AWS's own words.
    pub task_definition: TaskDefinition,

    /// How the service runs: CreateService's request, in AWS's own words. A member that is absent here is not changed on a service that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<EcsService>,

    /// How rollouts are followed, and tried again.
    #[serde(default)]
    pub rollout: Rollout,

    /// What becomes of the ECS service when this object is deleted. Default: Retain.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// How rollouts are followed, tried again, and asked for once more. How ECS rolls is said under service.deploymentConfiguration.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.deadline) >= duration('1m') && duration(self.deadline) <= duration('24h')")
    .message("deadline is between 1m and 24h"))]
pub struct Rollout {
    /// Change this to any other text in order to try a rollout again that failed and is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Line>,

    /// Change this to any other text in order to roll the same thing once more, by a new deployment: for a rotated secret, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Line>,

    /// How long a rollout may take, 1m to 24h. After this the Service is Stalled (RolloutHangs); a first rollout is marked Failed instead. Default: 30m.
    #[serde(default = "half_hour")]
    pub deadline: Duration,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { retry: None, restart: None, deadline: half_hour() }
    }
}

fn half_hour() -> Duration {
    "30m".into()
}

/// What becomes of the ECS service when the object is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It stays as it is. A Service of the same name finds it again.
    #[default]
    Retain,
    /// It is deleted, with its tasks, before this object goes.
    Delete,
}
