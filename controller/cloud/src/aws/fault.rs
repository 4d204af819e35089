//! From what AWS says to what helps: codes first, one table for each service; texts only through the predicates in
//! `guesses`, and none of them makes a success of anything.

mod codebuild;
mod ecr;
mod ecs;
pub mod guesses;
mod logs;
mod sts;

#[cfg(test)]
mod tests;

use super::failure::{Failure, Kind};
use crate::operation::{Nature, Operation, Service};
use crate::scrub;
use launchway_plan::fault::{Fault, Remedy};

/// The fault of a call that failed.
pub(crate) fn of(operation: Operation, failure: &Failure, resource: String) -> Fault {
    if let Kind::Unidentified(fault) = &failure.kind {
        return (**fault).clone();
    }
    let fault = Fault {
        operation: operation.action().to_owned(),
        resource,
        code: failure.code.clone(),
        message: scrub::message(&failure.message),
        remedy: remedy(operation, failure),
    };
    if fault.is_denied() { denied(fault, &failure.message) } else { fault }
}

/// What was denied may be another action on another resource than was asked for: `iam:PassRole` on a role.
fn denied(fault: Fault, said: &str) -> Fault {
    let Some((action, resource)) = guesses::denied(said) else { return fault };
    let resource = resource.map_or_else(|| fault.resource.clone(), scrub::message);
    match guesses::denied_for_good(said) {
        // No statement of ours helps against one that denies: AWS's own words are what there is to say.
        Some(why) => Fault {
            message: format!("{} is denied {}", scrub::message(action), scrub::message(why)),
            resource,
            ..fault
        },
        None => Fault { message: format!("needs {}", scrub::message(action)), resource, ..fault },
    }
}

/// What helps.
pub(crate) fn remedy(operation: Operation, failure: &Failure) -> Remedy {
    match &failure.kind {
        // Whole seconds, and never too soon.
        Kind::NoToken(wait) => Remedy::Wait(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(1)),
        Kind::Unidentified(fault) => fault.remedy,
        Kind::NoCredentials(remedy) => *remedy,
        Kind::Unbuilt => Remedy::AskOperator,
        Kind::Unanswered | Kind::Broken => match operation.nature() {
            Nature::Look => Remedy::Retry,
            Nature::Effect => Remedy::LookAgain,
        },
        Kind::Refused => refused(operation, &failure.code, &failure.message),
    }
}

/// A look is never the user's fault for good: what it did not find may come, and nobody would look again.
fn refused(operation: Operation, code: &str, message: &str) -> Remedy {
    let remedy = of_any_service(code, message).unwrap_or_else(|| of_service(operation, code, message));
    match (operation.nature(), remedy) {
        (Nature::Look, Remedy::AskUser) => Remedy::AskOperator,
        (Nature::Look, Remedy::LookAgain) => Remedy::Retry,
        (_, remedy) => remedy,
    }
}

/// Whether a refusal says nothing about what was asked, only that it was the wrong moment.
pub(crate) fn is_passing(code: &str, message: &str) -> bool {
    of_any_service(code, message) == Some(Remedy::Retry)
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

/// Codes that every service may give. Source: the "Common Errors" of each service's API reference, and those that the SDK
/// itself takes for throttling.
fn of_any_service(code: &str, message: &str) -> Option<Remedy> {
    match code {
        _ if is_of_another_time(code, message) => Some(Remedy::Retry),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete" => Some(Remedy::Retry),
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "OptInRequired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Some(Remedy::AskOperator),
        "ValidationException" | "SerializationException" => Some(Remedy::AskUser),
        _ => None,
    }
}

fn of_service(operation: Operation, code: &str, message: &str) -> Remedy {
    match operation.service() {
        Service::Ecs => ecs::remedy(operation, code, message),
        Service::CodeBuild => codebuild::remedy(operation, code, message),
        Service::Ecr => ecr::remedy(code),
        Service::Logs => logs::remedy(code),
        Service::Sts => sts::remedy(code),
    }
}
