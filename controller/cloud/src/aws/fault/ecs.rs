//! What kind of fault each of ECS's refusals is.

use crate::aws::guesses;
use crate::operation::Operation;
use launchway_plan::fault::{FaultKind, Thing};

/// The kind.
pub(super) fn kind(operation: Operation, code: &str, message: &str) -> FaultKind {
    match code {
        "ClusterNotFoundException" => FaultKind::Absent(Thing::Cluster),
        "NamespaceNotFoundException" => FaultKind::Absent(Thing::Namespace),
        "ServiceNotFoundException" | "ServiceNotActiveException" | "ResourceNotFoundException" => FaultKind::Gone,
        "PlatformUnknownException"
        | "PlatformTaskDefinitionIncompatibilityException"
        | "UnsupportedFeatureException" => FaultKind::Invalid,
        // "Creation of service was not idempotent" is one of these: it may be there.
        "InvalidParameterException" if operation == Operation::CreateService => FaultKind::Dubious,
        "InvalidParameterException" | "ClientException" => of_text(message),
        _ => FaultKind::Refused,
    }
}

/// Two codes stand for all that can be wrong with a request; only their texts tell it apart.
fn of_text(message: &str) -> FaultKind {
    if guesses::is_registered_at_once(message) {
        FaultKind::Throttled
    } else if guesses::revision_is_inactive(message) {
        FaultKind::Dubious
    } else if guesses::world_lacks_something(message) {
        FaultKind::Absent(Thing::Other)
    } else {
        FaultKind::Invalid
    }
}
