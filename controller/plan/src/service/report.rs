//! The next status of a Service: its record, its conditions and its columns, put together. Nothing is chosen here.

mod pass;
mod record;
mod tell;

pub use pass::Pass;
pub use record::intended;

use super::record::Record;
use super::wanted::Wanted;
use crate::Outcome;
use crate::condition::{MESSAGE_MAX, brief, cut, find, merge};
use crate::fault::{Fault, FaultKind, Remedy};
use crate::reason::ConditionType;
use launchway_crds::pipeline::Summary;
use launchway_crds::service::ServiceStatus;
use tell::Tell;

/// The next status.
pub fn report(record: &Record, pass: &Pass<'_>) -> ServiceStatus {
    let before = record.status();
    let mut next = before.clone();
    let fault = judged(before, pass);
    next.effects = record::effects(before, pass);
    next.task_definitions = record::task_definitions(before, pass);
    next.service = record::service(record, pass);
    next.rollout = record::rollout(record, &next.task_definitions, pass, fault.as_ref());
    let tell = tell::tell(record, pass, fault.as_ref());
    next.conditions = merge(&before.conditions, &tell.said(), pass.desired.generation, pass.at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(summary(pass.wanted, &tell, &next));
    next
}

/// The fault of the effect. A refusal that is only believed the second time is terminal when it comes again.
fn judged(before: &ServiceStatus, pass: &Pass<'_>) -> Option<Fault> {
    let Outcome::Failed(fault) = pass.outcome else { return None };
    let again = record::is_dubious(fault) && record::is_refused_again(before, pass, fault);
    Some(if again {
        Fault { kind: FaultKind::Refused, remedy: Remedy::AskOperator, ..fault.clone() }
    } else {
        fault.clone()
    })
}

fn summary(wanted: Option<&Wanted>, tell: &Tell, next: &ServiceStatus) -> Summary {
    let ready = find(&next.conditions, ConditionType::Ready);
    let (reason, message) = tell
        .headline()
        .or_else(|| ready.map(|condition| (condition.reason.clone(), condition.message.clone())))
        .unwrap_or_default();
    let before = next.summary.clone().unwrap_or_default();
    let commit = |wanted: &Wanted| brief(wanted.commit.as_deref().unwrap_or_default()).to_owned();
    Summary {
        commit: wanted.map_or(before.commit, commit),
        stage: wanted.map_or(before.stage, |wanted| wanted.stage.clone().unwrap_or_default()),
        reason: cut(&reason, 63),
        message: cut(&message, MESSAGE_MAX),
    }
}
