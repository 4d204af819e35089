//! The manifests that are admitted and refused, as tables: base.yaml, rules.yaml, forms.yaml; and the definitions that
//! they are counted against. Nothing is sent anywhere here.

use launchway::key::Kind;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

/// The definitions as they are committed.
pub fn definitions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/yaml");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Changes to a manifest: dotted path of a field, and its value. Null takes the field away.
pub type Patch = Map<String, Value>;

/// A rule of the definitions, with manifests on both sides of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its message.
    pub rule: String,
    /// The kind that it is tried on.
    pub kind: String,
    /// What is stored first, for a rule that compares with what was there.
    pub update: Option<Patch>,
    /// What is admitted.
    #[serde(default)]
    pub good: Vec<Patch>,
    /// What is refused with the rule's message, and with nothing else.
    #[serde(default)]
    pub bad: Vec<Patch>,
    /// What the message names first, one for each patch of `bad`, where the rule says which of many is wrong.
    #[serde(default)]
    pub culprits: Vec<String>,
}

/// A form of text, with texts on both sides of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// A field that has it.
    pub field: String,
    /// The kind that has the field.
    pub kind: String,
    /// What has to be so that the field can be there.
    #[serde(default)]
    pub with: Patch,
    /// What is admitted.
    pub good: Vec<Value>,
    /// What is refused in the name of the field.
    pub bad: Vec<Value>,
}

/// All rules with their manifests.
pub fn rules() -> Vec<Rule> {
    parsed(include_str!("rules.yaml"))
}

/// All forms of text with their examples.
pub fn forms() -> Vec<Form> {
    parsed(include_str!("forms.yaml"))
}

fn parsed<T: for<'de> Deserialize<'de>>(yaml: &str) -> T {
    serde_saphyr::from_str(yaml).unwrap()
}

/// The documents of a YAML file.
pub fn documents(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(yaml).unwrap()
}

/// A manifest of that kind that is admitted, to be patched.
pub fn base(kind: &str) -> Value {
    documents(include_str!("base.yaml")).into_iter().find(|document| document["kind"] == kind).unwrap()
}

/// The manifest with the changes.
pub fn patched(mut manifest: Value, patch: &Patch) -> Value {
    for (path, value) in patch {
        set(&mut manifest, path, value.clone());
    }
    manifest
}

/// Sets the field at a dotted path; null takes it away.
pub fn set(manifest: &mut Value, path: &str, value: Value) {
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    let segments = parents.split('.').filter(|segment| !segment.is_empty());
    let parent = segments.fold(manifest, |place, segment| match place {
        Value::Array(items) => &mut items[segment.parse::<usize>().unwrap()],
        Value::Object(fields) => fields.entry(segment).or_insert_with(|| Value::Object(Map::new())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{path}: there is no {segment}"),
    });
    match parent {
        Value::Array(items) => set_item(items, last.parse().unwrap(), value),
        Value::Object(fields) if value.is_null() => drop(fields.remove(last)),
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{path}: there is no {last}"),
    }
}

fn set_item(items: &mut Vec<Value>, at: usize, value: Value) {
    match items.get_mut(at) {
        Some(item) => *item = value,
        None => items.push(value),
    }
}

/// The definition of a kind.
pub fn definition(kind: &str) -> Value {
    let mut definitions = definitions().into_iter().map(|yaml| parsed::<Value>(&yaml));
    definitions.find(|crd| crd["spec"]["names"]["kind"] == kind).unwrap_or_else(|| panic!("{kind} has no definition"))
}

/// The schema of a kind.
pub fn schema(kind: &str) -> Value {
    definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// The messages of all rules in the definitions, wherever they stand.
pub fn messages() -> BTreeSet<String> {
    messages_where(|_| true)
}

/// The messages of the rules that name what is wrong.
pub fn messages_with_culprits() -> BTreeSet<String> {
    messages_where(|rule| rule["messageExpression"].is_string())
}

fn messages_where(wanted: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for kind in Kind::ALL {
        each(&schema(&kind.name()), &mut |schema| {
            let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
            all.extend(rules.filter(|rule| wanted(rule)).map(|rule| rule["message"].as_str().unwrap().to_owned()));
        });
    }
    all
}

/// Shows every schema within a schema, itself included.
pub fn each(schema: &Value, show: &mut impl FnMut(&Value)) {
    show(schema);
    schema["properties"].as_object().into_iter().flatten().for_each(|(_, field)| each(field, show));
    [&schema["items"], &schema["additionalProperties"]]
        .into_iter()
        .filter(|s| s.is_object())
        .for_each(|s| each(s, show));
}

/// The schema of the field at a dotted path.
pub fn schema_at(kind: &str, path: &str) -> Value {
    path.split('.').fold(schema(kind), |schema, segment| {
        let next = match (&schema["items"], &schema["additionalProperties"]) {
            (Value::Object(items), _) => Value::Object(items.clone()),
            (_, Value::Object(values)) => Value::Object(values.clone()),
            _ => schema["properties"][segment].clone(),
        };
        assert!(next.is_object(), "{kind} has no {path}");
        next
    })
}
