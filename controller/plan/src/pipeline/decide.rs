//! What to do about a Pipeline: at most one effect on its Releases, and when the next pass is due.

use super::desired::Desired;
use super::freshness::slowest;
use super::heads::Turn;
use super::observed::Observed;
use super::state::{Course, State};
use crate::Plan;
use crate::life::Life;
use crate::wake::{Wake, sooner};
use launchway_crds::name::Uid;
use launchway_crds::pipeline::Head;

/// One effect, with all that is needed to carry it out.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Writes down the head, then creates its Release.
    Release(Head),
    /// Deletes an ended Release that is no longer kept.
    Forget(String),
}

/// What is recorded of an effect that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub enum Effected {
    /// There is a Release of this head: this pass created it, or an earlier one whose answer was lost.
    Released {
        /// Its head.
        head: Head,
        /// Its UID.
        uid: Uid,
    },
    /// The name is taken by something else. The next number is tried.
    Taken(Head),
    /// Nothing.
    Plain,
}

/// What to do about the Pipeline, and when the next pass is due.
pub fn decide(desired: &Desired, observed: &Observed, state: &State) -> Plan<Action> {
    if desired.life != Life::Stays {
        return Plan::rest(Wake::OnChange);
    }
    match (&state.turn, &state.surplus) {
        (Turn::New(head), _) => Plan::act(Action::Release(head.clone())),
        (Turn::Adopted(..), _) => Plan::rest(Wake::Now),
        (Turn::Same | Turn::PassedOver(_), Some(name)) => Plan::act(Action::Forget(name.clone())),
        (Turn::Same | Turn::PassedOver(_), None) => {
            Plan::rest(sooner(wake(desired, observed, state), state.holding.wake(observed.at)))
        }
    }
}

fn wake(desired: &Desired, observed: &Observed, state: &State) -> Wake {
    match &state.course {
        Course::Refused(refusal) => return Wake::of_refusal(refusal),
        Course::Held(_) if desired.suspended => return Wake::OnChange,
        Course::Held(_)
        | Course::Nothing
        | Course::AtWork(_)
        | Course::Stuck(_)
        | Course::Failed(_)
        | Course::Released(_)
        | Course::Unreached { .. }
        | Course::Adrift { .. }
        | Course::Gone { .. } => {}
    }
    // Nothing tells us when a Secret, a credential, a branch or a repository has been corrected.
    let interval = desired.source.interval();
    let due = observed.next_poll.map_or(interval, |next| next.duration_since(observed.at).as_secs());
    Wake::After(due.clamp(1, slowest(interval).max(1)))
}
