//! The next status of a Release: its record, its conditions and its columns. What is done was decided before.

mod record;
mod size;
mod wording;

pub use record::{empty, intended, learned};

use super::decide::{Action, Effected};
use super::desired::Desired;
use super::observed::Observed;
use super::state::State;
use crate::Outcome;
use crate::condition::merge;
use launchway_crds::release::ReleaseStatus;

/// How many lines of a failed build's log are shown.
pub const LOG_LINES: usize = 20;

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

/// The next status.
pub fn report(before: &ReleaseStatus, pass: &Pass<'_>) -> ReleaseStatus {
    let mut next = before.clone();
    record::advance(&mut next, pass);
    let fault = record::effect(&mut next, pass);
    let wording = wording::wording(pass, fault);
    let statements = wording::statements(before, &next, pass, &wording);
    next.conditions = merge(&before.conditions, &statements, pass.desired.generation, pass.observed.at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(wording::summary(before, pass, &wording));
    size::fit(next)
}
