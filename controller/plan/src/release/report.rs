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
use crate::condition::{Answer, Statement, Truth, merge};
use crate::reason::Kind;
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::release::{Release, ReleaseStatus};

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

/// The status of a Release of which this version does not know what it releases.
pub fn refused(release: &Release, refusal: &Refusal, at: Timestamp) -> ReleaseStatus {
    let mut next = release.status.clone().unwrap_or_else(empty);
    let generation = release.metadata.generation.unwrap_or_default();
    let new = |kind, truth| Statement::New(Answer::new(kind, truth, refusal.reason(), refusal.to_string()));
    let statements = [new(Kind::Ready, Truth::False), new(Kind::Stalled, Truth::True)];
    next.conditions = merge(&next.conditions, &statements, generation, at);
    next.observed_generation = generation;
    next
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
