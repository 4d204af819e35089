//! A new version of Launchway rolls nothing, and what was held stays held (law 11).

use crate::samples::ecs::{Fate, World, service};
use crate::service::wanted::MEANING_TAG;
use crate::service::{Record, Rollout};
use launchway_crds::service::RolloutPhase;
use serde_json::json;

/// The world as a version left it whose meanings cannot be compared with ours.
fn of_another_version(mut world: World) -> World {
    let foreign = |meaning: &str| format!("v0-{}", &meaning[3..]);
    for one in world.definitions.values_mut() {
        let tag = one.tags.get_mut(MEANING_TAG).unwrap();
        *tag = foreign(tag);
    }
    for one in &mut world.record.task_definitions {
        one.meaning = foreign(&one.meaning);
    }
    let rollout = world.record.rollout.as_mut().unwrap();
    rollout.meaning = foreign(&rollout.meaning);
    world.done.clear();
    world.wait(60);
    world
}

#[test]
fn what_another_version_rolled_out_is_taken_over_as_it_is() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    let mut world = of_another_version(world);
    assert!(matches!(world.run(10).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.done, Vec::new());
    assert_eq!(world.record.rollout.as_ref().unwrap().meaning, world.wanted().meaning.to_string());
}

#[test]
fn what_another_version_held_stays_held_and_a_retry_rolls_it() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack];
    world.run(60);
    let mut world = of_another_version(world);
    assert_eq!(world.run(10).rollout, Ok(Rollout::Held));
    assert_eq!(world.done, Vec::new());
    assert_eq!(world.record.rollout.as_ref().unwrap().phase, RolloutPhase::Failed);
    world.edit(&json!({"rollout": {"retry": "again"}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("register"), world.count("update")), (0, 1));
}

#[test]
fn a_wiped_status_is_rebuilt_from_what_another_version_registered() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    let mut world = of_another_version(world);
    world.record = Record::empty().status().clone();
    assert!(matches!(world.run(10).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("register"), world.count("update")), (0, 0));
}

#[test]
fn what_another_version_recorded_is_found_behind_what_somebody_registered_since() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    let mut world = of_another_version(world);
    let mut newer = world.definitions[&0].clone();
    newer.arn = newer.arn.replace(":1", ":2");
    newer.members.insert("memory".to_owned(), json!("8192"));
    newer.tags.clear();
    world.definitions.insert(1, newer);
    assert!(matches!(world.run(10).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.done, Vec::new());
}

#[test]
fn an_edit_in_the_same_moment_is_rolled_once() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    let mut world = of_another_version(world);
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("register"), world.count("update")), (1, 1));
}

/// The world as a version left it that joined the names of a family by hyphens.
fn of_the_old_family() -> World {
    let mut world = World::new(service(&json!({"taskDefinition": {"family": "inst-shop-web"}})));
    world.run(60);
    world.edit(&json!({"taskDefinition": {"family": null}}));
    world.done.clear();
    world.wait(60);
    world
}

#[test]
fn a_service_stays_in_the_family_that_it_runs_in() {
    for is_wiped in [false, true] {
        let mut world = of_the_old_family();
        if is_wiped {
            world.record = Record::empty().status().clone();
        }
        assert_eq!(world.wanted().family, "inst-shop-web");
        world.run(10);
        assert_eq!((world.count("register"), world.count("update")), (0, 0), "{is_wiped}");
        world.edit(&json!({"taskDefinition": {"memory": 1024}}));
        world.run(60);
        assert_eq!((world.count("register"), world.count("update")), (1, 1), "{is_wiped}");
        assert!(world.live.as_ref().unwrap().task_definition.contains("/inst-shop-web:"));
    }
}

#[test]
fn a_status_that_names_the_old_family_chooses_it_for_no_service_that_runs_elsewhere() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    let text = serde_json::to_string(&world.record).unwrap().replace("inst_shop_web", "inst-shop-web");
    world.record = serde_json::from_str(&text).unwrap();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.run(60);
    assert!(world.live.as_ref().unwrap().task_definition.contains("/inst_shop_web:"));
}
