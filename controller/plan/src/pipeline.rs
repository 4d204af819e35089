//! What is decided for a Pipeline: which commits become Releases, and which Release holds which stage. Nothing else
//! decides that.

pub mod badge;
pub mod building;
pub mod change;
pub mod decide;
pub mod desired;
pub mod freshness;
pub mod gates;
pub mod heads;
pub mod looks;
pub mod observed;
pub mod paths;
pub mod pushed;
mod range;
pub mod record;
pub mod refs;
pub mod relevance;
pub mod report;
pub mod scan;
pub mod stages;
pub mod state;

pub use decide::{Action, Effected, decide};
pub use desired::Desired;
pub use observed::{Observed, ReleaseSeen, Sight};
pub use record::Record;
pub use report::{Pass, intended, refused, report};
pub use state::{State, assess};

#[cfg(test)]
mod tests;
