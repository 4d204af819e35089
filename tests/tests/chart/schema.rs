//! That the schema of the values says what it should of each, that the sets of the tests leave none out, and that the alerts are
//! about metrics that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use launchway::key::{Key, Kind};
use launchway::metrics::{Format, Metrics, Reached, Run, Stand};
use launchway_cloud::{CallOutcome, Told};
use launchway_crds::condition::Condition;
use launchway_plan::Outcome;
use launchway_test_kube::real::prometheus;
use launchway_tests::shape::repository;
use launchway_tests::{dashboard, values};
use serde_json::{Value, json};

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

/// Metrics that have counted something of each family: a family without a series does not show.
fn of_everything() -> Metrics {
    let (metrics, zero) = (Metrics::default(), Duration::ZERO);
    metrics.pass(Kind::Release, "done", zero);
    metrics.effect("StartBuild", &Outcome::Done(()));
    metrics.release("succeeded");
    metrics.reached(Reached::Image, zero);
    for run in [Run::Build, Run::Check, Run::Rollout] {
        metrics.run(run, "succeeded", zero);
    }
    let (service, operation, bucket) = ("ecs", "ListTasks", "ClusterResourceRead");
    metrics.told(Told::Call { service, operation, bucket, outcome: CallOutcome::Done, took: zero });
    for got in [true, false] {
        metrics.told(Told::Wait { bucket, got, took: zero });
    }
    let told = |kind| {
        json!({"type": kind, "status": "True", "reason": "Suspended", "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let conditions: Vec<Condition> = serde_json::from_value(json!([told("Stalled"), told("Held")])).unwrap();
    metrics.stands(&Key::of_account(None), Some(Stand::of(&conditions, None)));
    metrics.unreadable(Kind::Release, 1);
    metrics.webhook("accepted");
    metrics.broken(&BTreeSet::new());
    metrics
}

/// The families of `/metrics`, by what they are.
fn families() -> BTreeMap<String, String> {
    let text = of_everything().text(Format::Plain, Timestamp::UNIX_EPOCH);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// The names of the series that `/metrics` shows once there was something to count.
fn series() -> BTreeSet<String> {
    let names = families().into_iter().flat_map(|(name, kind)| match kind.as_str() {
        "histogram" => ["_bucket", "_count", "_sum"].map(|part| format!("{name}{part}")).to_vec(),
        _ => vec![name],
    });
    names.collect()
}

/// The metrics of ours that an expression names.
fn named(expression: &str) -> Vec<&str> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    expression.split(|c| !is_of_a_name(c)).filter(|word| word.starts_with("launchway_")).collect()
}

#[test]
fn the_page_of_the_metrics_has_a_row_for_each_and_for_nothing_else() {
    let page = std::fs::read_to_string(repository().join("docs/metrics.md")).unwrap();
    let rows: BTreeSet<&str> =
        page.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0)).collect();
    let families = families();
    assert_eq!(rows, families.keys().map(String::as_str).collect());
}

/// Of each: when it fires, and that it does not while all is well.
#[test]
fn promtool_finds_that_every_alert_fires_when_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, cases) = ("charts/launchway/files/alerts.yaml", "tests/tests/chart/alerts-test.yaml");
    for file in [rules, cases] {
        let file = repository().join(file);
        std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    let checked = |args: &[&str]| prometheus::checked(args, "").unwrap_or_else(|error| panic!("{error:#}"));
    checked(&["check", "rules", "--lint=all", "--lint-fatal", &at("alerts.yaml")]);
    checked(&["test", "rules", &at("alerts-test.yaml")]);
    let cases = std::fs::read_to_string(repository().join(cases)).unwrap();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap().to_owned();
        assert!(
            cases.contains(&format!("alertname=\"{name}\"")) || cases.contains(&format!("alertname: {name}\n")),
            "{name}"
        );
    }
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist_in_words_that_prometheus_understands() {
    let series = series();
    let panels = dashboard::ROWS.iter().flat_map(|row| row.panels);
    let queries: Vec<&str> = panels.flat_map(|panel| panel.queries).map(|(query, _)| *query).collect();
    for query in &queries {
        for metric in named(query) {
            assert!(series.contains(metric), "there is no {metric} among {series:?}");
        }
    }
    let filled = queries.iter().map(|query| query.replace("$__rate_interval", "5m").replace("$__range", "1h"));
    let rules: Vec<Value> =
        filled.enumerate().map(|(number, expr)| json!({"record": format!("asked:{number}"), "expr": expr})).collect();
    let rules = json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string();
    prometheus::checked(&["check", "rules"], &rules).unwrap();
}

#[test]
fn every_alert_is_about_metrics_that_exist_and_leads_to_its_part_of_the_documents() {
    let page = std::fs::read_to_string(repository().join("docs/alerts.md")).unwrap();
    let series = series();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let expression = alert["expr"].as_str().unwrap();
        let named = named(expression);
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
