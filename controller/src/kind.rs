//! The kinds of objects that passes are made over, and what the wiring has to know of each. They are listed in
//! `launchway_crds::kinds`; what a pass does is in the module of its kind.

use crate::context::Context;
use crate::kube_api::Unreachable;
use crate::run::{self, Wiring};
use crate::status::HasConditions;
use crate::wake::Links;
use futures::future::{BoxFuture, FutureExt};
use kube::{Resource, ResourceExt};
use launchway_crds::condition::Condition;
use launchway_plan::account::DEFAULT;
use launchway_plan::wake::Wake;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::future::Future;

/// A kind of object that passes are made over. Its name, plural and scope are those of kube's [`Resource`].
pub trait Reconciled:
    Resource<DynamicType = ()> + HasConditions + Clone + Debug + DeserializeOwned + Serialize + Send + Sync + 'static
{
    /// Its place in the list.
    const KIND: Kind;
    /// Whether `--pace` shortens its delays: those of a kind whose passes poll AWS while something is in progress.
    const PACED: bool;

    /// Which objects it depends on, and what it shows to those that depend on it.
    fn links(&self) -> Links;

    /// One pass over the object of that key.
    fn pass(key: &Key, context: &Context) -> impl Future<Output = Result<Wake, Unreachable>> + Send;
}

/// What there is to know of a kind, without its type.
struct Row {
    name: Cow<'static, str>,
    is_paced: bool,
    links: fn(&Value) -> serde_json::Result<Links>,
    pass: for<'a> fn(&'a Key, &'a Context) -> BoxFuture<'a, Result<Wake, Unreachable>>,
    run: fn(Wiring) -> BoxFuture<'static, ()>,
}

impl Row {
    fn of<K: Reconciled>() -> Self {
        Self {
            name: K::kind(&()),
            is_paced: K::PACED,
            links: |object| K::deserialize(object).map(|object| object.links()),
            pass: |key, context| K::pass(key, context).boxed(),
            run: |wiring| run::controller::<K>(wiring).boxed(),
        }
    }
}

/// Makes an enum of the kinds, and all that is done for each of them. A kind without an `impl Reconciled` does not compile.
macro_rules! list {
    ($($kind:ident),*) => {
        /// The kinds that have passes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = concat!("[`launchway_crds::", stringify!($kind), "`].")] $kind),*
        }

        impl Kind {
            /// All kinds, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            fn row(self) -> Row {
                match self { $(Self::$kind => Row::of::<launchway_crds::$kind>()),* }
            }
        }

        $(impl HasConditions for launchway_crds::$kind {
            fn conditions(status: &Self::Status) -> &[Condition] {
                &status.conditions
            }
            fn saying(status: &Self::Status, conditions: Vec<Condition>) -> Self::Status {
                Self::Status { conditions, ..status.clone() }
            }
        })*
    };
}

launchway_crds::kinds!(list);

impl Kind {
    /// The kind that Kubernetes calls so, if it is one of ours.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// What Kubernetes calls it, such as `Release`.
    pub fn name(self) -> Cow<'static, str> {
        self.row().name
    }

    /// Whether `--pace` shortens its delays.
    pub(crate) fn is_paced(self) -> bool {
        self.row().is_paced
    }

    /// The links of an object of this kind.
    ///
    /// # Errors
    /// The object does not parse as one of this kind.
    pub fn links(self, object: &Value) -> serde_json::Result<Links> {
        (self.row().links)(object)
    }

    /// Runs kube-runtime's Controller of this kind.
    pub(crate) fn run(self, wiring: Wiring) -> BoxFuture<'static, ()> {
        (self.row().run)(wiring)
    }
}

/// An object that passes are made over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for an AwsAccount.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
    }
}

impl Key {
    /// The key of the AwsAccount of that name, or of the one that is meant where none is named.
    pub fn of_account(name: Option<&str>) -> Self {
        Self { kind: Kind::AwsAccount, namespace: String::new(), name: name.unwrap_or(DEFAULT).to_owned() }
    }

    /// The key of an object.
    pub fn of<K: Reconciled>(object: &K) -> Self {
        Self { kind: K::KIND, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }

    /// One pass over the object: everything but wiring.
    ///
    /// # Errors
    /// Kubernetes could not be reached. Every other failure is written into the object's status.
    pub async fn pass(&self, context: &Context) -> Result<Wake, Unreachable> {
        (self.kind.row().pass)(self, context).await
    }
}
