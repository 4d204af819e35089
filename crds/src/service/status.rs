//! What is known of a Service: its rollout, its task definitions, its ECS service. What is wanted is beside it.

use crate::condition::{Condition, Time, conditions, unseen};
use crate::name::Line;
use crate::pipeline::Summary;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of a Service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// The generation of the spec that this status is about; -1 before the first look.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The answers to the questions that people ask of a Service: Ready, RolledOut, InSync; while they are True: Reconciling, Stalled, Held.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,

    /// The rollout that was last begun, and how it stands. A Release judges its stage by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,

    /// The task definitions that were last registered or found, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub task_definitions: Vec<TaskDefinitionStatus>,

    /// The ECS service as it was last found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<EcsServiceStatus>,

    /// The last call of each kind that changed something, or may have, until AWS shows what it did: none is repeated for 30 seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["effect".into()]))]
    pub effects: Vec<EffectStatus>,

    /// What the columns of `kubectl get` show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// A rollout.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// The grant of the stage that asked for it; 0 for a Service with literal images.
    #[schemars(range(min = 0, max = 999_999_999_999_i64))]
    pub grant: i64,

    /// Whose grant that is: `<pipeline>/<stage>`. Grants of different stages are not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 127))]
    pub source: Option<String>,

    /// The generation of the spec that asked for it.
    pub generation: i64,

    /// What spec.rollout.retry was when it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Line>,

    /// What spec.rollout.restart was when it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Line>,

    /// Whether the same thing is rolled once more: then only ECS deployments that were created after `after` prove it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,

    /// Only ECS deployments that were created after this count for it; absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Time>,

    /// The ARN of the service deployment that had brought what this rollout is to replace; absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub from: Option<String>,

    /// What is rolled: a hash of the task definition and of all else that starts a rollout.
    #[schemars(length(max = 80))]
    pub meaning: String,

    /// The ARN of the task definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub task_definition: Option<String>,

    /// The ARN of ECS's service deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub deployment: Option<String>,

    /// How it stands.
    pub phase: RolloutPhase,

    /// How ECS ended it, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RolloutOutcome>,

    /// Why, for people: ECS's reason and the stopped tasks'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,

    /// Tasks of this rollout that stopped, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub stopped_tasks: Vec<StoppedTaskStatus>,

    /// When it began.
    pub started_at: Time,

    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,

    /// When as many tasks as should were first seen to run it. Absent: no task has proved it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_at: Option<Time>,
}

/// How a rollout stands.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutPhase {
    /// It is about to begin, or ECS works on it.
    Rolling,
    /// ECS runs what was wanted, proved by the service revision.
    Done,
    /// ECS gave it up, or rolled it back. It is held: not rolled again until the grant, the meaning or spec.rollout.retry changes.
    Failed,
    /// AWS, or the account, refuses what it needs. Resumes by itself once that is fixed.
    Stuck,
}

/// How a rollout failed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutOutcome {
    /// ECS went back to what ran before.
    RolledBack,
    /// ECS tried to go back, and failed.
    RollbackFailed,
    /// It was stopped, by a person or by ECS.
    Stopped,
    /// It did not come up within the deadline, and there is nothing to go back to.
    NeverCameUp,
}

/// A task that stopped.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StoppedTaskStatus {
    /// The task's ID.
    #[schemars(length(max = 64))]
    pub task: String,

    /// ECS's code, such as EssentialContainerExited or TaskFailedToStart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code: Option<String>,

    /// ECS's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub reason: Option<String>,

    /// The container that ended first, with its exit code or its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub container: Option<String>,
}

/// A task definition that was registered.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinitionStatus {
    /// What it says: `v1-<hash>`.
    #[schemars(length(max = 80))]
    pub meaning: String,

    /// Its ARN.
    #[schemars(length(max = 512))]
    pub arn: String,
}

/// The ECS service.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EcsServiceStatus {
    /// Its ARN.
    #[schemars(length(max = 512))]
    pub arn: String,

    /// How often it was created by this object.
    pub creations: i64,

    /// How many tasks it should run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<i32>,

    /// How many tasks run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<i32>,

    /// Since when fewer tasks run than should. After spec.rollout.deadline the Service is not Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_since: Option<Time>,
}

/// A call that changed something, or may have.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EffectStatus {
    /// The kind of call.
    pub effect: Effect,

    /// What it was to bring about: a meaning, or the hash of the settings that were sent.
    #[schemars(length(max = 80))]
    pub meaning: String,

    /// When it was sent, by AWS's clock.
    pub at: Time,

    /// Whether AWS has shown since that it came about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen: bool,

    /// How AWS refused it, where that has to be remembered: it is only believed the second time, or is not repeated for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<EffectRefusal>,
}

/// How AWS refused a call.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EffectRefusal {
    /// AWS's code.
    #[schemars(length(max = 64))]
    pub code: String,

    /// Why this is the reason of a condition.
    #[schemars(length(max = 64))]
    pub reason: String,

    /// What it said.
    #[schemars(length(max = 512))]
    pub message: String,
}

/// A kind of call that changes something of a Service in AWS. Each has a memory of its own.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// RegisterTaskDefinition.
    Register,
    /// CreateService.
    Create,
    /// UpdateService, in order to start a rollout.
    Update,
    /// UpdateService with the number of tasks.
    Scale,
    /// UpdateService with what else starts no rollout.
    Adjust,
    /// TagResource on the service.
    Tag,
}
