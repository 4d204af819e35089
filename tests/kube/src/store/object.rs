//! One stored object: its JSON, its text made once, and what the server keeps of its metadata. Knows no rules of writing.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value};

/// How an object lies in the store, beside how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is read.
    AsRead,
    /// Without the status that the schema's default gives it at each read, because no request that creates can store
    /// one. The next write stores it, and so is a change even when it says nothing new.
    WithoutStatus,
}

/// One version of one object. Shared, never changed.
#[derive(Debug)]
pub struct Object {
    value: Value,
    form: Form,
    text: OnceLock<Bytes>,
}

impl Object {
    pub(super) fn new(value: Value, form: Form) -> Object {
        Object { value, form, text: OnceLock::new() }
    }

    /// Whether to write this would change nothing.
    pub(super) fn is_stored_as(&self, value: &Value) -> bool {
        self.form == Form::AsRead && self.value == *value
    }

    /// The whole object as JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The object as the API server sends it; made at the first request for it.
    pub fn text(&self) -> Bytes {
        let made = self.text.get_or_init(|| Bytes::from(serde_json::to_vec(&self.value).expect("JSON is text")));
        made.clone()
    }

    /// A string of the metadata, such as `name` or `uid`; empty when absent.
    pub fn meta(&self, field: &str) -> &str {
        meta(&self.value, field)
    }

    /// The object's version.
    pub fn resource_version(&self) -> u64 {
        self.meta("resourceVersion").parse().unwrap_or_default()
    }

    pub(super) fn is_deleting(&self) -> bool {
        !self.meta("deletionTimestamp").is_empty()
    }

    pub(super) fn has_finalizers(&self) -> bool {
        !finalizers(&self.value).is_empty()
    }

    /// The object as a type. Errors say that it does not parse.
    pub fn typed<K: serde::de::DeserializeOwned>(&self) -> serde_json::Result<K> {
        K::deserialize(&self.value)
    }
}

pub(super) fn meta<'a>(value: &'a Value, field: &str) -> &'a str {
    value["metadata"][field].as_str().unwrap_or_default()
}

pub(super) fn finalizers(value: &Value) -> &[Value] {
    value["metadata"]["finalizers"].as_array().map_or(&[], Vec::as_slice)
}

/// The members of the metadata that belong to whoever writes; the server's own and unknown ones are left out.
pub(super) fn written_metadata(body: &Value) -> Map<String, Value> {
    let fields = ["generateName", "labels", "annotations", "ownerReferences", "finalizers"];
    let given = fields.iter().map(|field| (*field, &body["metadata"][*field]));
    given.filter(|(_, value)| !is_empty(value)).map(|(field, value)| (field.to_owned(), value.clone())).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether two versions differ in anything but their metadata and the members named.
pub(super) fn differs_beside(old: &Value, new: &Value, ignored: &[&str]) -> bool {
    let kept = |name: &String| name != "metadata" && !ignored.contains(&name.as_str());
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return old != new };
    let changed = old.iter().any(|(name, value)| kept(name) && new.get(name) != Some(value));
    changed || new.keys().any(|name| kept(name) && !old.contains_key(name))
}

/// A JSON merge patch (RFC 7386).
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}
