//! The next status of a Release: its record, its conditions and its columns. What is done was decided before.

mod pass;
mod record;
mod size;
mod wording;

pub use pass::Pass;
use wording::abandon;

pub use record::{LOG_LINES, empty, intended, learned};

use super::record::Record;
use crate::condition::{Answer, Statement, Truth, merge};
use crate::life::{Life, finalizer, life};
use crate::reason::ConditionType;
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::release::{Release, ReleaseStatus};

/// Whether a Release that cannot be read is let go: it is being deleted, and nothing of it runs, or a person says that what
/// runs is left alone.
pub fn lets_go(release: &Release) -> bool {
    let meta = &release.metadata;
    finalizer(meta)
        && match life(meta) {
            Life::Stays => false,
            Life::Ends => !Record::parse(release).is_at_work(),
            Life::Abandoned => true,
        }
}

/// The status of a Release of which this version does not know what it releases.
pub fn refused(release: &Release, refusal: &Refusal, at: Timestamp) -> ReleaseStatus {
    let mut next = release.status.clone().unwrap_or_else(empty);
    let generation = release.metadata.generation.unwrap_or_default();
    let (namespace, name) = (release.metadata.namespace.as_deref(), release.metadata.name.as_deref());
    let message = match life(&release.metadata) {
        Life::Stays => refusal.to_string(),
        Life::Ends | Life::Abandoned => format!(
            "{refusal}; it has builds that may run still; to delete it without stopping them: {}",
            abandon(namespace.unwrap_or_default(), name.unwrap_or_default())
        ),
    };
    let new = |kind, truth| Statement::New(Answer::new(kind, truth, refusal.reason(), &message));
    let statements = [new(ConditionType::Ready, Truth::False), new(ConditionType::Stalled, Truth::True)];
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
