//! What is decided for a Service: one ECS service and its task definition.

mod assess;
pub mod bounds;
pub mod canonical;
pub mod change;
mod chores;
pub mod decide;
pub mod desired;
pub mod fargate;
mod host;
pub mod looks;
pub mod meaning;
pub mod members;
pub mod observed;
pub mod rank;
pub mod record;
pub mod report;
pub mod rollout;
pub mod state;
pub mod tasks;
pub mod wanted;

pub use assess::assess;
pub use decide::{Action, Effected, decide};
pub use desired::Desired;
pub use meaning::Meaning;
pub use observed::{Observed, PipelineSeen};
pub use record::Record;
pub use report::report;
pub use state::{Blocker, Chore, Guard, Rollout, State};
pub use wanted::{Unresolved, Wanted, reach, resolve};

use crate::condition::is_true;
use crate::reason::ConditionType;
use crate::wake::Wake;
use crate::{Outcome, Plan};
use launchway_crds::service::ServiceStatus;

/// What a pass makes of what it saw, before it does anything.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is to be run, or why that is not known.
    pub wanted: Result<Wanted, Unresolved>,
    /// The record, in the meanings of this version.
    pub record: Record,
    /// Where the Service stands.
    pub state: State,
    /// What is done about it.
    pub plan: Plan<Action>,
}

impl Judged {
    /// When the next pass is due, after what was decided had that outcome. What AWS refuses beside a rollout does not keep
    /// anybody from following the rollout.
    pub fn wake<T>(&self, outcome: &Outcome<T>, next: &ServiceStatus, resync: i64) -> Wake {
        let Outcome::Failed(fault) = outcome else { return self.plan.wake };
        let is_stalled = is_true(&next.conditions, ConditionType::Stalled);
        match &self.state.rollout {
            Ok(rollout) if !self.state.chores().is_empty() && (fault.is_terminal() || is_stalled) => {
                decide::rest(rollout, resync)
            }
            // A refusal that was believed the second time has become the operator's, although AWS's answer alone was a doubt.
            Ok(_) | Err(_) if fault.is_doubt() && is_stalled => Wake::Operator,
            Ok(_) | Err(_) => Wake::of(fault),
        }
    }
}

/// What is made of what a pass saw. `resync` is how often a service that needs nothing is looked at, in seconds.
pub fn judge(desired: &Desired, record: &Record, observed: &Observed, installation: &str, resync: i64) -> Judged {
    let wanted = resolve(desired, record.registered(), observed, installation);
    let record = match &wanted {
        Ok(wanted) => record.translated(
            desired,
            wanted,
            looks::task_definition(wanted, observed).seen().and_then(Option::as_deref),
        ),
        Err(_) => record.clone(),
    };
    let state = assess(desired, &wanted, &record, observed, &desired.owner(installation));
    let plan = decide(desired, wanted.as_ref().ok(), &record, &state, resync);
    Judged { wanted, record, state, plan }
}

#[cfg(test)]
mod tests;
