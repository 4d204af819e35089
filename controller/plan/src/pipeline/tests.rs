//! Decisions about Pipelines, tested with values.

mod building;
mod gating;
mod heads;
mod holding;
mod passing;
pub(super) mod rows;
mod running;
mod sizes;
mod tags;
mod unreadable;
