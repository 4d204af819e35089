//! What kind of fault each of STS's refusals is. Roles and credentials are an administrator's.

use launchway_plan::fault::FaultKind;

/// The kind.
pub(super) fn kind(code: &str) -> FaultKind {
    match code {
        "IDPCommunicationError" => FaultKind::Outage,
        // MalformedPolicyDocument, PackedPolicyTooLarge, RegionDisabledException, ValidationError among them.
        _ => FaultKind::Refused,
    }
}
