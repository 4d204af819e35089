//! A controller whose CRDs are older than it: the API server drops what it has to write down before it acts. It does not
//! act, says why, and does not spin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::SignedDuration;
use launchway_tests::scenario::Player;
use launchway_tests::world::{World, is_effect, sample};
use serde_json::Value;

/// The definition of a kind without a part of its status.
fn define(world: &World, kind: &str, lacks: &str) {
    let crd = launchway_crds::all().into_iter().find(|crd| crd.spec.names.kind == kind).unwrap();
    let mut old: Value = serde_json::to_value(&crd).unwrap();
    let status = old.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties").unwrap();
    assert!(status.as_object_mut().unwrap().remove(lacks).is_some(), "{kind} has status.{lacks}");
    world.store.register(&serde_json::from_value(old).unwrap()).unwrap();
}

fn effects(world: &World) -> Vec<String> {
    world.aws().log.iter().filter(|entry| is_effect(entry)).map(|entry| entry.operation.clone()).collect()
}

#[test]
fn a_release_without_room_for_its_intents_starts_no_build_and_says_so() {
    let world = sample::world(7);
    define(&world, "Release", "steps");
    sample::push(&world, "good-1");
    sample::apply(&world);
    let mut player = Player::new(world.clone());
    player.advance(SignedDuration::from_hours(1));
    let (status, reason, message) = world.said("Release", "greeter-1", "Stalled");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "OldDefinitions"));
    assert!(message.contains("CRDs"), "{message}");
    assert_eq!(effects(&world), Vec::<String>::new());
    // The branch is looked at every two minutes; at most twelve for each of the account, the Release and the two Services.
    assert!(player.passes() <= 30 + 4 * 12, "{} passes in an hour", player.passes());
}

#[test]
fn a_service_without_room_for_its_rollout_is_not_rolled_and_says_so() {
    let world = sample::world(7);
    define(&world, "Service", "rollout");
    world.store.apply_json(&sample::aws_account()).unwrap();
    let mut service = sample::service(0);
    let container = &mut service["spec"]["taskDefinition"]["containerDefinitions"][0];
    container.as_object_mut().unwrap().remove("imageFrom");
    container["image"] = "web:1".into();
    world.store.apply_json(&service).unwrap();
    let mut player = Player::new(world.clone());
    player.advance(SignedDuration::from_hours(1));
    assert_eq!(world.said("Service", sample::SERVICES[0], "Stalled").1, "OldDefinitions");
    assert_eq!(effects(&world), ["RegisterTaskDefinition"], "a task definition alone does nothing");
    assert!(player.passes() < 30, "{} passes in an hour", player.passes());
}
