//! What a pass over a Service found and did: what its report is made from.

use crate::Outcome;
use crate::service::decide::{Action, Effected};
use crate::service::desired::Desired;
use crate::service::state::State;
use crate::service::wanted::Wanted;
use jiff::Timestamp;

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
