//! From any history of an ECS service, with replies lost and reads old, passes come to rest in finitely many steps.

use crate::condition::{MESSAGE_MAX, find};
use crate::reason::ConditionType;
use crate::samples::at;
use crate::samples::ecs::{Fate, Reply, World, adopted, service};
use crate::service::report::{Pass, report};
use crate::service::{Rollout, assess, decide};
use crate::{Outcome, Plan};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Succeeds), Just(Fate::RollsBack), Just(Fate::Stops), Just(Fate::Stalls)]
}

/// A deployment of the wanted or of another task definition, and how long after it the next thing happens.
fn event() -> impl Strategy<Value = (bool, Fate, i64)> {
    (any::<bool>(), fate(), 0..120i64)
}

fn world(history: &[(bool, Fate, i64)], fates: Vec<Fate>, lost: &[bool], lag: i64) -> World {
    let mut world = World::new(service(&json!({})));
    if !history.is_empty() {
        world.live = Some(adopted(&world, "arn:other:1"));
        world.define("arn:task-definition/inst_shop_web:1");
        let members = world.live.clone().unwrap().members;
        for (own, fate, wait) in history {
            world.deploy(
                if *own { "arn:task-definition/inst_shop_web:1" } else { "arn:other:1" },
                members.clone(),
                *fate,
            );
            world.wait(*wait);
        }
    }
    world.fates = fates;
    world.replies = lost.iter().map(|lost| if *lost { Reply::Lost } else { Reply::Comes }).collect();
    world.lag = lag;
    world
}

/// What must hold of every status.
fn is_sound(world: &World) {
    let conditions = &world.record.conditions;
    assert!(
        find(conditions, ConditionType::Reconciling).is_none() || find(conditions, ConditionType::Stalled).is_none()
    );
    assert!(conditions.iter().all(|condition| condition.message.len() <= MESSAGE_MAX));
    assert!(serde_json::to_vec(&world.record).unwrap().len() <= 32 * 1024);
}

/// What a second pass over the same world writes.
fn again(world: &World) -> launchway_crds::service::ServiceStatus {
    let (desired, wanted, observed) = (world.desired(), Ok(world.wanted()), world.observe());
    let state = assess(&desired, &wanted, &world.record(), &observed, &desired.owner("inst"));
    let Plan { action, .. } = decide(&desired, wanted.as_ref().ok(), &world.record(), &state, 600);
    assert_eq!(action, None, "{state:?}");
    let pass = Pass {
        desired: &desired,
        wanted: wanted.as_ref().ok(),
        state: &state,
        action: None,
        outcome: &Outcome::Idle,
        at: at(world.now),
    };
    report(&world.record(), &pass)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_history_leads_to_rest_with_at_most_one_rollout_asked_for(
        history in vec(event(), 0..5), fates in vec(fate(), 0..2), lost in vec(any::<bool>(), 0..6), lag in 0..25i64,
    ) {
        let mut world = world(&history, fates, &lost, lag);
        // Where reads hid a service that is there, its creation is refused: that is looked at again after five minutes.
        world.run(400);
        world.wait(300);
        for _ in 0..3 {
            let state = world.run(400);
            is_sound(&world);
            prop_assert!(matches!(state.rollout, Ok(Rollout::InSync { .. } | Rollout::Failed { .. } | Rollout::Held)), "{state:?}");
            world.wait(60);
        }
        world.run(400);
        prop_assert!(world.count("update") + world.count("create") <= 1, "{:?}", world.done);
        prop_assert!(world.count("register") <= 1);
        prop_assert_eq!(again(&world), world.record.clone());
    }

    #[test]
    fn an_edit_at_any_time_leads_to_rest_with_at_most_one_rollout_for_each_meaning(
        passes in 0..20usize, fates in vec(fate(), 0..3), lost in vec(any::<bool>(), 0..8), lag in 0..25i64,
    ) {
        let mut world = world(&[], fates, &lost, lag);
        for _ in 0..passes {
            world.pass();
            world.wait(7);
            is_sound(&world);
        }
        world.edit(&json!({"taskDefinition": {"memory": 1024}, "service": {"desiredCount": 2}}));
        for _ in 0..3 {
            world.run(400);
            is_sound(&world);
            world.wait(60);
        }
        let meanings: std::collections::BTreeSet<_> = world.done.iter().map(|(_, meaning)| meaning).collect();
        for meaning in meanings {
            let asked = world.done.iter().filter(|(what, of)| matches!(*what, "create" | "update") && of == meaning);
            prop_assert!(asked.count() <= 1, "{:?}", world.done);
        }
        prop_assert_eq!(world.live.as_ref().map(|live| live.desired), Some(2));
    }
}
