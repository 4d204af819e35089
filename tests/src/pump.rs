//! The pump: passes one after the other, in one thread, by a queue in the order of due time, kind and key. In place of
//! watches each write wakes whom the controller's own map says. The same world and seed go the same way to the byte.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use launchway::context::Context;
use launchway::key::{Key, Kind};
use launchway::wake::Index;
use launchway_plan::wake::Wake;
use launchway_test_kube::store::{Change, Object, Write};

use crate::life::gate::Gate;
use crate::world::World;

/// The queue of one life, and how far it has followed the world's writes.
pub struct Pump {
    queue: BTreeMap<Key, Timestamp>,
    index: Index,
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
        let (index, keys) = index(world);
        Pump {
            queue: keys.into_iter().map(|key| (key, world.now())).collect(),
            index,
            followed: world.store.version(),
            own: BTreeSet::new(),
            minute: (world.now(), BTreeMap::new()),
        }
    }

    /// The object whose pass is due first.
    pub fn first(&self) -> Option<Key> {
        self.queue.iter().map(|(key, due)| (*due, key)).min().map(|(_, key)| key.clone())
    }

    /// Queues every object once more, as a list that is read again would.
    pub fn relist(&mut self, world: &World) {
        for key in index(world).1 {
            self.wake(key, world.now());
        }
    }

    /// The time of the next pass, if any is due ever.
    pub fn due(&self) -> Option<Timestamp> {
        self.queue.values().min().copied()
    }

    /// Wakes whom the writes since the last time wake.
    pub fn follow(&mut self, world: &World, context: &Context) {
        let writes = world.store.writes_after(self.followed);
        self.followed = world.store.version();
        if writes.iter().any(|write| write.change == Change::Deleted) {
            world.store.collect_garbage();
        }
        for write in &writes {
            if let Some(key) = blank(write) {
                context.backoff.forget(&key);
            }
            for key in woken(write, &mut self.index) {
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
        let asks = self.index.asks(&key);
        if let Some(left) = context.left_alone(&key, &asks) {
            self.wake(key, world.now() + left);
            return Passed::Over;
        }
        self.count(&key, world);
        let before = world.store.version();
        world.progress().answered.clear();
        // Events are sent beside the passes: here, behind each.
        let pass = async {
            let wake = key.pass(context).await;
            context.events.send(&context.kube).await;
            wake
        };
        let pass = AssertUnwindSafe(pass).catch_unwind();
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
        if let Some(delay) = context.delay(&key, wake, &asks) {
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

/// The index of a world, and the keys of all its objects.
fn index(world: &World) -> (Index, Vec<Key>) {
    let (mut index, mut keys) = (Index::default(), Vec::new());
    for kind in Kind::ALL {
        for object in world.store.objects(&kind.name()) {
            let key = key(*kind, object.meta("namespace"), object.meta("name"));
            changed(&mut index, &key, &object);
            keys.push(key);
        }
    }
    (index, keys)
}

fn key(kind: Kind, namespace: &str, name: &str) -> Key {
    Key { kind, namespace: namespace.to_owned(), name: name.to_owned() }
}

/// Whom an object wakes that was made or has changed.
fn changed(index: &mut Index, key: &Key, object: &Object) -> BTreeSet<Key> {
    match key.kind.links(object.value()) {
        Some(links) => index.changed(key, links),
        None => index.obscured(key),
    }
}

/// The object, if the write left it without conditions: it is new, or its status was wiped.
fn blank(write: &Write) -> Option<Key> {
    let conditions = &write.object.value()["status"]["conditions"];
    let kind = Kind::named(&write.kind).filter(|_| conditions.as_array().is_none_or(Vec::is_empty))?;
    Some(key(kind, &write.namespace, &write.name))
}

/// Whom the write wakes.
fn woken(write: &Write, index: &mut Index) -> BTreeSet<Key> {
    let Some(kind) = Kind::named(&write.kind) else { return BTreeSet::new() };
    let key = key(kind, &write.namespace, &write.name);
    match write.change {
        Change::Added | Change::Modified => changed(index, &key, &write.object),
        Change::Deleted => index.gone(&key),
    }
}
