//! What Argo CD makes of our objects, by the scripts of `docs/argocd` and by the tests beside them, which have Argo CD's own
//! form: whoever has a copy of Argo CD runs the same files there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use launchway_tests::argo::{folder, run};
use serde::Deserialize;
use serde_json::{Value, json};

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders of kinds that have this file.
fn with(file: &str) -> Vec<PathBuf> {
    let kinds = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = kinds.filter(|kind| kind.join(file).is_file()).collect();
    found.sort();
    found
}

/// Every object as Argo CD compares it: nothing is as good as an empty list or map.
fn plain(value: &Value) -> Value {
    let is_something = |value: &Value| !matches!(value, Value::Null) && *value != json!([]) && *value != json!({});
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), plain(value)));
            Value::Object(members.filter(|(_, value)| is_something(value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other.clone(),
    }
}

#[test]
fn the_health_of_each_object_is_what_its_test_says() {
    let folders = with("health_test.yaml");
    assert_eq!(folders.len(), 1, "one script for all kinds");
    for kind in folders {
        let tests: Value = read(&kind.join("health_test.yaml"));
        for test in tests["tests"].as_array().unwrap() {
            let object: Value = read(&kind.join(test["inputPath"].as_str().unwrap()));
            let said = run(&kind.join("health.lua"), &object).unwrap();
            assert_eq!(said, test["healthStatus"], "{}", test["inputPath"]);
        }
    }
}

#[test]
fn each_action_is_offered_when_it_helps_and_does_what_its_test_says() {
    let mut tried = BTreeSet::new();
    for kind in with("actions/action_test.yaml") {
        let actions = kind.join("actions");
        let tests: Value = read(&actions.join("action_test.yaml"));
        for test in tests["discoveryTests"].as_array().unwrap() {
            let object: Value = read(&actions.join(test["inputPath"].as_str().unwrap()));
            let found = run(&actions.join("discovery.lua"), &object).unwrap();
            let named = |(name, action): (&String, &Value)| json!({"name": name, "disabled": action["disabled"]});
            let found: Vec<Value> = found.as_object().unwrap().iter().map(named).collect();
            assert_eq!(Value::from(found), test["result"], "{}: {}", kind.display(), test["inputPath"]);
        }
        for test in tests["actionTests"].as_array().unwrap() {
            let [action, input, output] =
                ["action", "inputPath", "expectedOutputPath"].map(|name| test[name].as_str().unwrap());
            let object: Value = read(&actions.join(input));
            let said = run(&actions.join(action).join("action.lua"), &object).unwrap();
            assert_eq!(plain(&impacted(said)), plain(&read(&actions.join(output))), "{}: {action}", kind.display());
            tried.insert(actions.join(action));
        }
    }
    let scripts =
        with("actions/discovery.lua").into_iter().flat_map(|kind| std::fs::read_dir(kind.join("actions")).unwrap());
    let scripts = scripts.map(|entry| entry.unwrap().path()).filter(|path| path.join("action.lua").is_file());
    assert_eq!(tried, scripts.collect(), "every action has a test");
}

/// What an action returns, as Argo CD's tests write it.
fn impacted(said: Value) -> Value {
    let Value::Array(all) = said else { return said };
    let written = |one: &Value| json!({"k8sOperation": one["operation"], "unstructuredObj": one["resource"]});
    Value::Array(all.iter().map(written).collect())
}

#[test]
fn what_is_copied_into_argocd_cm_is_what_was_tried() {
    let map: Value = read(&folder().join("../../argocd-cm.yaml"));
    let data: BTreeMap<String, String> = serde_json::from_value(map["data"].clone()).unwrap();
    let text = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let health = text(folder().join("_/health.lua"));
    for kind in ["AwsAccount", "Pipeline", "Release", "Service"] {
        assert_eq!(data[&format!("resource.customizations.health.launchway.dev_{kind}")], health, "{kind}");
        let Some(actions) = data.get(&format!("resource.customizations.actions.launchway.dev_{kind}")) else {
            assert!(!folder().join(kind).exists(), "{kind} has actions that are not in argocd-cm.yaml");
            continue;
        };
        let actions: Value = serde_saphyr::from_str(actions).unwrap();
        assert_eq!(actions["discovery.lua"], text(folder().join(kind).join("actions/discovery.lua")), "{kind}");
        for definition in actions["definitions"].as_array().unwrap() {
            let name = definition["name"].as_str().unwrap();
            let script = text(folder().join(kind).join("actions").join(name).join("action.lua"));
            assert_eq!(definition["action.lua"], script, "{kind} {name}");
        }
    }
}
