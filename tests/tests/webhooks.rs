//! Webhooks, from the signed request to the Release: the source is looked at once a day else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::Request;
use jiff::SignedDuration;
use kube::runtime::watcher::Event;
use launchway::item::Item;
use launchway::kind::Reconciled;
use launchway::webhooks::{Marks, Receiver, router};
use launchway_crds::Pipeline;
use launchway_tests::scenario::Player;
use launchway_tests::world::World;
use launchway_tests::world::sample::{self, NAMESPACE, PIPELINE};
use serde_json::{Value, json};
use tower::ServiceExt;

const PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// The HMAC of an empty body with the key `s3cret`.
const SIGNATURE: &str = "sha256=91dfac70c5348b04e1babb8b421ac92cec08b565b49ca16130dccb72503647b7";

/// A Pipeline that has released a commit, with a webhook, and looks once a day.
fn released(source: Value) -> Player {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::push_image(&world, "good-1");
    sample::apply(&world);
    world.edit("Pipeline", PIPELINE, |spec| {
        spec["source"] = source;
        spec["source"]["webhook"] = json!({"provider": "Generic", "secretRef": {"name": "hook"}});
        if spec["source"].get("image").is_some() {
            spec["build"] = Value::Null;
        }
    });
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": NAMESPACE},
        "data": {"token": "czNjcmV0"}});
    world.store.apply_json(&secret).unwrap();
    let mut player = Player::new(world);
    assert!(player.until(PATIENCE, is_released("greeter-1")));
    player.advance(SignedDuration::from_hours(1));
    player
}

fn is_released(release: &'static str) -> impl Fn(&World) -> bool {
    move |world| world.phase(release) == "Succeeded"
}

/// What a replica is that knows the Pipeline by its watch.
fn receiver(player: &Player) -> Router {
    let pipeline = player.world.object("Pipeline", PIPELINE).unwrap().value().clone();
    Pipeline::followed(&Event::Apply(Item::Read(serde_json::from_value(pipeline).unwrap())), &player.context);
    router(Receiver {
        known: Arc::clone(&player.context.webhooks),
        kube: player.within(|world| world.store.client()),
        clock: Arc::clone(&player.context.clock),
        metrics: Arc::clone(&player.context.metrics),
        marks: Marks::default(),
    })
}

/// Sends a webhook; the status of the answer.
fn send(player: &mut Player, signature: &str) -> u16 {
    let app = receiver(player);
    let request = Request::post(format!("/hooks/{NAMESPACE}/{PIPELINE}"));
    let request = request.header("x-signature", signature).body(Body::empty()).unwrap();
    player.run(async move {
        let answer = app.oneshot(request).await.unwrap();
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        answer.status().as_u16()
    })
}

#[test]
fn a_push_that_a_webhook_tells_of_is_released_at_once_and_one_that_is_not_signed_waits_for_the_next_look() {
    let git = json!({"git": {"url": sample::URL, "branch": "main", "interval": "24h"}});
    let mut player = released(git);
    sample::push(&player.world, "good-2");
    assert_eq!(send(&mut player, "sha256=00"), 401);
    player.advance(SignedDuration::from_mins(30));
    assert!(player.world.object("Release", "greeter-2").is_none());
    assert_eq!(send(&mut player, SIGNATURE), 202);
    assert!(player.until(SignedDuration::from_secs(3), |world| world.object("Release", "greeter-2").is_some()));
}

#[test]
fn a_push_that_the_git_host_shows_late_is_seen_all_the_same() {
    let git = json!({"git": {"url": sample::URL, "branch": "main", "interval": "24h"}});
    let mut player = released(git);
    assert_eq!(send(&mut player, SIGNATURE), 202);
    player.advance(SignedDuration::from_secs(2));
    sample::push(&player.world, "good-2");
    assert!(player.until(SignedDuration::from_secs(10), |world| world.object("Release", "greeter-2").is_some()));
}

#[test]
fn an_image_that_a_ci_job_tells_of_is_released_at_once() {
    let mut player = released(json!({"image": {"interval": "24h"}}));
    sample::push_image(&player.world, "good-2");
    assert_eq!(send(&mut player, SIGNATURE), 202);
    assert!(player.until(SignedDuration::from_secs(3), |world| world.object("Release", "greeter-2").is_some()));
}
