//! A Pipeline with two stages, as values for tests.

use crate::item::{Item, Kind};
use crate::model::Seen;
use jiff::Timestamp;
use launchway_crds::{Pipeline, Release, Service};
use serde_json::{Value, json};

/// When everything is looked at.
pub fn now() -> Timestamp {
    "2026-11-23T08:30:00Z".parse().unwrap()
}

/// A commit's ID: the digit, forty times.
pub fn commit(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// The object that the API server would send.
pub fn item<K: Kind>(object: &Value) -> Item<K> {
    Item::parse(&object.to_string()).unwrap()
}

fn metadata(name: &str, minute: u32) -> Value {
    json!({"name": name, "namespace": "shop", "creationTimestamp": format!("2026-11-23T08:{minute:02}:00Z")})
}

fn conditions(turned: &[(&str, &str)]) -> Value {
    let condition = |(kind, status): &(&str, &str)| json!({"type": kind, "status": status, "reason": "R", "message": "m", "lastTransitionTime": "2026-11-23T08:00:00Z"});
    turned.iter().map(condition).collect()
}

/// The Pipeline, with those stages in its status.
pub fn pipeline(turned: &[(&str, &str)], reason: &str, message: &str, stages: &Value) -> Value {
    json!({
        "metadata": metadata("greeter", 0),
        "spec": {
            "source": {"git": {"url": "https://git.example.com/shop/greeter", "branch": "main"}},
            "build": {"codeBuild": {"project": "shop-greeter"}},
            "images": [{"name": "greeter", "repository": "shop-greeter"}],
            "stages": [
                {"name": "staging", "targets": [{"service": "greeter-staging"}]},
                {"name": "prod", "targets": [{"service": "greeter"}]},
            ],
        },
        "status": {
            "observedGeneration": 1, "conditions": conditions(turned),
            "heads": [{"ref": "refs/heads/main", "commit": commit('b'), "number": 2, "seenAt": "2026-11-23T08:20:00Z"}],
            "stages": stages,
            "summary": {"commit": &commit('b')[..12], "stage": "prod", "reason": reason, "message": message},
        },
    })
}

/// A stage that was given to a Release, and what it was last proved to run.
pub fn stage(name: &str, grant: (i64, &str, char), verified: Option<(i64, &str, char)>) -> Value {
    let at = "2026-11-23T08:10:00Z";
    let (number, release, digit) = grant;
    let mut stage = json!({"name": name, "grant": {"number": number, "reason": "Release", "release": release,
        "commit": commit(digit), "images": [], "since": at}});
    if let Some((grant, release, digit)) = verified {
        stage["verified"] =
            json!({"release": release, "grant": grant, "commit": commit(digit), "images": [], "at": at});
    }
    stage
}

/// A Release of a commit in that phase; `at` is its stage, its reason and its message.
pub fn release(number: u32, digit: char, phase: &str, at: [&str; 3], turned: &[(&str, &str)]) -> Value {
    let [stage, reason, message] = at;
    json!({
        "metadata": metadata(&format!("greeter-{number}"), number * 10),
        "spec": {"pipeline": "greeter", "number": number, "commit": commit(digit), "reason": "NewCommit"},
        "status": {
            "observedGeneration": 1, "conditions": conditions(turned), "phase": phase,
            "summary": {"commit": &commit(digit)[..12], "stage": stage, "reason": reason, "message": message},
        },
    })
}

/// A Service whose rollout is in that phase.
pub fn service(name: &str, phase: &str, tasks: [i32; 2], turned: &[(&str, &str)], at: [&str; 2]) -> Value {
    json!({
        "metadata": metadata(name, 0),
        "spec": {"cluster": "shop", "taskDefinition": {"containerDefinitions": []}},
        "status": {
            "observedGeneration": 1, "conditions": conditions(turned),
            "rollout": {"grant": 1, "generation": 1, "meaning": "v1-a", "phase": phase, "startedAt": "2026-11-23T08:20:00Z"},
            "service": {"arn": "a", "creations": 1, "running": tasks[0], "desired": tasks[1]},
            "summary": {"reason": at[0], "message": at[1]},
        },
    })
}

const READY: [(&str, &str); 1] = [("Ready", "True")];

/// One at work in prod, one that failed, one that was superseded, and one that cannot be read.
pub fn releases() -> Vec<Item<Release>> {
    let failed = [("Ready", "False"), ("Stalled", "True")];
    let mut broken = release(0, 'c', "Active", ["", "", ""], &[]);
    broken["status"]["endedAt"] = json!("9999-99-99T00:00:00Z");
    let mut rolling =
        release(2, 'b', "Active", ["prod", "Rolling", "ECS brings greeter to greeter:7"], &[("Reconciling", "True")]);
    rolling["status"]["steps"] = json!([{"name": "lint", "phase": "Succeeded", "attempt": 1}, {"name": "build", "phase": "Succeeded", "attempt": 1}]);
    let mut built = release(
        1,
        'a',
        "Failed",
        ["build", "BuildFailed", "build failed in phase BUILD: make image: exit status 2"],
        &failed,
    );
    built["status"]["endedAt"] = json!("2026-11-23T08:15:00Z");
    built["status"]["steps"] = json!([
        {"name": "lint", "phase": "Succeeded", "attempt": 1},
        {"name": "build", "phase": "Failed", "attempt": 1, "message": "make image: exit status 2", "log": ["cc: error", "make: *** [image] Error 2"]},
    ]);
    [broken, built, rolling].iter().map(item).collect()
}

/// The Pipeline at work: verified in staging, rolling in prod, where a Service is missing tasks and another Release waits.
pub fn at_work() -> Seen {
    let mut prod = stage("prod", (4, "greeter-2", 'b'), Some((3, "greeter-0", '9')));
    prod["waiting"] = json!([{"release": "greeter-3", "for": "Release", "reason": "WaitingForStage",
        "message": "greeter-2 is at work in prod", "since": "2026-11-23T08:27:00Z"}]);
    let stages = json!([stage("staging", (7, "greeter-2", 'b'), Some((7, "greeter-2", 'b'))), prod]);
    let turned = [("Ready", "True"), ("Released", "Unknown")];
    let rolling = [("Ready", "False"), ("Reconciling", "True")];
    Seen {
        pipelines: vec![item::<Pipeline>(&pipeline(
            &turned,
            "Rolling",
            "prod: ECS brings greeter to greeter:7",
            &stages,
        ))],
        releases: releases(),
        services: vec![
            item::<Service>(&service("greeter-staging", "Done", [1, 1], &READY, ["Succeeded", "all as it should be"])),
            item::<Service>(&service(
                "greeter",
                "Rolling",
                [1, 2],
                &rolling,
                ["Rolling", "1 of 2 tasks run greeter:7"],
            )),
        ],
    }
}

/// The Pipeline after ECS rolled prod back; of staging's Service nothing is there.
pub fn failed() -> Seen {
    let mut prod = stage("prod", (4, "greeter-2", 'b'), Some((3, "greeter-0", '9')));
    prod["trouble"] = json!({"reason": "RolledBack", "message": "ECS rolled greeter back"});
    let stages = json!([stage("staging", (7, "greeter-2", 'b'), Some((7, "greeter-2", 'b'))), prod]);
    let turned = [("Ready", "False"), ("Stalled", "True"), ("Released", "False")];
    let mut greeter = service("greeter", "Failed", [2, 2], &turned, ["RolledBack", "the circuit breaker rolled back"]);
    greeter["status"]["rollout"]["stoppedTasks"] = json!([{"task": "0f1e", "code": "EssentialContainerExited",
        "reason": "Essential container in task exited", "container": "greeter: exit code 1"}]);
    let mut release = release(2, 'b', "Failed", ["prod", "RolledBack", "ECS rolled greeter back"], &turned);
    release["status"]["endedAt"] = json!("2026-11-23T08:29:00Z");
    Seen {
        pipelines: vec![item::<Pipeline>(&pipeline(&turned, "RolledBack", "prod: ECS rolled greeter back", &stages))],
        releases: vec![item(&release)],
        services: vec![item(&greeter)],
    }
}
