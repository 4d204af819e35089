//! ECS services, their deployments, revisions and tasks. Facts only.

use super::requests::Members;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A service, as DescribeServices shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveService {
    /// Its ARN.
    pub arn: String,
    /// Whether it is alive.
    pub life: ServiceLife,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How many tasks should run.
    pub desired: i32,
    /// How many tasks run.
    pub running: i32,
    /// What it says beside that, in the words of CreateService's request; a role stands as `roleArn`. What ECS shows only of
    /// the service's primary deployment is here too.
    pub members: Members,
    /// The ARN of the current service deployment; may be blank for a moment after a change.
    pub current_deployment: Option<String>,
    /// How many entries `deployments[]` has: more than one means that something is in progress.
    pub deployments: usize,
    /// The newest events' messages, newest first, at most 5.
    pub events: Vec<String>,
}

/// Whether a service is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceLife {
    /// It is.
    Active,
    /// It was deleted and its tasks end; its name is still taken.
    Draining,
    /// It was deleted; its name is free.
    Inactive,
    /// A status that the SDK does not know.
    Unknown(String),
}

/// A service deployment: ECS bringing the service to a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its ARN.
    pub arn: String,
    /// When ECS created it.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How it stands.
    pub status: DeploymentStatus,
    /// ECS's reason.
    pub reason: Option<String>,
    /// The ARN of the revision that it brings.
    pub target: Option<String>,
    /// The ARNs of the revisions that it replaces; empty: nothing to roll back to.
    pub sources: Vec<String>,
    /// Why it was rolled back.
    pub rollback_reason: Option<String>,
    /// The ARN of the revision that it is rolled back to.
    pub rolled_back_to: Option<String>,
    /// The circuit breaker's state.
    pub breaker: Option<Breaker>,
}

impl Deployment {
    /// The ARN of the revision that the service is left with if this deployment comes to nothing: the one that it is
    /// rolled back to, else the first that it replaces.
    pub fn left_with(&self) -> Option<&String> {
        self.rolled_back_to.as_ref().or(self.sources.first())
    }
}

/// The circuit breaker of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// `TRIGGERED`, `MONITORING`, …
    pub status: String,
    /// How many tasks failed.
    pub failures: i32,
    /// How many may fail.
    pub threshold: i32,
}

/// How a service deployment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// Not begun.
    Pending,
    /// At work.
    InProgress,
    /// Ended: the service runs the target revision.
    Successful,
    /// To be stopped, because it failed or something newer came.
    StopRequested,
    /// Ended: stopped.
    Stopped,
    /// To be rolled back.
    RollbackRequested,
    /// Being rolled back.
    RollbackInProgress,
    /// Ended: the service runs the revision from before.
    RollbackSuccessful,
    /// Ended: neither revision runs as it should.
    RollbackFailed,
    /// A status that the SDK does not know; never success.
    Unknown(String),
}

impl DeploymentStatus {
    /// How it ended; absent: ECS is still at work on it.
    pub fn end(&self) -> Option<End> {
        match self {
            Self::Successful => Some(End::Successful),
            Self::Stopped => Some(End::Stopped),
            Self::RollbackSuccessful => Some(End::RolledBack),
            Self::RollbackFailed => Some(End::RollbackFailed),
            Self::Pending
            | Self::InProgress
            | Self::StopRequested
            | Self::RollbackRequested
            | Self::RollbackInProgress
            | Self::Unknown(_) => None,
        }
    }

    /// Whether ECS is done with it.
    pub fn is_final(&self) -> bool {
        self.end().is_some()
    }
}

/// How a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The service runs the target revision.
    Successful,
    /// It was stopped.
    Stopped,
    /// The service runs the revision from before.
    RolledBack,
    /// Neither revision runs as it should.
    RollbackFailed,
}

/// A service revision: what a deployment brings. It never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its ARN.
    pub arn: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// What else it says, in the words of CreateService's request.
    pub members: Members,
}

/// A task that stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedTask {
    /// The task's ID: the last part of its ARN.
    pub id: String,
    /// `ecs-svc/<number>`: the deployment that started it.
    pub started_by: Option<String>,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// `stopCode`.
    pub code: Option<String>,
    /// `stoppedReason`.
    pub reason: Option<String>,
    /// Whether it ended by a fault of its own, and not because it was replaced or scaled in.
    pub failed: bool,
    /// When it stopped.
    pub stopped_at: Option<Timestamp>,
    /// Its containers that ended by themselves or failed: name, exit code, reason.
    pub containers: Vec<StoppedContainer>,
}

/// A container of a task that stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedContainer {
    /// Its name.
    pub name: String,
    /// Its exit code, where it ran.
    pub exit_code: Option<i32>,
    /// ECS's reason.
    pub reason: Option<String>,
}

/// A task definition, as DescribeTaskDefinition shows it, with its tags.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTaskDefinition {
    /// Its ARN.
    pub arn: String,
    /// Whether it is ACTIVE: only then may a service be brought to it.
    pub active: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What it says, in the words of RegisterTaskDefinition's request.
    pub members: Members,
}
