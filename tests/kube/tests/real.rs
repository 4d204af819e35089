//! The cluster that the other tests stand on: that it behaves as a real one where those rely on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::runtime::wait::{await_condition, conditions::is_deleted};
use kube::{Api, Resource, ResourceExt};
use launchway_test_kube::real::{self, AuditEvent, Cluster, Controllers, Options, kstatus};
use serde_json::{Value, json};

/// Long enough for the slowest of Kubernetes' controllers on a busy machine.
const IN_TIME: Duration = Duration::from_secs(60);

/// Every 30 s the garbage collector looks for new kinds: what is gone sooner did not have to wait for that.
const BEFORE_THE_NEXT_LOOK: Duration = Duration::from_secs(25);

const CRD: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.tests.launchway.dev}
spec:
  group: tests.launchway.dev
  scope: Namespaced
  names: {kind: Lamp, plural: lamps, singular: lamp}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {colour: {type: string, description: What it shines in.}}}}}}
"#;

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

fn lamp(colour: &str) -> Value {
    json!({"apiVersion": "tests.launchway.dev/v1", "kind": "Lamp", "metadata": {"name": colour}, "spec": {"colour": colour}})
}

async fn made_config_map(maps: &Api<ConfigMap>, metadata: ObjectMeta) -> ConfigMap {
    maps.create(&PostParams::default(), &ConfigMap { metadata, ..ConfigMap::default() }).await.unwrap()
}

async fn made_account(cluster: &Cluster, namespace: &str, name: &str) {
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client(), namespace);
    let account = ServiceAccount { metadata: named(name), ..ServiceAccount::default() };
    accounts.create(&PostParams::default(), &account).await.unwrap();
}

async fn of_account(cluster: &Cluster, namespace: &str, name: &str) -> Vec<AuditEvent> {
    let user = format!("system:serviceaccount:{namespace}:{name}");
    cluster.audit().await.unwrap().into_iter().filter(|event| event.user == user).collect()
}

#[tokio::test]
async fn a_deleted_namespace_goes_with_all_that_is_in_it() {
    let cluster = real::shared().await.unwrap();
    let name = cluster.namespace("gone").await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), &name);
    made_config_map(&maps, named("inside")).await;
    let namespaces: Api<Namespace> = Api::all(cluster.client());
    let uid = namespaces.get(&name).await.unwrap().uid().unwrap();
    namespaces.delete(&name, &DeleteParams::default()).await.unwrap();
    let gone = await_condition(namespaces.clone(), &name, is_deleted(&uid));
    tokio::time::timeout(IN_TIME, gone).await.expect("the namespace is still there").unwrap();
    assert!(maps.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn an_owned_object_is_collected_after_its_owner() {
    let cluster = real::shared().await.unwrap();
    let namespace = cluster.namespace("owned").await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), &namespace);
    let owner = made_config_map(&maps, named("owner")).await;
    let owners = Some(vec![owner.controller_owner_ref(&()).unwrap()]);
    let owned = made_config_map(&maps, ObjectMeta { owner_references: owners, ..named("owned") }).await;
    maps.delete("owner", &DeleteParams::default()).await.unwrap();
    let uid = owned.uid().unwrap();
    let gone = await_condition(maps.clone(), "owned", is_deleted(&uid));
    tokio::time::timeout(IN_TIME, gone).await.expect("the owned object is still there").unwrap();
}

#[tokio::test]
async fn an_object_owned_by_one_of_a_kind_that_was_there_first_is_collected_at_once() {
    let options = Options { definitions: CRD.to_owned(), ..Options::default() };
    let cluster = Cluster::start(options).await.unwrap();
    let namespace = cluster.namespace("owned").await.unwrap();
    cluster.apply_in(&namespace, &lamp("red").to_string()).await.unwrap();
    let uid =
        cluster.kubectl(&["get", "lamp", "red", "-n", &namespace, "-o", "jsonpath={.metadata.uid}"]).await.unwrap();
    let owner = OwnerReference {
        api_version: "tests.launchway.dev/v1".to_owned(),
        kind: "Lamp".to_owned(),
        name: "red".to_owned(),
        uid: String::from_utf8(uid.stdout).unwrap(),
        ..OwnerReference::default()
    };
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), &namespace);
    let owned = made_config_map(&maps, ObjectMeta { owner_references: Some(vec![owner]), ..named("owned") }).await;
    let deleted = cluster.kubectl(&["delete", "lamp", "red", "-n", &namespace]).await.unwrap();
    assert!(deleted.status.success(), "{deleted:?}");
    let uid = owned.uid().unwrap();
    let gone = await_condition(maps.clone(), "owned", is_deleted(&uid));
    tokio::time::timeout(BEFORE_THE_NEXT_LOOK, gone).await.expect("the owned object is still there").unwrap();
}

#[tokio::test]
async fn a_second_cluster_stands_beside_the_first_and_goes_when_it_is_dropped() {
    let first = real::shared().await.unwrap();
    let options = Options { controllers: Controllers::Absent, ..Options::default() };
    let second = Cluster::start(options).await.unwrap();
    assert_ne!(first.url(), second.url());
    let namespace = second.namespace("second").await.unwrap();
    let here: Api<Namespace> = Api::all(first.client());
    assert!(here.get_opt(&namespace).await.unwrap().is_none());
    let (folder, there) = (second.folder().to_owned(), second.client());
    drop(second);
    assert!(there.apiserver_version().await.is_err());
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_fresh_service_account_may_do_nothing_and_the_audit_log_says_so() {
    let cluster = real::shared().await.unwrap();
    let namespace = cluster.namespace("rights").await.unwrap();
    made_account(cluster, &namespace, "fresh").await;
    let client = cluster.client_for_service_account(&namespace, "fresh").await.unwrap();
    let refusal = Api::<ConfigMap>::namespaced(client, &namespace).list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(&refusal, kube::Error::Api(status) if status.is_forbidden()), "{refusal}");
    let seen = of_account(cluster, &namespace, "fresh").await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    let AuditEvent { verb, resource, namespace: place, code, .. } = &seen[0];
    assert_eq!(
        (verb.as_str(), resource.as_str(), place.as_str(), *code),
        ("list", "configmaps", namespace.as_str(), 403)
    );
}

#[tokio::test]
async fn a_bound_service_account_may_do_what_its_role_says_and_the_audit_log_names_the_role() {
    let cluster = real::shared().await.unwrap();
    let namespace = cluster.namespace("rights").await.unwrap();
    made_account(cluster, &namespace, "bound").await;
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reads"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "bound", "namespace": namespace}]});
    cluster.apply_in(&namespace, &format!("{role}\n---\n{binding}\n")).await.unwrap();
    let kubeconfig = cluster.kubeconfig_for_service_account(&namespace, "bound").await.unwrap();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let listed = cluster.kubectl(&["--kubeconfig", kubeconfig, "get", "configmaps"]).await.unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let seen = of_account(cluster, &namespace, "bound").await;
    let list = seen.iter().find(|event| event.resource == "configmaps").unwrap();
    assert_eq!((list.verb.as_str(), list.code), ("list", 200));
    assert!(list.reason.contains("reader"), "{}", list.reason);
}

#[tokio::test]
async fn an_applied_kind_can_be_used_and_explained_at_once() {
    let cluster = real::shared().await.unwrap();
    let namespace = cluster.namespace("kinds").await.unwrap();
    cluster.apply(CRD).await.unwrap();
    cluster.apply_in(&namespace, &lamp("green").to_string()).await.unwrap();
    let told =
        cluster.kubectl(&["get", "lamp", "green", "-n", &namespace, "-o", "jsonpath={.spec.colour}"]).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout), "green");
    let explained = cluster.kubectl(&["explain", "lamps.spec.colour"]).await.unwrap();
    assert!(String::from_utf8_lossy(&explained.stdout).contains("What it shines in."), "{explained:?}");
}

#[tokio::test]
async fn yaml_that_is_refused_is_refused_in_the_servers_words() {
    let cluster = real::shared().await.unwrap();
    let refusal = cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: Upper}}").await.unwrap_err();
    assert!(refusal.to_string().contains("lowercase RFC 1123"), "{refusal}");
}

#[tokio::test]
async fn the_server_says_its_true_version() {
    let cluster = real::shared().await.unwrap();
    let version = cluster.client().apiserver_version().await.unwrap();
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "36"));
    assert!(version.git_version.starts_with("v1.36."), "{}", version.git_version);
}

fn object(status: Value) -> Value {
    json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "metadata": {"name": "iridium", "generation": 1}, "status": status})
}

fn conditions(which: &[(&str, &str)]) -> Value {
    let conditions: Vec<Value> = which
        .iter()
        .map(|(kind, status)| json!({"type": kind, "status": status, "reason": "Because", "message": ""}))
        .collect();
    object(json!({"observedGeneration": 1, "conditions": conditions}))
}

#[test]
fn kstatus_judges_as_the_status_table_was_made_for() {
    use kstatus::Status::{Current, Failed, InProgress};
    let mut without_status = object(json!({}));
    without_status.as_object_mut().unwrap().remove("status");
    let rows = [
        (without_status, Current),
        (object(json!({"observedGeneration": -1})), InProgress),
        (conditions(&[("Ready", "False")]), InProgress),
        (conditions(&[("Ready", "True")]), Current),
        (conditions(&[("Ready", "False"), ("Stalled", "True")]), Failed),
        (conditions(&[("Reconciling", "True"), ("Stalled", "True")]), InProgress),
        (conditions(&[("Stalled", "True"), ("Reconciling", "True")]), Failed),
    ];
    let (objects, expected): (Vec<Value>, Vec<kstatus::Status>) = rows.into_iter().unzip();
    let said: Vec<kstatus::Status> = kstatus::of(&objects).unwrap().into_iter().map(|answer| answer.status).collect();
    assert_eq!(said, expected);
}

#[test]
fn kstatus_refuses_what_is_no_object_and_says_which() {
    let refusal = kstatus::of(&[conditions(&[]), json!({"kind": "Nothing"}), json!({})]).unwrap_err();
    assert!(refusal.to_string().contains("object 3"), "{refusal}");
}
