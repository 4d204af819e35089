//! What kind of fault each of S3's refusals is. `NoSuchKey` is none: it is an answer.

use launchway_plan::fault::{FaultKind, Thing};

/// The kind.
pub(super) fn kind(code: &str) -> FaultKind {
    match code {
        "NoSuchBucket" => FaultKind::Absent(Thing::Other),
        "InvalidAccessKeyId" => FaultKind::Credentials,
        "InvalidArgument" | "InvalidBucketName" | "InvalidRange" => FaultKind::Invalid,
        // The object was written again between two looks at it.
        "PreconditionFailed" => FaultKind::Gone,
        _ => FaultKind::Refused,
    }
}
