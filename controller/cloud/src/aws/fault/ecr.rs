//! What kind of fault each of ECR's refusals is. `ImageNotFoundException` is none: it is an answer.

use launchway_plan::fault::{FaultKind, Thing};

/// The kind.
pub(super) fn kind(code: &str) -> FaultKind {
    match code {
        "InvalidParameterException" => FaultKind::Invalid,
        "RepositoryNotFoundException" => FaultKind::Absent(Thing::Repository),
        _ => FaultKind::Refused,
    }
}
