//! What ECS keeps, as plain data, and the ways to look at it. How it moves is in `scheduler`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::clusters::Cluster;
use super::definitions::{Definition, Family};
use super::events::Events;
use super::lacks::{Lack, Lacks};
use super::settings::Settings;
use super::tags::Tags;
use super::tasks::Task;
use super::timing::Timing;

/// The clusters, task definitions, services and tasks of one account and region.
#[derive(Clone, Debug, Default)]
pub struct EcsState {
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// By family.
    pub families: BTreeMap<String, Family>,
    /// ARNs of the target groups that are attached to a load balancer.
    pub target_groups: BTreeSet<String>,
    /// How long things take.
    pub timing: Timing,
    /// What becomes of a rollout that should roll back and cannot.
    pub unrollable: Unrollable,
    /// Whether tasks that nothing checks count as failed when they crash.
    pub crash_loops: CrashLoops,
    /// Whether tasks for which there is no room count as failed.
    pub unplaced: Unplaced,
    /// How a failed deployment is shown during a rollback.
    pub failed_deployments: FailedDeployments,
    /// What is refused.
    pub rules: Rules,
    /// What is not there.
    pub(super) lacks: Lacks,
    /// When each service moves next.
    pub(super) agenda: BTreeSet<(Timestamp, String, String)>,
}

impl EcsState {
    /// Adds a cluster.
    pub fn add_cluster(&mut self, name: &str) {
        self.clusters.insert(name.to_owned(), Cluster::default());
    }

    /// Adds a target group that is attached to a load balancer.
    pub fn add_target_group(&mut self, arn: &str) {
        self.target_groups.insert(arn.to_owned());
    }

    /// Takes something away, or says that it was never there: `ecs.lack(Lack::Subnet("subnet-1".to_owned()))`.
    pub fn lack(&mut self, lack: Lack) {
        self.lacks.add(lack);
    }

    /// Brings back what was lacking, under the same name or glob.
    pub fn supply(&mut self, lack: &Lack) {
        self.lacks.remove(lack);
    }

    /// A service, whatever its status.
    pub fn service(&self, cluster: &str, name: &str) -> Option<&Service> {
        self.clusters.get(cluster)?.services.get(name)
    }

    /// All revisions of a family, oldest first.
    pub fn revisions(&self, family: &str) -> &[Arc<Definition>] {
        self.families.get(family).map_or(&[], |family| &family.revisions)
    }

    /// When the next service moves.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(due, _, _)| *due)
    }
}

/// What RegisterTaskDefinition, CreateService and UpdateService refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// What AWS refuses, as far as is known.
    #[default]
    Aws,
    /// Only what the model does not have and what the simulator does not play: for requests that are halves of real ones, of which only the
    /// shape matters.
    Model,
}

/// What becomes of a service deployment that trips its circuit breaker with rollback on and nothing to roll back to. AWS's documents tell
/// both; no new tasks are launched either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unrollable {
    /// It ends ROLLBACK_FAILED [developer guide, "Troubleshooting with Amazon ECS Action Logs"].
    #[default]
    RollbackFailed,
    /// It stays IN_PROGRESS for ever [developer guide, "Deployment circuit breaker": the deployment stalls].
    Stalls,
}

/// Whether the circuit breaker counts a task without any health check that reaches RUNNING and exits within `Timing::settled`. The developer
/// guide and aws/containers-roadmap#1206 say that it does not; one account was seen in September 2026 to roll back after four such tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrashLoops {
    /// It does, and the scheduler pauses after each.
    #[default]
    Counted,
    /// It does not: the task is replaced at once, for ever.
    Overlooked,
}

/// Whether the circuit breaker counts a task that could not be placed. AWS does not say: no task has failed then, but users saw deployments
/// rolled back that ran into their quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unplaced {
    /// It does not.
    #[default]
    Overlooked,
    /// It does.
    Counted,
}

/// How `deployments[]` shows a deployment that has failed, while the service rolls back. Users published both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedDeployments {
    /// ACTIVE, and FAILED.
    #[default]
    Failed,
    /// DRAINING, and IN_PROGRESS.
    Draining,
}

/// A service's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// It runs.
    Active,
    /// It was deleted, tasks are still stopping.
    Draining,
    /// It was deleted.
    Inactive,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its cluster's name.
    pub cluster: String,
    /// Its long ARN.
    pub arn: String,
    /// ACTIVE, DRAINING or INACTIVE.
    pub status: ServiceStatus,
    /// How many tasks it should run.
    pub desired: usize,
    /// Its settings, AWS's defaults filled in.
    pub settings: Settings,
    /// Its tags.
    pub tags: Tags,
    /// What `deployments[]` shows: the PRIMARY one first.
    pub deployments: Vec<Deployment>,
    /// Its service deployments, oldest first.
    pub rollouts: Vec<Rollout>,
    /// Its service revisions, oldest first.
    pub revisions: Vec<Arc<Revision>>,
    /// Its tasks; stopped ones for an hour.
    pub tasks: Vec<Task>,
    /// Its events.
    pub events: Events,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// The revision that last reached COMPLETED: what a rollback goes to.
    pub completed: Option<u64>,
    pub(super) creation: Creation,
    pub(super) draining_since: Option<Timestamp>,
    pub(super) inactive_at: Option<Timestamp>,
    pub(super) steady_at: Option<Timestamp>,
    pub(super) steady_said: bool,
    pub(super) due: Option<Timestamp>,
}

/// How a service was created: what its client token is compared with.
#[derive(Clone, Debug)]
pub(super) struct Creation {
    pub token: Option<String>,
    pub input: Arc<Value>,
}

/// One of `deployments[]`: the tasks of one service revision.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The number in `ecs-svc/<n>`, which is its service revision's.
    pub number: u64,
    /// PRIMARY or ACTIVE.
    pub status: DeploymentStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Tasks that failed before the first that ran well; from then on 0 [API_Deployment, failedTasks].
    pub failed_tasks: usize,
    /// IN_PROGRESS, COMPLETED or FAILED.
    pub state: RolloutState,
    /// `ECS deployment ecs-svc/1 in progress.`
    pub reason: String,
    pub(super) proven: bool,
    pub(super) failed_in_a_row: usize,
    pub(super) rounds: u32,
    pub(super) retry_at: Option<Timestamp>,
    pub(super) launches: Launches,
    pub(super) shown: FailedDeployments,
}

/// Whether a deployment may still start tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Launches {
    /// Not before its rollout is IN_PROGRESS.
    Later,
    Allowed,
    /// Never again: it failed.
    Ended,
}

/// A deployment's place in `deployments[]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// The one that the service should run.
    Primary,
    /// One that still has tasks, or may have.
    Active,
}

/// `rolloutState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutState {
    /// Under way.
    InProgress,
    /// The service reached a steady state.
    Completed,
    /// The circuit breaker was tripped.
    Failed,
}

/// A service revision: what a service deployment deploys. It never changes, but for its digests, which the first task resolves.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its number.
    pub number: u64,
    /// Its ARN.
    pub arn: String,
    /// The task definition's ARN.
    pub definition: String,
    /// The service's settings when it was made.
    pub settings: Settings,
    /// Container name, image as given, digest once resolved.
    pub images: Vec<(String, String, Option<String>)>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A service deployment: ECS's rollout.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// Its ARN.
    pub arn: String,
    /// The revision that it deploys.
    pub target: u64,
    /// The revisions that ran when it began, with their counts then.
    pub sources: Vec<(u64, Counts)>,
    /// Where it is.
    pub status: RolloutStatus,
    /// Why.
    pub status_reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When it was stopped.
    pub stopped_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its rollback.
    pub rollback: Option<Rollback>,
    /// Its circuit breaker.
    pub breaker: Breaker,
    /// The service's `deploymentConfiguration` when it began.
    pub configuration: Arc<Value>,
    pub(super) visible_at: Timestamp,
    pub(super) moves_at: Option<Timestamp>,
    pub(super) final_counts: Option<Counts>,
}

/// A service deployment's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RolloutStatus {
    Pending,
    InProgress,
    StopRequested,
    Stopped,
    Successful,
    RollbackRequested,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl RolloutStatus {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::StopRequested => "STOP_REQUESTED",
            Self::Stopped => "STOPPED",
            Self::Successful => "SUCCESSFUL",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }

    /// Whether it will not change any more.
    pub fn over(self) -> bool {
        match self {
            Self::Stopped | Self::Successful | Self::RollbackSuccessful | Self::RollbackFailed => true,
            Self::Pending
            | Self::InProgress
            | Self::StopRequested
            | Self::RollbackRequested
            | Self::RollbackInProgress => false,
        }
    }
}

/// A rollback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// Since when.
    pub started_at: Timestamp,
    /// To which revision.
    pub revision: u64,
}

/// A rollout's circuit breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// What it is doing.
    pub status: BreakerStatus,
    /// Tasks that failed, as it counts them.
    pub failures: usize,
}

/// A circuit breaker's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BreakerStatus {
    Disabled,
    Monitoring,
    MonitoringComplete,
    Triggered,
}

/// Task counts of a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Asked for.
    pub requested: usize,
    /// RUNNING.
    pub running: usize,
    /// PROVISIONING, PENDING, ACTIVATING.
    pub pending: usize,
}
