//! The next status of a Service: its record, its conditions and its columns, put together. Nothing is chosen here.

mod record;
mod tell;

pub use tell::short;

use super::decide::{Action, Effected};
use super::desired::Desired;
use super::state::State;
use super::wanted::Wanted;
use crate::Outcome;
use crate::condition::{MESSAGE_MAX, brief, cut, find, merge};
use crate::fault::{Fault, FaultKind, Remedy};
use crate::reason::Kind;
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::pipeline::Summary;
use launchway_crds::service::{Service, ServiceStatus};
use tell::Tell;

/// What a pass over a Service found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What is to be run, if it is known.
    pub wanted: Option<&'a Wanted>,
    /// Where it stood.
    pub state: &'a State,
    /// What was done.
    pub action: Option<&'a Action>,
    /// What came of it.
    pub outcome: &'a Outcome<Effected>,
    /// The time, by AWS's clock.
    pub at: Timestamp,
}

/// The status of a Service whose spec is refused before anything is looked at.
pub fn refused(service: &Service, refusal: &Refusal, at: Timestamp) -> ServiceStatus {
    let generation = service.metadata.generation.unwrap_or_default();
    let mut next = service.status.clone().unwrap_or_else(empty);
    let tell = tell::refused(refusal);
    next.conditions = merge(&next.conditions, &tell.said(), generation, at);
    next.observed_generation = generation;
    next.summary = Some(summary(None, &tell, &next));
    next
}

/// A status in which nothing is known.
pub fn empty() -> ServiceStatus {
    ServiceStatus {
        observed_generation: -1,
        conditions: Vec::new(),
        rollout: None,
        task_definitions: Vec::new(),
        service: None,
        sent: None,
        summary: None,
    }
}

/// The next status.
pub fn report(before: &ServiceStatus, pass: &Pass<'_>) -> ServiceStatus {
    let mut next = before.clone();
    let fault = judged(before, pass.outcome);
    next.sent = record::sent(before, pass);
    next.task_definitions = record::task_definitions(before, pass);
    next.service = record::service(before, pass);
    next.rollout = record::rollout(before, &next, pass, fault.as_ref());
    let tell = tell::tell(before, pass, fault.as_ref());
    next.conditions = merge(&before.conditions, &tell.said(), pass.desired.generation, pass.at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(summary(pass.wanted, &tell, &next));
    next
}

/// The fault of the effect. A refusal that is only believed the second time is terminal when it comes again.
fn judged(before: &ServiceStatus, outcome: &Outcome<Effected>) -> Option<Fault> {
    let Outcome::Failed(fault) = outcome else { return None };
    let said = before.sent.as_ref().and_then(|sent| sent.refused.as_ref());
    let again = record::is_dubious(fault) && said.is_some_and(|said| *said == record::refusal(fault));
    Some(if again {
        Fault { kind: FaultKind::Refused, remedy: Remedy::AskOperator, ..fault.clone() }
    } else {
        fault.clone()
    })
}

fn summary(wanted: Option<&Wanted>, tell: &Tell, next: &ServiceStatus) -> Summary {
    let ready = find(&next.conditions, Kind::Ready);
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
