//! That the schema of the values says what it should of each, that the sets of the tests leave none out, and that the alerts are
//! about metrics that exist.

use std::collections::BTreeSet;
use std::time::Duration;

use launchway::key::Kind;
use launchway::metrics::Metrics;
use launchway_plan::Outcome;
use launchway_tests::shape::repository;
use launchway_tests::values;
use serde_json::Value;

use super::sets;

/// Kubernetes' own objects and maps with free keys: what may be in them is the API server's to say.
const FREE: [&str; 10] = [
    "resources",
    "affinity",
    "global",
    "tolerations",
    "topologySpreadConstraints",
    "extraEgress",
    "named",
    "podSelector",
    "namespaceSelector",
    "ipBlock",
];

/// Every schema of an object in `schema`, by the name that it goes by.
fn objects<'a>(name: &'a str, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let own = (schema["type"] == "object").then_some((name, schema));
    let properties = ["properties", "$defs"].into_iter().flat_map(|key| schema[key].as_object().into_iter().flatten());
    let inside = properties.flat_map(|(name, schema)| objects(name, schema));
    own.into_iter()
        .chain(inside)
        .chain(schema.get("items").into_iter().flat_map(|items| objects(name, items)))
        .collect()
}

#[test]
fn every_object_of_the_schema_refuses_what_it_does_not_know() {
    for (name, schema) in objects("", &values::schema()) {
        let closed = schema.get("additionalProperties").is_some_and(|rest| *rest != Value::Bool(true));
        assert_ne!(closed, FREE.contains(&name), "{name}: {schema}");
    }
    assert_eq!(values::schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn every_value_is_described_in_a_sentence_and_has_a_default() {
    let (described, defaults) = (values::described(), values::defaults());
    for value in &described {
        assert!(value.description.ends_with('.'), "{}: {:?}", value.name(), value.description);
        let has_default = defaults.pointer(&value.pointer()).is_some();
        let may_lack = value.name() == "global" || value.name().ends_with(".initialDelaySeconds");
        assert_ne!(has_default, may_lack, "{}", value.name());
    }
    let known: BTreeSet<_> = described.iter().map(|value| value.path[0].as_str()).collect();
    for name in defaults.as_object().unwrap().keys() {
        assert!(known.contains(name.as_str()), "{name}");
    }
}

#[test]
fn every_value_is_set_by_a_set_of_the_tests() {
    let sets: Vec<Value> = sets().into_iter().map(|set| set.values).collect();
    let is_set = |value: &&values::Described| sets.iter().any(|set| set.pointer(&value.pointer()).is_some());
    let singles = values::described().into_iter().filter(|value| value.is_single && value.name() != "global");
    let missing: Vec<String> = singles.filter(|value| !is_set(&value)).map(|value| value.name()).collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn alerts() -> Vec<Value> {
    let text = std::fs::read_to_string(repository().join("charts/launchway/files/alerts.yaml")).unwrap();
    let rules: Value = serde_saphyr::from_str(&text).unwrap();
    rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// The names of the series that `/metrics` shows once there was something to count.
fn series() -> BTreeSet<String> {
    let metrics = Metrics::default();
    metrics.pass(Kind::Release, "done", Duration::ZERO);
    metrics.effect("StartBuild", &Outcome::Done(()));
    metrics.unreadable(Kind::Release, 1);
    metrics.broken(&BTreeSet::new());
    let text = metrics.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let names = types.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        "histogram" => format!("{name}_bucket"),
        _ => name.to_owned(),
    });
    names.collect()
}

#[test]
fn every_alert_is_about_metrics_that_exist_and_leads_to_its_part_of_the_documents() {
    let page = std::fs::read_to_string(repository().join("docs/alerts.md")).unwrap();
    let series = series();
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let expression = alert["expr"].as_str().unwrap();
        let named: Vec<&str> =
            expression.split(|c| !is_of_a_name(c)).filter(|word| word.starts_with("launchway_")).collect();
        assert!(!named.is_empty(), "{name}");
        for metric in named {
            assert!(series.contains(metric), "{name}: there is no {metric} among {series:?}");
        }
        assert!(alert["for"].is_string(), "{name}");
        assert!(["critical", "warning", "info"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(
            alert["annotations"]["summary"].is_string() && alert["annotations"]["description"].is_string(),
            "{name}"
        );
        assert_eq!(alert["annotations"]["runbook_url"], format!("docs/alerts.md#{}", name.to_lowercase()), "{name}");
        assert!(page.lines().any(|line| line == format!("## {name}")), "docs/alerts.md has no part {name}");
    }
}
