//! How `wait` ends, and what it says meanwhile.

use launchway_crds::{Pipeline, Release};
use serde_json::json;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::setting::{IN_TIME, Place, commit, ended, stage, told, with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wait_ends_well_when_the_commit_is_verified_in_every_stage_and_not_before() {
    let place = Place::new().await;
    // Another commit runs everywhere.
    let both = json!([
        stage("staging", "greeter-1", 'a', 1, Some((1, 'a'))),
        stage("prod", "greeter-1", 'a', 1, Some((1, 'a'))),
    ]);
    place.write::<Pipeline>("greeter", json!({"stages": both})).await;
    let mut child = place.command(&["wait", &commit('b')]).await.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || tokio::time::timeout(IN_TIME, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(next().await, "pipeline/greeter: there is no release of bbbbbbbbbbbb yet");

    place.release(2, 'b').await;
    assert!(next().await.starts_with("pipeline/greeter: release/greeter-2"));
    let rolling = told(&[("Ready", "False")], ["prod", "Rolling", "ECS brings it"]);
    place.write::<Release>("greeter-2", with(rolling, json!({"phase": "Active"}))).await;
    assert_eq!(next().await, "pipeline/greeter: release/greeter-2 prod Rolling: ECS brings it");

    let both = json!([
        stage("staging", "greeter-2", 'b', 2, Some((2, 'b'))),
        stage("prod", "greeter-2", 'b', 2, Some((2, 'b'))),
    ]);
    place.write::<Pipeline>("greeter", json!({"stages": both})).await;
    let said = next().await;
    assert_eq!(said, format!("pipeline/greeter: {} is verified in staging, prod", commit('b')));
    assert_eq!(tokio::time::timeout(IN_TIME, child.wait()).await.unwrap().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wait_ends_with_1_and_the_reason_when_the_release_failed_or_gave_way() {
    let place = Place::new().await;
    for (number, digit, phase, words, said) in [
        (1, 'a', "Failed", ["build", "BuildFailed", "make: exit 2"], "failed at build (BuildFailed): make: exit 2"),
        (2, 'b', "Superseded", ["build", "Superseded", "by greeter-3"], "was superseded (Superseded): by greeter-3"),
        (3, 'c', "Cancelled", ["", "Cancelled", "deleted"], "was cancelled (Cancelled): deleted"),
    ] {
        place.release(number, digit).await;
        let name = format!("greeter-{number}");
        place.write::<Release>(&name, with(told(&[("Ready", "False")], words), json!({"phase": phase}))).await;
        let (code, _, err) = place.run(&["wait", &commit(digit), "--pipeline", "greeter"]).await;
        assert_eq!((code, err), (1, format!("release/{name} {said}\n")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wait_ends_with_2_when_the_time_is_up_and_with_3_when_it_cannot_tell() {
    let place = Place::new().await;
    for timeout in ["0s", "1s"] {
        let (code, out, err) = place.run(&["wait", &commit('b'), "--timeout", timeout]).await;
        assert_eq!((code, out.lines().count()), (2, 1), "{out}");
        let words = format!("error: timed out waiting for {} on pipeline/greeter: there is no release", commit('b'));
        assert!(err.starts_with(&words), "{err}");
    }
    let odd: [&[&str]; 4] = [
        &["wait", "main"],
        &["wait", &commit('b'), "--pipeline", "other"],
        &["wait", &commit('b'), "--timeout", "soon"],
        &["wait", &commit('b'), "--context", "other"],
    ];
    for args in odd {
        let output = place.command(args).await.output().await.unwrap();
        assert_eq!(ended(output).0, 3, "{args:?}");
    }
}
