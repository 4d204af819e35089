//! What kind of fault each of CloudWatch Logs' refusals is. `ResourceNotFoundException` is none: there is no log (yet).

use launchway_plan::fault::FaultKind;

/// The kind.
pub(super) fn kind(code: &str) -> FaultKind {
    match code {
        "InvalidParameterException" => FaultKind::Invalid,
        _ => FaultKind::Refused,
    }
}
