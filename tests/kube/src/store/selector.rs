//! Label and field selectors of lists and watches. Looks at objects, changes none.

use serde_json::Value;

use super::failure::Failure;
use super::kinds::{Kind, Origin};
use super::object::Object;

/// One requirement on one label.
#[derive(Debug, Clone, PartialEq)]
enum Label {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// One requirement on one field.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Is(String, String),
    IsNot(String, String),
}

/// What an object must show to be listed.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    labels: Vec<Label>,
    fields: Vec<Field>,
}

impl Selector {
    pub(super) fn parse(kind: &Kind, labels: &str, fields: &str) -> Result<Selector, Failure> {
        let labels = requirements(labels).into_iter().map(label).collect::<Result<_, _>>()?;
        let fields = requirements(fields).into_iter().map(|one| field(kind, one)).collect::<Result<_, _>>()?;
        Ok(Selector { labels, fields })
    }

    pub(super) fn admits(&self, object: &Object) -> bool {
        let labels = &object.value()["metadata"]["labels"];
        self.labels.iter().all(|label| label.holds(labels)) && self.fields.iter().all(|field| field.holds(object))
    }
}

impl Label {
    fn holds(&self, labels: &Value) -> bool {
        let is_one_of = |key: &str, values: &[String]| {
            labels[key].as_str().is_some_and(|value| values.iter().any(|one| one == value))
        };
        match self {
            Label::In(key, values) => is_one_of(key, values),
            Label::NotIn(key, values) => !is_one_of(key, values),
            Label::Exists(key) => !labels[key].is_null(),
            Label::Absent(key) => labels[key].is_null(),
        }
    }
}

impl Field {
    fn holds(&self, object: &Object) -> bool {
        match self {
            Field::Is(path, value) => text_at(object.value(), path) == *value,
            Field::IsNot(path, value) => text_at(object.value(), path) != *value,
        }
    }
}

fn text_at(value: &Value, path: &str) -> String {
    match path.split('.').fold(value, |value, member| &value[member]) {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    }
}

/// The requirements of a selector: split at the commas that are in no parentheses.
fn requirements(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = text.split(move |c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn label(text: &str) -> Result<Label, Failure> {
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Label::NotIn(key.trim().into(), vec![value.trim().into()]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Label::In(key.trim().into(), vec![value.trim().into()]));
    }
    if let Some((key, values)) = text.split_once(" notin ") {
        return Ok(Label::NotIn(key.trim().into(), members(values)?));
    }
    if let Some((key, values)) = text.split_once(" in ") {
        return Ok(Label::In(key.trim().into(), members(values)?));
    }
    match text.strip_prefix('!') {
        Some(key) => Ok(Label::Absent(key.trim().into())),
        None if text.contains(' ') => Err(Failure::bad_request(format!("unable to parse requirement: {text}"))),
        None => Ok(Label::Exists(text.into())),
    }
}

fn members(text: &str) -> Result<Vec<String>, Failure> {
    let inner = text.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.ok_or_else(|| Failure::bad_request(format!("unable to parse requirement: {text}")))?;
    Ok(inner.split(',').map(|one| one.trim().to_owned()).collect())
}

fn field(kind: &Kind, text: &str) -> Result<Field, Failure> {
    let (path, value, wanted): (&str, &str, fn(String, String) -> Field) = match text.split_once("!=") {
        Some((path, value)) => (path, value, Field::IsNot),
        None => {
            let equal = text.split_once("==").or_else(|| text.split_once('='));
            let (path, value) = equal.ok_or_else(|| Failure::bad_request(format!("invalid selector: {text:?}")))?;
            (path, value, Field::Is)
        }
    };
    if !is_selectable(kind, path) {
        return Err(Failure::bad_request(format!("field label not supported: {path}")));
    }
    Ok(wanted(path.to_owned(), value.to_owned()))
}

fn is_selectable(kind: &Kind, path: &str) -> bool {
    let own = match &kind.origin {
        Origin::Custom { selectable, .. } => selectable.iter().any(|one| one == path),
        Origin::BuiltIn(_) => path == "type",
    };
    own || matches!(path, "metadata.name" | "metadata.namespace")
}
