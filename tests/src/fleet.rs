//! The world of a released fleet, written down by one version of Launchway for later ones to take over: what the objects
//! said, and every call by which AWS became as it was. The calls are made once more when the world is loaded, so it outlives
//! changes of the AWS in memory; IDs that come out as others are renamed everywhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use launchway_test_aws::ecr::Image;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::play::Quota;
use crate::search::{SEED, once, prelude};
use crate::shape::repository;
use crate::story::{Story, beginning};
use crate::world::sample::{self, place};
use crate::world::{World, is_effect, signed};

/// Where the recorded world lies, from the repository's root.
const FIXTURE: &str = "tests/fixtures/fleet.json";
const RECORDED: &str = include_str!("../fixtures/fleet.json");

/// The kinds whose objects are recorded.
const KINDS: [&str; 4] = ["AwsAccount", "Pipeline", "Release", "Service"];

/// A recorded world.
#[derive(Serialize, Deserialize)]
struct Fleet {
    /// The version that recorded it.
    version: String,
    /// When.
    at: Timestamp,
    /// The commit that the branch was at, by the name that stories give it.
    head: String,
    /// Every call that changed AWS, in order.
    calls: Vec<Call>,
    /// The IDs that AWS gave, by what they were given to.
    ids: BTreeMap<String, String>,
    /// The images, by their digests: what a task definition means depends on them.
    images: BTreeMap<String, String>,
    /// The objects, with their statuses.
    objects: Vec<Value>,
}

/// A call that changed AWS.
#[derive(Serialize, Deserialize)]
struct Call {
    at: Timestamp,
    /// As in `ecs:UpdateService`.
    operation: String,
    input: Value,
}

/// Plays a story to its end, writes down the world that it leaves, and says where.
///
/// # Errors
/// The file cannot be written.
pub fn record(story: &'static Story, head: &str) -> anyhow::Result<PathBuf> {
    let world = beginning(prelude(story).as_ref(), SEED);
    once(story, &world, Quota::Whole);
    let wrong = (story.judge)(&world);
    anyhow::ensure!(wrong.is_empty(), "the world is not one to be recorded: {wrong:?}");
    let log = world.aws().log.clone();
    let calls = log.iter().filter(|entry| is_effect(entry)).map(|entry| Call {
        at: entry.at,
        operation: format!("{}:{}", entry.service, entry.operation),
        input: (*entry.input).clone(),
    });
    let fleet = Fleet {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: world.now(),
        head: head.to_owned(),
        calls: calls.collect(),
        ids: ids(&world),
        images: world.commits_by_digest(),
        objects: KINDS.iter().flat_map(|kind| world.store.objects(kind)).map(|one| one.value().clone()).collect(),
    };
    let path = repository().join(FIXTURE);
    let text = serde_json::to_string_pretty(&fleet).context("a world as JSON")?;
    std::fs::write(&path, format!("{text}\n")).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// The recorded world as it was left. AWS's log is empty: what is in it later was asked by those who took it over.
///
/// # Panics
/// There is no recorded world, or the AWS in memory refuses one of its calls.
pub fn recorded() -> World {
    read(RECORDED, Some(&sample::aws_account()["spec"]["allow"]))
}

/// The same world, whose AwsAccount has the lists that there were then: an administrator has added none of those that came since.
///
/// # Panics
/// As [`recorded`].
pub fn recorded_with_the_lists_of_then() -> World {
    read(RECORDED, None)
}

/// The same world, as a version left it whose rules for meanings were others: none of its hashes can be compared.
///
/// # Panics
/// As [`recorded`].
pub fn recorded_by_other_rules() -> World {
    read(&RECORDED.replace("\"v1-", "\"v0-"), Some(&sample::aws_account()["spec"]["allow"]))
}

/// `allow`: what the administrator lets the objects name since the upgrade.
fn read(text: &str, allow: Option<&Value>) -> World {
    let fleet: Fleet = serde_json::from_str(text).expect("a recorded world: record one with `cargo record-fleet`");
    let world = sample::world(SEED);
    sample::push(&world, &fleet.head);
    for call in &fleet.calls {
        world.time.jump(call.at);
        place_images(&world, &fleet.images);
        let input = renamed(&call.input, &fleet.ids, &ids(&world));
        let reply = world.aws().answer(world.now(), &signed(sample::KEY, &call.operation, &input));
        let said = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, 200, "{} of the recorded world was refused: {said}", call.operation);
    }
    world.time.jump(fleet.at);
    // A role that may register in families of the old form as well as of the new one: `?` is any character, `-` or `_`.
    let policy = sample::policy().to_string().replace("/lw_*:*", "/lw?*:*");
    let policy = serde_json::from_str(&policy).expect("a policy as JSON");
    world.aws().set_policy(sample::ROLE, &policy).expect("a policy that the simulator understands");
    let ids = ids(&world);
    for object in &fleet.objects {
        let mut object = renamed(object, &fleet.ids, &ids);
        if let (Some(allow), Some("AwsAccount")) = (allow, object["kind"].as_str()) {
            object["spec"]["allow"] = allow.clone();
        }
        world.store.put_back(&object).expect("an object of a kind that is served");
    }
    let mut aws = world.aws();
    aws.log.clear();
    aws.keep_snapshots();
    drop(aws);
    world
}

/// Gives each image that was pushed the digest that it had when the world was recorded.
fn place_images(world: &World, recorded: &BTreeMap<String, String>) {
    let mut aws = world.aws();
    let Some(repository) = aws.ecr.entry(place()).or_default().repositories.get_mut(sample::REPOSITORY) else { return };
    let repository = Arc::make_mut(repository);
    for (digest, tag) in recorded {
        let is_it = |image: &&Image| image.tags.contains(tag) && image.digest != *digest;
        let Some(other) = repository.images.values().find(is_it).map(|image| image.digest.clone()) else { continue };
        if let Some(image) = repository.images.remove(&other) {
            repository.images.insert(digest.clone(), Image { digest: digest.clone(), ..image });
        }
    }
}

/// The IDs that AWS gave in a world, by what they were given to.
fn ids(world: &World) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for (number, build) in world.builds().into_iter().enumerate() {
        ids.insert(format!("build {number}"), build.id.rsplit(':').next().unwrap_or_default().to_owned());
    }
    let aws = world.aws();
    let clusters = aws.ecs.get(&place()).into_iter().flat_map(|ecs| ecs.clusters.values());
    for service in clusters.flat_map(|cluster| cluster.services.values()) {
        for (number, rollout) in service.rollouts.iter().enumerate() {
            let id = rollout.arn.rsplit('/').next().unwrap_or_default();
            ids.insert(format!("rollout {number} of {}", service.name), id.to_owned());
        }
        for (number, revision) in service.revisions.iter().enumerate() {
            ids.insert(format!("revision {number} of {}", service.name), revision.number.to_string());
        }
    }
    ids
}

/// A value with each ID replaced by the one that the same thing has now.
fn renamed(value: &Value, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Value {
    let mut text = value.to_string();
    for (whose, id) in before {
        if let Some(other) = now.get(whose).filter(|other| *other != id) {
            text = text.replace(id.as_str(), other);
        }
    }
    serde_json::from_str(&text).expect("IDs have no quotes")
}
