//! How often AWS is asked: for a first release, for a changed image, for nothing at all; beside what the peers ask for the
//! same. Printed, and not judged.

mod fleet;

pub use fleet::of_a_fleet;

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::Table;
use jiff::SignedDuration;
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecs::Timing;
use serde_json::json;

use crate::scenario::Player;
use crate::world::sample::{self, place};
use crate::world::{World, is_effect};

/// The Service that is measured alone.
const SERVICE: &str = "web";
/// An image that comes up.
const GOOD: [&str; 2] = ["web:1", "web:2"];
/// One whose tasks crash.
const CRASHING: &str = "web:3";
/// Longer than anything here takes.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// What was asked of AWS while something was brought about.
#[derive(Clone, Debug)]
pub struct Counted {
    /// What was brought about.
    pub what: &'static str,
    /// How often each operation was called.
    pub calls: BTreeMap<String, usize>,
    /// How many of them changed AWS.
    pub effects: usize,
    /// What the peers ask for the same.
    pub peers: &'static str,
}

/// One Service with literal images, as the peers deploy one: in an ECS that is as fast as the one they were measured on.
pub fn of_a_service() -> Vec<Counted> {
    let mut player = Player::new(world());
    let world = player.world.clone();
    world.store.apply_json(&sample::aws_account()).expect("a manifest that is admitted");
    player.advance(SignedDuration::from_mins(1));
    let mut all = Vec::new();
    let mut counted = |player: &mut Player, what, peers, image: &str, ready: &'static str| {
        let before = player.world.aws().log.len();
        player.world.store.apply_json(&service(SERVICE, image)).expect("a manifest that is admitted");
        player.advance(SignedDuration::from_secs(1));
        assert!(player.until(PATIENCE, |world| world.is("Service", SERVICE, "RolledOut", ready)), "{what}");
        all.push(count(&player.world, before, what, peers));
        player.advance(SignedDuration::from_mins(20));
    };
    counted(&mut player, "a first release of one Service", "ACK 9", GOOD[0], "True");
    counted(
        &mut player,
        "a release of a changed image",
        "aws CLI 4, action 6, ecspresso 8, sil 10, fabfuel 13",
        GOOD[1],
        "True",
    );
    counted(
        &mut player,
        "the same manifest applied again",
        "aws CLI 4, action 6, ecspresso 8, sil 9, fabfuel 13, all with a new revision and a new rollout; ACK 0",
        GOOD[1],
        "True",
    );
    counted(
        &mut player,
        "an image that crashes and is rolled back",
        "none says why; ecspresso, fabfuel and aws CLI say that it went well",
        CRASHING,
        "False",
    );
    all.push(idle(&mut player, "an hour of rest, one Service", "ACK 0: drift is seen after 10 hours"));
    all
}

/// A whole Pipeline: one check, one build, two stages of a Service each, as fast as AWS.
pub fn of_a_pipeline() -> Vec<Counted> {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    let mut player = Player::new(world);
    let before = player.world.aws().log.len();
    sample::apply(&player.world);
    let released = |commit: &'static str| {
        move |world: &World| {
            world.running(sample::SERVICES[1]) == [sample::commit(commit)]
                && world.is("Pipeline", sample::PIPELINE, "Released", "True")
        }
    };
    assert!(player.until(PATIENCE, released("good-1")), "the first commit is released");
    let first = count(&player.world, before, "a first commit through a Pipeline, two Services", "");
    player.advance(SignedDuration::from_mins(20));
    let before = player.world.aws().log.len();
    sample::push(&player.world, "good-2");
    assert!(player.until(PATIENCE, released("good-2")), "the second commit is released");
    let second = count(&player.world, before, "the next commit", "");
    player.advance(SignedDuration::from_mins(20));
    let idle = idle(&mut player, "an hour of rest, a Pipeline, an AwsAccount, two Services", "");
    vec![first, second, idle]
}

fn world() -> World {
    let world = sample::world(7);
    let mut aws = world.aws();
    let crash =
        TaskStory::Crashes { after: Duration::from_millis(200), exit_code: 1, reason: String::new(), output: vec![] };
    aws.image_story.insert(CRASHING.to_owned(), crash);
    let ecs = aws.ecs.entry(place()).or_default();
    ecs.timing = quick();
    drop(aws);
    world
}

/// A good rollout takes about three seconds, as in the peers' ECS.
pub(crate) fn quick() -> Timing {
    let millis = SignedDuration::from_millis;
    Timing {
        pending: millis(100),
        provisioning: millis(300),
        pulling: millis(300),
        settled: millis(1000),
        stopping: millis(200),
        deprovisioning: millis(200),
        steady: millis(500),
        retry: millis(500),
        yielding: millis(200),
        ..Timing::default()
    }
}

/// A Service with a literal image.
pub(crate) fn service(name: &str, image: &str) -> serde_json::Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Service",
        "metadata": {"name": name, "namespace": sample::NAMESPACE},
        "spec": {
            "cluster": sample::CLUSTER,
            "taskDefinition": {
                "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                "containerDefinitions": [{"name": "web", "image": image}],
            },
            "service": sample::on_fargate(2),
        },
    })
}

fn idle(player: &mut Player, what: &'static str, peers: &'static str) -> Counted {
    let before = player.world.aws().log.len();
    player.advance(SignedDuration::from_hours(1));
    count(&player.world, before, what, peers)
}

/// What was asked of AWS since then. Credentials are asked for once in a while, whatever is done, and are left out.
fn count(world: &World, before: usize, what: &'static str, peers: &'static str) -> Counted {
    let aws = world.aws();
    let asked = aws.log[before..].iter().filter(|entry| entry.service != "sts");
    let mut calls = BTreeMap::new();
    for entry in asked.clone() {
        *calls.entry(entry.operation.clone()).or_default() += 1;
    }
    Counted { what, calls, effects: asked.filter(|entry| is_effect(entry)).count(), peers }
}

/// The table.
pub fn table(all: &[Counted]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["what", "calls", "of them effects", "by operation", "peers"]);
    for one in all {
        let by_operation: Vec<String> = one.calls.iter().map(|(name, times)| format!("{name} {times}")).collect();
        table.add_row([
            one.what.to_owned(),
            one.calls.values().sum::<usize>().to_string(),
            one.effects.to_string(),
            by_operation.join(", "),
            one.peers.to_owned(),
        ]);
    }
    table.to_string()
}
