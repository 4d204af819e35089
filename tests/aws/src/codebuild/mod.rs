//! CodeBuild: projects and builds that go through their phases. What a build pushes goes to `ecr`, what it says to `logs`.

use jiff::Timestamp;

use crate::{Answer, Call, Refusal, World};

/// The projects and builds of one account and region.
#[derive(Clone, Debug, Default)]
pub struct CodeBuildState {}

impl CodeBuildState {
    /// When the next state machine moves.
    pub fn next_event(&self) -> Option<Timestamp> {
        None
    }
}

/// Answers one operation.
pub fn answer(_world: &mut World, call: &Call) -> Answer {
    Err(Refusal::unknown_operation(&call.operation))
}

/// Brings every build to `now`; it is never called with a time before an earlier one.
pub fn advance(_world: &mut World, _now: Timestamp) {}
