//! The values of the chart launchway, as its schema describes them and its values.yaml sets them. What a template makes of them
//! is not known here.

use std::fmt::Write as _;

use serde_json::Value;

use crate::shape::repository;

/// A default that is longer than this is not shown in a table.
const LONG: usize = 60;

/// A value, or a group of values.
#[derive(Clone, Debug)]
pub struct Described {
    /// The names that lead to it.
    pub path: Vec<String>,
    /// What the schema says of it; empty: nothing.
    pub description: String,
    /// Whether it is one value, and no group of those that follow.
    pub is_single: bool,
}

impl Described {
    /// As a JSON pointer.
    pub fn pointer(&self) -> String {
        self.path.iter().map(|name| format!("/{name}")).collect()
    }

    /// As people write it, such as `image.tag`.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// The schema.
pub fn schema() -> Value {
    serde_json::from_str(&text("values.schema.json")).expect("values.schema.json is JSON")
}

/// What each value is when nobody sets it.
pub fn defaults() -> Value {
    serde_saphyr::from_str(&text("values.yaml")).expect("values.yaml is YAML")
}

/// Read when it is asked for: whoever works on the chart compiles nothing.
fn text(file: &str) -> String {
    std::fs::read_to_string(repository().join("charts/launchway").join(file)).expect("a file of the chart")
}

/// Every value of the schema; each group before what is in it.
pub fn described() -> Vec<Described> {
    let schema = schema();
    members(&schema, &schema, &[])
}

fn members(schema: &Value, of: &Value, above: &[String]) -> Vec<Described> {
    let properties = of["properties"].as_object().into_iter().flatten();
    let each = properties.flat_map(|(name, property)| {
        let path: Vec<String> = above.iter().cloned().chain([name.clone()]).collect();
        let inside = members(schema, resolved(schema, property), &path);
        let description = property["description"].as_str().unwrap_or_default().to_owned();
        let own = Described { path, description, is_single: inside.is_empty() };
        [own].into_iter().chain(inside).collect::<Vec<_>>()
    });
    each.collect()
}

/// What a `$ref` stands for.
fn resolved<'a>(schema: &'a Value, property: &'a Value) -> &'a Value {
    let reference = property["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| schema.pointer(pointer)).unwrap_or(property)
}

/// The table of the documents.
pub fn table() -> String {
    let defaults = defaults();
    let mut text = "| value | default | what it says |\n| --- | --- | --- |\n".to_owned();
    for value in described() {
        let default = match defaults.pointer(&value.pointer()) {
            Some(default) if value.is_single => shown(default),
            Some(_) | None => String::new(),
        };
        let _ = writeln!(text, "| `{}` | {default} | {} |", value.name(), value.description.replace('|', "\\|"));
    }
    text
}

fn shown(default: &Value) -> String {
    let text = default.to_string();
    if text.len() > LONG { "in `values.yaml`".to_owned() } else { format!("`{text}`") }
}
