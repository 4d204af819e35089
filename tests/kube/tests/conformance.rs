//! The same cases on the store in memory and on the real API server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use jiff::Timestamp;
use launchway_test_kube::conformance::{self, Case, Cluster};
use launchway_test_kube::real;
use launchway_test_kube::store::Store;

fn store() -> Store {
    let at: Timestamp = "2026-01-02T03:04:05.6Z".parse().unwrap();
    let store = Store::new(Arc::new(move || at));
    store.register(&conformance::crd()).unwrap();
    store
}

/// Fails with all that failed, by name.
fn judge(failures: Vec<String>, ran: usize) {
    assert!(ran > 0, "no case ran");
    assert!(failures.is_empty(), "{} of {ran} cases failed:\n{}", failures.len(), failures.join("\n"));
}

async fn failure(case: &Case, cluster: Cluster) -> Option<String> {
    case.run(cluster).await.err().map(|error| format!("{error:#}"))
}

#[tokio::test]
async fn the_store_does_what_an_api_server_does() {
    let cases = conformance::cases();
    let mut failures = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let store = store();
        let namespace = format!("case-{number}");
        store.create_namespace(&namespace);
        let collector = store.clone();
        let collect_garbage = Arc::new(move || collector.collect_garbage());
        failures.extend(failure(case, Cluster { client: store.client(), namespace, collect_garbage }).await);
    }
    judge(failures, cases.len());
}

#[tokio::test]
async fn the_real_api_server_does_what_is_said_of_it() {
    let definitions = serde_json::to_string(&conformance::crd()).unwrap();
    let cluster = real::Cluster::start(real::Options { definitions, ..real::Options::default() }).await.unwrap();
    let client = cluster.client();
    let one = async |case: &Case| {
        let namespace = cluster.namespace("case").await.unwrap();
        let collect_garbage = Arc::new(|| ());
        failure(case, Cluster { client: client.clone(), namespace, collect_garbage }).await
    };
    let cases = conformance::cases();
    let failures = futures::future::join_all(cases.iter().map(one)).await;
    judge(failures.into_iter().flatten().collect(), cases.len());
}
