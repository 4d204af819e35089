//! The controller's rights in Kubernetes: what the chart grants is what the API server's audit log shows to be used, and
//! nothing more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::runtime::wait::{await_condition, conditions::is_deleted};
use kube::{Api, Resource, ResourceExt};
use launchway_crds::condition::Condition;
use launchway_crds::{LogRequest, Release, Service};
use launchway_plan::log::KEPT_OF_NAMESPACE;
use launchway_tests::git::{Access, File, Hash};
use launchway_tests::quickstart::{NAMESPACE, Options, Parts, chart, first_release};
use serde::Deserialize;
use serde_json::{Value, json};

const USER: &str = "system:serviceaccount:launchway-system:launchway";
const SYSTEM: &str = "launchway-system";
const WHO: &str = "Ada <ada@example.com>";
const IN_TIME: Duration = Duration::from_secs(240);

/// Group, resource (with its subresource) and verb.
type Right = (String, String, String);

fn right(group: &str, resource: &str, verb: &str) -> Right {
    (group.to_owned(), resource.to_owned(), verb.to_owned())
}

/// What the roles among these objects grant that are bound to the controller: those that are not for people.
fn granted(objects: &[Value]) -> BTreeSet<Right> {
    let rules = chart::bound(objects).into_iter().flat_map(|role| role["rules"].as_array().unwrap());
    rules.flat_map(chart::rights_of).collect()
}

async fn used(parts: &Parts) -> (BTreeSet<Right>, Vec<String>) {
    let events = parts.cluster.audit().await.unwrap();
    let own: Vec<_> = events.into_iter().filter(|event| event.user == USER).collect();
    let forbidden = own.iter().filter(|event| event.code == 403).map(|event| format!("{} {}", event.verb, event.uri));
    let forbidden = forbidden.collect();
    let used = own.iter().map(|event| match event.subresource.as_str() {
        "" => right(&event.group, &event.resource, &event.verb),
        part => right(&event.group, &format!("{}/{part}", event.resource), &event.verb),
    });
    (used.collect(), forbidden)
}

/// Once the object is there and `said` holds of it.
async fn until<K>(parts: &Parts, name: &str, said: impl Fn(&K) -> bool)
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + for<'a> Deserialize<'a>
        + Send
        + 'static,
{
    let api: Api<K> = Api::namespaced(parts.cluster.client(), NAMESPACE);
    let waited = await_condition(api, name, |object: Option<&K>| object.is_some_and(&said));
    tokio::time::timeout(IN_TIME, waited).await.unwrap_or_else(|_| panic!("{name} is not as it should be")).unwrap();
}

fn says(conditions: &[Condition], kind: &str, status: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == kind && condition.status == status)
}

fn failed(release: &Release) -> bool {
    release.status.as_ref().is_some_and(|status| says(&status.conditions, "Stalled", "True"))
}

fn runs(service: &Service) -> bool {
    service.status.as_ref().is_some_and(|status| says(&status.conditions, "RolledOut", "True"))
}

/// A private repository, an account that selects namespaces by label, a short history, a Service that is deleted with
/// what it made: what the first release does not use.
async fn private_story(parts: &Parts) {
    let access = Access::Basic { username: "ada".into(), password: "s3cret".into() };
    let repository = parts.git.create("private", Hash::Sha1, access).unwrap();
    let commit = |text: &str| {
        repository.commit("main", text, &[File::new("README.md", text)], WHO, Timestamp::now()).unwrap();
    };
    commit("one");
    let manifests = include_str!("rbac/private.yaml").replace("${GIT_URL}", &parts.git.url("private"));
    parts.cluster.apply_in(NAMESPACE, &manifests).await.unwrap();
    until::<Release>(parts, "private-1", failed).await;
    until::<Service>(parts, "passing", runs).await;
    logs_are_asked_for(parts).await;
    commit("two");
    until::<Release>(parts, "private-2", failed).await;
    let releases: Api<Release> = Api::namespaced(parts.cluster.client(), NAMESPACE);
    if let Some(first) = releases.get_opt("private-1").await.unwrap() {
        gone(releases, &first).await;
    }
    let services: Api<Service> = Api::namespaced(parts.cluster.client(), NAMESPACE);
    let passing = services.get("passing").await.unwrap();
    services.delete("passing", &DeleteParams::default()).await.unwrap();
    gone(services, &passing).await;
}

/// More requests at once than are kept: the newest has its answer.
async fn logs_are_asked_for(parts: &Parts) {
    let requests: Api<LogRequest> = Api::namespaced(parts.cluster.client(), NAMESPACE);
    let ask = |name: String| {
        let request = json!({"metadata": {"name": name}, "spec": {"release": "private-1"}});
        serde_json::from_value::<LogRequest>(request).unwrap()
    };
    for n in 0..=KEPT_OF_NAMESPACE {
        requests.create(&PostParams::default(), &ask(format!("ask-{n:02}"))).await.unwrap();
    }
    until::<LogRequest>(parts, &format!("ask-{KEPT_OF_NAMESPACE:02}"), |request| {
        request.status.as_ref().is_some_and(|status| status.log.is_some())
    })
    .await;
    let left = requests.list(&ListParams::default()).await.unwrap().items.len();
    assert!(left <= KEPT_OF_NAMESPACE, "{left}");
}

async fn gone<K>(api: Api<K>, object: &K)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + for<'a> Deserialize<'a> + Send + 'static,
{
    let (name, uid) = (object.name_any(), object.uid().unwrap());
    let waited = tokio::time::timeout(IN_TIME, await_condition(api, &name, is_deleted(&uid))).await;
    waited.unwrap_or_else(|_| panic!("{name} is still there")).unwrap();
}

/// A controller with exactly the rights and the arguments that Helm renders, in all namespaces or in one.
async fn forbidden_nothing_and_uses_all(values: &Value) {
    let (installed, objects) = chart::by_helm(SYSTEM, values).unwrap();
    let parts = Parts::start(Options { installed: Some(installed), ..Options::default() }).await.unwrap();
    let stories = async {
        parts.apply_sample().await?;
        first_release(&parts, &parts.head()?).await?;
        private_story(&parts).await;
        Ok(())
    };
    parts.unless_ended(stories).await.unwrap();
    let (used, forbidden) = used(&parts).await;
    assert_eq!(forbidden, Vec::<String>::new(), "the controller was forbidden what it needs");
    let granted = granted(&objects);
    let unused: Vec<_> = granted.difference(&used).collect();
    assert!(unused.is_empty(), "granted, and never used: {unused:?}");
    assert!(used.is_subset(&granted), "used without being granted: {:?}", used.difference(&granted));
    println!("{values}: {} rights granted, {} used, 0 forbidden, 0 unused", granted.len(), used.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_controller_is_forbidden_nothing_and_uses_every_right_that_the_chart_grants() {
    forbidden_nothing_and_uses_all(&json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_with_roles_in_the_namespaces_that_it_watches() {
    forbidden_nothing_and_uses_all(&json!({"watchNamespaces": [NAMESPACE]})).await;
}

#[test]
fn the_chart_grants_no_wildcard_and_of_secrets_only_to_get_them() {
    for values in [json!({}), json!({"watchNamespaces": [NAMESPACE]})] {
        for (group, resource, verb) in granted(&chart::by_helm(SYSTEM, &values).unwrap().1) {
            assert!(![&group, &resource, &verb].iter().any(|word| word.contains('*')), "{group} {resource} {verb}");
            assert!(resource != "secrets" || verb == "get", "secrets: {verb}");
            assert!(!["escalate", "bind", "impersonate"].contains(&verb.as_str()), "{verb}");
        }
    }
}
