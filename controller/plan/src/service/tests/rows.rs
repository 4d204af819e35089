//! The Service's rows of the table in docs/conditions.md, as statuses: written to `tests/rows`, where what reads statuses
//! is tested with them.

use crate::fault::Remedy;
use crate::look::Looked;
use crate::samples::ecs::{Fate, World, follower, pipeline, service};
use crate::samples::fault;
use crate::service::Rollout;
use serde_json::json;

/// Compares the object with the one that is written down.
macro_rules! row {
    ($name:literal, $world:expr) => {{
        let mut object = $world.service.clone();
        object.status = Some($world.record.clone());
        insta::with_settings!({snapshot_path => "../../../tests/rows", prepend_module_to_snapshot => false}, {
            insta::assert_json_snapshot!($name, object);
        });
    }};
}

fn running() -> World {
    let mut world = World::new(service(&json!({})));
    assert!(matches!(world.run(40).rollout, Ok(Rollout::InSync { .. })));
    world
}

#[test]
fn a_service_that_cannot_be_seen_keeps_what_was_known() {
    let mut world = running();
    row!("service-in-sync", world);
    let mut observed = world.observe();
    observed.service = Looked::Blind(fault("Throttling", Remedy::Retry));
    let before = world.record.clone();
    world.pass_with(&observed);
    row!("service-blind", world);
    let others = |status: &launchway_crds::service::ServiceStatus| {
        status.conditions.iter().filter(|one| one.type_ != "InSync").cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(&world.record), others(&before));
}

#[test]
fn a_service_that_cannot_be_seen_while_a_change_is_pending_is_at_work() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    let mut observed = world.observe();
    observed.service = Looked::Blind(fault("Throttling", Remedy::Retry));
    world.pass_with(&observed);
    row!("service-blind-pending", world);
}

#[test]
fn a_service_whose_name_is_taken_is_stalled() {
    let mut world = running();
    world.live.as_mut().unwrap().tags.clear();
    world.wait(1);
    world.pass();
    row!("service-not-ours", world);
}

#[test]
fn a_service_that_rolls_or_waits_for_its_image_is_at_work() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    while !matches!(world.pass().0.rollout, Ok(Rollout::Rolling(_))) {}
    row!("service-rolling", world);
    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(None));
    world.pass();
    row!("service-no-image", world);
}

#[test]
fn a_service_that_was_rolled_back_is_stalled() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    row!("service-rolled-back", world);
}
