//! What a pass over a Release found and did: what its report is made from.

use crate::Outcome;
use crate::release::decide::{Action, Effected};
use crate::release::desired::Desired;
use crate::release::observed::Observed;
use crate::release::state::State;

/// What a pass over a Release found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What was seen.
    pub observed: &'a Observed,
    /// Where it stood.
    pub state: &'a State,
    /// What was done.
    pub action: Option<&'a Action>,
    /// What came of it.
    pub outcome: &'a Outcome<Effected>,
}
