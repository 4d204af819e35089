//! A small Kubernetes API server in memory, answered at once and the same in every run, behind `kube::Client::new`.
//!
//! It does get, list, watch, create, PUT, PUT on `/status`, JSON merge patches, delete, finalizers, resourceVersion,
//! generation, generateName, pruning and defaults of structural schemas, label and field selectors, paging. The
//! conformance suite of this crate holds it to the real API server in these. It does not do, and answers 501 where it
//! would matter: server-side apply, JSON patch, dry runs, foreground deletion, deletion of collections and of
//! namespaces, discovery. It does not check types, limits or CEL rules, and knows no RBAC and no `managedFields`.

#![allow(clippy::expect_used, reason = "a world for tests: what cannot be ends the test")]

mod admit;
mod collect;
mod failure;
mod hooks;
mod kinds;
mod object;
mod read;
mod request;
mod schema;
mod selector;
mod service;
mod watch;
mod world;
mod write;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use failure::Failure;
pub use hooks::{Reads, Snapshot};
pub use kinds::{Kind, Scope};
pub use object::Object;
pub use service::{Body, StoreService};
pub use watch::Watch;
pub use world::{Age, Change, Verb, Write};

use hooks::Hook;
use world::{KindId, World};
use write::Writing;

/// What the store takes for now.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    hooks: Mutex<Vec<Hook>>,
    clock: Clock,
}

struct State {
    world: Arc<World>,
    stale: BTreeMap<KindId, (Reads, Age)>,
    /// How many reads were given an age of their own.
    wavered: Cell<u64>,
    /// Watches that wait for a write.
    waiting: Vec<Waker>,
    /// Grows when all watches that are open have to end.
    epoch: u64,
    /// Grows when all watches have to send a bookmark.
    bookmarks: u64,
}

impl Store {
    /// An empty store with the namespaces `default` and `kube-system` and the kinds Namespace, Secret, ConfigMap and
    /// Event (`events.k8s.io/v1`).
    pub fn new(clock: Clock) -> Store {
        let store = Store::of(Arc::new(World::new()), clock);
        for name in ["default", "kube-system"] {
            store.create_namespace(name);
        }
        store
    }

    fn of(world: Arc<World>, clock: Clock) -> Store {
        let state =
            State { world, stale: BTreeMap::new(), wavered: Cell::new(0), waiting: Vec::new(), epoch: 0, bookmarks: 0 };
        Store { shared: Arc::new(Shared { state: Mutex::new(state), hooks: Mutex::default(), clock }) }
    }

    /// Serves the kind that a CRD defines from now on; registering it again replaces its rules.
    ///
    /// # Errors
    /// The CRD has no schema, or no version that is both stored and served.
    pub fn register(&self, crd: &CustomResourceDefinition) -> anyhow::Result<()> {
        let kind = Arc::new(Kind::defined_by(crd)?);
        let mut state = self.state();
        let world = Arc::make_mut(&mut state.world);
        match world.kind_id(|known| known.resource() == kind.resource()) {
            Some(id) => world.kinds[id] = kind,
            None => world.kinds.push(kind),
        }
        Ok(())
    }

    /// Makes a namespace; one that is there stays.
    pub fn create_namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        // The only refusal of a well-formed namespace is that it is there.
        let _ = self.create_json(&namespace);
    }

    /// Creates an object as POST would: the same checks, the same log.
    ///
    /// # Errors
    /// The refusal that a client would have seen.
    pub fn create<K: Serialize + DeserializeOwned>(&self, object: &K) -> Result<K, Failure> {
        typed(&*self.create_json(&as_json(object)?)?)
    }

    /// Creates an object given as JSON; its `apiVersion` and `kind` say what it is.
    ///
    /// # Errors
    /// The refusal that a client would have seen.
    pub fn create_json(&self, object: &Value) -> Result<Arc<Object>, Failure> {
        self.write_json(object, |writing, body| writing.create(body))
    }

    /// Creates the object, or replaces what its writer owns whatever the version: what a person does with
    /// `kubectl apply`. Status, finalizers and owner references that are there stay, unless the object has its own.
    ///
    /// # Errors
    /// The refusal that a client would have seen.
    pub fn apply<K: Serialize + DeserializeOwned>(&self, object: &K) -> Result<K, Failure> {
        typed(&*self.apply_json(&as_json(object)?)?)
    }

    /// [`Store::apply`] for an object given as JSON.
    ///
    /// # Errors
    /// The refusal that a client would have seen.
    pub fn apply_json(&self, object: &Value) -> Result<Arc<Object>, Failure> {
        self.write_json(object, |writing, mut body| {
            let name = object::meta(&body, "name").to_owned();
            let key = (writing.id, writing.namespace.to_owned(), name.clone());
            let Some(old) = writing.world.objects.get(&key) else { return writing.create(body) };
            for kept in ["finalizers", "ownerReferences"] {
                if body["metadata"][kept].is_null() {
                    body["metadata"][kept] = old.value()["metadata"][kept].clone();
                }
            }
            body["metadata"]["uid"] = Value::Null;
            body["metadata"]["resourceVersion"] = json!(old.meta("resourceVersion"));
            writing.replace(&name, body, Verb::Update)
        })
    }

    /// Deletes an object as DELETE would; one that is not there is a refusal.
    ///
    /// # Errors
    /// The refusal that a client would have seen.
    pub fn delete<K: Resource<DynamicType = ()>>(&self, namespace: &str, name: &str) -> Result<(), Failure> {
        let (now, (id, kind)) = ((self.shared.clock)(), self.kind_of::<K>()?);
        self.change(|world| {
            let mut writing = Writing { world, kind, id, namespace, at: now };
            writing.delete(name, &Value::Null, Verb::Delete).map(drop)
        })
    }

    /// One object, as it is now, whatever reads are made stale. `namespace` is empty for cluster-scoped kinds.
    ///
    /// # Panics
    /// The kind is not served, or the object does not parse.
    pub fn object<K: Resource<DynamicType = ()> + DeserializeOwned>(&self, namespace: &str, name: &str) -> Option<K> {
        let (id, _) = self.kind_of::<K>().expect("a served kind");
        let found = self.state().world.objects.get(&(id, namespace.to_owned(), name.to_owned())).cloned();
        found.map(|object| object.typed().expect("a stored object parses"))
    }

    /// All objects of a kind in all namespaces, as they are now, in the order of lists.
    ///
    /// # Panics
    /// The kind is not served, or an object does not parse.
    pub fn all<K: Resource<DynamicType = ()> + DeserializeOwned>(&self) -> Vec<K> {
        let (id, _) = self.kind_of::<K>().expect("a served kind");
        let world = self.state().world.clone();
        world.objects_now(id, None).map(|(_, object)| object.typed().expect("a stored object parses")).collect()
    }

    /// All objects of the kind with this name, such as `Release`; none when it is not served.
    pub fn objects(&self, kind: &str) -> Vec<Arc<Object>> {
        let world = self.state().world.clone();
        let id = world.kind_id(|known| &*known.kind == kind);
        id.map(|id| world.objects_now(id, None).map(|(_, object)| object.clone()).collect()).unwrap_or_default()
    }

    /// The version of the last write.
    pub fn version(&self) -> u64 {
        self.state().world.version
    }

    /// A client of this store in the namespace `default`. Needs a tokio runtime around it.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.service(), "default")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held was a failed assertion of a test; the world itself is whole after each line.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kind_of<K: Resource<DynamicType = ()>>(&self) -> Result<(KindId, Arc<Kind>), Failure> {
        self.kind_by(&K::group(&()), &K::kind(&()))
    }

    fn kind_by(&self, group: &str, kind: &str) -> Result<(KindId, Arc<Kind>), Failure> {
        let world = &self.state().world;
        let id = world.kind_id(|known| known.group == group && &*known.kind == kind);
        let id = id.ok_or_else(|| Failure::not_served(format!("the kind {group}/{kind}")))?;
        Ok((id, world.kinds[id].clone()))
    }

    fn write_json(
        &self,
        object: &Value,
        write: impl FnOnce(&mut Writing<'_>, Value) -> Result<Arc<Object>, Failure>,
    ) -> Result<Arc<Object>, Failure> {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let (id, kind) = self.kind_by(group, object["kind"].as_str().unwrap_or_default())?;
        let namespace = match kind.scope {
            Scope::Cluster => "",
            Scope::Namespaced => object::meta(object, "namespace"),
        };
        let at = (self.shared.clock)();
        self.change(|world| write(&mut Writing { world, kind, id, namespace, at }, object.clone()))
    }

    /// Every change goes through here: afterwards, and unlocked, watches are woken and the hooks called.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut state = self.state();
        let before = state.world.writes.len();
        let outcome = change(Arc::make_mut(&mut state.world));
        let new: Vec<Arc<Write>> = state.world.writes[before..].to_vec();
        let waiting = if new.is_empty() { Vec::new() } else { std::mem::take(&mut state.waiting) };
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        self.tell(&new);
        outcome
    }
}

fn as_json<K: Serialize>(object: &K) -> Result<Value, Failure> {
    serde_json::to_value(object).map_err(|error| Failure::bad_request(error.to_string()))
}

fn typed<K: DeserializeOwned>(object: &Object) -> Result<K, Failure> {
    object.typed().map_err(|error| Failure::bad_request(error.to_string()))
}
