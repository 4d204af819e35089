//! What a kind of object must have so that passes can be made over it. The kinds are listed in `launchway_crds::kinds`; what a
//! pass does is in the module of its kind.

use crate::context::Context;
use crate::item::{Item, OfParts};
use crate::key::{Key, Kind};
use crate::unreachable::Unreachable;
use crate::wake::{Links, digest};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::Resource;
use kube::api::{Api, ObjectMeta};
use kube::core::object::{HasSpec, HasStatus};
use kube::core::{ClusterResourceScope, NamespaceResourceScope};
use kube::runtime::watcher::Event;
use launchway_crds::condition::Condition;
use launchway_plan::wake::Wake;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Debug;
use std::future::Future;

/// An object whose status has conditions.
pub trait HasConditions: HasStatus<Status: Clone + PartialEq> {
    /// The conditions of a status.
    fn conditions(status: &Self::Status) -> &[Condition];
    /// The same status with other conditions.
    fn saying(status: &Self::Status, conditions: Vec<Condition>) -> Self::Status;
}

/// How the objects of a scope are listed.
pub trait Listed: Sized {
    /// Whether they live in namespaces.
    const IN_NAMESPACES: bool;

    /// Those of that namespace; all, if it is empty or they live in none.
    fn listed<K: Resource<Scope = Self, DynamicType = ()>>(namespace: &str, kube: &kube::Client) -> Api<K>;
}

impl Listed for ClusterResourceScope {
    const IN_NAMESPACES: bool = false;

    fn listed<K: Resource<Scope = Self, DynamicType = ()>>(_: &str, kube: &kube::Client) -> Api<K> {
        Api::all(kube.clone())
    }
}

impl Listed for NamespaceResourceScope {
    const IN_NAMESPACES: bool = true;

    fn listed<K: Resource<Scope = Self, DynamicType = ()>>(namespace: &str, kube: &kube::Client) -> Api<K> {
        if namespace.is_empty() { Api::all(kube.clone()) } else { Api::namespaced(kube.clone(), namespace) }
    }
}

/// A kind of object that passes are made over. Its name, plural and scope are those of kube's [`Resource`].
pub trait Reconciled:
    Resource<DynamicType = (), Scope: Listed> + HasConditions + OfParts + Clone + Debug + Serialize + Send + Sync + 'static
{
    /// Its place in the list.
    const KIND: Kind;

    /// Whether it is told in Events how its conditions turn.
    const HAS_EVENTS: bool = true;

    /// Which objects it depends on, and what it shows to those that depend on it.
    fn links(&self) -> Links;

    /// The same, with what people wrote into the object digested: its spec, annotations and labels, and that it is deleted.
    fn all_links(&self) -> Links {
        let (meta, links) = (self.meta(), self.links());
        let is_deleted = meta.deletion_timestamp.is_some();
        let asks = digest(&(meta.generation, &meta.annotations, &meta.labels, is_deleted, links.asks));
        Links { asks, ..links }
    }

    /// Whether its status says that there is nothing to do but to check it from time to time.
    fn is_at_rest(&self) -> bool {
        false
    }

    /// Since when it is at work, where somebody waits for its end.
    fn at_work_since(&self) -> Option<Timestamp> {
        None
    }

    /// Counts what has ended between two versions, the second of which was just written.
    fn counted(_before: &Self, _written: &Self, _context: &Context) {}

    /// What else follows the watch of this kind.
    fn followed(_event: &Event<Item<Self>>, _context: &Context) {}

    /// One pass over the object of that key.
    fn pass(key: &Key, context: &Context) -> impl Future<Output = Result<Wake, Unreachable>> + Send;
}

/// What is done for each kind of the list. A kind without an `impl Reconciled` does not compile.
macro_rules! each {
    ($($kind:ident),*) => {
        $(impl HasConditions for launchway_crds::$kind {
            fn conditions(status: &Self::Status) -> &[Condition] {
                &status.conditions
            }
            fn saying(status: &Self::Status, conditions: Vec<Condition>) -> Self::Status {
                Self::Status { conditions, ..status.clone() }
            }
        }

        impl OfParts for launchway_crds::$kind {
            fn of_parts(
                metadata: ObjectMeta,
                spec: <Self as HasSpec>::Spec,
                status: Option<<Self as HasStatus>::Status>,
            ) -> Self {
                Self { metadata, spec, status }
            }
        })*

        impl Kind {
            /// Whether its objects live in namespaces.
            pub fn is_in_namespaces(self) -> bool {
                match self { $(Self::$kind => <<launchway_crds::$kind as Resource>::Scope as Listed>::IN_NAMESPACES),* }
            }

            /// The links of an object of this kind; none if it cannot be read.
            pub fn links(self, object: &Value) -> Option<Links> {
                match self { $(Self::$kind => links::<launchway_crds::$kind>(object)),* }
            }
        }

        impl Key {
            /// One pass over the object: everything but wiring.
            ///
            /// # Errors
            /// Kubernetes could not be reached. Every other failure is written into the object's status.
            pub fn pass<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Wake, Unreachable>> {
                // On the heap: all that is awaited around a pass would else move one of some hundred kilobytes about, and without
                // optimising a thread's stack is not large enough for that.
                match self.kind { $(Kind::$kind => launchway_crds::$kind::pass(self, context).boxed()),* }
            }
        }
    };
}

launchway_crds::kinds!(each);

fn links<K: Reconciled>(object: &Value) -> Option<Links> {
    Item::<K>::deserialize(object).ok()?.object().ok().map(|object| object.all_links())
}

impl Key {
    /// The key of an object.
    pub fn of<K: Reconciled>(object: &K) -> Self {
        Self::named(K::KIND, object.meta())
    }

    /// The key of the object of that kind and with that metadata.
    pub fn named(kind: Kind, metadata: &ObjectMeta) -> Self {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        Self { kind, namespace: text(&metadata.namespace), name: text(&metadata.name) }
    }
}
