//! What earlier passes wrote into a Pipeline's status. Nothing here is guessed.

use super::observed::ReleaseSeen;
use crate::condition::find;
use crate::reason::{ConditionType, Reason};
use crate::target::was_proved;
use jiff::Timestamp;
use launchway_crds::condition::Condition;
use launchway_crds::name::Uid;
use launchway_crds::pipeline::{Head, Pipeline, PipelineStatus, StageStatus, Summary, Superseded};

/// What earlier passes wrote down. If it is lost, the heads, and the grants under which Releases entered stages, are
/// found again in the Releases.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(PipelineStatus);

impl Record {
    /// The record of a Pipeline. It is empty if the Pipeline was never looked at or its status was wiped.
    pub fn parse(pipeline: &Pipeline) -> Self {
        pipeline.status.clone().map_or_else(Self::empty, Self)
    }

    /// An empty record.
    pub fn empty() -> Self {
        Self(PipelineStatus {
            observed_generation: -1,
            conditions: Vec::new(),
            heads: Vec::new(),
            passed_over: Vec::new(),
            making: None,
            made: Vec::new(),
            released: Vec::new(),
            stages: Vec::new(),
            building: Vec::new(),
            superseded: Vec::new(),
            webhook_at: None,
            summary: None,
        })
    }

    /// The status of the last pass, which the next one is made from.
    pub fn status(&self) -> &PipelineStatus {
        &self.0
    }

    /// The recorded head of that branch.
    pub fn head(&self, of: &str) -> Option<&Head> {
        self.0.heads.iter().find(|head| *head.of == *of)
    }

    /// The recorded heads.
    pub fn heads(&self) -> &[Head] {
        &self.0.heads
    }

    /// The head that a Release was about to be made of.
    pub fn making(&self) -> Option<&Head> {
        self.0.making.as_ref()
    }

    /// The UIDs of the Releases that the Pipeline made, as far as they are recorded.
    pub fn made(&self) -> &[Uid] {
        &self.0.made
    }

    /// Whether it is recorded that the Pipeline made the Release of that UID.
    pub fn has_made(&self, uid: &str) -> bool {
        self.0.made.iter().any(|one| **one == *uid)
    }

    /// The highest recorded number of a Release; 0: none is recorded.
    pub fn number(&self) -> i64 {
        self.0.heads.iter().map(|head| head.number).max().unwrap_or(0)
    }

    /// What is recorded of that stage.
    pub fn stage(&self, name: &str) -> Option<&StageStatus> {
        self.0.stages.iter().find(|stage| *stage.name == *name)
    }

    /// The Releases that were superseded in an earlier pass and are still at work.
    pub fn told<'a>(&'a self, active: &'a [&ReleaseSeen]) -> impl Iterator<Item = &'a Superseded> {
        self.0.superseded.iter().filter(|one| active.iter().any(|release| *one.release == *release.name))
    }

    /// Whether the Release was proved in the last stage, although its own status, which was wiped, says nothing of it.
    pub fn has_succeeded(&self, release: &ReleaseSeen, last: &str) -> bool {
        let verified = self.stage(last).and_then(|stage| stage.verified.as_ref());
        let proved = |verified| was_proved(verified, &release.name, &release.commit, release.created);
        !release.begun && verified.is_some_and(proved)
    }

    /// Whether the Release of that name may be checked and built.
    pub fn may_build(&self, release: &str) -> bool {
        self.0.building.iter().any(|one| **one == *release)
    }

    /// The names of the Releases that hold a stage, are being built or were superseded, according to the record.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let holders = self.0.stages.iter().filter_map(|stage| stage.grant.as_ref()).map(|grant| grant.release.as_str());
        let superseded = self.0.superseded.iter().map(|one| one.release.as_str());
        holders.chain(superseded).chain(self.0.building.iter().map(|one| one.as_str()))
    }

    /// The recorded condition of that type.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        find(&self.0.conditions, kind)
    }

    /// Since when the Pipeline has been held for this reason; absent: it is not held for it.
    pub fn held_since(&self, reason: Reason) -> Option<Timestamp> {
        let held = self.condition(ConditionType::Held).filter(|held| held.reason == reason.as_str())?;
        Some(held.last_transition_time.0)
    }

    /// What the columns show; absent: nothing yet.
    pub fn summary(&self) -> Option<&Summary> {
        self.0.summary.as_ref()
    }
}
