//! What names an object that passes are made over. The kinds are listed in `launchway_crds::kinds`.

use kube::Resource;
use launchway_plan::account::DEFAULT;
use std::borrow::Cow;
use std::fmt;

/// Makes an enum of the kinds.
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

            /// What Kubernetes calls several of them in a path, such as `releases`.
            pub fn plural(self) -> Cow<'static, str> {
                match self { $(Self::$kind => launchway_crds::$kind::plural(&())),* }
            }

            /// What Kubernetes calls it, such as `Release`.
            pub fn name(self) -> Cow<'static, str> {
                match self { $(Self::$kind => launchway_crds::$kind::kind(&())),* }
            }
        }
    };
}

launchway_crds::kinds!(list);

impl Kind {
    /// The kind that Kubernetes calls so, if it is one of ours.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
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
}
