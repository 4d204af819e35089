//! Calls that start something in AWS that has no name of its own: what is written down before such a call, and what
//! follows when its answer is not known.
//!
//! An [`Intent`] is written before the call. A pass that finds an intent in a status does not know whether the call was
//! made. So it looks in AWS first, and [`doubt`] decides what follows from what it sees (docs/effects.md, "StartBuild
//! in doubt"). Each kind of thing that can be started has a file of its own, with its times, its request, its states
//! and its messages. No call is made here.

pub mod build;
mod doubt;
mod intent;

pub use doubt::{Doubt, Sight, Times, doubt, repeatable};
pub use intent::{Attempt, Call, Intent};

#[cfg(test)]
mod tests;
