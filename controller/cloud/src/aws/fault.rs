//! Turns what AWS says into a fault. Codes first, in one table for each service; texts only through the predicates in
//! `guesses`, and no text turns an error into a success. A table says the kind, and the remedy follows from the kind.

mod codebuild;
mod ecr;
mod ecs;
mod logs;
mod s3;
mod sts;

#[cfg(test)]
mod tests;

use super::failure::{Cause, Failure};
use super::{codes, guesses};
use crate::operation::{Nature, Operation, Service};
use crate::scrub;
use launchway_plan::fault::{Fault, FaultKind, Remedy};

/// The fault of a call that failed.
pub(crate) fn of(operation: Operation, failure: &Failure, resource: String) -> Fault {
    if let Cause::Unidentified(fault) = &failure.cause {
        return (**fault).clone();
    }
    let fault = Fault {
        operation: operation.action().to_owned(),
        resource,
        code: failure.code.clone(),
        message: scrub::message(&failure.message),
        kind: kind(operation, failure),
        remedy: remedy(operation, failure),
    };
    if fault.is_denied() { denied(fault, &failure.message) } else { fault }
}

/// What was denied may be another action on another resource than was asked for: `iam:PassRole` on a role.
fn denied(fault: Fault, said: &str) -> Fault {
    let Some((action, resource)) = guesses::denied(said) else {
        // A denial without a text is about the action that was called.
        let needs = said.is_empty().then(|| fault.operation.clone());
        return Fault { kind: FaultKind::Denied { needs }, ..fault };
    };
    let action = scrub::message(action);
    let resource = resource.map_or_else(|| fault.resource.clone(), scrub::message);
    match guesses::denied_for_good(said) {
        // Another statement for the role does not help here, so the message shows AWS's own words.
        Some(why) => Fault { message: format!("{action} is denied {}", scrub::message(why)), resource, ..fault },
        None => Fault { kind: FaultKind::Denied { needs: Some(action) }, resource, ..fault },
    }
}

/// What kind of fault it is.
fn kind(operation: Operation, failure: &Failure) -> FaultKind {
    match &failure.cause {
        Cause::NoToken(_) => FaultKind::NoToken,
        Cause::NotLeading => FaultKind::NotLeading,
        Cause::Unidentified(fault) => fault.kind.clone(),
        Cause::NoCredentials => FaultKind::Credentials,
        Cause::CredentialsNotFetched | Cause::Unanswered => FaultKind::Unanswered,
        Cause::Unbuilt => FaultKind::Bug,
        Cause::Broken => FaultKind::Outage,
        Cause::Refused => codes::kind(&failure.code, &failure.message)
            .unwrap_or_else(|| of_service(operation, &failure.code, &failure.message)),
    }
}

/// What helps.
fn remedy(operation: Operation, failure: &Failure) -> Remedy {
    match &failure.cause {
        // Whole seconds, and never too soon.
        Cause::NoToken(wait) => Remedy::Wait(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(1)),
        Cause::Unidentified(fault) => fault.remedy,
        // Nothing was sent, so that an effect is not in doubt either.
        Cause::CredentialsNotFetched | Cause::NotLeading => Remedy::Retry,
        Cause::NoCredentials | Cause::Unbuilt | Cause::Unanswered | Cause::Broken | Cause::Refused => {
            against(&kind(operation, failure), operation.nature())
        }
    }
}

/// What helps against a kind of fault. After a look that failed we never wait for a change of the spec: what was missing may
/// appear, and nothing would wake us.
fn against(kind: &FaultKind, nature: Nature) -> Remedy {
    match (kind, nature) {
        (FaultKind::Throttled | FaultKind::NoToken | FaultKind::NotLeading, _) => Remedy::Retry,
        (FaultKind::Gone | FaultKind::Dubious | FaultKind::Outage | FaultKind::Unanswered, Nature::Look) => {
            Remedy::Retry
        }
        (FaultKind::Gone | FaultKind::Dubious | FaultKind::Outage | FaultKind::Unanswered, Nature::Effect) => {
            Remedy::LookAgain
        }
        (FaultKind::Invalid, Nature::Effect) => Remedy::AskUser,
        (FaultKind::Invalid, Nature::Look) => Remedy::AskOperator,
        (
            FaultKind::Denied { .. }
            | FaultKind::Credentials
            | FaultKind::Quota
            | FaultKind::Absent(_)
            | FaultKind::Refused
            | FaultKind::Bug
            | FaultKind::Kubernetes,
            _,
        ) => Remedy::AskOperator,
    }
}

fn of_service(operation: Operation, code: &str, message: &str) -> FaultKind {
    match operation.service() {
        Service::Ecs => ecs::kind(operation, code, message),
        Service::CodeBuild => codebuild::kind(operation, code, message),
        Service::Ecr => ecr::kind(code),
        Service::Logs => logs::kind(code),
        Service::S3 => s3::kind(code),
        Service::Sts => sts::kind(code),
        // What CodeCommit's git server answers, git reads.
        Service::CodeCommit => FaultKind::Refused,
    }
}
