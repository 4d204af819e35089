//! How a new task definition replaces the old one: `deploymentConfiguration` of CreateService.

use super::shape::{Count, List, Percent, Whole, words};
use crate::name::{Line, Role, Word};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// How a new task definition replaces the old one.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.maximumPercent) || !has(self.minimumHealthyPercent) || self.maximumPercent > self.minimumHealthyPercent")
    .message("maximumPercent must be greater than minimumHealthyPercent, or no task could ever be replaced"))]
pub struct DeploymentConfiguration {
    /// ECS's circuit breaker. A service that Launchway creates has it, with roll-back, unless this says otherwise.
    pub deployment_circuit_breaker: Option<DeploymentCircuitBreaker>,
    /// How much of the desired count may run at once, in percent. AWS's default: 200.
    pub maximum_percent: Option<Whole<0, 1000>>,
    /// How much of the desired count must stay healthy, in percent. AWS's default: 100.
    pub minimum_healthy_percent: Option<Whole<0, 100>>,
    /// Alarms that fail a rollout.
    pub alarms: Option<DeploymentAlarms>,
    /// The strategy. Launchway drives ROLLING, which is AWS's default.
    pub strategy: Option<DeploymentStrategy>,
    /// How long both versions run side by side after the traffic was shifted, in minutes.
    pub bake_time_in_minutes: Option<Whole<0, 1440>>,
    /// What is asked, or waited for, at the stages of a rollout.
    pub lifecycle_hooks: Option<List<LifecycleHook, 20>>,
    /// The steps of strategy LINEAR.
    pub linear_configuration: Option<LinearConfiguration>,
    /// The steps of strategy CANARY.
    pub canary_configuration: Option<CanaryConfiguration>,
    /// When a rollout counts as successful before all tasks are replaced.
    pub early_success_criteria: Option<EarlySuccessCriteria>,
}

/// ECS's circuit breaker: it ends a rollout whose tasks do not start.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentCircuitBreaker {
    /// Whether it is on. Without it a crash loop has no end but rollout.deadline.
    pub enable: bool,
    /// Whether ECS goes back to the last task definition that ran.
    pub rollback: bool,
    /// Whether a healthy task sets the count of failures back. AWS's default: true.
    pub reset_on_healthy_task: Option<bool>,
    /// How many failures it takes.
    pub threshold_configuration: Option<ThresholdConfiguration>,
}

/// How many failures the circuit breaker takes.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ThresholdConfiguration {
    /// What the value means.
    pub r#type: ThresholdType,
    /// The value.
    pub value: Count,
}

/// Alarms that fail a rollout.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentAlarms {
    /// The names of CloudWatch alarms.
    pub alarm_names: List<Line, 20>,
    /// Whether ECS goes back.
    pub rollback: bool,
    /// Whether they count.
    pub enable: bool,
}

/// What is asked, or waited for, at stages of a rollout.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleHook {
    /// A function, or a pause.
    pub target_type: Option<HookTargetType>,
    /// The function's ARN.
    pub hook_target_arn: Option<Word>,
    /// The role with which ECS calls it. The AwsAccount must allow it.
    pub role_arn: Option<Role>,
    /// The stages.
    pub lifecycle_stages: Option<List<LifecycleStage, 10>>,
    /// What happens when nobody answers.
    pub timeout_configuration: Option<HookTimeoutConfiguration>,
}

/// What happens when a hook is not answered.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HookTimeoutConfiguration {
    /// After how many minutes.
    pub timeout_in_minutes: Option<Count>,
    /// What.
    pub action: Option<HookAction>,
}

/// The steps of strategy LINEAR.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LinearConfiguration {
    /// How much traffic each step shifts, in percent.
    pub step_percent: Option<Percent>,
    /// How long each step lasts, in minutes.
    pub step_bake_time_in_minutes: Option<Whole<0, 1440>>,
}

/// The steps of strategy CANARY.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CanaryConfiguration {
    /// How much traffic the first step shifts, in percent.
    pub canary_percent: Option<Percent>,
    /// How long it lasts, in minutes.
    pub canary_bake_time_in_minutes: Option<Whole<0, 1440>>,
}

/// When a rollout counts as successful early.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EarlySuccessCriteria {
    /// Whether it does.
    pub enable: bool,
    /// How many of the tasks must be healthy, in percent.
    pub healthy_percent: Option<Whole<0, 100>>,
    /// Whether the old tasks are waited for.
    pub source_service_revision_cleanup: Option<RevisionCleanup>,
}

words! {
    /// A strategy.
    DeploymentStrategy: "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY";
    /// What a threshold's value means.
    ThresholdType: "COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT";
    /// What a hook is.
    HookTargetType: "AWS_LAMBDA", "PAUSE";
    /// A stage of a rollout.
    LifecycleStage: "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT";
    /// What happens when a hook is not answered.
    HookAction: "ROLLBACK", "CONTINUE";
    /// Whether the old tasks are waited for.
    RevisionCleanup: "BLOCKING", "DEFERRED";
}
