//! STS speaks in form fields and XML: what they say, as JSON of the model's kinds.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Shape, Structure};
use crate::call::epoch;

/// A request's form fields, `Tags.member.1.Key=team`, as the structure that they mean. What the model does not have stays as it is.
pub(crate) fn typed(structure: &Structure, fields: &Map<String, Value>) -> Value {
    let mut members = Map::new();
    for (name, value) in fields.iter().filter(|(name, _)| !["Action", "Version"].contains(&name.as_str())) {
        let (first, rest) = name.split_once('.').map_or((name.as_str(), None), |(first, rest)| (first, Some(rest)));
        let shape = structure.members.get(first).map(|member| &member.shape);
        match (shape, rest) {
            (Some(shape @ Shape::List(_)), Some(_)) => {
                members.entry(first).or_insert_with(|| items(shape, fields, &format!("{first}.member")));
            }
            (Some(shape), None) => drop(members.insert(name.clone(), scalar(shape, value))),
            (Some(_), Some(_)) | (None, _) => drop(members.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(members)
}

/// The items of a list under `before`, `Tags.member`.
fn items(list: &Shape, fields: &Map<String, Value>, before: &str) -> Value {
    let Shape::List(item) = list else {
        return Value::Null;
    };
    let item_at = |number: usize| {
        let at = format!("{before}.{number}");
        let inside = fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(&format!("{at}."))?, value)));
        let inside: Map<String, Value> = inside.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        match (&**item, fields.get(&at)) {
            (Shape::Structure(inner), None) if !inside.is_empty() => Some(typed(inner, &inside)),
            (shape, Some(value)) => Some(scalar(shape, value)),
            (_, None) => None,
        }
    };
    (1..).map_while(item_at).collect()
}

fn scalar(shape: &Shape, value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    match shape {
        Shape::Integer | Shape::Long => text.parse::<i64>().map_or_else(|_| value.clone(), |number| json!(number)),
        Shape::Boolean => text.parse::<bool>().map_or_else(|_| value.clone(), |flag| json!(flag)),
        Shape::String
        | Shape::Float
        | Shape::Double
        | Shape::Timestamp
        | Shape::Document
        | Shape::Enum(_)
        | Shape::List(_)
        | Shape::Map(_)
        | Shape::Structure(_)
        | Shape::Union(_) => value.clone(),
    }
}

/// An answer as JSON would write it: times are numbers there.
pub(crate) fn untyped(structure: &Structure, answer: &Value) -> Value {
    let mut members = answer.as_object().cloned().unwrap_or_default();
    for (name, value) in &mut members {
        match (structure.members.get(name).map(|member| &member.shape), value.as_str()) {
            (Some(Shape::Timestamp), Some(text)) => {
                if let Ok(at) = text.parse::<Timestamp>() {
                    *value = epoch(at);
                }
            }
            (Some(Shape::Structure(inner)), None) => *value = untyped(inner, value),
            _ => {}
        }
    }
    Value::Object(members)
}
