//! What the API server makes of content before it is stored: schema, status rule, the built-in kinds' own habits.
//! Metadata is not looked at here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::failure::Failure;
use super::kinds::{BuiltIn, Kind, Origin, StatusRule};
use super::object::{Form, meta};

/// For a new object.
pub(super) fn created(kind: &Kind, body: &mut Value) -> Result<(), Failure> {
    match &kind.origin {
        Origin::Custom { status, .. } => {
            if let (StatusRule::Subresource, Some(body)) = (status, body.as_object_mut()) {
                body.remove("status");
            }
            settled(kind, body);
            Ok(())
        }
        Origin::BuiltIn(BuiltIn::Namespace) => {
            let name = meta(body, "name").to_owned();
            body["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
            body["spec"] = json!({"finalizers": ["kubernetes"]});
            body["status"] = json!({"phase": "Active"});
            Ok(())
        }
        Origin::BuiltIn(BuiltIn::Secret) => secret(kind, body),
        Origin::BuiltIn(BuiltIn::Plain) => Ok(()),
    }
}

/// How a new object lies in the store.
pub(super) fn new_form(kind: &Kind, object: &Value) -> Form {
    match &kind.origin {
        Origin::Custom { status: StatusRule::Subresource, .. } if object.get("status").is_some() => Form::WithoutStatus,
        Origin::Custom { .. } | Origin::BuiltIn(_) => Form::AsRead,
    }
}

/// For an object that replaces another.
pub(super) fn updated(kind: &Kind, body: &mut Value, old: &Value) -> Result<(), Failure> {
    if let (StatusRule::Subresource, Some(body)) = (kind.status_rule(), body.as_object_mut()) {
        match old.get("status") {
            Some(status) => body.insert("status".into(), status.clone()),
            None => body.remove("status"),
        };
    }
    settled(kind, body);
    match &kind.origin {
        Origin::BuiltIn(BuiltIn::Secret) => secret(kind, body),
        Origin::BuiltIn(BuiltIn::Namespace | BuiltIn::Plain) | Origin::Custom { .. } => Ok(()),
    }
}

/// Unknown members dropped, defaults filled in.
pub(super) fn settled(kind: &Kind, body: &mut Value) {
    if let Origin::Custom { schema, .. } = &kind.origin {
        schema.settle(body);
    }
}

fn secret(kind: &Kind, body: &mut Value) -> Result<(), Failure> {
    let plain = body.as_object_mut().and_then(|body| body.remove("stringData"));
    for (key, value) in plain.iter().filter_map(Value::as_object).flatten() {
        body["data"][key.as_str()] = json!(STANDARD.encode(value.as_str().unwrap_or_default()));
    }
    if body["type"].as_str().unwrap_or_default().is_empty() {
        body["type"] = json!("Opaque");
    }
    let values = body["data"].as_object().into_iter().flatten();
    for (key, value) in values {
        if value.as_str().is_none_or(|text| STANDARD.decode(text).is_err()) {
            let resource = kind.resource();
            return Err(Failure::bad_request(format!("{resource}: data[{key:?}] is not base64")));
        }
    }
    Ok(())
}
