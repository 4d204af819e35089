//! What tenants may do in Kubernetes, on the real API server with the chart's roles and policy: every row is a question that is
//! asked of the API server, or a request that it answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use launchway_crds::Release;
use launchway_test_kube::real::{Cluster, Say};
use launchway_tests::quickstart::chart;
use serde_json::{Value, json};

const SYSTEM: &str = "launchway-system";
const CONTROLLER: &str = "system:serviceaccount:launchway-system:launchway";
const TEAM: &str = "team-a";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A namespace of a team, whose members have the roles of the chart and those that every cluster has.
async fn cluster() -> Cluster {
    let cluster =
        chart::cluster(Say::to(|_| {}), &chart::plainly(SYSTEM, "launchway").unwrap(), (SYSTEM, "launchway"), TEAM)
            .await
            .unwrap();
    let roles = [
        ("vera", "launchway-view"),
        ("ed", "launchway-edit"),
        ("lou", "launchway-logs"),
        ("viv", "view"),
        ("eve", "edit"),
        ("ada", "admin"),
    ];
    let bindings = roles.map(|(user, role)| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": user, "namespace": TEAM},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"},
                {"kind": "ServiceAccount", "name": user, "namespace": TEAM}]})
    });
    cluster.apply_in(TEAM, &bindings.map(|binding| binding.to_string()).join("\n---\n")).await.unwrap();
    // Two who have a role in all namespaces.
    let bindings = [("pat", "launchway-admin"), ("max", "admin")].map(|(user, role)| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]})
    });
    cluster.apply(&bindings.map(|binding| binding.to_string()).join("\n---\n")).await.unwrap();
    cluster
}

async fn may(client: &Client, user: &str, verb: &str, resource: &str, namespace: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let group = match resource {
        "secrets" | "pods" | "configmaps" | "namespaces" | "serviceaccounts" => "",
        "clusterroles" | "rolebindings" => "rbac.authorization.k8s.io",
        "validatingadmissionpolicies" => "admissionregistration.k8s.io",
        "deployments" => "apps",
        "events" => "events.k8s.io",
        _ => "launchway.dev",
    };
    let attributes = ResourceAttributes {
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource: Some(subresource.to_owned()).filter(|part| !part.is_empty()),
        verb: Some(verb.to_owned()),
        namespace: Some(namespace.to_owned()).filter(|name| !name.is_empty()),
        ..ResourceAttributes::default()
    };
    let spec = SubjectAccessReviewSpec {
        user: Some(user.to_owned()),
        resource_attributes: Some(attributes),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let answer = Api::<SubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await.unwrap();
    answer.status.unwrap().allowed
}

/// Who, may or may not, what, to which resources, in which namespace (empty: in all).
type Row = (&'static str, bool, &'static str, &'static [&'static str], &'static str);

const OURS: &[&str] = &["pipelines", "ecsservices", "releases"];
const STATUSES: &[&str] = &["pipelines/status", "ecsservices/status", "releases/status", "awsaccounts/status"];

const MATRIX: &[Row] = &[
    ("vera", true, "get", OURS, TEAM),
    ("vera", true, "list", OURS, TEAM),
    ("vera", true, "watch", OURS, TEAM),
    ("vera", false, "create", OURS, TEAM),
    ("vera", false, "update", OURS, TEAM),
    ("vera", false, "patch", OURS, TEAM),
    ("vera", false, "delete", OURS, TEAM),
    ("vera", false, "update", STATUSES, TEAM),
    ("vera", false, "get", OURS, "team-b"),
    ("vera", false, "get", &["awsaccounts", "secrets"], TEAM),
    ("ed", true, "get", OURS, TEAM),
    ("ed", true, "create", OURS, TEAM),
    ("ed", true, "update", OURS, TEAM),
    ("ed", true, "patch", OURS, TEAM),
    ("ed", true, "delete", OURS, TEAM),
    ("ed", false, "update", STATUSES, TEAM),
    ("ed", false, "patch", STATUSES, TEAM),
    ("ed", false, "create", OURS, "team-b"),
    ("ed", false, "get", &["awsaccounts"], ""),
    ("ed", false, "create", &["awsaccounts"], ""),
    ("ed", false, "update", &["validatingadmissionpolicies"], ""),
    ("lou", true, "create", &["logrequests"], TEAM),
    ("lou", true, "get", &["logrequests"], TEAM),
    ("lou", true, "delete", &["logrequests"], TEAM),
    ("lou", false, "update", &["logrequests", "logrequests/status"], TEAM),
    ("lou", false, "create", &["logrequests"], "team-b"),
    ("lou", false, "get", OURS, TEAM),
    ("lou", false, "create", OURS, TEAM),
    ("ed", true, "create", &["logrequests"], TEAM),
    ("ed", false, "update", &["logrequests", "logrequests/status"], TEAM),
    ("eve", true, "create", &["logrequests"], TEAM),
    ("vera", false, "create", &["logrequests"], TEAM),
    ("vera", false, "get", &["logrequests"], TEAM),
    ("viv", false, "create", &["logrequests"], TEAM),
    ("viv", true, "list", OURS, TEAM),
    ("viv", false, "create", OURS, TEAM),
    ("viv", false, "patch", STATUSES, TEAM),
    ("eve", true, "create", OURS, TEAM),
    ("eve", true, "delete", OURS, TEAM),
    ("eve", false, "update", STATUSES, TEAM),
    ("eve", false, "get", &["awsaccounts"], ""),
    ("ada", true, "patch", OURS, TEAM),
    ("ada", false, "update", STATUSES, TEAM),
    ("ada", false, "create", OURS, "team-b"),
    ("pat", true, "create", &["awsaccounts", "pipelines", "releases"], ""),
    ("pat", true, "patch", &["awsaccounts"], ""),
    ("pat", true, "get", OURS, TEAM),
    ("pat", false, "update", STATUSES, ""),
    ("pat", false, "get", &["secrets", "clusterroles"], TEAM),
    ("max", true, "create", OURS, TEAM),
    ("max", false, "get", &["awsaccounts"], ""),
    ("max", false, "create", &["awsaccounts"], ""),
    (CONTROLLER, true, "list", &["awsaccounts", "pipelines", "ecsservices", "releases"], ""),
    (CONTROLLER, true, "update", STATUSES, ""),
    (CONTROLLER, true, "create", &["releases", "events"], TEAM),
    (CONTROLLER, true, "delete", &["releases"], TEAM),
    (CONTROLLER, true, "get", &["secrets", "namespaces"], TEAM),
    (CONTROLLER, false, "list", &["secrets", "namespaces", "configmaps", "pods"], ""),
    (CONTROLLER, false, "watch", &["secrets"], ""),
    (CONTROLLER, false, "create", &["secrets", "pods", "deployments", "awsaccounts", "pipelines", "ecsservices"], TEAM),
    (CONTROLLER, false, "update", &["awsaccounts", "pipelines", "ecsservices", "releases", "secrets"], TEAM),
    (CONTROLLER, false, "delete", &["awsaccounts", "pipelines", "ecsservices", "namespaces"], TEAM),
    (CONTROLLER, false, "patch", &["awsaccounts", "pipelines", "clusterroles"], ""),
    (CONTROLLER, false, "create", &["serviceaccounts/token", "rolebindings", "validatingadmissionpolicies"], TEAM),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_that_the_chart_ships_may_do_what_the_matrix_says_and_nothing_else() {
    let cluster = cluster().await;
    let client = cluster.client();
    // The roles of every cluster are put together a moment after ours are there.
    let gathered = async {
        while !may(&client, "eve", "create", "releases", TEAM).await
            || !may(&client, "viv", "get", "releases", TEAM).await
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gathered).await.expect("view and edit have ours added");
    let (mut asked, mut wrong) = (0, Vec::new());
    for (user, wanted, verb, resources, namespace) in MATRIX {
        for resource in *resources {
            asked += 1;
            if may(&client, user, verb, resource, namespace).await != *wanted {
                wrong.push(format!(
                    "{user} {verb} {resource} in {namespace:?}: {}",
                    if *wanted { "refused" } else { "allowed" }
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(MATRIX.len() >= 30);
    println!("{} rows, {asked} questions", MATRIX.len());
}

/// A client with the rights of a person who has that role.
async fn person(cluster: &Cluster, name: &str) -> Client {
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client(), TEAM);
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    accounts.create(&PostParams::default(), &ServiceAccount { metadata, ..ServiceAccount::default() }).await.unwrap();
    cluster.client_for_service_account(TEAM, name).await.unwrap()
}

fn release(name: &str, spec: &Value) -> Release {
    let mut all = json!({"pipeline": "web", "commit": COMMIT});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": name, "labels": {"launchway.dev/pipeline": "web"},
            "ownerReferences": [{"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "name": "web", "uid": "u-1"}]},
        "spec": all}))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_controller_makes_releases_of_new_commits() {
    let cluster = cluster().await;
    let commit = json!({"reason": "NewCommit", "number": 2});
    let tried = PostParams { dry_run: true, ..PostParams::default() };
    let controller = cluster.client_for_service_account(SYSTEM, "launchway").await.unwrap();
    let (ed, admin) = (person(&cluster, "ed").await, cluster.client());
    let releases = |client: &Client| Api::<Release>::namespaced(client.clone(), TEAM);
    // A policy is in force a moment after it was made.
    let refused = async {
        while releases(&ed).create(&tried, &release("web-2", &commit)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refused).await.expect("the policy is in force");
    for client in [&ed, &admin] {
        let all = [
            releases(client).create(&PostParams::default(), &release("web-2", &commit)).await,
            releases(client).create(&tried, &release("web-2", &commit)).await,
            releases(client)
                .patch("web-2", &PatchParams::apply("somebody"), &Patch::Apply(release("web-2", &commit)))
                .await,
        ];
        for answer in all {
            let Err(kube::Error::Api(status)) = answer else { panic!("{answer:?}") };
            assert_eq!(status.code, 403, "{status:?}");
            assert!(
                status.message.contains("launchway-releases") && status.message.contains("say reason Manual"),
                "{status:?}"
            );
        }
        let manual = json!({"reason": "Manual"});
        releases(client).create(&tried, &release("web-2", &manual)).await.expect("a person may make a Manual one");
    }
    releases(&controller).create(&tried, &release("web-2", &commit)).await.expect("the controller may");
}

/// The last of these manifests.
fn last(manifest: &str) -> Value {
    serde_saphyr::from_str(manifest.rsplit("---\n").find(|document| document.contains("kind:")).unwrap()).unwrap()
}

/// The same, with an annotation of that size.
fn annotated(manifest: &str, size: usize) -> Value {
    let mut object = last(manifest);
    object["metadata"]["annotations"]["example.com/note"] = "x".repeat(size).into();
    object
}

/// What else makes an object large: letters of several bytes, owners, and what Kubernetes notes of who set which field.
fn large(manifest: &str) -> [Value; 4] {
    let with = |member: &str, value: Value| {
        let mut object = last(manifest);
        object["metadata"][member] = value;
        object
    };
    let owner = |member: &str| {
        let mut owner = json!({"apiVersion": "nope.example/v1", "kind": "ConfigMap", "name": "x", "uid": "u"});
        owner[member] = "u".repeat(300_000).into();
        json!([owner])
    };
    let set: serde_json::Map<String, Value> = (0..3000).map(|at| (format!("f:{at:0>60}"), json!({}))).collect();
    let fields = json!([{"manager": "m", "operation": "Update", "apiVersion": "launchway.dev/v1alpha1", "fieldsType": "FieldsV1",
        "time": "2026-11-23T08:00:00Z", "fieldsV1": {"f:metadata": {"f:annotations": set}}}]);
    [
        with("annotations", json!({"example.com/note": "\u{1f600}".repeat(17_000)})),
        with("ownerReferences", owner("uid")),
        with("ownerReferences", owner("name")),
        with("managedFields", fields),
    ]
}

async fn tried(client: &Client, plural: &str, object: &Value) -> Result<String, kube::Error> {
    let within = if plural == "awsaccounts" { String::new() } else { format!("/namespaces/{TEAM}") };
    let uri = format!("/apis/launchway.dev/v1alpha1{within}/{plural}?dryRun=All");
    let body = serde_json::to_vec(object).unwrap();
    client.request_text(http::Request::post(uri).header("content-type", "application/json").body(body).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_object_larger_than_64_kib_is_admitted_and_the_controller_may_still_let_an_old_one_go() {
    let cluster = cluster().await;
    let admin = cluster.client();
    let kinds = [
        ("awsaccounts", include_str!("api/full/awsaccounts.yaml")),
        ("ecsservices", include_str!("api/full/ecsservices.yaml")),
        ("pipelines", include_str!("api/full/pipelines.yaml")),
        ("releases", include_str!("api/full/releases.yaml")),
    ];
    // A policy is in force a moment after it was made.
    let refused = async {
        while tried(&admin, "pipelines", &annotated(kinds[2].1, 70_000)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refused).await.expect("the policy is in force");
    for (plural, manifest) in kinds {
        tried(&admin, plural, &annotated(manifest, 40_000)).await.unwrap_or_else(|error| panic!("{plural}: {error}"));
        let Err(kube::Error::Api(status)) = tried(&admin, plural, &annotated(manifest, 66_000)).await else {
            panic!("{plural} was admitted")
        };
        assert!(status.message.contains("65536 are allowed together"), "{plural}: {status:?}");
        for object in large(manifest) {
            let Err(kube::Error::Api(status)) = tried(&admin, plural, &object).await else {
                panic!(
                    "{plural} was admitted: {}",
                    object["metadata"].to_string().chars().take(300).collect::<String>()
                )
            };
            assert!(status.message.contains("launchway-sizes"), "{plural}: {status:?}");
        }
    }
    let controller = cluster.client_for_service_account(SYSTEM, "launchway").await.unwrap();
    tried(&controller, "releases", &annotated(kinds[3].1, 70_000)).await.expect("the controller is not asked");
}
