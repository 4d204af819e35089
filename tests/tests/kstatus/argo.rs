//! Health as Argo CD would show it: the rules of the health check in docs/conditions.md, in Rust.

use serde_json::Value;

/// Argo CD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Progressing,
    Degraded,
    Suspended,
}

/// What Argo CD makes of an object, by its conditions.
pub fn health(object: &Value) -> Health {
    let (observed, generation) = (&object["status"]["observedGeneration"], &object["metadata"]["generation"]);
    if observed != generation {
        return Health::Progressing;
    }
    let all = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    let is = |kind: &str, status: &str| all.iter().any(|one| one["type"] == kind && one["status"] == status);
    match () {
        () if is("Held", "True") => Health::Suspended,
        () if is("Stalled", "True") => Health::Degraded,
        () if is("Reconciling", "True") || is("Released", "Unknown") => Health::Progressing,
        () if is("Ready", "True") => Health::Healthy,
        () => Health::Progressing,
    }
}
