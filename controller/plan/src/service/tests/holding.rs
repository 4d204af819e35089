//! A suspended Pipeline holds every rollout of its Services.

use crate::condition::{find, is_true};
use crate::reason::{ConditionType, Reason};
use crate::samples::ecs::{Fate, World, follower, pipeline};
use crate::service::{Blocker, Rollout};
use serde_json::json;

fn suspend(world: &mut World, suspend: bool) {
    world.pipeline.as_mut().unwrap().found.as_mut().unwrap().0.suspend = suspend;
}

fn running() -> World {
    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(Some(5)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    world
}

#[test]
fn a_suspended_pipeline_holds_an_edit_of_a_service_until_it_continues() {
    let mut world = running();
    suspend(&mut world, true);
    world.run(60);
    assert!(is_true(&world.record.conditions, ConditionType::Ready), "nothing is due");
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    let state = world.run(60);
    assert!(matches!(state.rollout, Err(Blocker::Suspended { .. })), "{state:?}");
    assert_eq!((world.count("register"), world.count("update")), (1, 0));
    let held = find(&world.record.conditions, ConditionType::Held).unwrap();
    assert_eq!((&*held.status, &*held.reason), ("True", Reason::Suspended.as_str()));
    assert!(held.message.contains("kubectl -n shop patch lwp web"), "{}", held.message);
    suspend(&mut world, false);
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("register"), world.count("update")), (2, 1));
    assert!(find(&world.record.conditions, ConditionType::Held).is_none());
}

#[test]
fn what_a_person_rolls_back_by_hand_meanwhile_is_not_undone_before_it_continues() {
    let mut world = running();
    suspend(&mut world, true);
    let members = world.live.as_ref().unwrap().members.clone();
    world.deploy("arn:task-definition/an-older-one:1", members, Fate::Succeeds);
    world.wait(700);
    let state = world.run(60);
    assert_eq!(world.count("update"), 0, "{state:?}");
    assert!(!is_true(&world.record.conditions, ConditionType::Ready), "and it is not said to run what it should");
}

#[test]
fn a_service_whose_pipeline_was_deleted_says_so_and_goes_on_when_it_is_made_again() {
    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(Some(5)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    let there = world.pipeline.clone();
    world.pipeline.as_mut().unwrap().found = None;
    world.pass();
    let ready = find(&world.record.conditions, ConditionType::Ready).unwrap();
    assert_eq!((&*ready.status, &*ready.reason), ("False", "NoPipeline"), "{}", ready.message);
    assert!(ready.message.contains("was deleted") && ready.message.contains("goes on running"), "{}", ready.message);
    world.pipeline = there;
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.count("update") + world.count("create"), 1, "{:?}", world.count("update"));
}
