//! What helps against STS's refusals. Roles and credentials are an administrator's.

use launchway_plan::fault::Remedy;

/// What helps.
pub(super) fn remedy(code: &str) -> Remedy {
    match code {
        "IDPCommunicationError" => Remedy::Retry,
        // MalformedPolicyDocument, PackedPolicyTooLarge, RegionDisabledException, ValidationError among them.
        _ => Remedy::AskOperator,
    }
}
