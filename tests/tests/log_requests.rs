//! What becomes of a LogRequest: it is answered once, goes after ten minutes, and shows no log that is not its object's, whatever a
//! status names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::SignedDuration;
use launchway_plan::service::wanted::OWNER_TAG;
use launchway_test_aws::TaskStory;
use launchway_test_aws::codebuild::{BuildStory, Phase, Stories};
use launchway_tests::scenario::Player;
use launchway_tests::world::{World, sample};
use serde_json::{Value, json};
use std::time::Duration;

const NAME: &str = "why";
const STAGING: &str = sample::SERVICES[0];
const MINUTES: SignedDuration = SignedDuration::from_mins(3);
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// A Release whose build failed after so many lines.
fn failed(lines: usize) -> Player {
    let world = sample::world(7);
    let said: Vec<String> = (0..lines).map(|n| format!("line {n} of a build that says <much>")).collect();
    world.aws().codebuild.entry(sample::place()).or_default().stories =
        Stories::new(move |build| match &*build.project {
            sample::BUILD => {
                BuildStory::fails(Phase::Build, "make image", 2).saying(Phase::Build, said.iter().map(String::as_str))
            }
            _ => sample::fate(build),
        });
    sample::push(&world, "good-1");
    sample::apply(&world);
    ended(world)
}

/// A Service whose tasks crash, and say why, in that log group.
fn crashed(group: &str) -> Player {
    let world = sample::world(7);
    let crashes = || TaskStory::Crashes {
        after: Duration::from_millis(500),
        exit_code: 1,
        reason: String::new(),
        output: vec!["there is no port".into()],
    };
    world.aws().codebuild.entry(sample::place()).or_default().stories =
        Stories::new(move |build| match &*build.project {
            sample::BUILD => BuildStory::succeeds(crashes()),
            _ => sample::fate(build),
        });
    sample::apply(&world);
    let logs = json!({"logDriver": "awslogs", "options": {"awslogs-group": group, "awslogs-region": sample::REGION,
        "awslogs-stream-prefix": "staging"}});
    world.edit("Service", STAGING, |spec| {
        spec["taskDefinition"]["containerDefinitions"][0]["logConfiguration"] = logs;
        // So that it fails for good.
        spec["rollout"]["deadline"] = json!("5m");
    });
    sample::push(&world, "good-1");
    ended(world)
}

/// Once the release of the first commit ended, and did not succeed.
fn ended(world: World) -> Player {
    let mut player = Player::new(world);
    assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "False")));
    player
}

/// What is answered to somebody who asks for that.
fn ask(player: &mut Player, spec: Value) -> Value {
    let request = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "LogRequest",
        "metadata": {"name": NAME, "namespace": sample::NAMESPACE}, "spec": spec});
    player.world.store.create_json(&request).unwrap();
    player.advance(SignedDuration::from_secs(5));
    let answered = player.world.object("LogRequest", NAME).unwrap().value()["status"].clone();
    player.world.store.delete::<launchway_crds::LogRequest>(sample::NAMESPACE, NAME).unwrap();
    answered
}

/// Without the line that names CodeBuild's folder in one word as long as a key: it is hidden.
fn plain(log: &str) -> Vec<&str> {
    log.lines().filter(|line| !line.contains("CODEBUILD_SRC_DIR=") && !line.ends_with("[hidden]")).collect()
}

fn reason(status: &Value) -> (&str, &str) {
    (status["conditions"][0]["reason"].as_str().unwrap(), status["conditions"][0]["message"].as_str().unwrap())
}

#[test]
fn a_request_is_answered_once_and_is_gone_after_ten_minutes() {
    let mut player = failed(3);
    let request = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "LogRequest",
        "metadata": {"name": NAME, "namespace": sample::NAMESPACE}, "spec": {"release": "greeter-1"}});
    player.world.store.create_json(&request).unwrap();
    player.advance(MINUTES);
    let answered = player.world.object("LogRequest", NAME).unwrap().value().clone();
    assert!(answered["status"]["log"]["text"].as_str().unwrap().contains("line 2 of a build"), "{answered}");
    player.advance(MINUTES);
    assert_eq!(*player.world.object("LogRequest", NAME).unwrap().value(), answered);
    player.advance(SignedDuration::from_mins(5));
    assert!(player.world.object("LogRequest", NAME).is_none());
}

#[test]
fn a_log_that_is_larger_than_an_answer_comes_in_parts_that_are_the_whole() {
    let mut player = failed(20_000);
    let (mut spec, mut all, mut parts) = (json!({"release": "greeter-1"}), String::new(), 0);
    loop {
        let status = ask(&mut player, spec.clone());
        let log = &status["log"];
        all.push_str(log["text"].as_str().unwrap());
        parts += 1;
        if log["more"] == false {
            break;
        }
        spec = json!({"release": "greeter-1", "step": log["step"], "build": log["build"], "page": log["next"]});
    }
    let world = player.world.aws();
    let logs = &world.logs[&sample::place()];
    let group = format!("/aws/codebuild/{}", sample::BUILD);
    let stream = logs.streams(&group).next().unwrap();
    let whole: String =
        logs.events(&group, stream).unwrap().iter().map(|event| format!("{}\n", event.message.trim_end())).collect();
    assert!(plain(&all) == plain(&whole) && parts > 1, "{parts} parts, {} of {} bytes", all.len(), whole.len());
}

#[test]
fn a_build_that_a_status_names_and_the_release_did_not_start_is_not_shown() {
    let mut player = failed(3);
    let theirs = player.world.builds().into_iter().find(|build| build.project == sample::CHECK).unwrap().id;
    let mut release = player.world.object("Release", "greeter-1").unwrap().value().clone();
    for step in release["status"]["steps"].as_array_mut().unwrap() {
        if step["name"] == "build" {
            step["started"]["id"] = json!(theirs);
        }
    }
    assert!(player.world.put_status(&release).is_success());
    let status = ask(&mut player, json!({"release": "greeter-1", "step": "build"}));
    assert_eq!(reason(&status).0, "NoLog", "{status}");
    assert!(status["log"].is_null());
}

#[test]
fn of_a_service_the_container_that_failed_is_shown_and_no_log_group_that_the_account_does_not_allow() {
    let mut player = crashed("shop-greeter");
    let status = ask(&mut player, json!({"service": STAGING}));
    assert_eq!(status["log"]["text"], "there is no port\n", "{status}");
    let named = json!({"service": STAGING, "task": status["log"]["task"], "container": "proxy"});
    let (word, message) = {
        let status = ask(&mut player, named);
        (reason(&status).0.to_owned(), reason(&status).1.to_owned())
    };
    assert_eq!((word.as_str(), message.contains("it has greeter")), ("NoLog", true), "{message}");
    player.world.edit("AwsAccount", "default", |spec| spec["allow"]["logGroups"] = json!(["other-*"]));
    player.advance(MINUTES);
    let status = ask(&mut player, json!({"service": STAGING}));
    let (word, message) = reason(&status);
    assert!(word == "NotAllowed" && message.contains(r#"spec.allow.logGroups: ["shop-greeter"]"#), "{status}");
}

#[test]
fn tasks_of_an_ecs_service_that_is_another_ones_are_not_shown() {
    let mut player = crashed("shop-greeter");
    player.within(|world| {
        let service = world.service(STAGING).unwrap();
        let tags = json!({"resourceArn": service.arn, "tags": [{"key": OWNER_TAG, "value": "lw/another/greeter"}]});
        world.person("ecs:TagResource", &tags).unwrap();
    });
    let status = ask(&mut player, json!({"service": STAGING}));
    assert!(reason(&status).0 == "NoLog" && reason(&status).1.contains("there is no ECS service"), "{status}");
}
