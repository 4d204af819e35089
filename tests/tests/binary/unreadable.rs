//! The binary at a real API server that keeps objects which serde refuses, among healthy ones: they stop nobody, also after a
//! restart, and each is told in an Event on it.

use super::{ID, IN_TIME, answer, ended, environment_of_aws, free_address, started, surroundings, until_ready};
use http::{Method, Request};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use launchway_test_kube::real::Cluster;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/apis/launchway.dev/v1alpha1/awsaccounts";
fn account(name: &str) -> Value {
    json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": name},
        "spec": {"regions": ["eu-west-1"], "namespaces": {"names": ["a"]}, "allow": {}}})
}

/// Sends an object, and gives back what the API server made of it, as JSON without types: what it says may be more than serde's
/// types can hold.
async fn sent(cluster: &Cluster, method: Method, path: &str, object: &Value) -> Value {
    let content = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let request = Request::builder().method(method).uri(path).header("content-type", content);
    let text = cluster.client().request_text(request.body(object.to_string().into_bytes()).unwrap()).await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// An account with a time in its status that the API server keeps and Launchway cannot read.
async fn unreadable(cluster: &Cluster, name: &str, time: &str) {
    sent(cluster, Method::POST, ACCOUNTS, &account(name)).await;
    let condition =
        json!({"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": time});
    // The controller may write its own status meanwhile.
    let status = json!({"status": {"observedGeneration": 1, "conditions": [condition]}});
    let kept = sent(cluster, Method::PATCH, &format!("{ACCOUNTS}/{name}/status"), &status).await;
    assert_eq!(kept["status"]["conditions"][0]["lastTransitionTime"], time);
}

/// An account whose managed fields say that somebody wrote into it in the year 9999.
async fn misdated(cluster: &Cluster, name: &str) {
    let mut object = account(name);
    object["metadata"]["labels"] = json!({"a": "b"});
    object["metadata"]["managedFields"] = json!([{"manager": "somebody", "operation": "Update", "fieldsType": "FieldsV1",
        "apiVersion": "launchway.dev/v1alpha1", "time": "9999-12-31T23:59:59Z",
        "fieldsV1": {"f:metadata": {"f:annotations": {"f:other": {}}}}}]);
    let kept = sent(cluster, Method::POST, ACCOUNTS, &object).await;
    assert!(kept.to_string().contains("9999-12-31T23:59:59Z"), "the API server does not keep it any more: {kept}");
}

/// Waits until the controller has said of an account whose it is. Read one by one and as JSON: kube's own list and watch would
/// end at the odd ones.
async fn known(cluster: &Cluster, name: &str) {
    let known = async {
        loop {
            let request = Request::get(format!("{ACCOUNTS}/{name}")).body(Vec::new()).unwrap();
            let text = cluster.client().request_text(request).await.unwrap();
            let account: Value = serde_json::from_str(&text).unwrap();
            if account["status"]["accountId"] == ID {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(IN_TIME, known).await.expect("it is looked at in time");
}

/// Waits until an Event tells that an object cannot be read; its note.
async fn told(cluster: &Cluster, name: &str) -> String {
    let events: Api<Event> = Api::namespaced(cluster.client(), "default");
    let told = async {
        loop {
            let all = events.list(&ListParams::default()).await.unwrap().items;
            let of = |event: &Event| event.regarding.as_ref().and_then(|object| object.name.as_deref()) == Some(name);
            if let Some(event) =
                all.into_iter().find(|event| of(event) && event.reason.as_deref() == Some("Unreadable"))
            {
                return event.note.unwrap_or_default();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(IN_TIME, told).await.expect("it is told in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_the_api_server_keeps_and_serde_does_not_stop_nobody_also_after_a_restart() {
    let (folder, cluster, aws) = surroundings().await;
    let environment = environment_of_aws(folder.path(), &aws.url());
    let odd = [("offset", "2026-01-02T03:04:05+99:00"), ("fraction", "2026-01-02T03:04:05.0123456789Z")];
    let mut log = String::new();
    for life in ["first", "second"] {
        let address = free_address();
        let child = started(&cluster, address, &environment).await;
        tokio::time::timeout(IN_TIME, until_ready(address)).await.unwrap();
        if life == "first" {
            for (name, time) in odd {
                unreadable(&cluster, name, time).await;
            }
            misdated(&cluster, "misdated").await;
        }
        for (name, _) in odd {
            assert!(told(&cluster, name).await.contains("status.conditions[0].lastTransitionTime"));
        }
        known(&cluster, "misdated").await;
        sent(&cluster, Method::POST, ACCOUNTS, &account(&format!("{life}-after"))).await;
        known(&cluster, &format!("{life}-after")).await;
        let metrics = answer(address, "/metrics").unwrap().1;
        assert!(metrics.contains("launchway_unreadable_objects{kind=\"AwsAccount\"} 2"), "{metrics}");
        assert!(metrics.contains("launchway_broken_watches{kind=\"AwsAccount\"} 0"), "{metrics}");
        let output = ended(child);
        assert!(output.status.success(), "{output:?}");
        log.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert!(!log.contains("+99:00") && !log.contains("0123456789Z"), "a value of an object is in the log: {log}");
}
