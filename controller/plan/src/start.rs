//! Calls that start something in AWS that has no natural name: how one is made, and what an unanswered one comes to.
//!
//! An [`Intent`] is written before the call. Whoever finds one in a status does not know whether the call was made, so
//! it looks in AWS first and [`doubt`] says what follows (docs/effects.md, "StartBuild in doubt"). There is one file for
//! each thing that is started, each with its times, its request, how it stands, and its words. No call is made here.

pub mod build;
mod doubt;
mod intent;

pub use doubt::{Doubt, Sight, Times, doubt, repeatable};
pub use intent::{Attempt, Call, Intent};

#[cfg(test)]
mod tests;
