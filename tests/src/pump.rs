//! The pump: passes one after the other, in one thread, by a queue in the order of due time, kind and key. In place of
//! watches each write wakes whom the controller's own map says. The same world and seed go the same way to the byte.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use launchway::context::Context;
use launchway::wake::{self, Key, Kind};
use launchway_crds::{AwsAccount, Pipeline, Release, Service};
use launchway_plan::wake::Wake;
use launchway_test_kube::store::{Change, Write};

use crate::life::gate::Gate;
use crate::world::World;

/// The queue of one life, and how far it has followed the world's writes.
pub struct Pump {
    queue: BTreeMap<Key, Timestamp>,
    followed: u64,
    /// What the last pass wrote into its own object's status: it wakes others only.
    own: BTreeSet<(Key, u64)>,
    minute: (Timestamp, BTreeMap<Key, usize>),
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// By itself.
    Over,
    /// The life was cut.
    Cut,
}

impl Pump {
    /// The pump of a life that begins now: like a controller's first list, it queues every object.
    pub fn new(world: &World) -> Pump {
        let mut pump = Pump {
            queue: BTreeMap::new(),
            followed: world.store.version(),
            own: BTreeSet::new(),
            minute: (world.now(), BTreeMap::new()),
        };
        for key in every_key(world) {
            pump.wake(key, world.now());
        }
        pump
    }

    /// The object whose pass is due first.
    pub fn first(&self) -> Option<Key> {
        self.queue.iter().map(|(key, due)| (*due, key)).min().map(|(_, key)| key.clone())
    }

    /// Queues every object once more, as a list that is read again would.
    pub fn relist(&mut self, world: &World) {
        for key in every_key(world) {
            self.wake(key, world.now());
        }
    }

    /// The time of the next pass, if any is due ever.
    pub fn due(&self) -> Option<Timestamp> {
        self.queue.values().min().copied()
    }

    /// Wakes whom the writes since the last time wake.
    pub fn follow(&mut self, world: &World) {
        let writes = world.store.writes_after(self.followed);
        self.followed = world.store.version();
        if writes.iter().any(|write| write.change == Change::Deleted) {
            world.store.collect_garbage();
        }
        for write in &writes {
            for key in woken(write, world) {
                let woken = (key, write.resource_version);
                if !self.own.contains(&woken) {
                    self.wake(woken.0, world.now());
                }
            }
        }
    }

    /// Makes the pass that is due first, and queues the object again for when it says.
    pub async fn pass(&mut self, world: &World, context: &Context, gate: &Gate) -> Passed {
        let Some(key) = self.first() else { return Passed::Over };
        self.queue.remove(&key);
        self.count(&key, world);
        let before = world.store.version();
        world.progress().answered.clear();
        let pass = AssertUnwindSafe(launchway::pass(&key, context)).catch_unwind();
        let outcome = match select(std::pin::pin!(gate.until_cut()), std::pin::pin!(pass)).await {
            Either::Left(_) => return Passed::Cut,
            Either::Right((outcome, _)) => outcome,
        };
        let wake = match outcome {
            Ok(Ok(wake)) => wake,
            Ok(Err(_)) => Wake::Backoff,
            Err(panic) => {
                world.progress().panics.push(format!("{key}: {}", words(&*panic)));
                Wake::Backoff
            }
        };
        let own = |version: &u64| context.own.contains(&key, &version.to_string());
        self.own = (before..=world.store.version()).filter(own).map(|version| (key.clone(), version)).collect();
        if let Some(delay) = context.delay(&key, wake) {
            self.wake(key, world.now() + delay);
        }
        let mut progress = world.progress();
        let answered = std::mem::take(&mut progress.answered);
        progress.seen.extend(answered);
        progress.seen.dedup();
        Passed::Over
    }

    fn wake(&mut self, key: Key, at: Timestamp) {
        let due = self.queue.entry(key).or_insert(at);
        *due = at.min(*due);
    }

    /// Counts the passes over each object in each virtual minute: nothing may spin.
    fn count(&mut self, key: &Key, world: &World) {
        let (since, counts) = &mut self.minute;
        if world.now() >= *since + SignedDuration::from_mins(1) {
            (*since, *counts) = (world.now(), BTreeMap::new());
        }
        let count = counts.entry(key.clone()).or_default();
        *count += 1;
        let mut progress = world.progress();
        if *count > progress.busiest.0 {
            progress.busiest = (*count, format!("{key} at {since}"));
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

fn every_key(world: &World) -> Vec<Key> {
    let accounts = world.store.all::<AwsAccount>();
    let keys = accounts.iter().map(|one| Key::of(Kind::AwsAccount, one));
    let keys =
        keys.chain(world.store.all::<Pipeline>().iter().map(|one| Key::of(Kind::Pipeline, one)).collect::<Vec<_>>());
    let keys =
        keys.chain(world.store.all::<Release>().iter().map(|one| Key::of(Kind::Release, one)).collect::<Vec<_>>());
    keys.chain(world.store.all::<Service>().iter().map(|one| Key::of(Kind::Service, one)).collect::<Vec<_>>()).collect()
}

fn woken(write: &Write, world: &World) -> Vec<Key> {
    let releases = || world.store.all::<Release>();
    let parsed = "an object of ours parses";
    match &*write.kind {
        "AwsAccount" => {
            let (pipelines, services) = (world.store.all::<Pipeline>(), world.store.all::<Service>());
            wake::of_account(&write.object.typed().expect(parsed), &pipelines, &services, &releases())
        }
        "Pipeline" => {
            wake::of_pipeline(&write.object.typed().expect(parsed), &releases(), &world.store.all::<Service>())
        }
        "Release" => wake::of_release(&write.object.typed().expect(parsed)),
        "Service" => wake::of_service(&write.object.typed().expect(parsed), &releases()),
        _ => Vec::new(),
    }
}
