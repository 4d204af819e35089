//! The stages of a Pipeline: what each rolls, and how that is verified.

use crate::name::{Duration, HealthUrl, Name};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An environment that a release reaches.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// The stage's name.
    pub name: Name,

    /// The Services of this namespace that are rolled, all at once. They succeed or fail as a whole.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["service".into()]))]
    pub targets: Vec<Target>,

    /// What must answer as expected after the rollout, before the stage counts as verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub verify: Vec<Verification>,
}

/// What a stage rolls.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// A Service of the same namespace, one of whose containers takes its image from this Pipeline and stage.
    pub service: Name,
}

/// What must answer as expected after the rollout.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The verification's name.
    pub name: Name,

    /// An http(s) request whose answer proves health.
    pub http: HttpVerification,
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

    /// How long the answer may stay another one before the stage fails, 10s to 1h. Default: 5m.
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
    schemars::json_schema!({"type": "object", "maxProperties": 10, "x-kubernetes-map-type": "atomic",
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true}})
}
