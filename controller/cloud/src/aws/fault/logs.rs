//! What helps against CloudWatch Logs' refusals. `ResourceNotFoundException` is none: there is no log (yet).

use launchway_plan::fault::Remedy;

/// What helps.
pub(super) fn remedy(code: &str) -> Remedy {
    match code {
        "InvalidParameterException" => Remedy::AskUser,
        _ => Remedy::AskOperator,
    }
}
