//! A later version takes over what an earlier one left: nothing is registered, updated or built, and what was held stays so.

#![allow(clippy::unwrap_used)]

use jiff::SignedDuration;
use launchway_tests::fleet;
use launchway_tests::scenario::Player;
use launchway_tests::story::Story;
use launchway_tests::world::{World, is_effect};

#[test]
fn a_fleet_that_an_earlier_version_released_is_taken_over_without_any_effect() {
    is_taken_over(fleet::recorded);
}

#[test]
fn a_fleet_whose_meanings_cannot_be_compared_is_taken_over_by_what_it_says() {
    is_taken_over(fleet::recorded_by_other_rules);
}

fn is_taken_over(recorded: fn() -> World) {
    let mut player = Player::new(recorded());
    player.advance(SignedDuration::from_hours(6));
    let log = player.world.aws().log.clone();
    assert!(log.iter().any(|entry| entry.operation == "DescribeServices"), "nobody looked at the fleet");
    let effects: Vec<_> = log.iter().filter(|entry| is_effect(entry)).map(|entry| &entry.operation).collect();
    assert!(effects.is_empty(), "{} effects: {effects:?}", effects.len());
    let wrong = (Story::named("upgrade").unwrap().judge)(&player.world);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let specs = |world: &World| {
        let objects = ["AwsAccount", "Pipeline", "Release", "Service"].map(|kind| world.store.objects(kind));
        objects.concat().iter().map(|one| one.value()["spec"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(specs(&player.world), specs(&recorded()));
}
