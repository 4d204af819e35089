//! What a pass over a Release found and did. Its report is made from this.

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
    /// The state of the Release.
    pub state: &'a State,
    /// The effect that was decided; absent: none.
    pub action: Option<&'a Action>,
    /// What came of the effect.
    pub outcome: &'a Outcome<Effected>,
}
