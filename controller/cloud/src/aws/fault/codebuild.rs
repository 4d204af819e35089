//! What helps against CodeBuild's refusals.

use super::guesses;
use crate::operation::Operation;
use launchway_plan::fault::Remedy;

/// What helps.
pub(super) fn remedy(operation: Operation, code: &str, message: &str) -> Remedy {
    match code {
        // The build may have ended in the meantime.
        "InvalidInputException" if operation == Operation::StopBuild => Remedy::LookAgain,
        "InvalidInputException" if guesses::token_has_other_parameters(message) => Remedy::LookAgain,
        // A Release's plan never changes: what may is the project.
        "InvalidInputException" => Remedy::AskOperator,
        "AccountLimitExceededException" if guesses::builds_are_allowed_at_all(message) => Remedy::Retry,
        _ => Remedy::AskOperator,
    }
}
