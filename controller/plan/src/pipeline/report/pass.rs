//! What a report is made from.

use crate::Outcome;
use crate::pipeline::decide::Effected;
use crate::pipeline::desired::Desired;
use crate::pipeline::observed::Observed;
use crate::pipeline::state::State;

/// What a pass over a Pipeline found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What was seen.
    pub observed: &'a Observed,
    /// The state of the Pipeline.
    pub state: &'a State,
    /// What came of the effect.
    pub outcome: &'a Outcome<Effected>,
}
