//! What Launchway decides: pure functions from what is wanted and seen to at most one action. No client, no SDK, no
//! async, no clock but `Observed.at`.
//!
//! ```text
//! Desired::parse → Record → (observed elsewhere) → assess → State → decide → Plan → (acted elsewhere) → report
//! ```
//!
//! One folder a kind; each has the same files: `desired` (the spec, parsed), `observed` (what a pass saw), `state`
//! (where the object stands), `decide` (at most one action, and when to come back), `report` (the next status).

pub mod account;
pub mod address;
pub mod allow;
pub mod condition;
pub mod fault;
#[cfg(test)]
mod fuzz;
pub mod hash;
pub mod image;
pub mod life;
pub mod log;
pub mod look;
pub mod moment;
pub mod partition;
pub mod pipeline;
pub mod rank;
pub mod reason;
pub mod refusal;
pub mod release;
#[cfg(test)]
mod samples;
pub mod secret;
pub mod service;
pub mod start;
pub mod tag;
pub mod target;
pub mod wake;
pub mod world;

/// What a pass does and when the next one is due.
#[must_use = "a plan that is not carried out changes nothing"]
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<A> {
    /// At most one effect, with every argument.
    pub action: Option<A>,
    /// When to come back, if the action (or its absence) leaves nothing else to say.
    pub wake: wake::Wake,
}

impl<A> Plan<A> {
    /// An effect; the next pass follows at once.
    pub fn act(action: A) -> Self {
        Self { action: Some(action), wake: wake::Wake::Now }
    }

    /// No effect.
    pub fn rest(wake: wake::Wake) -> Self {
        Self { action: None, wake }
    }
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T> {
    /// There was nothing to do.
    Idle,
    /// It was done, and this came back.
    Done(T),
    /// It was refused, not sent, or its answer is not known: the fault says which.
    Failed(fault::Fault),
}

impl<T> Outcome<T> {
    /// When the next pass is due, where `planned` is right if nothing failed.
    pub fn wake(&self, planned: wake::Wake) -> wake::Wake {
        match self {
            Self::Idle | Self::Done(_) => planned,
            Self::Failed(fault) => wake::Wake::of(fault),
        }
    }
}
