//! What a kind of object must have so that passes can be made over it. The kinds are listed in `launchway_crds::kinds`; what a
//! pass does is in the module of its kind.

use crate::context::Context;
use crate::key::{Key, Kind};
use crate::kube_api::Unreachable;
use crate::wake::{Links, digest};
use kube::core::object::HasStatus;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use launchway_crds::condition::Condition;
use launchway_plan::wake::Wake;
use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// A kind of object that passes are made over. Its name, plural and scope are those of kube's [`Resource`].
pub trait Reconciled:
    Resource<DynamicType = ()> + HasConditions + Clone + Debug + DeserializeOwned + Serialize + Send + Sync + 'static
{
    /// Its place in the list.
    const KIND: Kind;

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

    /// What else follows the watch of this kind.
    fn followed(_event: &Event<Self>, _context: &Context) {}

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
        })*

        impl Kind {
            /// The links of an object of this kind.
            ///
            /// # Errors
            /// The object does not parse as one of this kind.
            pub fn links(self, object: &Value) -> serde_json::Result<Links> {
                use serde::Deserialize;
                match self { $(Self::$kind => launchway_crds::$kind::deserialize(object).map(|object| object.all_links())),* }
            }
        }

        impl Key {
            /// One pass over the object: everything but wiring.
            ///
            /// # Errors
            /// Kubernetes could not be reached. Every other failure is written into the object's status.
            pub async fn pass(&self, context: &Context) -> Result<Wake, Unreachable> {
                match self.kind { $(Kind::$kind => launchway_crds::$kind::pass(self, context).await),* }
            }
        }
    };
}

launchway_crds::kinds!(each);

impl Key {
    /// The key of an object.
    pub fn of<K: Reconciled>(object: &K) -> Self {
        Self { kind: K::KIND, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }
}
