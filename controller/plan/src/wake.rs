//! When a pass is to come again. How that is waited for is the controller's business.

use crate::fault::{Fault, Remedy};
use crate::refusal::Refusal;

/// When the next pass over an object is due, unless a change wakes it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At once.
    Now,
    /// After so many seconds.
    After(i64),
    /// At the next of the moments that lie so many seconds apart and are the same for all objects: looks that nothing urges
    /// then share calls.
    Every(i64),
    /// After so many seconds, when it is its turn at a budget of ours.
    Turn(i64),
    /// After the object's back-off: 1 second, doubling to 5 minutes, with jitter.
    Backoff,
    /// After the operator's back-off: 5 minutes, doubling to 30: nothing tells us that it was mended.
    Operator,
    /// When the object or something that it depends on changes.
    OnChange,
}

impl Wake {
    /// When a pass that met this fault comes again.
    pub fn of(fault: &Fault) -> Self {
        match fault.remedy {
            // A doubt is looked at after a second; one that comes back again and again must not turn hot.
            Remedy::LookAgain | Remedy::Retry => Self::Backoff,
            Remedy::Wait(seconds) => Self::Turn(seconds),
            Remedy::AskOperator => Self::Operator,
            Remedy::AskUser => Self::OnChange,
        }
    }

    /// When a pass over an object comes again whose spec was refused. A change of what refused it wakes it, but for the
    /// labels of a namespace: those are not watched.
    pub fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NamespaceNotAdmitted { .. } => Self::Operator,
            Refusal::NoAccount { .. }
            | Refusal::RegionNotListed { .. }
            | Refusal::NotAllowed { .. }
            | Refusal::Url { .. }
            | Refusal::Unknown { .. }
            | Refusal::Expectation { .. }
            | Refusal::PlanTooLarge { .. }
            | Refusal::FargateSize { .. }
            | Refusal::SeveralStages
            | Refusal::NotListed { .. }
            | Refusal::NoSuchImage { .. }
            | Refusal::Secret { .. }
            | Refusal::NoSuchBranch { .. }
            | Refusal::NoPipeline { .. } => Self::OnChange,
        }
    }

    /// When a pass that could not see what it needs comes again. A look that failed left nothing in doubt.
    pub fn of_look(fault: &Fault) -> Self {
        match fault.remedy {
            Remedy::LookAgain | Remedy::Retry => Self::Backoff,
            Remedy::Wait(seconds) => Self::Turn(seconds),
            Remedy::AskOperator | Remedy::AskUser => Self::Operator,
        }
    }
}

/// The sooner of two wakes: a time before a back-off, a back-off before a change.
pub fn sooner(a: Wake, b: Wake) -> Wake {
    let rank = |wake: Wake| match wake {
        Wake::Now => (0, 0),
        Wake::After(seconds) | Wake::Every(seconds) | Wake::Turn(seconds) => (1, seconds),
        Wake::Backoff => (2, 0),
        Wake::Operator => (3, 0),
        Wake::OnChange => (4, 0),
    };
    if rank(a) <= rank(b) { a } else { b }
}
