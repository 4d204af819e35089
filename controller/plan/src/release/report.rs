//! The next status of a Release: its record, its conditions and its columns. Nothing is decided here.

mod pass;
mod record;
mod size;
mod wording;

pub use pass::Pass;
use wording::abandon;

pub use record::{LOG_LINES, empty, intended, learned};

use super::looks::is_first;
use super::record::Record;
use super::state::Course;
use crate::condition::{Answer, Statement, Truth, merge};
use crate::life::{Life, finalizer, life};
use crate::look::Looked;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::release::{Release, ReleaseStatus};

/// Whether the finalizer of a Release that this version cannot read is removed: the Release is being deleted, and no
/// build of it runs, or a person has said to leave its builds alone.
pub fn lets_go(release: &Release) -> bool {
    let meta = &release.metadata;
    finalizer(meta)
        && match life(meta) {
            Life::Stays => false,
            Life::Ends => !Record::parse(release).is_at_work(),
            Life::Abandoned => true,
        }
}

/// The status of a Release that this version cannot read.
pub fn refused(release: &Release, refusal: &Refusal, at: Timestamp) -> ReleaseStatus {
    let mut next = release.status.clone().unwrap_or_else(empty);
    let generation = release.metadata.generation.unwrap_or_default();
    let (namespace, name) = (release.metadata.namespace.as_deref(), release.metadata.name.as_deref());
    let message = match life(&release.metadata) {
        Life::Stays => refusal.to_string(),
        Life::Ends | Life::Abandoned => format!(
            "{refusal}; builds of this Release may still be running; to delete it and leave them alone: {}",
            abandon(namespace.unwrap_or_default(), name.unwrap_or_default())
        ),
    };
    let new = |kind, truth| Statement::New(Answer::new(kind, truth, refusal.reason(), &message));
    let statements = [new(ConditionType::Ready, Truth::False), new(ConditionType::Stalled, Truth::True)];
    next.conditions = merge(&next.conditions, &statements, generation, at);
    next.observed_generation = generation;
    next
}

/// What a pass has to say that no condition expresses: the first image of the Pipeline is recorded, and tags of its repository
/// can be moved.
pub fn warning(pass: &Pass<'_>) -> Option<(Reason, String)> {
    let is_mutable = |(_, immutable): &(&String, &Looked<bool>)| **immutable == Looked::Seen(false);
    let mutable = pass.observed.immutable.iter().filter(is_mutable).map(|(repository, _)| repository.as_str());
    let mutable: Vec<&str> = mutable.collect();
    let first = *mutable.first()?;
    let says = matches!(pass.state.course, Course::Built(_)) && is_first(pass.observed);
    says.then(|| {
        let note = format!(
            "tags of the ECR repository {} can be moved, so that the image of a commit can become another one: set its tag mutability to IMMUTABLE (aws ecr put-image-tag-mutability --repository-name {first} --image-tag-mutability IMMUTABLE)",
            mutable.join(" and ")
        );
        (Reason::MutableRepository, note)
    })
}

/// The next status of a Release.
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
