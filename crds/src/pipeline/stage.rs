//! The stages of a Pipeline: what each rolls, and how that is verified.

use crate::name::{Duration, HealthUrl, Name};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An environment that a release reaches.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.targets.all(t, !has(t.service) || self.targets.exists_one(x, has(x.service) && x.service == t.service))")
    .message("a stage lists a Service once: take the second one out"))]
pub struct Stage {
    /// The stage's name.
    pub name: Name,

    /// What is changed, all at once. The targets succeed or fail as a whole.
    // Not a map: the API server wants a map's key to be required, and each kind of target has another one.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub targets: Vec<Target>,

    /// What must answer as expected after the rollout, before the stage counts as verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub verify: Vec<Verification>,
}

/// What a stage changes: exactly one member is set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.service)].exists_one(one, one)").message("set exactly one kind of target: service"))]
pub struct Target {
    /// A Service of the same namespace, one of whose containers takes its image from this Pipeline and stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Name>,
}

/// What must answer as expected after the rollout.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.http)].exists_one(one, one)").message("set exactly one kind of verification: http"))]
pub struct Verification {
    /// The verification's name.
    pub name: Name,

    /// An http(s) request whose answer proves health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpVerification>,
}

/// A GET request and the answer that is expected.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.timeout) >= duration('10s') && duration(self.timeout) <= duration('1h')")
    .message("timeout is between 10s and 1h"))]
pub struct HttpVerification {
    /// The URL that is asked.
    pub url: HealthUrl,

    /// The answer that is expected.
    #[serde(default)]
    pub expect: Expectation,

    /// How long to keep asking before the stage fails, 10s to 1h. Default: 5m.
    #[serde(default = "five_minutes")]
    pub timeout: Duration,
}

fn five_minutes() -> Duration {
    "5m".into()
}

/// An answer that proves health.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Expectation {
    /// The status code, 100 to 599. Default: 200.
    #[serde(default = "ok")]
    #[schemars(range(min = 100, max = 599))]
    pub status: i32,

    /// Members that the JSON object in the body must have, with these values: texts of at most 256 bytes, numbers or booleans. Absent: the body is not looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "json_members")]
    pub json: BTreeMap<String, serde_json::Value>,
}

impl Default for Expectation {
    fn default() -> Self {
        Self { status: ok(), json: BTreeMap::new() }
    }
}

fn ok() -> i32 {
    200
}

fn json_members(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    // A structural schema cannot say "one of these types". So each other type is bounded until nothing is left of it:
    // what is admitted is a text, a number or a boolean.
    schemars::json_schema!({"type": "object", "maxProperties": 10, "x-kubernetes-map-type": "atomic",
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true, "maxLength": 256, "maxProperties": 0,
            "maxItems": 0, "not": {"enum": [{}, [], null]}}})
}
