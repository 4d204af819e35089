//! The next status of a Release: its record, its conditions and its columns, put together. Nothing is chosen here.

mod record;
mod size;
mod tell;

pub use record::{empty, intended, learned};

use super::decide::{Action, Effected};
use super::desired::Desired;
use super::observed::Observed;
use super::state::State;
use crate::Outcome;
use crate::condition::{Answer, Said, Truth, merge};
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
    let say = |kind, truth| Said::Now(Answer::new(kind, truth, refusal.reason(), refusal.to_string()));
    let said = [say(Kind::Ready, Truth::False), say(Kind::Stalled, Truth::True)];
    next.conditions = merge(&next.conditions, &said, generation, at);
    next.observed_generation = generation;
    next
}

/// The next status.
pub fn report(before: &ReleaseStatus, pass: &Pass<'_>) -> ReleaseStatus {
    let mut next = before.clone();
    record::advance(&mut next, pass);
    let fault = record::effect(&mut next, pass);
    let tell = tell::tell(pass, fault);
    let said = tell::said(before, &next, pass, &tell);
    next.conditions = merge(&before.conditions, &said, pass.desired.generation, pass.observed.at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(tell::summary(before, pass, &tell));
    size::fit(next)
}
