//! What helps against ECR's refusals. `ImageNotFoundException` is none: it is an answer.

use launchway_plan::fault::Remedy;

/// What helps.
pub(super) fn remedy(code: &str) -> Remedy {
    match code {
        "InvalidParameterException" => Remedy::AskUser,
        // RepositoryNotFoundException among them.
        _ => Remedy::AskOperator,
    }
}
