//! What a driver of searches needs beside a client: hooks, the log, snapshots, staleness, ends of watches.
//! Nothing here is an answer to a request.

use std::hash::Hasher;
use std::sync::{Arc, PoisonError};
use std::task::Waker;

use super::failure::Failure;
use super::world::{Age, Change, Entry, KindId, Verb, World, Write};
use super::{Clock, State, Store, admit, collect, object};
use serde_json::Value;

pub(super) type Hook = Arc<dyn Fn(&Write) + Send + Sync>;

/// Which reads [`Store::serve_stale`] makes old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Every list and every get.
    All,
    /// Every list.
    Lists,
    /// Lists and gets with `resourceVersion=0`, which a real server, too, answers from a cache.
    Cached,
}

/// The world at one moment; cheap to take and to keep.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<World>);

impl Store {
    /// Calls this after each write that changed something, in order, with no lock held: it may use the store.
    pub fn on_write(&self, hook: impl Fn(&Write) + Send + Sync + 'static) {
        let mut hooks = self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.push(Arc::new(hook));
    }

    pub(super) fn tell(&self, writes: &[Arc<Write>]) {
        if writes.is_empty() {
            return;
        }
        let hooks = self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for write in writes {
            hooks.iter().for_each(|hook| hook(write));
        }
    }

    /// Every write since the store was made, the oldest first.
    pub fn writes(&self) -> Vec<Arc<Write>> {
        self.state().world.writes.clone()
    }

    /// The writes after a version, the oldest first.
    pub fn writes_after(&self, version: u64) -> Vec<Arc<Write>> {
        let state = self.state();
        let writes = &state.world.writes;
        writes[writes.partition_point(|write| write.resource_version <= version)..].to_vec()
    }

    /// A hash of the log of writes: times, verbs and whole objects. The same for the same log, on every machine.
    pub fn log_hash(&self) -> u64 {
        let world = self.state().world.clone();
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        for write in &world.writes {
            let line = format!("{} {:?} {:?} {} ", write.at, write.verb, write.change, write.kind);
            hash.write(line.as_bytes());
            hash.write(&write.object.text());
        }
        hash.finish()
    }

    /// The world as it is.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state().world.clone())
    }

    /// Puts the world back. Open watches end; hooks and staleness stay.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state();
        state.world = snapshot.0.clone();
        end_watches(state);
    }

    /// Puts an object there as it was in another store, with its status and its UID, as a restore of etcd does; only its
    /// version is new. Members that its kind does not know are dropped.
    ///
    /// # Errors
    /// The kind is not served.
    pub fn put_back(&self, object: &Value) -> Result<(), Failure> {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let (id, kind) = self.kind_by(group, object["kind"].as_str().unwrap_or_default())?;
        let (mut value, at) = (object.clone(), (self.shared.clock)());
        admit::settled(&kind, &mut value);
        let key = (id, object::meta(&value, "namespace").to_owned(), object::meta(&value, "name").to_owned());
        self.change(|world| {
            let (verb, change) = (Verb::Create, Change::Added);
            world.commit(Entry { key, at, verb, change, value, form: object::Form::AsRead })
        });
        Ok(())
    }

    /// Another store that goes on from here, with a clock of its own, without hooks, watches and staleness.
    pub fn fork(snapshot: &Snapshot, clock: Clock) -> Store {
        Store::of(snapshot.0.clone(), clock)
    }

    /// From now on answers such reads of a kind (by its name, such as `Release`) as of this age. Watches are not touched.
    ///
    /// # Errors
    /// The kind is not served.
    pub fn serve_stale(&self, kind: &str, reads: Reads, age: Age) -> Result<(), Failure> {
        let mut state = self.state();
        let id = state.world.kind_id(|known| &*known.kind == kind);
        let id = id.ok_or_else(|| Failure::not_served(format!("the kind {kind}")))?;
        state.stale.insert(id, (reads, age));
        Ok(())
    }

    /// From now on answers reads of all kinds as things are.
    pub fn serve_fresh(&self) {
        self.state().stale.clear();
    }

    /// Deletes what is owned by nobody any more, as the garbage collector of a real cluster would.
    pub fn collect_garbage(&self) {
        let at = (self.shared.clock)();
        self.change(|world| collect::collect(world, at));
    }

    /// Forgets all versions before this one: a watch or an exact list of an older one is 410. The log is kept.
    pub fn compact(&self) {
        let mut state = self.state();
        let world = Arc::make_mut(&mut state.world);
        world.oldest = world.version;
    }

    /// Ends all open watches, as a restarted server would.
    pub fn drop_watches(&self) {
        end_watches(self.state());
    }

    /// Sends a bookmark on all watches that asked for them.
    pub fn send_bookmarks(&self) {
        let mut state = self.state();
        state.bookmarks += 1;
        wake(state);
    }
}

fn end_watches(mut state: std::sync::MutexGuard<'_, State>) {
    state.epoch += 1;
    wake(state);
}

fn wake(mut state: std::sync::MutexGuard<'_, State>) {
    let waiting = std::mem::take(&mut state.waiting);
    drop(state);
    waiting.into_iter().for_each(Waker::wake);
}

impl State {
    /// As of which version a read is to be answered, if it is to be made old.
    pub(super) fn stale_version(&self, id: KindId, asked: Asked, now: jiff::Timestamp) -> Option<u64> {
        let (reads, age) = self.stale.get(&id)?;
        let affected = match (reads, asked) {
            (Reads::All, _) | (_, Asked::CachedList) | (Reads::Cached, Asked::CachedGet) => true,
            (Reads::Lists, Asked::List) => true,
            (Reads::Lists, Asked::Get | Asked::CachedGet) | (Reads::Cached, Asked::List | Asked::Get) => false,
        };
        if !affected {
            return None;
        }
        let age = match *age {
            Age::Wavering { most, seed } => Age::Wavering { most, seed: self.next_seed(seed) },
            age @ (Age::WritesBehind(_) | Age::Version(_) | Age::Span(_)) => age,
        };
        Some(self.world.version_of_age(id, age, now))
    }

    /// A seed for each read that wavers: the same for the same reads in the same order.
    fn next_seed(&self, seed: u64) -> u64 {
        let read = self.wavered.get() + 1;
        self.wavered.set(read);
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ read
    }
}

/// What kind of read a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Get,
    List,
    CachedGet,
    CachedList,
}

/// FNV-1a: the standard library's hashers do not promise the same value tomorrow.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
