//! What registers a task definition, and what creates or changes a service. Requests only: a member that is absent is not
//! sent.

use super::services::{LoadBalancerRequest, NetworkRequest, Placement, RollingConfiguration};
use serde::Serialize;
use std::collections::BTreeMap;

/// What registers a task definition, in full, AWS's defaults taken out. Lists whose order means nothing are sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskDefinitionRequest {
    /// The family.
    pub family: String,
    /// CPU units of the task.
    pub cpu: Option<i32>,
    /// Memory of the task in MiB.
    pub memory: Option<i32>,
    /// `awsvpc`, `bridge`, `host`, `none`.
    pub network_mode: String,
    /// `FARGATE`, `EC2`, `EXTERNAL`.
    pub compatibility: String,
    /// The execution role, as given.
    pub execution_role: Option<String>,
    /// The task role, as given.
    pub task_role: Option<String>,
    /// The containers, sorted by name.
    pub containers: Vec<ContainerRequest>,
}

/// A container of a task definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerRequest {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether the task ends with it.
    pub essential: bool,
    /// CPU units.
    pub cpu: Option<i32>,
    /// The hard limit in MiB.
    pub memory: Option<i32>,
    /// The soft limit in MiB.
    pub memory_reservation: Option<i32>,
    /// `(container port, host port, protocol)`, sorted.
    pub ports: Vec<(i32, Option<i32>, String)>,
    /// `(name, value)`, sorted.
    pub environment: Vec<(String, String)>,
    /// `(name, valueFrom)`, sorted.
    pub secrets: Vec<(String, String)>,
    /// `awslogs`: `(group, stream prefix)`; the Region is the service's.
    pub logs: Option<(String, String)>,
    /// The health check.
    pub health_check: Option<HealthCheckRequest>,
    /// The command.
    pub command: Vec<String>,
}

/// A container's health check. Times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheckRequest {
    /// The command.
    pub command: Vec<String>,
    /// How often.
    pub interval: i32,
    /// How long it may take.
    pub timeout: i32,
    /// How often it may fail.
    pub retries: i32,
    /// How long failures do not count.
    pub start_period: Option<i32>,
}

/// What creates a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateServiceRequest {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub name: String,
    /// At most 36 ASCII characters, the same for each repetition of this creation.
    pub client_token: String,
    /// The ARN of the task definition.
    pub task_definition: String,
    /// `FARGATE`, `EC2`, `EXTERNAL`.
    pub launch_type: String,
    /// How many tasks should run.
    pub desired: i32,
    /// Network, platform version, load balancers.
    pub placement: Placement,
    /// How it rolls.
    pub rolling: RollingConfiguration,
    /// `healthCheckGracePeriodSeconds`.
    pub grace_seconds: Option<i32>,
    /// Tags, the owner's among them.
    pub tags: BTreeMap<String, String>,
}

/// What changes a service. A member that is absent is not sent, and so not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateServiceRequest {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub name: String,
    /// The ARN of the task definition.
    pub task_definition: Option<String>,
    /// The network.
    pub network: Option<NetworkRequest>,
    /// The platform version.
    pub platform_version: Option<String>,
    /// The load balancers; an empty list takes them all away.
    pub load_balancers: Option<Vec<LoadBalancerRequest>>,
    /// How many tasks should run.
    pub desired: Option<i32>,
    /// How it rolls.
    pub rolling: Option<RollingConfiguration>,
    /// `healthCheckGracePeriodSeconds`.
    pub grace_seconds: Option<i32>,
    /// `forceNewDeployment`, sent only where it is `Force`.
    pub force: Force,
}

/// Whether a deployment is started although nothing differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// Only what differs starts one.
    #[default]
    Never,
    /// One is started: the only way to try a deployment again that hangs.
    NewDeployment,
}
