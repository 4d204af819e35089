//! Files in AWS's own JSON become Services as they stand: the real API server admits them, and every member reaches AWS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use launchway_test_kube::real;
use launchway_tests::corpus::{Verdict, read};
use launchway_tests::shape::repository;

#[tokio::test(flavor = "multi_thread")]
async fn our_samples_are_admitted_and_reach_the_wire_whole() {
    let cluster = real::shared().await.unwrap();
    let outcomes = launchway_tests::corpus::judged(cluster, &read(&samples()).unwrap()).await.unwrap();
    let wrong: Vec<_> = outcomes.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Wrong(_))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let names: Vec<_> = outcomes.iter().filter(|(_, verdict)| matches!(verdict, Verdict::NotDriven(_))).collect();
    let refused: Vec<&str> = names.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(refused, ["blue-green", "code-deploy", "daemon"]);
}

fn samples() -> std::path::PathBuf {
    repository().join(Path::new("tests/tests/corpus"))
}
