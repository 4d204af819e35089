//! How much a Service's calls to AWS matter.

use super::decide::Action;
use super::record::Record;
use super::wanted::Wanted;
use crate::rank::Rank;
use launchway_crds::pipeline::GrantReason;
use launchway_crds::service::{RolloutPhase, RolloutStatus};

/// How much what a pass looks at matters: a Service whose rollout has ended, and that should run nothing else, has time.
/// What is being deleted has none.
pub fn of_looks(wanted: Option<&Wanted>, record: &Record) -> Rank {
    match (record.rollout(), wanted) {
        (Some(rollout), Some(wanted)) if is_over(rollout) && is_of(rollout, wanted) => Rank::Look,
        (_, Some(wanted)) if wanted.reason == Some(GrantReason::Rollback) => Rank::Rollback,
        (_, _) => Rank::Rollout,
    }
}

fn is_over(rollout: &RolloutStatus) -> bool {
    match rollout.phase {
        RolloutPhase::Rolling => false,
        RolloutPhase::Done | RolloutPhase::Failed | RolloutPhase::Stuck => true,
    }
}

fn is_of(rollout: &RolloutStatus, wanted: &Wanted) -> bool {
    rollout.meaning == wanted.meaning.to_string() && rollout.grant == wanted.grant
}

/// The rank of an effect. What the stage goes back to comes before what others go forward to.
pub fn of_action(wanted: Option<&Wanted>, action: &Action) -> Rank {
    let goes_back = wanted.is_some_and(|wanted| wanted.reason == Some(GrantReason::Rollback));
    match action {
        Action::Register(_) | Action::Create(_) | Action::Update(_) if goes_back => Rank::Rollback,
        Action::Register(_) | Action::Create(_) | Action::Update(_) | Action::Scale(_) | Action::Delete { .. } => {
            Rank::Rollout
        }
        Action::Guard | Action::Unguard => Rank::Rollout,
        Action::Adjust(_) | Action::Tag(_) => Rank::Chore,
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
        let rank = |world: &World| of_looks(Some(&world.wanted()), &world.record());
        assert_eq!(rank(&world), Rank::Rollout);
        world.run(40);
        assert_eq!(rank(&world), Rank::Look);
        world.edit(&json!({"taskDefinition": {"memory": 1024}}));
        assert_eq!(rank(&world), Rank::Rollout);
    }
}
