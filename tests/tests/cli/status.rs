//! What `status` and `releases` show.

use launchway_crds::{Pipeline, Release, Service};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::ChildStdout;

use crate::setting::{IN_TIME, Place, commit, stage, told, with};

const ROLLING: [(&str, &str); 2] = [("Ready", "False"), ("Reconciling", "True")];
const READY: [(&str, &str); 1] = [("Ready", "True")];
const FAILED: [(&str, &str); 2] = [("Ready", "False"), ("Stalled", "True")];

fn rollout(phase: &str, [running, desired]: [i32; 2]) -> Value {
    json!({
        "rollout": {"grant": 1, "generation": 1, "meaning": "v1-a", "phase": phase, "startedAt": "2026-11-23T08:00:00Z"},
        "service": {"arn": "arn", "creations": 1, "running": running, "desired": desired},
    })
}

/// A commit that is verified in staging and rolls in prod.
async fn at_work() -> Place {
    let place = Place::new().await;
    place.release(1, 'a').await;
    let stages =
        json!([stage("staging", "greeter-1", 'a', 1, Some((1, 'a'))), stage("prod", "greeter-1", 'a', 1, None),]);
    let heads =
        json!([{"ref": "refs/heads/main", "commit": commit('a'), "number": 1, "seenAt": "2026-11-23T08:00:00Z"}]);
    let words = ["prod", "Rolling", "ECS brings greeter to shop-greeter:1"];
    let pipeline = told(&[("Ready", "False"), ("Reconciling", "True"), ("Released", "Unknown")], words);
    place.write::<Pipeline>("greeter", with(pipeline, json!({"stages": stages, "heads": heads}))).await;
    place.write::<Release>("greeter-1", with(told(&ROLLING, words), json!({"phase": "Active"}))).await;
    let done = with(told(&READY, ["staging", "Succeeded", "done"]), rollout("Done", [1, 1]));
    place.write::<Service>("greeter-staging", done).await;
    place.write::<Service>("greeter", with(told(&ROLLING, words), rollout("Rolling", [0, 1]))).await;
    place
}

async fn roll_back(place: &Place) {
    let words = ["prod", "RolledBack", "ECS rolled greeter back"];
    let mut prod = stage("prod", "greeter-1", 'a', 1, None);
    prod["trouble"] = json!({"reason": words[1], "message": words[2]});
    let stages = json!([stage("staging", "greeter-1", 'a', 1, Some((1, 'a'))), prod]);
    let pipeline = told(&[("Ready", "False"), ("Stalled", "True"), ("Released", "False")], words);
    place.write::<Pipeline>("greeter", with(pipeline, json!({"stages": stages}))).await;
    let over = json!({"phase": "Failed", "endedAt": "2026-11-23T08:00:00Z"});
    place.write::<Release>("greeter-1", with(told(&FAILED, words), over)).await;
    let mut failed = rollout("Failed", [1, 1]);
    failed["rollout"]["stoppedTasks"] = json!([{"task": "0f1e2d3c", "code": "EssentialContainerExited",
        "reason": "Essential container in task exited", "container": "greeter: exit code 1"}]);
    place.write::<Service>("greeter", with(told(&FAILED, words), failed)).await;
}

async fn verify(place: &Place) {
    let stages = json!([
        stage("staging", "greeter-1", 'a', 1, Some((1, 'a'))),
        stage("prod", "greeter-1", 'a', 1, Some((1, 'a'))),
    ]);
    let words = ["prod", "Succeeded", "released"];
    let pipeline = told(&[("Ready", "True"), ("Released", "True")], words);
    place.write::<Pipeline>("greeter", with(pipeline, json!({"stages": stages}))).await;
    let over = json!({"phase": "Succeeded", "endedAt": "2026-11-23T08:00:00Z"});
    place.write::<Release>("greeter-1", with(told(&READY, words), over)).await;
    place.write::<Service>("greeter", with(told(&READY, words), rollout("Done", [1, 1]))).await;
}

/// Without the ages, which depend on the day.
fn ageless(text: &str) -> String {
    let is_age = |word: &str| word.ends_with(['s', 'm', 'h', 'd']) && word.starts_with(|c: char| c.is_ascii_digit());
    let line = |line: &str| match line.rsplit_once("  ") {
        Some((rest, word)) if is_age(word) => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|one| line(one) + "\n").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_says_where_a_commit_is_and_how_it_ended() {
    let place = at_work().await;
    let (code, out, err) = place.run(&["status"]).await;
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(ageless(&out), include_str!("at-work.txt"));

    roll_back(&place).await;
    let (_, out, _) = place.run(&["status", "greeter"]).await;
    assert_eq!(ageless(&out), include_str!("failed.txt"));

    verify(&place).await;
    let (_, out, _) = place.run(&["status", "greeter"]).await;
    assert_eq!(ageless(&out), include_str!("released.txt"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_read_the_tree_as_json_and_people_those_of_all_namespaces() {
    let place = at_work().await;
    let (_, out, _) = place.run(&["status", "-o", "json"]).await;
    let tree: Value = serde_json::from_str(&out).unwrap();
    let pipeline = &tree["pipelines"][0];
    assert_eq!((&pipeline["name"], &pipeline["head"]), (&json!("greeter"), &json!(commit('a'))));
    assert_eq!(pipeline["stages"][1]["services"][0]["rollout"], "Rolling");

    let (_, out, _) = place.run(&["status", "-A"]).await;
    assert!(out.contains(&format!("● {}/pipeline/greeter", place.name)), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_cannot_be_read_hides_no_other() {
    let place = at_work().await;
    place.release(2, 'b').await;
    // The API server admits the year 9999 in any zone; no clock of ours goes that far.
    place.write::<Release>("greeter-2", json!({"endedAt": "9999-12-31T23:59:59-12:00"})).await;
    let (code, out, _) = place.run(&["releases"]).await;
    assert_eq!(code, 0);
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "PIPELINE", "COMMIT", "PHASE", "STAGE", "REASON", "AGE"]);
    assert_eq!(rows[1][..3], ["greeter-2", "greeter", "Unreadable"]);
    assert_eq!(rows[2][..6], ["greeter-1", "greeter", "aaaaaaaaaaaa", "Active", "prod", "Rolling"]);
    let (_, out, _) = place.run(&["status"]).await;
    assert!(
        out.contains("release/greeter-2") && out.contains("status.endedAt holds a value that cannot be read"),
        "{out}"
    );
    let (_, out, _) = place.run(&["releases", "greeter", "-o", "json"]).await;
    let list: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((list["kind"].as_str(), list["items"].as_array().unwrap().len()), (Some("List"), 2));
}

async fn until(lines: &mut Lines<BufReader<ChildStdout>>, wanted: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let line = lines.next_line().await.unwrap().expect(wanted);
        all.push(line.clone());
        if line.contains(wanted) {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_watch_says_what_changed_and_nothing_else() {
    let place = at_work().await;
    let mut child = place.command(&["status", "--watch"]).await.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(IN_TIME, until(&mut lines, "service/greeter  Rolling")).await.unwrap();
    assert_eq!(first.len(), 6, "a line for each thing: {first:?}");
    let failed = with(told(&FAILED, ["prod", "RolledBack", "back"]), rollout("Failed", [1, 1]));
    place.write::<Service>("greeter", failed).await;
    let then = tokio::time::timeout(IN_TIME, until(&mut lines, "RolledBack")).await.unwrap();
    assert_eq!(then, ["✗ pipeline/greeter stage/prod service/greeter  Failed  1/1 running  RolledBack  back"]);
    child.kill().await.unwrap();
}
