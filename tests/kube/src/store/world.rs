//! All that the store holds: objects, the log of writes, and how things stood at an earlier version.
//! No rules of what may be written; those are in `write`.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{Form, Object};

/// Where a kind stands in [`World::kinds`].
pub(super) type KindId = usize;

/// Kind, namespace (empty for cluster-scoped objects), name: also the order of lists.
pub(super) type Key = (KindId, String, String);

/// What was asked for by a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// POST.
    Create,
    /// PUT on the object.
    Update,
    /// PUT on `/status`.
    UpdateStatus,
    /// PATCH on the object or on `/status`.
    Patch,
    /// DELETE.
    Delete,
    /// Garbage collection.
    Collect,
}

/// What a write did to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// It is new.
    Added,
    /// It is another than before.
    Modified,
    /// It is gone.
    Deleted,
}

impl Change {
    pub(super) fn word(self) -> &'static str {
        match self {
            Change::Added => "ADDED",
            Change::Modified => "MODIFIED",
            Change::Deleted => "DELETED",
        }
    }
}

/// One write that changed something. Equal writes and refused ones are not written down.
#[derive(Debug)]
pub struct Write {
    /// The version that it made; grows by one with each write to the store.
    pub resource_version: u64,
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What was asked for.
    pub verb: Verb,
    /// What came of it.
    pub change: Change,
    /// The kind's name, such as `Release`.
    pub kind: Arc<str>,
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The object afterwards; of a deletion, the object as it last was, with the version of the deletion.
    pub object: Arc<Object>,
    pub(super) before: Option<Arc<Object>>,
    pub(super) id: KindId,
}

/// How old the answers of [`super::Store::serve_stale`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// As before the last so many writes to that kind.
    WritesBehind(usize),
    /// Each read by itself as before the last 0 to `most` writes to that kind, so that one may see less than the one before
    /// it. The seed and the number of the read decide.
    Wavering {
        /// The most writes that a read may miss.
        most: usize,
        /// Another seed gives other ages.
        seed: u64,
    },
    /// As of this version of the store.
    Version(u64),
    /// As of so long ago, by the store's clock.
    Span(SignedDuration),
}

/// The first version handed out is one more than this: a version such as 1 is then too old, as on a real server.
pub(super) const FIRST_VERSION: u64 = 1000;

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) kinds: Vec<Arc<Kind>>,
    pub(super) objects: BTreeMap<Key, Arc<Object>>,
    pub(super) writes: Vec<Arc<Write>>,
    pub(super) version: u64,
    /// Versions below this one are forgotten: to ask for them is 410.
    pub(super) oldest: u64,
}

/// A write that is allowed and only has to be put down.
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) at: Timestamp,
    pub(super) verb: Verb,
    pub(super) change: Change,
    pub(super) value: Value,
    pub(super) form: Form,
}

impl World {
    pub(super) fn new() -> World {
        World {
            kinds: Kind::built_in().into_iter().map(Arc::new).collect(),
            objects: BTreeMap::new(),
            writes: Vec::new(),
            version: FIRST_VERSION,
            oldest: FIRST_VERSION,
        }
    }

    pub(super) fn kind_id(&self, matches: impl Fn(&Kind) -> bool) -> Option<KindId> {
        self.kinds.iter().position(|kind| matches(kind))
    }

    /// Puts a write down: gives it the next version, changes the objects, and keeps what was there before.
    pub(super) fn commit(&mut self, entry: Entry) -> Arc<Object> {
        let Entry { key, at, verb, change, mut value, form } = entry;
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(Object::new(value, form));
        let before = match change {
            Change::Added | Change::Modified => self.objects.insert(key.clone(), object.clone()),
            Change::Deleted => self.objects.remove(&key),
        };
        let (id, namespace, name) = key;
        let kind = self.kinds[id].kind.clone();
        let resource_version = self.version;
        let write =
            Write { resource_version, at, verb, change, kind, namespace, name, object: object.clone(), before, id };
        self.writes.push(Arc::new(write));
        object
    }

    /// The objects of a kind in the order of lists; `namespace` absent means all of them.
    pub(super) fn objects_now<'a>(
        &'a self,
        id: KindId,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Object>)> {
        let start = (id, namespace.unwrap_or_default().to_owned(), String::new());
        let all = self.objects.range((Bound::Included(start), Bound::Unbounded));
        all.take_while(move |((of, within, _), _)| *of == id && namespace.is_none_or(|namespace| within == namespace))
    }

    /// The objects of a kind as they stood at a version.
    pub(super) fn objects_at<'a>(
        &'a self,
        id: KindId,
        namespace: Option<&'a str>,
        version: u64,
    ) -> Vec<(Key, Arc<Object>)> {
        let now = self.objects_now(id, namespace).map(|(key, object)| (key.clone(), object.clone()));
        let mut then: BTreeMap<Key, Arc<Object>> = now.collect();
        for write in self.writes.iter().rev().take_while(|write| write.resource_version > version) {
            if write.id != id || namespace.is_some_and(|namespace| namespace != write.namespace) {
                continue;
            }
            let key = (id, write.namespace.clone(), write.name.clone());
            match &write.before {
                Some(before) => then.insert(key, before.clone()),
                None => then.remove(&key),
            };
        }
        then.into_iter().collect()
    }

    /// One object as it stood at a version.
    pub(super) fn object_at(&self, key: &Key, version: u64) -> Option<Arc<Object>> {
        let later = self.writes.iter().rev().take_while(|write| write.resource_version > version);
        let of_key = later.filter(|write| (write.id, &write.namespace, &write.name) == (key.0, &key.1, &key.2));
        match of_key.last() {
            Some(first_later) => first_later.before.clone(),
            None => self.objects.get(key).cloned(),
        }
    }

    /// The version of the store that is this old for a kind.
    pub(super) fn version_of_age(&self, id: KindId, age: Age, now: Timestamp) -> u64 {
        let of_kind = || self.writes.iter().rev().filter(|write| write.id == id);
        let first_version = FIRST_VERSION;
        match age {
            Age::WritesBehind(0) => self.version,
            Age::WritesBehind(n) => of_kind().nth(n - 1).map_or(first_version, |write| write.resource_version - 1),
            Age::Wavering { most, seed } => {
                let behind = mixed(seed) % (most as u64 + 1);
                self.version_of_age(id, Age::WritesBehind(behind as usize), now)
            }
            Age::Version(version) => version,
            Age::Span(span) => {
                let seen = self.writes.iter().rev().find(|write| write.at.saturating_add(span).is_ok_and(|t| t <= now));
                seen.map_or(first_version, |write| write.resource_version)
            }
        }
    }
}

/// SplitMix64: neighbouring seeds give numbers that have nothing to do with each other.
fn mixed(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
