//! What the charts grant: the same rights with and without namespaces, and to the service account that the Deployment names.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};
use launchway_tests::quickstart::chart;
use serde_json::{Value, json};

use super::{SYSTEM, Set, first, installed, sets};

/// Rules are in force a moment after they are there.
const IN_TIME: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Where (empty: everywhere, or in no namespace), group, resource, verb, and the only names if there are such.
type Right = (String, String, String, String, String);

fn words(value: &Value) -> impl Iterator<Item = String> {
    value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned())
}

/// Everything that the roles called `launchway` and `launchway-…` of the controller grant.
fn granted(objects: &[Value]) -> BTreeSet<Right> {
    let mut all = BTreeSet::new();
    for role in chart::bound(objects) {
        let place = role["metadata"]["namespace"].as_str().unwrap_or_default();
        for rule in role["rules"].as_array().unwrap() {
            let names = words(&rule["resourceNames"]).collect::<Vec<_>>().join(",");
            for (group, resource, verb) in chart::rights_of(rule) {
                all.insert((place.to_owned(), group, resource, verb, names.clone()));
            }
        }
    }
    all
}

#[test]
fn in_its_namespaces_the_controller_has_the_rights_that_it_has_everywhere_without_them() {
    let set = |name: &str| sets().into_iter().find(|set| set.name == name).unwrap();
    let everywhere = granted(&installed(&set("an image, and nothing else").values));
    let within = granted(&installed(&set("two namespaces and no other").values));
    let kinds = |rights: &BTreeSet<Right>, place: &dyn Fn(&str) -> bool| -> BTreeSet<(String, String, String)> {
        let here = rights.iter().filter(|(found, ..)| place(found));
        here.map(|(_, group, resource, verb, _)| (group.clone(), resource.clone(), verb.clone())).collect()
    };
    let of_cluster = |(group, resource, _): &(String, String, String)| {
        resource.starts_with("awsaccounts") || (group.is_empty() && resource == "namespaces")
    };
    let wanted: BTreeSet<_> =
        kinds(&everywhere, &str::is_empty).into_iter().filter(|right| !of_cluster(right)).collect();
    for namespace in ["team-a", "team-b"] {
        assert_eq!(kinds(&within, &|place| place == namespace), wanted, "{namespace}");
    }
    let rest: BTreeSet<_> = kinds(&everywhere, &str::is_empty).into_iter().filter(of_cluster).collect();
    assert_eq!(kinds(&within, &str::is_empty), rest);
    let event = ("events.k8s.io".to_owned(), "events".to_owned(), "create".to_owned());
    assert_eq!(kinds(&within, &|place| place == "default"), [event].into());
    let lease =
        |rights: &BTreeSet<Right>| rights.iter().filter(|(place, ..)| place == SYSTEM).cloned().collect::<Vec<_>>();
    assert_eq!(lease(&within), lease(&everywhere));
    let names: BTreeSet<_> =
        within.iter().filter(|(_, _, resource, ..)| resource == "namespaces").map(|right| &right.4).collect();
    assert_eq!(names, [&"kube-system,team-a,team-b".to_owned()].into());
}

/// The API server's answer about the controller's account. `resource` is `resource.group`.
async fn may(client: &Client, account: &str, (verb, resource, name, namespace): (&str, &str, &str, &str)) -> bool {
    let (resource, group) = resource.split_once('.').unwrap();
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let attributes = ResourceAttributes {
        group: some(group),
        resource: some(resource),
        verb: some(verb),
        name: some(name),
        namespace: some(namespace),
        ..ResourceAttributes::default()
    };
    let user = format!("system:serviceaccount:{SYSTEM}:{account}");
    let spec = SubjectAccessReviewSpec {
        user: Some(user),
        resource_attributes: Some(attributes),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    Api::all(client.clone()).create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed
}

/// Checks that the account of the Deployment has the rights, where the set says, and that the policy names it.
pub(super) async fn are_as_said(client: &Client, set: &Set, objects: &[Value]) {
    let account =
        first(objects, "Deployment").unwrap()["spec"]["template"]["spec"]["serviceAccountName"].as_str().unwrap();
    let policy = first(objects, "ValidatingAdmissionPolicy").unwrap()["spec"]["validations"].to_string();
    assert!(policy.contains(&format!("'system:serviceaccount:{SYSTEM}:{account}'")), "{}: {policy}", set.name);
    let watched = set.values.get("watchNamespaces").cloned().unwrap_or(json!([]));
    let everywhere = watched == json!([]);
    let mut questions = vec![
        (("get", "leases.coordination.k8s.io", "launchway", SYSTEM), true),
        (("update", "leases.coordination.k8s.io", "launchway", SYSTEM), true),
        (("create", "leases.coordination.k8s.io", "", SYSTEM), true),
        (("get", "leases.coordination.k8s.io", "another", SYSTEM), false),
        (("create", "leases.coordination.k8s.io", "", "team-a"), false),
        (("watch", "awsaccounts.launchway.dev", "", ""), true),
        (("get", "namespaces.", "team-a", "team-a"), true),
        (("create", "events.events.k8s.io", "", "default"), true),
        (("list", "releases.launchway.dev", "", ""), everywhere),
        (("get", "secrets.", "git", "team-c"), everywhere),
    ];
    for namespace in watched.as_array().unwrap() {
        let namespace = namespace.as_str().unwrap();
        questions.push((("watch", "pipelines.launchway.dev", "", namespace), true));
        questions.push((("update", "releases.launchway.dev", "", namespace), false));
        questions.push((("get", "secrets.", "git", namespace), true));
    }
    for (question, wanted) in questions {
        let answered = async {
            while may(client, account, question).await != wanted {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        let answered = tokio::time::timeout(IN_TIME, answered).await;
        assert!(answered.is_ok(), "{}: {account} {question:?} should be {wanted}", set.name);
    }
}
