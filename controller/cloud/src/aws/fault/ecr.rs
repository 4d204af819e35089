//! What kind of fault each of ECR's refusals is. Of a look for an image `ImageNotFoundException` is none: it is an
//! answer.

use launchway_plan::fault::{FaultKind, Thing};

/// The kind.
pub(super) fn kind(code: &str) -> FaultKind {
    match code {
        "InvalidParameterException" => FaultKind::Invalid,
        // The image was deleted since it was seen.
        "ImageNotFoundException" => FaultKind::Gone,
        "RepositoryNotFoundException" => FaultKind::Absent(Thing::Repository),
        _ => FaultKind::Refused,
    }
}
