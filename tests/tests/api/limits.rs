//! Every end that the schemas of the specs set: of texts, lists, maps and numbers, words to choose from, what must be
//! there and of which type. Each is broken once, in a manifest that has every field, and has to be refused.

use super::full;
use super::server::{Keep, Sender};
use super::table::{documents, schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A manifest with one thing wrong.
struct Broken {
    /// The limit: place in the schema, and keyword.
    limit: String,
    manifest: Value,
}

/// Walks a manifest along its schema and breaks it at every limit.
struct Breaker<'a> {
    whole: &'a Value,
    broken: Vec<Broken>,
}

impl Breaker<'_> {
    fn walk(&mut self, schema: &Value, pointer: &str, place: &str) {
        let Some(value) = self.whole.pointer(pointer).cloned() else { return };
        for (keyword, worse) in worse(schema, &value) {
            let mut manifest = self.whole.clone();
            *manifest.pointer_mut(pointer).unwrap() = worse;
            self.broken.push(Broken { limit: format!("{place} {keyword}"), manifest });
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.walk(field, &format!("{pointer}/{name}"), &format!("{place}.{name}"));
        }
        for at in 0..value.as_array().map_or(0, Vec::len) {
            self.walk(&schema["items"], &format!("{pointer}/{at}"), &format!("{place}[]"));
        }
    }
}

/// Whether there are words to choose from, as they stand or with a null in their place.
fn has_words(schema: &Value) -> bool {
    schema["enum"].is_array() || schema["allOf"][0]["enum"].is_array()
}

/// The value, made worse in each way that the schema forbids, with the keyword that forbids it.
fn worse(schema: &Value, value: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    let mut add = |keyword: &str, value: Value| all.push((keyword.to_owned(), value));
    let number = |keyword: &str| schema[keyword].as_f64().map(|end| end as i64);
    let size = |keyword: &str| schema[keyword].as_u64().and_then(|end| usize::try_from(end).ok());
    if schema["type"].is_string() {
        add("type", if schema["type"] == "string" { json!({}) } else { json!("a text") });
    }
    if let Some(end) = size("maxLength") {
        add("maxLength", json!("a".repeat(end + 1)));
    }
    if has_words(schema) {
        add("enum", json!("Nonsense"));
    }
    if let Some(end) = number("minimum") {
        add("minimum", json!(end - 1));
    }
    if let Some(end) = number("maximum") {
        add("maximum", json!(end + 1));
    }
    if size("minItems").is_some_and(|least| least > 0) {
        add("minItems", json!([]));
    }
    if let (Some(end), Some(items)) = (size("maxItems"), value.as_array()) {
        add("maxItems", Value::Array(items.iter().cycle().take(end + 1).cloned().collect()));
    }
    if size("minProperties").is_some_and(|least| least > 0) {
        add("minProperties", json!({}));
    }
    if let Some(end) = size("maxProperties") {
        let fields: Map<String, Value> = (0..=end).map(|number| (format!("a{number}"), json!("a"))).collect();
        add("maxProperties", Value::Object(fields));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let mut without = value.clone();
        without.as_object_mut().unwrap().remove(name.as_str().unwrap());
        add(&format!("required {name}"), without);
    }
    all
}

/// The keywords that set a limit, each with what the API server says where it is broken.
const LIMITS: [(&str, &str); 10] = [
    ("type", "must be of type"),
    ("maxLength", "Too long"),
    ("enum", "Unsupported value"),
    ("minimum", "should be greater than or equal to"),
    ("maximum", "should be less than or equal to"),
    ("minItems", "should have at least"),
    ("maxItems", "must have at most"),
    ("minProperties", "should have at least"),
    ("maxProperties", "must have at most"),
    ("required", "Required value"),
];

/// Every limit of a schema, as `place keyword`.
fn limits(schema: &Value, place: &str, all: &mut BTreeSet<String>) {
    let there = LIMITS.iter().filter(|(keyword, _)| match *keyword {
        "required" => false,
        "enum" => has_words(schema),
        keyword => !schema[keyword].is_null(),
    });
    all.extend(there.map(|(keyword, _)| format!("{place} {keyword}")));
    all.extend(schema["required"].as_array().into_iter().flatten().map(|name| format!("{place} required {name}")));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        limits(field, &format!("{place}.{name}"), all);
    }
    if schema["items"].is_object() {
        limits(&schema["items"], &format!("{place}[]"), all);
    }
}

fn broken() -> Vec<Broken> {
    let mut all = Vec::new();
    for (kind, yaml) in full::EXAMPLES {
        for mut whole in documents(yaml) {
            whole.as_object_mut().unwrap().remove("status");
            let mut breaker = Breaker { whole: &whole, broken: Vec::new() };
            breaker.walk(&schema(kind)["properties"]["spec"], "/spec", &format!("{kind}.spec"));
            all.append(&mut breaker.broken);
        }
    }
    all
}

#[test]
fn every_limit_of_every_spec_is_broken_once() {
    let mut known = BTreeSet::new();
    for (kind, _) in full::EXAMPLES {
        limits(&schema(kind)["properties"]["spec"], &format!("{kind}.spec"), &mut known);
    }
    let tried: BTreeSet<String> = broken().into_iter().map(|broken| broken.limit).collect();
    assert_eq!(known.difference(&tried).collect::<Vec<_>>(), Vec::<&String>::new(), "limits that no manifest breaks");
    println!("{} limits", known.len());
}

#[tokio::test]
async fn a_verification_expects_texts_numbers_and_booleans_and_nothing_else() {
    let sender = Sender::new("expectations").await;
    let (_, yaml) = full::EXAMPLES.iter().find(|(kind, _)| *kind == "Pipeline").unwrap();
    let mut pipeline = documents(yaml).into_iter().find(|one| one.pointer(EXPECTED).is_some()).unwrap();
    pipeline.as_object_mut().unwrap().remove("status");
    let deep = (0..50).fold(json!(1), |inner, _| json!([inner]));
    let good =
        [json!(true), json!("a".repeat(256)), json!(""), json!(0), json!(1.5), json!(-7), json!(123_456_789_012_i64)];
    let bad = [json!({}), json!([]), json!({"a": 1}), json!([1]), json!([[]]), deep, json!("a".repeat(257))];
    for (value, admitted) in good.map(|value| (value, true)).into_iter().chain(bad.map(|value| (value, false))) {
        *pipeline.pointer_mut(EXPECTED).unwrap() = json!({"health": value});
        let answer = sender.create(&pipeline, Keep::Judged).await;
        assert_eq!(answer.is_ok(), admitted, "{value}: {answer:?}");
    }
    // The API server drops a null before it looks at the schema.
    *pipeline.pointer_mut(EXPECTED).unwrap() = json!({"health": null});
    let kept = sender.create(&pipeline, Keep::Judged).await.unwrap();
    assert_eq!(kept.pointer(EXPECTED), Some(&json!({})), "{kept}");
}

/// What the first verification of a Pipeline expects.
const EXPECTED: &str = "/spec/stages/0/verify/0/http/expect/json";

#[tokio::test]
async fn every_limit_of_every_spec_is_kept() {
    let sender = Sender::new("limits").await;
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for broken in broken() {
        if !seen.insert(broken.limit.clone()) {
            continue;
        }
        let keyword = broken.limit.split(' ').nth(1).unwrap();
        let (_, words) = LIMITS.iter().find(|(known, _)| *known == keyword).unwrap();
        match sender.create(&broken.manifest, Keep::Judged).await {
            Ok(_) => wrong.push(format!("{} is admitted", broken.limit)),
            Err(refused) if refused.message.contains(words) => {}
            Err(refused) => wrong.push(format!("{}: {}", broken.limit, refused.message)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
