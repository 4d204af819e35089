//! Codes that every service of AWS may give, and what kind of fault each is. Those of one service are in `fault`. Source:
//! the "Common Errors" of each service's API reference, and the codes that the SDK itself takes for throttling.

use super::guesses;
use launchway_plan::fault::FaultKind;

/// What kind of fault a refusal is, if its code is one that every service may give.
pub(crate) fn kind(code: &str, message: &str) -> Option<FaultKind> {
    match code {
        _ if is_of_another_time(code, message) => Some(FaultKind::Throttled),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete" => Some(FaultKind::Throttled),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Some(FaultKind::Denied { needs: None }),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Some(FaultKind::Credentials),
        "OptInRequired" => Some(FaultKind::Refused),
        "LimitExceededException" => Some(FaultKind::Quota),
        "ValidationException" | "SerializationException" => Some(FaultKind::Invalid),
        _ => None,
    }
}

/// Whether a refusal says nothing about what was asked, only that it was the wrong moment.
pub(crate) fn is_passing(code: &str, message: &str) -> bool {
    kind(code, message) == Some(FaultKind::Throttled)
}

/// Whether a request came too late or too early for its signature or its credentials. The refusal brings AWS's time, and
/// new credentials are fetched by themselves.
pub(crate) fn is_of_another_time(code: &str, message: &str) -> bool {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "RequestTimeTooSkewed" => true,
        "InvalidSignatureException" | "SignatureDoesNotMatch" => guesses::signature_is_of_another_time(message),
        _ => false,
    }
}

/// Codes that say that AWS failed, whatever the HTTP status.
pub(crate) fn is_outage(code: &str) -> bool {
    matches!(
        code,
        "ServerException"
            | "InternalFailure"
            | "InternalError"
            | "InternalServerError"
            | "InternalServerException"
            | "InternalServiceException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException"
    )
}
