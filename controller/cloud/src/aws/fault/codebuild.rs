//! What kind of fault each of CodeBuild's refusals is.

use crate::aws::guesses;
use crate::operation::Operation;
use launchway_plan::fault::{FaultKind, Thing};

/// The kind.
pub(super) fn kind(operation: Operation, code: &str, message: &str) -> FaultKind {
    match code {
        // The build may have ended in the meantime.
        "InvalidInputException" if operation == Operation::StopBuild => FaultKind::Gone,
        "InvalidInputException" if guesses::token_has_other_parameters(message) => FaultKind::Dubious,
        // A Release's plan never changes: what may is the project.
        "InvalidInputException" => FaultKind::Refused,
        "AccountLimitExceededException" if guesses::builds_are_allowed_at_all(message) => FaultKind::Throttled,
        "AccountLimitExceededException" => FaultKind::Quota,
        "ResourceNotFoundException" => FaultKind::Absent(Thing::Project),
        _ => FaultKind::Refused,
    }
}
