//! When the next pass over an object is due. The controller turns it into a delay.

use crate::fault::{Fault, Remedy};
use crate::refusal::Refusal;

/// When the next pass over an object is due, unless a change wakes it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At once.
    Now,
    /// After so many seconds.
    After(i64),
    /// At the next multiple of so many seconds, the same for all objects, so that idle looks share calls.
    Every(i64),
    /// After so many seconds, when our own budget has a token for it.
    Turn(i64),
    /// After the object's back-off: 1 second, doubling to 5 minutes, with jitter.
    Backoff,
    /// After the operator's back-off: 5 minutes, doubling to 30, because nothing tells us when it is fixed.
    Operator,
    /// When the object or something that it depends on changes.
    OnChange,
}

impl Wake {
    /// When the next pass is due after this fault.
    pub fn of(fault: &Fault) -> Self {
        match fault.remedy {
            // A doubt is looked at after a second, but must not spin if it comes back again and again.
            Remedy::LookAgain | Remedy::Retry => Self::Backoff,
            Remedy::Wait(seconds) => Self::Turn(seconds),
            // What a person changes is tried at once, in the middle of the back-off too.
            Remedy::AskOperator | Remedy::AskUser => Self::Operator,
        }
    }

    /// When the next pass is due after the spec was refused. A change of what refused it wakes the object, except for a
    /// namespace's labels and for projects, which are not watched.
    pub fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NamespaceNotAdmitted { .. } | Refusal::Project { .. } | Refusal::Artifact { .. } => Self::Operator,
            Refusal::NoAccount { .. }
            | Refusal::RegionNotListed { .. }
            | Refusal::NotAllowed { .. }
            | Refusal::TagKey { .. }
            | Refusal::Commit { .. }
            | Refusal::Url { .. }
            | Refusal::Unknown { .. }
            | Refusal::Expectation { .. }
            | Refusal::PlanTooLarge { .. }
            | Refusal::FargateSize { .. }
            | Refusal::NotDriven { .. }
            | Refusal::SeveralStages
            | Refusal::NotListed { .. }
            | Refusal::NoSuchImage { .. }
            | Refusal::Secret { .. }
            | Refusal::NoSuchBranch { .. }
            | Refusal::NoObjects { .. }
            | Refusal::NoPipeline { .. }
            | Refusal::Range { .. }
            | Refusal::Value { .. }
            | Refusal::NotMade { .. } => Self::OnChange,
        }
    }

    /// When the next pass is due after a look failed. Nothing is in doubt then.
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
