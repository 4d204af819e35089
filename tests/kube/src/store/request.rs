//! Reads a request: path, query, body. Answers nothing.

use std::collections::BTreeMap;

use http::Uri;
use serde_json::Value;
use url::form_urlencoded;

use super::failure::Failure;

/// What a path points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    /// Absent: the path names no namespace.
    pub(super) namespace: Option<String>,
    /// Absent: the whole collection.
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl Target {
    /// Reads `/api/v1/…` and `/apis/group/version/…`; anything else is not served.
    pub(super) fn parse(path: &str) -> Result<Target, Failure> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Err(Failure::not_served(format!("the path {path}"))),
        };
        let (namespace, rest) = match rest {
            ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            _ => (None, rest),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, None, None),
            [plural, name] => (*plural, Some(*name), None),
            [plural, name, subresource] => (*plural, Some(*name), Some(*subresource)),
            _ => return Err(Failure::no_such_path()),
        };
        Ok(Target {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            subresource: subresource.map(str::to_owned),
        })
    }
}

/// The query of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads the query; options that would change the answer and are not done here are refused.
    pub(super) fn parse(uri: &Uri) -> Result<Query, Failure> {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query = Query(pairs.into_owned().filter(|(name, _)| !name.is_empty()).collect());
        if !query.text("dryRun").is_empty() {
            return Err(Failure::not_served("dryRun"));
        }
        if query.text("fieldValidation") == "Strict" {
            return Err(Failure::not_served("fieldValidation=Strict"));
        }
        Ok(query)
    }

    /// A parameter; empty when absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A parameter that is a number; absent when it is not given.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        match self.text(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Failure::bad_request(format!("{name}: invalid value {text:?}"))),
        }
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1")
    }
}

/// The body as JSON; an empty one is null.
pub(super) fn json(body: &[u8]) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Failure::bad_request(format!("the body is not JSON: {error}")))
}
