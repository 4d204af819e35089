//! What the stories ask of AWS: exactly the rights of docs/iam-policy.json, and how many calls, by operation.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use launchway_tests::calls::{Counted, of_a_fleet, of_a_pipeline, of_a_service, table};
use launchway_tests::play::Quota;
use launchway_tests::search::{SEED, once, prelude};
use launchway_tests::story::{STORIES, Story, beginning};
use launchway_tests::world::World;
use serde_json::Value;

fn played(story: &'static Story) -> World {
    let world = beginning(prelude(story).as_ref(), SEED);
    once(story, &world, Quota::Whole);
    world
}

/// The actions of the shipped policy.
fn allowed() -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(include_str!("../../docs/iam-policy.json")).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().flat_map(|one| texts(&one["Action"])).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

#[test]
fn the_shipped_policy_allows_what_the_stories_use_and_beside_it_only_what_is_used_in_doubt() {
    let mut used = BTreeSet::new();
    for story in STORIES.iter().copied() {
        let world = played(story);
        let actions: Vec<String> = world.aws().used_actions().iter().map(|(action, _)| action.clone()).collect();
        used.extend(actions);
    }
    // Asked with the controller's own credentials, by the role's trust policy; of everybody, without any right; and by a person.
    for own in ["sts:AssumeRole", "sts:GetCallerIdentity", "ecs:StopTask"] {
        used.remove(own);
    }
    let allowed = allowed();
    let missing: Vec<_> = used.difference(&allowed).collect();
    assert!(missing.is_empty(), "used, and not in docs/iam-policy.json: {missing:?}");
    let unused: Vec<_> = allowed.difference(&used).map(String::as_str).collect();
    // No story's Pipeline follows CodeCommit, and no check of a story leaves a report: what the rights are for, `denied` plays. And a
    // story that is not cut off never loses its record of task definitions, and no file in S3.
    assert_eq!(unused, ["codebuild:BatchGetReports", "codecommit:GitPull", "ecs:ListTaskDefinitions", "s3:ListBucket"]);
}

#[test]
fn the_same_manifest_again_and_an_hour_of_rest_change_nothing_in_aws() {
    let (alone, fleet) = (of_a_service(), of_a_fleet());
    let all = [alone.clone(), of_a_pipeline(), fleet.clone()].concat();
    println!("{}", table(&all));
    let effects = |counted: &[Counted]| counted.iter().map(|one| one.effects).collect::<Vec<_>>();
    // Register and create; register and update; nothing; register and update, which ECS rolls back; nothing.
    assert_eq!(effects(&alone), [2, 2, 0, 2, 0]);
    // A hundred times register and create, side by side; nothing.
    assert_eq!(effects(&fleet), [200, 0]);
    assert!(all.iter().filter(|one| one.what.contains("rest")).all(|one| one.effects == 0));
    let of = |counted: &Counted| counted.calls.values().sum::<usize>();
    assert_eq!((of(&alone[4]), of(&fleet[1])), (6, 60), "six looks an hour, and ten Services share one");
    let images = all.iter().filter_map(|one| one.calls.get("DescribeImages"));
    assert!(images.clone().all(|times| *times <= 3), "DescribeImages: {:?}", images.collect::<Vec<_>>());
}
