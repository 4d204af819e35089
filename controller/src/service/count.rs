//! Rollouts that have ended when a Service's status was written, for the metrics. A write whose answer is lost is not counted.

use crate::context::Context;
use crate::metrics::Run;
use launchway_crds::Service;
use launchway_crds::service::{RolloutOutcome, RolloutPhase, RolloutStatus};
use launchway_plan::condition::find;
use launchway_plan::reason::ConditionType;

/// Counts a rollout that has ended between the two.
pub(super) fn count(before: &Service, written: &Service, context: &Context) {
    let (Some(before), Some(after)) = (before.status.as_ref(), written.status.as_ref()) else { return };
    let (Some(old), Some(new)) = (before.rollout.as_ref(), after.rollout.as_ref()) else { return };
    let Some(outcome) = word(new).filter(|_| word(old).is_none()) else { return };
    let end = new.ended_at.as_ref().map_or((context.clock)(), |at| at.0);
    // One that was done and is at work again, because AWS was changed by hand, began when that was seen.
    let working = find(&before.conditions, ConditionType::Reconciling).map(|working| working.last_transition_time.0);
    let began = working.map_or(new.started_at.0, |since| since.max(new.started_at.0));
    let took = end.duration_since(began).try_into().unwrap_or_default();
    context.metrics.run(Run::Rollout, outcome, took);
}

/// How it ended, if it did.
fn word(rollout: &RolloutStatus) -> Option<&'static str> {
    match (rollout.phase, rollout.outcome) {
        (RolloutPhase::Rolling | RolloutPhase::Stuck, _) => None,
        (RolloutPhase::Done, _) => Some("succeeded"),
        (RolloutPhase::Failed, Some(RolloutOutcome::RolledBack)) => Some("rolled_back"),
        (RolloutPhase::Failed, Some(RolloutOutcome::RollbackFailed)) => Some("rollback_failed"),
        (RolloutPhase::Failed, Some(RolloutOutcome::Stopped)) => Some("stopped"),
        (RolloutPhase::Failed, Some(RolloutOutcome::NeverCameUp) | None) => Some("never_came_up"),
    }
}
