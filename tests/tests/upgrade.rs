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

/// An upgrade changes nothing for what is applied already, even where a new list of the AwsAccount keeps it from going on.
#[test]
fn a_fleet_whose_account_lacks_the_new_lists_runs_on_and_says_what_to_add() {
    let mut player = Player::new(fleet::recorded_with_the_lists_of_then());
    player.advance(SignedDuration::from_hours(6));
    let log = player.world.aws().log.clone();
    let effects: Vec<_> = log.iter().filter(|entry| is_effect(entry)).map(|entry| &entry.operation).collect();
    assert!(effects.is_empty(), "{} effects: {effects:?}", effects.len());
    for service in player.world.store.objects("Service") {
        let conditions = service.value()["status"]["conditions"].as_array().unwrap().clone();
        let stalled = conditions.iter().find(|one| one["type"] == "Stalled").unwrap();
        assert_eq!(stalled["reason"], "NotAllowed", "{stalled}");
        let message = stalled["message"].as_str().unwrap();
        assert!(message.contains(r#"spec.allow.subnets: ["subnet-1a"]"#), "{message}");
    }
}

/// Families had another form once. A Service that runs in one of that form stays there.
#[test]
fn a_service_keeps_the_family_that_it_runs_in_also_for_what_is_rolled_next() {
    let mut player = Player::new(fleet::recorded());
    player.advance(SignedDuration::from_hours(1));
    let named = |player: &Player| {
        let services = player.world.store.objects("Service");
        let arns = services.iter().map(|one| one.value()["status"]["rollout"]["taskDefinition"].clone());
        arns.map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(named(&player).iter().all(|arn| arn.starts_with("lw-shop-")), "{:?}", named(&player));
    let before = named(&player);
    let service = player.world.store.objects("Service")[0].value()["metadata"]["name"].as_str().unwrap().to_owned();
    player.patch("Service", &service, &serde_json::json!({"spec": {"taskDefinition": {"memory": "1024"}}}));
    player.advance(SignedDuration::from_hours(1));
    let after = named(&player);
    assert_ne!(before, after);
    assert!(after.iter().all(|arn| arn.starts_with("lw-shop-")), "{after:?}");
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
