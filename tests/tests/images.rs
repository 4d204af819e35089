//! Images that another CI pushes, in a repository of many, after a status was lost, and without the right to look.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use jiff::SignedDuration;
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecr::Mutability;
use launchway_tests::git::commit_id;
use launchway_tests::scenario::Player;
use launchway_tests::world::World;
use launchway_tests::world::sample::{self, PIPELINE, REPOSITORY, ROLE, place};
use serde_json::json;

const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// A Pipeline that follows images, in a world in which so many were pushed before.
fn following(images: usize) -> Player {
    let world = sample::world(7);
    for number in 0..images {
        let commit = commit_id(&format!("old-{number}"));
        sample::push_content(&world, &commit, &commit);
    }
    world.time.jump(world.now() + SignedDuration::from_secs(60));
    sample::push_image(&world, "good-1");
    sample::apply(&world);
    world.edit("Pipeline", PIPELINE, |spec| {
        (spec["source"], spec["build"]) = (json!({"image": {"interval": "1m"}}), json!(null));
    });
    Player::new(world)
}

fn is_released(commit: &str) -> impl Fn(&World) -> bool {
    let commit = commit.to_owned();
    move |world| world.is("Pipeline", PIPELINE, "Released", "True") && world.running("greeter") == [commit.clone()]
}

fn releases(player: &Player) -> usize {
    player.world.store.objects("Release").len()
}

/// A commit whose image has a digest that begins so.
fn with_digest(world: &World, begins: &str) -> String {
    let now = world.now();
    let mut aws = world.aws();
    let state = aws.ecr.entry(place()).or_default();
    state.add_repository("scratch", Mutability::Immutable);
    let mut digest = |commit: &str| state.push("scratch", commit, commit, TaskStory::default(), now).unwrap();
    let mut all = (0..).map(|number| commit_id(&format!("{begins} {number}")));
    all.find(|commit| digest(commit).starts_with(begins)).unwrap()
}

#[test]
fn a_new_image_is_seen_on_whatever_page_of_the_list_it_is() {
    let mut player = following(1500);
    assert!(player.until(PATIENCE, is_released(&sample::commit("good-1"))));
    // The AWS in memory lists by digest, a thousand on a page.
    for begins in ["sha256:0", "sha256:f"] {
        player.advance(SignedDuration::from_mins(5));
        let commit = with_digest(&player.world, begins);
        sample::push_content(&player.world, &commit, &commit);
        assert!(player.until(PATIENCE, is_released(&commit)), "{begins}");
    }
    assert_eq!(releases(&player), 3);
}

#[test]
fn after_a_lost_status_nothing_old_is_released_and_nothing_new_is_lost() {
    let mut player = following(0);
    for commit in ["good-1", "good-2"] {
        if commit != "good-1" {
            sample::push_image(&player.world, commit);
        }
        assert!(player.until(PATIENCE, is_released(&sample::commit(commit))));
        player.advance(SignedDuration::from_mins(5));
    }
    // An old job runs once more. Its commit is known, but its image is the newest in ECR now.
    let mut aws = player.world.aws();
    let repositories = &mut aws.ecr.entry(place()).or_default().repositories;
    Arc::make_mut(repositories.get_mut(REPOSITORY).unwrap()).mutability = Mutability::Mutable;
    drop(aws);
    sample::push_content(&player.world, &sample::commit("good-1"), "built once more");
    player.advance(SignedDuration::from_mins(30));
    assert_eq!(releases(&player), 2);
    player.world.wipe_status("Pipeline", PIPELINE);
    player.advance(SignedDuration::from_mins(30));
    assert_eq!((releases(&player), player.world.running("greeter")), (2, vec![sample::commit("good-2")]));
    sample::push_image(&player.world, "good-3");
    assert!(player.until(PATIENCE, is_released(&sample::commit("good-3"))));
    assert_eq!(releases(&player), 3);
}

#[test]
fn looking_at_what_is_known_writes_nothing() {
    let mut player = following(3);
    assert!(player.until(PATIENCE, is_released(&sample::commit("good-1"))));
    player.advance(SignedDuration::from_mins(5));
    let before = player.world.store.version();
    player.advance(SignedDuration::from_hours(6));
    let written: Vec<String> = player.world.store.writes_after(before).iter().map(|write| write.name.clone()).collect();
    assert_eq!(written, [""; 0]);
}

#[test]
fn without_the_right_to_look_the_pipeline_says_which_it_is() {
    let mut player = following(0);
    let mut policy = sample::policy();
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.push(json!({"Effect": "Deny", "Action": "ecr:DescribeImages", "Resource": "*"}));
    player.world.aws().set_policy(ROLE, &policy).unwrap();
    let is_told = |world: &World| world.is("Pipeline", PIPELINE, "SourceReady", "False");
    assert!(player.until(PATIENCE, is_told));
    let (_, reason, message) = player.world.said("Pipeline", PIPELINE, "SourceReady");
    assert_eq!(reason, "SourceRefused");
    assert!(message.contains("ecr:DescribeImages") && message.contains(REPOSITORY), "{message}");
    player.world.aws().set_policy(ROLE, &sample::policy()).unwrap();
    assert!(player.until(PATIENCE, is_released(&sample::commit("good-1"))));
}
