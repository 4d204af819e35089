//! The charts, by Helm's own engine and linter and by the real API server: what people's values become, that it is admitted where
//! pod security is `restricted`, and what is refused in which words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "chart/rights.rs"]
mod rights;
#[path = "chart/schema.rs"]
mod schema;

use std::collections::BTreeSet;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use launchway_test_kube::real::helm::{Chart, Rendered};
use launchway_test_kube::real::{Cluster, Options};
use launchway_tests::build;
use launchway_tests::shape::repository;
use serde::Deserialize;
use serde_json::{Value, json};

const SYSTEM: &str = "launchway-system";
/// The oldest that the charts say they work with.
const OLDEST: &str = "v1.32.0";

/// Values that people give, and what becomes of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    name: String,
    values: Value,
    shows: Vec<Shown>,
    absent: Vec<String>,
}

/// What stands in the first object of a kind; null: nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    kind: String,
    at: String,
    is: Value,
}

fn sets() -> Vec<Set> {
    serde_saphyr::from_multiple(include_str!("chart/sets.yaml")).unwrap()
}

fn folder(chart: &str) -> PathBuf {
    repository().join("charts").join(chart)
}

fn rendered(chart: &str, values: &Value, kube_version: &str) -> anyhow::Result<Rendered> {
    Chart { chart: &folder(chart), release: "launchway", namespace: SYSTEM, kube_version, values }.render()
}

/// What is installed with the values of a set.
fn installed(values: &Value) -> Vec<Value> {
    rendered("launchway", values, OLDEST).unwrap().objects
}

fn first<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

fn yaml(objects: &[Value]) -> String {
    objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

#[test]
fn both_charts_render_and_lint_strictly_with_every_set_of_values() {
    let none = json!({});
    let charts = sets().into_iter().map(|set| ("launchway", set.name, set.values));
    let charts = charts
        .chain([("launchway-crds", "no values".to_owned(), none.clone()), ("launchway", "no values".to_owned(), none)]);
    for (chart, name, values) in charts {
        let folder = folder(chart);
        let asked = Chart { chart: &folder, release: "a", namespace: "b", kube_version: OLDEST, values: &values };
        assert_eq!(asked.lint().unwrap(), Vec::<String>::new(), "{chart}, {name}");
    }
    assert!(sets().len() >= 8);
}

#[test]
fn every_set_of_values_shows_in_the_objects_as_it_says() {
    let mut wrong = Vec::new();
    for set in sets() {
        let objects = installed(&set.values);
        for Shown { kind, at, is } in &set.shows {
            let object = first(&objects, kind).unwrap_or_else(|| panic!("{}: no {kind}", set.name));
            let found = object.pointer(at).unwrap_or(&Value::Null);
            if found != is {
                wrong.push(format!("{}: {kind}{at} is {found}, not {is}", set.name));
            }
        }
        wrong.extend(
            set.absent
                .iter()
                .filter(|kind| first(&objects, kind).is_some())
                .map(|kind| format!("{}: {kind}", set.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_binary_takes_every_argument_that_the_chart_gives_it() {
    let root = repository();
    let program = ["--package", "launchway", "--bin", "launchway"];
    let program = build::program(&root, &build::target(&root), &program).await.unwrap();
    for set in sets() {
        let objects = installed(&set.values);
        let given = first(&objects, "Deployment").unwrap().pointer("/spec/template/spec/containers/0/args").unwrap();
        let given: Vec<&str> = given.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        // Whatever stands before it is parsed first.
        let said = std::process::Command::new(&program).args(&given).arg("--version").output().unwrap();
        assert!(said.status.success(), "{}: {given:?}: {}", set.name, String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn what_is_no_value_of_the_chart_is_refused_in_words_that_name_it() {
    #[derive(Deserialize)]
    struct Refusal {
        values: Value,
        says: String,
    }
    let refusals: Vec<Refusal> = serde_saphyr::from_str(include_str!("chart/refusals.yaml")).unwrap();
    for Refusal { values, says } in &refusals {
        let told = match rendered("launchway", values, OLDEST) {
            Ok(_) => panic!("{values} is taken"),
            Err(error) => format!("{error:#}"),
        };
        assert!(told.contains(says.as_str()), "{values}:\n{told}\ndoes not say\n{says}");
    }
    for (chart, values) in [("launchway", sets().swap_remove(0).values), ("launchway-crds", json!({}))] {
        let told = rendered(chart, &values, "v1.31.0").unwrap_err().to_string();
        assert!(told.contains("chart requires kubeVersion: >=1.32.0-0"), "{told}");
    }
    println!("{} refusals", refusals.len());
}

#[test]
fn the_notes_name_the_next_commands() {
    let notes = rendered("launchway", &sets()[0].values, OLDEST).unwrap().notes;
    for command in ["kubectl -n launchway-system rollout status deployment/launchway", "kubectl get launchway -A"] {
        assert!(notes.contains(command), "{notes}");
    }
}

#[test]
fn the_definitions_stay_when_their_chart_is_uninstalled() {
    let definitions = rendered("launchway-crds", &json!({}), OLDEST).unwrap().objects;
    let plain = launchway_crds::all().len();
    assert_eq!(definitions.len(), plain);
    for definition in definitions {
        assert_eq!(
            definition["metadata"]["annotations"]["helm.sh/resource-policy"], "keep",
            "{}",
            definition["metadata"]["name"]
        );
    }
}

/// An API server with our kinds, those of the Prometheus operator, and the namespaces of the sets; pod security is enforced.
async fn cluster() -> Cluster {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let version = cluster.client().apiserver_version().await.unwrap().git_version;
    let definitions = rendered("launchway-crds", &json!({}), &version).unwrap().objects;
    cluster.apply(&yaml(&definitions)).await.unwrap();
    cluster.apply(include_str!("chart/monitoring.yaml")).await.unwrap();
    for name in [SYSTEM, "team-a", "team-b", "team-c"] {
        let labels = [("pod-security.kubernetes.io/enforce".to_owned(), "restricted".to_owned())];
        let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(labels.into()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        Api::all(cluster.client()).create(&PostParams::default(), &namespace).await.unwrap();
    }
    cluster
}

/// The Pod that a Deployment would make. Of a Deployment whose Pods will be refused the API server only warns.
fn pod(deployment: &Value, name: &str) -> Value {
    let template = &deployment["spec"]["template"];
    let mut pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"]});
    pod["metadata"]["name"] = name.into();
    pod
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_server_takes_every_object_and_every_pod_of_every_set_where_pod_security_is_restricted() {
    let cluster = cluster().await;
    let version = cluster.client().apiserver_version().await.unwrap().git_version;
    let mut kinds = BTreeSet::new();
    let mut count = 0;
    for (number, set) in sets().into_iter().enumerate() {
        let objects = rendered("launchway", &set.values, &version).unwrap().objects;
        let applied = cluster.apply(&yaml(&objects)).await;
        applied.unwrap_or_else(|error| panic!("{}: {error:#}", set.name));
        let pod = pod(first(&objects, "Deployment").unwrap(), &format!("pod-{number}"));
        let admitted = cluster.apply_in(SYSTEM, &pod.to_string()).await;
        admitted.unwrap_or_else(|error| panic!("{}: {error:#}", set.name));
        rights::are_as_said(&cluster.client(), &set, &objects).await;
        count += objects.len();
        kinds.extend(objects.into_iter().map(|object| object["kind"].as_str().unwrap().to_owned()));
    }
    let refused = cluster.apply_in(SYSTEM, &careless_pod().to_string()).await.unwrap_err().to_string();
    assert!(refused.contains("violates PodSecurity \"restricted"), "{refused}");
    println!("{} sets, {count} objects of {} kinds", sets().len(), kinds.len());
}

/// A Pod with what somebody added who did not know what `restricted` means.
fn careless_pod() -> Value {
    let mut values = sets().swap_remove(0).values;
    values["extraVolumes"] = json!([{"name": "host", "hostPath": {"path": "/"}}]);
    pod(first(&installed(&values), "Deployment").unwrap(), "careless")
}
