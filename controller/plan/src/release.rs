//! What is decided for a Release: the checks of one commit, the build of its image, and its stages.

pub mod commit_status;
pub mod crowd;
pub mod decide;
pub mod desired;
pub mod expect;
mod imageless;
pub mod looks;
pub mod observed;
mod opening;
pub mod origin;
pub mod rank;
pub mod record;
pub mod report;
pub mod required_statuses;
mod scan;
pub mod stages;
pub mod state;
pub mod steps;
pub mod told;
pub mod values;

pub use decide::{Action, Effected, Stop, added, decide, due};
pub use desired::Desired;
pub use looks::{Look, looks, more};
pub use observed::{BuildSeen, Observed, PipelineFacts};
pub use record::Record;
pub use report::{Pass, refused, report};
pub use state::{State, assess};

/// The name of the step that builds the image.
pub const BUILD: &str = "build";

#[cfg(test)]
mod tests;
