//! What a Pipeline's own status says of earlier passes, and nothing that is guessed.

use super::observed::ReleaseSeen;
use crate::condition::find;
use crate::reason::{ConditionType, Reason};
use jiff::Timestamp;
use launchway_crds::condition::Condition;
use launchway_crds::pipeline::{Head, Pipeline, PipelineStatus, StageStatus, Summary, Superseded};

/// What earlier passes wrote down. Everything in it can be found again in the Releases.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(PipelineStatus);

impl Record {
    /// The record of a Pipeline. One that was never looked at, or whose status was wiped, has an empty one.
    pub fn parse(pipeline: &Pipeline) -> Self {
        pipeline.status.clone().map_or_else(Self::empty, Self)
    }

    /// A record in which nothing is known.
    pub fn empty() -> Self {
        Self(PipelineStatus {
            observed_generation: -1,
            conditions: Vec::new(),
            heads: Vec::new(),
            stages: Vec::new(),
            building: Vec::new(),
            superseded: Vec::new(),
            summary: None,
        })
    }

    /// The status that the next one is made from.
    pub fn status(&self) -> &PipelineStatus {
        &self.0
    }

    /// The head of that branch.
    pub fn head(&self, of: &str) -> Option<&Head> {
        self.0.heads.iter().find(|head| *head.of == *of)
    }

    /// The heads.
    pub fn heads(&self) -> &[Head] {
        &self.0.heads
    }

    /// The highest number of a Release that is recorded; 0: none is.
    pub fn number(&self) -> i64 {
        self.0.heads.iter().map(|head| head.number).max().unwrap_or(0)
    }

    /// The stage of that name.
    pub fn stage(&self, name: &str) -> Option<&StageStatus> {
        self.0.stages.iter().find(|stage| *stage.name == *name)
    }

    /// Those that were told to give way, of the Releases that are still at work.
    pub fn told<'a>(&'a self, active: &'a [&ReleaseSeen]) -> impl Iterator<Item = &'a Superseded> {
        self.0.superseded.iter().filter(|one| active.iter().any(|release| *one.release == *release.name))
    }

    /// Whether the Release of that name may be checked and built.
    pub fn may_build(&self, release: &str) -> bool {
        self.0.building.iter().any(|one| **one == *release)
    }

    /// The names of Releases that the record speaks of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let holders = self.0.stages.iter().filter_map(|stage| stage.grant.as_ref()).map(|grant| grant.release.as_str());
        let superseded = self.0.superseded.iter().map(|one| one.release.as_str());
        holders.chain(superseded).chain(self.0.building.iter().map(|one| one.as_str()))
    }

    /// The condition of that type.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        find(&self.0.conditions, kind)
    }

    /// Since when it has been held for that reason; absent: it is not.
    pub fn held_since(&self, reason: Reason) -> Option<Timestamp> {
        let held = self.condition(ConditionType::Held).filter(|held| held.reason == reason.as_str())?;
        Some(held.last_transition_time.0)
    }

    /// What the columns show; absent: nothing yet.
    pub fn summary(&self) -> Option<&Summary> {
        self.0.summary.as_ref()
    }
}
