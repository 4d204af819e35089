//! LogRequest: a question for one page of a log. Its spec never changes; the answer stands in its status.

use crate::condition::{Condition, conditions, unseen};
use crate::name::{BuildId, EcsName, Name, ObjectName, PageToken, TaskId};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most of a log that one answer has, in bytes of JSON: etcd takes an object of 1.5 MiB, and a page of a list may hold fifty. The
/// rest is asked for by another LogRequest.
pub const TEXT_MAX: usize = 262_144;

/// Asks for a part of a log in CloudWatch Logs: of a check, of a build, or of a container that stopped. Gone after ten minutes; of a namespace the newest 16 are kept.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "launchway.dev",
    version = "v1alpha1",
    kind = "LogRequest",
    plural = "logrequests",
    singular = "logrequest",
    shortname = "lwlog",
    category = "launchway",
    namespaced,
    status = "LogRequestStatus",
    derive = "PartialEq",
    validation = Rule::new("self.metadata.name.size() <= 63").message("a LogRequest's name is at most 63 characters long"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Of", type_ = "string", json_path = ".status.of"),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("a LogRequest's spec never changes: make another LogRequest"))]
#[x_kube(validation = Rule::new("has(self.release) != has(self.service)").message("set exactly one of release and service"))]
#[x_kube(validation = Rule::new("!has(self.step) || has(self.release)").message("step is a step of a Release: set release, or take step out"))]
#[x_kube(validation = Rule::new("!has(self.build) || has(self.step)").message("build is a build of a step: set step, or take build out"))]
#[x_kube(validation = Rule::new("!has(self.page) || has(self.build) || (has(self.task) && has(self.container))")
    .message("page goes on in one log: set step and build, or task and container, as status.log of the page before says"))]
#[x_kube(validation = Rule::new("(!has(self.container) && !has(self.task)) || has(self.service)")
    .message("container and task are of a Service: set service, or take them out"))]
pub struct LogRequestSpec {
    /// The Release, of the same namespace, whose check's or build's log is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ObjectName>,

    /// The step of the Release: a check's name, or `build`. Absent: the first that failed, else the one that runs, else the last that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Name>,

    /// The build of the step, by CodeBuild's ID. Absent: that of the newest attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildId>,

    /// The Service, of the same namespace, of which a stopped task's log is read, as long as ECS shows the task: about an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ObjectName>,

    /// The container. Absent: the one that made the task stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<EcsName>,

    /// The ID of the task: one of the Service's that stopped. Absent: the newest one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,

    /// Where to go on: `status.log.next` of the page before. Absent: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageToken>,
}

/// The answer.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LogRequestStatus {
    /// The generation of the spec that this status is about; -1 before the first look.
    #[serde(default = "unseen")]
    pub observed_generation: i64,

    /// The answers to the questions that people ask of a LogRequest: Ready, Reconciling, Stalled.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,

    /// What the log is of, such as `build shop-web:4f0c…` or `container app of task 3a9d…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 400))]
    pub of: Option<String>,

    /// What was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPart>,
}

/// A part of a log.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LogPart {
    /// The step that was chosen, of a Release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Name>,

    /// The build that was chosen, of a Release; absent: none was started yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildId>,

    /// The task that was chosen, of a Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,

    /// The container that was chosen, of a Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<EcsName>,

    /// The log group; absent: there is no log yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub group: Option<String>,

    /// The log stream; absent: there is no log yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub stream: Option<String>,

    /// The lines, each with its line end. What looks like a credential is hidden.
    #[schemars(length(max = 262_144))]
    pub text: String,

    /// What another LogRequest names as `page` in order to go on here; absent: there is no log yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PageToken>,

    /// Whether there was more when this was read.
    pub more: bool,

    /// Whether what writes the log was still at work: more may come later.
    pub running: bool,
}
