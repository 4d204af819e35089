//! Objects of our kinds as the API server sends them, decoded one by one: one that cannot be decoded is shown as that, and is
//! not the end of a list.

use jiff::Timestamp;
use kube::Resource;
use kube::core::NamespaceResourceScope;
use kube::core::object::{HasSpec, HasStatus};
use launchway_crds::{LogRequest, Pipeline, Release, Service};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::fmt::Debug;

/// A kind that is looked at here.
pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasSpec<Spec: DeserializeOwned + Debug>
    + HasStatus<Status: DeserializeOwned + Debug>
{
}

impl Kind for Pipeline {}
impl Kind for Release {}
impl Kind for Service {}
impl Kind for LogRequest {}

/// An object.
#[derive(Debug)]
pub struct Item<K: Kind> {
    pub name: String,
    pub namespace: String,
    pub created: Option<Timestamp>,
    /// The generation of its spec.
    pub generation: i64,
    /// What it says; else the member that cannot be decoded, never its value.
    pub body: Result<Body<K>, String>,
}

/// What an object says.
#[derive(Debug)]
pub struct Body<K: Kind> {
    pub spec: K::Spec,
    pub status: Option<K::Status>,
}

#[derive(Deserialize)]
struct Parts<'a> {
    metadata: Metadata,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

// The members that are looked at and no others: people can write what cannot be decoded into `managedFields`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    creation_timestamp: Option<String>,
    #[serde(default)]
    generation: i64,
}

impl<K: Kind> Item<K> {
    /// Decodes an object.
    ///
    /// # Errors
    /// It is none of Kubernetes.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        let Parts { metadata, spec, status } = serde_json::from_str(text)?;
        let created = metadata.creation_timestamp.and_then(|time| time.parse().ok());
        let Metadata { name, namespace, generation, .. } = metadata;
        Ok(Self { name, namespace, created, generation, body: body(spec, status) })
    }

    /// Its spec and its status, if it could be decoded and has one.
    pub fn status(&self) -> Option<(&K::Spec, &K::Status)> {
        let body = self.body.as_ref().ok()?;
        Some((&body.spec, body.status.as_ref()?))
    }
}

fn body<K: Kind>(spec: Option<&RawValue>, status: Option<&RawValue>) -> Result<Body<K>, String> {
    let spec = member("spec", spec.unwrap_or(RawValue::NULL))?;
    Ok(Body { spec, status: status.map(|status| member("status", status)).transpose()? })
}

fn member<T: DeserializeOwned>(part: &str, text: &RawValue) -> Result<T, String> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text.get())).map_err(|error| {
        let path = error.path().to_string();
        if path == "." { part.to_owned() } else { format!("{part}.{path}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_cannot_be_decoded_names_the_member() {
        let text = r#"{"metadata": {"name": "a", "namespace": "b", "managedFields": [{"time": "+99"}]},
            "spec": {"pipeline": "p", "reason": "Manual"}, "status": {"endedAt": "9999-99-99T00:00:00Z"}}"#;
        let item = Item::<Release>::parse(text).unwrap();
        assert_eq!((item.name.as_str(), item.body.unwrap_err().as_str()), ("a", "status.endedAt"));
    }
}
