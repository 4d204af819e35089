//! Access denied, at each right that Launchway's calls need: a status names the action, the resource and the statement to
//! add; the action stands in docs/iam-policy.json; and with just those statements added everything goes on by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use launchway::key::Kind;
use launchway_crds::Service;
use launchway_test_aws::codebuild::{BuildStory, PhaseSeconds, Stories};
use launchway_test_aws::ecr::Mutability;
use launchway_test_aws::{Fault, LogEntry, Outcome, TaskStory, When};
use launchway_tests::git::Access;
use launchway_tests::scenario::Player;
use launchway_tests::scenario::script::fate;
use launchway_tests::world::{World, sample};
use serde_json::{Value, json};

const PATIENCE: SignedDuration = SignedDuration::from_hours(6);

/// A right, and a story in which it is needed.
struct Right {
    action: &'static str,
    /// What comes before it is missing.
    before: fn(&mut Player),
    /// What needs it.
    story: fn(&mut Player),
    /// Part of the ARN that is named.
    resource: &'static str,
    /// How the story ends once the right is there.
    end: fn(&World) -> bool,
}

const RIGHTS: &[Right] = &[
    first("ecs:DescribeServices", "service/shop/greeter"),
    first("ecs:ListServiceDeployments", "service/shop/greeter"),
    first("ecs:DescribeServiceDeployments", "service/shop/greeter"),
    first("ecs:DescribeServiceRevisions", "service/shop/greeter"),
    first("ecs:DescribeTaskDefinition", ANY),
    first("ecs:RegisterTaskDefinition", "task-definition/lw_shop_greeter"),
    first("ecs:TagResource", "task-definition/lw_shop_greeter"),
    first("iam:PassRole", "role/shop-"),
    first("ecs:CreateService", "service/shop/greeter"),
    first("codebuild:StartBuild", "project/shop-greeter-check"),
    first("codebuild:BatchGetProjects", "project/shop-greeter-"),
    first("codebuild:BatchGetBuilds", "project/shop-greeter-check"),
    first("ecr:DescribeImages", "repository/shop-greeter"),
    Right { before: built_twice, ..first("ecr:DescribeRepositories", "repository/shop-greeter") },
    Right { before: reply_lost, ..first("codebuild:ListBuildsForProject", "project/shop-greeter-check") },
    Right { before: released, story: second, ..first("ecs:UpdateService", "service/shop/greeter") },
    Right { before: building, story: second, ..first("codebuild:StopBuild", "project/shop-greeter-build") },
    Right { before: mortal, story: deleted, end: gone, ..first("ecs:DeleteService", "service/shop/greeter-staging") },
    Right { before: released, story: crashes, end: failed, ..first("ecs:ListTasks", ANY) },
    Right { before: released, story: crashes, end: failed, ..first("ecs:DescribeTasks", "task/shop/") },
    Right {
        story: does_not_build,
        end: failed,
        ..first("logs:GetLogEvents", "log-group:/aws/codebuild/shop-greeter-build")
    },
    Right { story: tested, ..first("codebuild:BatchGetReports", "report-group/shop-greeter-check-tests") },
    Right { story: scanned, ..first("ecr:DescribeImageScanFindings", "repository/shop-greeter") },
    Right { story: listed, ..first("s3:GetObject", "arn:aws:s3:::shop-artifacts/") },
    Right { story: not_listed, end: failed, ..first("s3:ListBucket", "arn:aws:s3:::shop-artifacts") },
    Right { before: released, story: forgotten, end: in_sync, ..first("ecs:ListTaskDefinitions", ANY) },
    Right { story: in_code_commit, ..first(GIT_PULL, "arn:aws:codecommit:eu-central-1:123456789012:shop-greeter") },
];

/// The right to read a repository, which git uses.
const GIT_PULL: &str = "codecommit:GitPull";

/// These are asked of no resource that has a name, at most of a cluster's: the policy gives them `*`.
const ANY: &str = "on *";

/// A right that the first release needs.
const fn first(action: &'static str, resource: &'static str) -> Right {
    Right {
        action,
        before: |_| (),
        story: begun,
        resource,
        end: |world| world.is("Pipeline", "greeter", "Released", "True"),
    }
}

fn begun(player: &mut Player) {
    sample::push(&player.world, "good-1");
    sample::apply(&player.world);
}

/// The check leaves a report of its tests.
fn tested(player: &mut Player) {
    sample::push(&player.world, "tested-1");
    sample::apply(&player.world);
}

/// The images are scanned, and nothing bad is found.
fn scanned(player: &mut Player) {
    begun(player);
    sample::scanned(&player.world, &[("CVE-2026-1", "LOW")]);
}

/// The build lists its image in a file that it leaves in S3.
fn listed(player: &mut Player) {
    begun(player);
    sample::list_in(&player.world, "ZIP", "imagedefinitions.json");
}

/// The same, in a file that it does not leave.
fn not_listed(player: &mut Player) {
    begun(player);
    sample::list_in(&player.world, "NONE", "out/imagedefinitions.json");
}

/// The Pipeline follows a repository of CodeCommit.
fn in_code_commit(player: &mut Player) {
    let world = &player.world;
    let url = launchway_plan::partition::git_url(sample::REGION, "shop-greeter");
    world.git.create(&url, Access::Open);
    world.git.push(&url, "main", &sample::commit("good-1"));
    let mut pipeline = sample::pipeline();
    pipeline["spec"]["source"] =
        json!({"codeCommit": {"repository": "shop-greeter", "branch": "main", "interval": "2m"}});
    for manifest in [sample::aws_account(), pipeline, sample::service(0), sample::service(1)] {
        world.store.apply_json(&manifest).expect("a manifest that is admitted");
    }
}

fn reply_lost(player: &mut Player) {
    player.world.aws().faults.add("codebuild:StartBuild", When::Nth(1), Fault::LoseReply);
}

/// A person has built the commit twice at the same time, once well and once not: whose image it is depends on whether tags can
/// be moved.
fn built_twice(player: &mut Player) {
    let world = &player.world;
    world.admit_person();
    let mut aws = world.aws();
    aws.ecr.entry(sample::place()).or_default().add_repository(sample::REPOSITORY, Mutability::Mutable);
    aws.codebuild.entry(sample::place()).or_default().stories = Stories::new(|build| {
        let phase = launchway_test_aws::codebuild::Phase::Build;
        match (build.project == sample::BUILD, build.number) {
            (true, 1) => BuildStory::fails(phase, "make test", 2)
                .taking(PhaseSeconds::only_build(40))
                .leaving(launchway_test_aws::codebuild::Phase::PostBuild, TaskStory::default()),
            (true, 2) => BuildStory::succeeds(TaskStory::default()).taking(PhaseSeconds::only_build(40)),
            _ => fate(build),
        }
    });
    drop(aws);
    let commit = sample::commit("good-1");
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let build = json!({"projectName": sample::BUILD, "sourceVersion": commit, "environmentVariablesOverride":
        [variable("IMAGE_REPO_NAME", sample::REPOSITORY), variable("IMAGE_TAG", &commit)]});
    for _ in 0..2 {
        world.person("codebuild:StartBuild", &build).unwrap();
    }
    player.advance(SignedDuration::from_mins(5));
}

fn released(player: &mut Player) {
    begun(player);
    assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "True")));
    player.advance(SignedDuration::from_mins(5));
}

fn second(player: &mut Player) {
    sample::push(&player.world, "good-2");
}

/// A build runs that the next commit stops.
fn building(player: &mut Player) {
    sample::push(&player.world, "slow-1");
    sample::apply(&player.world);
    player.patch("Pipeline", "greeter", &json!({"spec": {"concurrency": {"mode": "Supersede"}}}));
    let builds = |world: &World| world.builds().iter().any(|build| build.project == sample::BUILD);
    assert!(player.until(PATIENCE, builds));
}

fn mortal(player: &mut Player) {
    released(player);
    player.patch("Service", sample::SERVICES[0], &json!({"spec": {"deletionPolicy": "Delete"}}));
    player.advance(SignedDuration::from_mins(5));
}

fn deleted(player: &mut Player) {
    player.world.store.delete::<Service>(sample::NAMESPACE, sample::SERVICES[0]).unwrap();
}

fn gone(world: &World) -> bool {
    world.service(sample::SERVICES[0]).is_none() && world.object("Service", sample::SERVICES[0]).is_none()
}

fn crashes(player: &mut Player) {
    sample::push(&player.world, "crashing-2");
}

fn does_not_build(player: &mut Player) {
    sample::push(&player.world, "failing-1");
    sample::apply(&player.world);
}

fn failed(world: &World) -> bool {
    world.is("Pipeline", "greeter", "Released", "False")
}

/// A person wipes a Service's status and asks for something that no task definition says: all of the family are read.
fn forgotten(player: &mut Player) {
    player.world.edit("Service", sample::SERVICES[1], |spec| {
        spec["taskDefinition"]["containerDefinitions"][0]["environment"][0]["value"] = "other".into();
    });
    player.world.wipe_status("Service", sample::SERVICES[1]);
}

fn in_sync(world: &World) -> bool {
    world.is("Service", sample::SERVICES[1], "Ready", "True")
}

/// The policy of the documentation without one action.
fn without(action: &str) -> Value {
    let mut policy = sample::policy();
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in statements.iter_mut() {
        let actions = statement["Action"].as_array().cloned().unwrap_or_else(|| vec![statement["Action"].clone()]);
        statement["Action"] = actions.into_iter().filter(|one| one != action).collect();
    }
    statements.retain(|statement| statement["Action"].as_array().is_none_or(|actions| !actions.is_empty()));
    policy
}

/// Every text in the statuses of our objects that names the action.
fn told(world: &World, action: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for kind in Kind::ALL {
        for object in world.store.objects(&kind.name()) {
            texts(&object.value()["status"], &mut all);
        }
    }
    all.into_iter().filter(|text| text.contains(action)).collect()
}

fn texts(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(all.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(members) => members.values().for_each(|member| texts(member, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The statement that a message tells an administrator to add.
fn statement(message: &str) -> Option<Value> {
    let from = message.find("{\"Effect\"")?;
    let to = from + message[from..].find('}')?;
    serde_json::from_str(&message[from..=to]).ok()
}

fn stage() -> Player {
    let world = sample::world(7);
    world.aws().codebuild.entry(sample::place()).or_default().stories = Stories::new(fate);
    Player::new(world)
}

/// What is wrong with how the lack of a right is told and mended.
fn wrong(right: &Right) -> Vec<String> {
    let mut player = stage();
    (right.before)(&mut player);
    let mut policy = without(right.action);
    player.world.aws().set_policy(sample::ROLE, &policy).unwrap();
    (right.story)(&mut player);
    let named = |world: &World| {
        told(world, right.action)
            .into_iter()
            .find(|text| (text.contains("arn:aws:") || right.resource == ANY) && text.contains(right.resource))
    };
    if !player.until(PATIENCE, |world| named(world).is_some()) {
        return vec![format!(
            "{}: no status names it and {}; {:?}",
            right.action,
            right.resource,
            told(&player.world, right.action)
        )];
    }
    let mut wrong = Vec::new();
    for _ in 0..12 {
        if (right.end)(&player.world) {
            break;
        }
        let messages = told(&player.world, right.action);
        policy["Statement"].as_array_mut().unwrap().extend(messages.iter().filter_map(|message| statement(message)));
        player.world.aws().set_policy(sample::ROLE, &policy).unwrap();
        player.until(SignedDuration::from_mins(45), right.end);
    }
    if !(right.end)(&player.world) {
        wrong.push(format!("{}: with what the messages say added it does not go on: {policy:#}", right.action));
    }
    wrong
}

#[test]
fn a_missing_right_is_named_with_its_resource_and_adding_what_the_message_says_is_enough() {
    let wrong: Vec<String> = RIGHTS.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_right_that_our_calls_need_was_tried_and_stands_in_the_documented_policy() {
    let needed: BTreeSet<&str> =
        launchway_cloud::actions().iter().flat_map(|(_, needs)| needs.iter().copied()).collect();
    let tried: BTreeSet<&str> = RIGHTS.iter().map(|right| right.action).chain(["sts:AssumeRole"]).collect();
    assert_eq!(needed, tried, "left: what our calls need, right: what was tried");
    let policy = sample::policy().to_string();
    // Who may assume the role is said in the role's own trust policy, not in what the role may do.
    let missing: Vec<&&str> = needed
        .iter()
        .filter(|action| **action != "sts:AssumeRole" && !policy.contains(&format!("\"{action}\"")))
        .collect();
    assert!(missing.is_empty(), "not in docs/iam-policy.json: {missing:?}");
}

#[test]
fn a_role_that_may_not_be_assumed_is_named_and_taken_up_once_it_may() {
    for operation in ["sts:AssumeRole", "sts:GetCallerIdentity"] {
        let mut player = stage();
        player.world.aws().faults.add(operation, When::Always, Fault::Deny);
        begun(&mut player);
        // Who one is may be asked of no resource.
        let of = if operation == "sts:AssumeRole" { sample::ROLE } else { ANY };
        let named = |world: &World| told(world, operation).iter().any(|text| text.contains(of));
        assert!(player.until(PATIENCE, named), "{operation}: {:?}", told(&player.world, operation));
        assert!(operation != "sts:AssumeRole" || player.world.builds().is_empty(), "nothing is built without the role");
        player.world.aws().faults.clear();
        assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "True")), "{operation}");
    }
}

/// The calls that were denied in the half hour after the first of them: how long after it, by what was asked.
fn denied(player: &Player) -> BTreeMap<String, Vec<SignedDuration>> {
    let log = player.world.aws().log.clone();
    let denied =
        |entry: &&LogEntry| matches!(&entry.outcome, Outcome::Refused(code) if code.starts_with("AccessDenied"));
    let first = log.iter().find(denied).map(|entry| entry.at).expect("a call that was denied");
    let mut all: BTreeMap<String, Vec<SignedDuration>> = BTreeMap::new();
    for entry in
        log.iter().filter(denied).filter(|entry| entry.at.duration_since(first) <= SignedDuration::from_mins(30))
    {
        let mut input = (*entry.input).clone();
        input.as_object_mut().unwrap().remove("clientToken");
        all.entry(format!("{}:{} {input}", entry.service, entry.operation))
            .or_default()
            .push(entry.at.duration_since(first));
    }
    all
}

#[test]
fn a_call_that_is_denied_is_made_four_times_in_half_an_hour() {
    let mut wrong = Vec::new();
    println!("{:<32} {:>5}  minutes after the first", "right that is missing", "calls");
    // A git server that refuses is asked every five minutes, whoever runs it (`git::Polls`).
    for right in RIGHTS.iter().filter(|right| right.action != GIT_PULL) {
        let mut player = stage();
        (right.before)(&mut player);
        player.world.aws().set_policy(sample::ROLE, &without(right.action)).unwrap();
        (right.story)(&mut player);
        player.advance(SignedDuration::from_hours(2));
        for (call, times) in denied(&player) {
            let minutes: Vec<String> = times.iter().map(|time| format!("{:.1}", time.as_secs_f64() / 60.0)).collect();
            println!("{:<32} {:>5}  {}  {:.60}", right.action, times.len(), minutes.join(" "), call);
            if times.len() > 4 {
                wrong.push(format!("{}: {} calls: {call}", right.action, times.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
