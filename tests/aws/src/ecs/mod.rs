//! ECS.

use jiff::Timestamp;

use crate::{Answer, Call, Refusal, World};

/// The clusters, task definitions, services and tasks of one account and region.
#[derive(Clone, Debug, Default)]
pub struct EcsState {}

impl EcsState {
    /// When the next state machine moves.
    pub fn next_event(&self) -> Option<Timestamp> {
        None
    }
}

/// Answers one operation.
pub fn answer(_world: &mut World, call: &Call) -> Answer {
    Err(Refusal::unknown_operation(&call.operation))
}

/// Brings everything to `now`.
pub fn advance(_world: &mut World, _now: Timestamp) {}
