//! What somebody does who may only create Releases in a namespace: a thousand at once, and forged ones. The branch's commits
//! are released all the same, and what that costs grows as the Releases do, not as their square.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use launchway_tests::life::gate::Moment;
use launchway_tests::scenario::Player;
use launchway_tests::world::sample::{self, NAMESPACE, PIPELINE};
use launchway_tests::world::{World, released_commit};
use serde_json::{Value, json};

const PATIENCE: SignedDuration = SignedDuration::from_hours(2);

/// A Pipeline that has released its first commit.
fn released() -> Player {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let mut player = Player::new(world);
    assert!(player.until(PATIENCE, |world| world.is("Pipeline", PIPELINE, "Released", "True")));
    player.advance(SignedDuration::from_mins(1));
    player
}

fn release(name: &str, commit: &str, made: &Value) -> Value {
    let mut release = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"launchway.dev/pipeline": PIPELINE}},
        "spec": {"pipeline": PIPELINE, "commit": sample::commit(commit)}});
    release["spec"].as_object_mut().unwrap().extend(made.as_object().unwrap().clone());
    release
}

/// Counts the requests to Kubernetes from now on.
fn counted(player: &Player) -> Arc<AtomicUsize> {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    player.gate.record(move |moment, request| {
        let of_kubernetes = [" releases", " pipelines", " ecsservices", " awsaccounts"];
        let is_one = of_kubernetes.iter().any(|kind| request.name.contains(kind));
        counter.fetch_add(usize::from(moment == Moment::Before && is_one), Ordering::Relaxed);
    });
    requests
}

/// How many requests to Kubernetes and how many builds come of so many Releases that are made at once.
fn flood(releases: usize) -> (usize, usize) {
    let mut player = released();
    let builds = player.world.builds().len();
    for number in 0..releases {
        let manual = release(&format!("flood-{number:04}"), "good-1", &json!({"reason": "Manual"}));
        player.world.store.apply_json(&manual).unwrap();
    }
    let requests = counted(&player);
    let ended = |world: &World, number| !["", "Active"].contains(&&*world.phase(&format!("flood-{number:04}")));
    assert!(player.until(PATIENCE, |world| (0..releases).all(|number| ended(world, number))), "they do not end");
    (requests.load(Ordering::Relaxed), player.world.builds().len() - builds)
}

#[test]
fn a_flood_of_releases_costs_as_many_requests_as_there_are_and_one_is_built() {
    let ((half, _), (whole, builds)) = (flood(60), flood(120));
    println!("60 Releases: {half} requests; 120: {whole}, {builds} builds");
    assert!(whole < half * 5 / 2, "{half} requests for 60 Releases, {whole} for 120");
    assert!(whole < 120 * 20, "{whole} requests for 120 Releases");
    assert!(builds <= 2, "{builds} builds: a check and an image at most, for the newest alone");
}

#[test]
fn the_next_commit_is_released_whatever_has_taken_its_name_and_what_is_forged_does_not_begin() {
    let others = [
        // As if the Pipeline had made it.
        json!({"reason": "NewCommit", "number": 2}),
        json!({"reason": "NewCommit", "number": 999_999_999}),
        json!({"reason": "Manual", "pipeline": "another"}),
        json!({"reason": "NewCommit", "number": 3, "pipeline": "another"}),
    ];
    for other in others {
        let mut player = released();
        let uid = player.world.object("Pipeline", PIPELINE).unwrap().meta("uid").to_owned();
        for name in ["greeter-2", "greeter-3", "greeter-999999999"] {
            let mut forged = release(name, "evil-1", &other);
            forged["metadata"]["ownerReferences"] = json!([{"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline",
                "name": PIPELINE, "uid": uid, "controller": true}]);
            player.world.store.apply_json(&forged).unwrap();
        }
        player.advance(SignedDuration::from_mins(10));
        let passes = player.passes();
        sample::push(&player.world, "good-2");
        let runs =
            |world: &World| sample::SERVICES.iter().all(|service| world.running(service) == [sample::commit("good-2")]);
        assert!(
            player.until(PATIENCE, |world| runs(world) && world.is("Pipeline", PIPELINE, "Released", "True")),
            "{other}"
        );
        let made =
            player.world.object("Release", "greeter-4").unwrap_or_else(|| panic!("{other}: there is no greeter-4"));
        assert_eq!(released_commit(&made), sample::commit("good-2"));
        assert!(!built(&player.world, "evil-1"), "{other}: the forged commit was built");
        player.advance(SignedDuration::from_hours(1));
        assert!(player.passes() - passes < 400, "{other}: {} passes in an hour", player.passes() - passes);
    }
}

fn built(world: &World, commit: &str) -> bool {
    let commit = sample::commit(commit);
    world.builds().iter().any(|build| build.source_version.as_deref() == Some(&*commit))
}
