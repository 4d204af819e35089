//! What helps against ECS's refusals.

use super::guesses;
use crate::operation::Operation;
use launchway_plan::fault::Remedy;

/// What helps.
pub(super) fn remedy(operation: Operation, code: &str, message: &str) -> Remedy {
    match code {
        "ClusterNotFoundException" | "NamespaceNotFoundException" | "LimitExceededException" => Remedy::AskOperator,
        "ServiceNotFoundException" | "ServiceNotActiveException" | "ResourceNotFoundException" => Remedy::LookAgain,
        "PlatformUnknownException"
        | "PlatformTaskDefinitionIncompatibilityException"
        | "UnsupportedFeatureException" => Remedy::AskUser,
        // "Creation of service was not idempotent" is one of these: it may be there.
        "InvalidParameterException" if operation == Operation::CreateService => Remedy::LookAgain,
        "InvalidParameterException" | "ClientException" => spoken(message),
        _ => Remedy::AskOperator,
    }
}

/// Two codes stand for all that can be wrong with a request; only their texts tell it apart.
fn spoken(message: &str) -> Remedy {
    if guesses::is_registered_at_once(message) {
        Remedy::Retry
    } else if guesses::revision_is_inactive(message) {
        Remedy::LookAgain
    } else if guesses::world_lacks_something(message) {
        Remedy::AskOperator
    } else {
        Remedy::AskUser
    }
}
