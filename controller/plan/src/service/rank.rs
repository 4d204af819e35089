//! How much a Service's calls to AWS matter.

use super::decide::Action;
use super::wanted::Wanted;
use crate::rank::Rank;
use launchway_crds::service::{RolloutPhase, RolloutStatus, ServiceStatus};

/// The rank of a pass's looks: idle if the last rollout has ended and was of what is wanted now.
pub fn of_looks(wanted: &Wanted, record: &ServiceStatus) -> Rank {
    match &record.rollout {
        Some(rollout) if is_over(rollout) && is_of(rollout, wanted) => Rank::Look,
        Some(_) | None => Rank::Rollout,
    }
}

fn is_over(rollout: &RolloutStatus) -> bool {
    match rollout.phase {
        RolloutPhase::Rolling => false,
        RolloutPhase::Done | RolloutPhase::Failed | RolloutPhase::Stuck => true,
    }
}

fn is_of(rollout: &RolloutStatus, wanted: &Wanted) -> bool {
    rollout.meaning == wanted.meaning && rollout.grant == wanted.grant
}

/// The rank of an effect.
pub fn of_action(action: &Action) -> Rank {
    match action {
        Action::Register { .. } | Action::Create(_) | Action::Update(_) | Action::Delete { .. } => Rank::Rollout,
        Action::Guard | Action::Unguard => Rank::Rollout,
        Action::Adjust(_) | Action::Tag { .. } => Rank::Chore,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::ecs::{World, service};
    use serde_json::json;

    #[test]
    fn looks_are_idle_while_a_service_runs_what_it_should_and_a_rollouts_otherwise() {
        let mut world = World::new(service(&json!({})));
        let rank = |world: &World| of_looks(&world.wanted(), &world.record);
        assert_eq!(rank(&world), Rank::Rollout);
        world.run(40);
        assert_eq!(rank(&world), Rank::Look);
        world.edit(&json!({"taskDefinition": {"memory": 1024}}));
        assert_eq!(rank(&world), Rank::Rollout);
    }
}
