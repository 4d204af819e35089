//! Objects of our kinds as the API server sends them, decoded one by one: an object that cannot be decoded is one that is
//! skipped, and never the end of a list or of a watch.
//!
//! The API server keeps objects that serde refuses: JSON that is nested more than 128 deep, times of the year 9999, times
//! with more than nine digits after the point or an offset of +99:00 (tried on 1.36). What people can write into any object,
//! `metadata.managedFields`, is not looked at: nothing here needs it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::Resource;
use kube::api::ObjectMeta;
use kube::core::object::{HasSpec, HasStatus};
use launchway_plan::condition::cut;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

/// The longest name of a member in a message, in bytes. Parts of it may be keys that a user chose.
const MEMBER: usize = 200;

/// A kind whose objects can be put together from the parts that the API server sends.
pub trait OfParts: HasSpec<Spec: DeserializeOwned> + HasStatus<Status: DeserializeOwned> {
    /// The object with that metadata, spec and status.
    fn of_parts(metadata: ObjectMeta, spec: Self::Spec, status: Option<Self::Status>) -> Self;
}

/// An object of a kind, or what is known of one that cannot be decoded.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Item<K> {
    /// The object.
    Read(K),
    /// It is there, and cannot be decoded.
    #[serde(skip)]
    Unreadable(Box<Unreadable>),
}

/// An object that is there and cannot be decoded.
#[derive(Clone)]
pub struct Unreadable {
    /// Its name, namespace, UID and version; more of it where that could be decoded.
    pub metadata: ObjectMeta,
    /// The member that could not be decoded, such as `status.rollout.startedAt`; never its value.
    pub member: String,
    spec: Option<Box<RawValue>>,
}

impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unreadable({:?}: {})", self.metadata.name, self.member)
    }
}

impl Unreadable {
    /// A member of its spec, if that one can be decoded.
    pub fn of_spec<T: DeserializeOwned>(&self, member: &str) -> Option<T> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(self.spec.as_ref()?.get()).ok()?;
        serde_json::from_str(members.get(member)?.get()).ok()
    }

    /// What is wrong with it, and what helps.
    pub fn note(&self) -> String {
        format!(
            "Launchway cannot read {}: the API server keeps a value there that Launchway does not understand. The object is left as it is until that value is corrected or taken out",
            self.member
        )
    }
}

impl<K> Item<K> {
    /// The object, if it could be decoded.
    pub fn object(self) -> Result<K, Box<Unreadable>> {
        match self {
            Self::Read(object) => Ok(object),
            Self::Unreadable(unreadable) => Err(unreadable),
        }
    }
}

impl<K: OfParts> Item<K> {
    /// Decodes an object.
    ///
    /// # Errors
    /// The text is no object with metadata at all: it does not come from an API server.
    fn parse(text: &str) -> serde_json::Result<Self> {
        let parts: Parts<'_> = serde_json::from_str(text)?;
        let metadata = match member::<Metadata>("metadata", parts.metadata) {
            Ok(metadata) => metadata.whole(),
            Err(member) => {
                let metadata = serde_json::from_str::<Named>(parts.metadata.get())?.whole();
                return Ok(parts.unreadable(metadata, member));
            }
        };
        let status = parts.status.map(|status| member("status", status)).transpose();
        Ok(match (member("spec", parts.spec.unwrap_or(RawValue::NULL)), status) {
            (Ok(spec), Ok(status)) => Self::Read(K::of_parts(metadata, spec, status)),
            (Err(member), _) | (_, Err(member)) => parts.unreadable(metadata, member),
        })
    }
}

impl<'de, K: OfParts> Deserialize<'de> for Item<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        // serde's own words may hold a part of the text.
        Self::parse(text.get()).map_err(|_| D::Error::custom("not an object of Kubernetes"))
    }
}

impl<K: Resource<DynamicType = ()>> Resource for Item<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Read(object) => object.meta(),
            Self::Unreadable(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Read(object) => object.meta_mut(),
            Self::Unreadable(unreadable) => &mut unreadable.metadata,
        }
    }
}

/// The parts of an object, not yet decoded.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

impl Parts<'_> {
    fn unreadable<K>(&self, metadata: ObjectMeta, member: String) -> Item<K> {
        Item::Unreadable(Box::new(Unreadable { metadata, member, spec: self.spec.map(ToOwned::to_owned) }))
    }
}

/// A part of an object; else the name of the member that could not be decoded.
fn member<T: DeserializeOwned>(part: &str, text: &RawValue) -> Result<T, String> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text.get())).map_err(|error| {
        let path = error.path().to_string();
        if path == "." { part.to_owned() } else { cut(&format!("{part}.{path}"), MEMBER) }
    })
}

/// The metadata that is looked at. No `flatten` here: it would decode the members that are not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    finalizers: Option<Vec<String>>,
    owner_references: Option<Vec<OwnerReference>>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
}

impl Metadata {
    fn whole(self) -> ObjectMeta {
        ObjectMeta {
            name: self.name,
            namespace: self.namespace,
            uid: self.uid,
            resource_version: self.resource_version,
            generation: self.generation,
            labels: self.labels,
            annotations: self.annotations,
            finalizers: self.finalizers,
            owner_references: self.owner_references,
            creation_timestamp: self.creation_timestamp,
            deletion_timestamp: self.deletion_timestamp,
            ..ObjectMeta::default()
        }
    }
}

/// What names an object and its version. The API server makes or checks all of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

impl Named {
    fn whole(self) -> ObjectMeta {
        let Self { name, namespace, uid, resource_version } = self;
        ObjectMeta { name, namespace, uid, resource_version, ..ObjectMeta::default() }
    }
}
