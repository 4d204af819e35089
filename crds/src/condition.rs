//! What every status has: conditions within the limits of `metav1.Condition`. What a condition says is decided elsewhere.

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The longest message of a condition, in bytes.
pub const MESSAGE_MAX: usize = 1024;

/// The schema of `status.conditions`: a list-map by `type`, with the limits of `metav1.Condition`, which k8s-openapi's
/// own schema leaves out.
pub(crate) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 12, "default": [],
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object", "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"type": "string", "maxLength": 316, "description": "The question that this condition answers.",
                    "pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "The answer: True, False or Unknown."},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0, "description": "The generation of the spec that the answer is about."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When the answer last turned."},
                "reason": {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                    "description": "Why, in one word that programs can rely on."},
                "message": {"type": "string", "maxLength": 32768, "description": "Why, for people: what happened, where, and what to do next."}
            }
        }
    })
}

/// `-1`: no generation was looked at yet.
pub(crate) fn unseen() -> i64 {
    -1
}
