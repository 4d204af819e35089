//! What is decided for a Service: one ECS service and its task definition.

mod assess;
pub mod change;
pub mod decide;
pub mod desired;
pub mod fargate;
pub mod observed;
pub mod rank;
pub mod record;
pub mod report;
pub mod rollout;
pub mod state;
pub mod wanted;

pub use assess::assess;
pub use decide::{Action, Effected, decide};
pub use desired::Desired;
pub use observed::{Observed, PipelineSeen};
pub use report::{refused, report};
pub use state::State;
pub use wanted::{Unresolved, Wanted, resolve};

#[cfg(test)]
mod tests;
