//! Several images of one commit: all of them are rolled, of one build, or none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::SignedDuration;
use launchway_test_aws::ecr::Mutability;
use launchway_tests::scenario::Player;
use launchway_tests::world::World;
use launchway_tests::world::sample::{self, NAMESPACE, PIPELINE, REPOSITORY, SECOND, place};
use serde_json::{Value, json};

const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// A Pipeline with two images, and the commit that its branch is at.
fn doubled(commit: &str, change: impl FnOnce(&World)) -> Player {
    let world = sample::world(7);
    sample::push(&world, commit);
    sample::apply(&world);
    sample::double(&world);
    change(&world);
    Player::new(world)
}

fn over(world: &World) -> bool {
    ["Succeeded", "Failed"].contains(&world.phase("greeter-1").as_str())
}

fn release(player: &Player) -> Value {
    player.world.object("Release", "greeter-1").unwrap().value().clone()
}

/// What the Release says of its end, and how many builds pushed images.
fn ended(player: &mut Player) -> (String, usize) {
    assert!(player.until(PATIENCE, over));
    let release = release(player);
    let conditions = release["status"]["conditions"].as_array().unwrap().clone();
    let built = conditions.iter().find(|condition| condition["type"] == "Built").unwrap();
    let builds = player.world.builds().into_iter().filter(|build| build.project == sample::BUILD).count();
    (built["message"].as_str().unwrap().to_owned(), builds)
}

fn mutable(world: &World) {
    let mut aws = world.aws();
    for repository in [REPOSITORY, SECOND] {
        let found = aws.ecr.entry(place()).or_default().repositories.get_mut(repository).unwrap();
        std::sync::Arc::make_mut(found).mutability = Mutability::Mutable;
    }
    aws.keep_snapshots();
}

#[test]
fn both_images_of_a_build_are_rolled_by_digest() {
    let mut player = doubled("double-1", |_| {});
    let (said, builds) = ended(&mut player);
    assert!(said.contains("shop-greeter@sha256:") && said.contains(", shop-proxy@sha256:"), "{said}");
    assert_eq!((builds, player.world.running("greeter")), (1, vec![sample::commit("double-1")]));
    let running = player.world.service("greeter").unwrap().running_images(player.world.now());
    assert_eq!(running.len(), 2, "{running:?}");
    assert_eq!(release(&player)["status"]["found"], Value::Null);
}

#[test]
fn a_build_that_pushes_one_of_two_rolls_nothing_and_the_message_names_the_other() {
    let mut player = doubled("good-1", |_| {});
    let (said, _) = ended(&mut player);
    assert!(said.contains(&format!("did not push {SECOND}:")), "{said}");
    assert_eq!(player.world.phase("greeter-1"), "Failed");
    assert!(player.world.service("greeter-staging").is_none());
}

#[test]
fn where_one_of_two_is_there_both_are_built_and_those_of_one_build_are_rolled() {
    let mut player = doubled("double-1", |world| {
        mutable(world);
        sample::push_content(world, &sample::commit("double-1"), "built before");
    });
    let (_, builds) = ended(&mut player);
    assert_eq!((builds, player.world.phase("greeter-1")), (1, "Succeeded".to_owned()));
    let running = player.world.service("greeter").unwrap().running_images(player.world.now());
    let builders = player.world.builders_by_digest();
    let own = player.world.builds().into_iter().find(|build| build.project == sample::BUILD).unwrap().id;
    let pushed_by: Vec<&String> = running.iter().map(|image| &builders[image]).collect();
    assert_eq!(pushed_by, [&own, &own]);
}

#[test]
fn where_one_of_two_is_there_and_no_tag_can_be_moved_the_message_says_what_helps() {
    let mut player = doubled("double-1", |world| {
        sample::push_content(world, &sample::commit("double-1"), "built before");
    });
    let (_, builds) = ended(&mut player);
    assert_eq!((builds, player.world.phase("greeter-1")), (1, "Failed".to_owned()));
    let (_, _, said) = player.world.said("Release", "greeter-1", "Ready");
    assert!(said.contains("push a new commit") && said.contains("for r in shop-greeter shop-proxy"), "{said}");
    assert!(said.contains("done) and make another Release"), "{said}");
}

#[test]
fn where_both_are_there_nothing_is_built() {
    let mut player = doubled("double-1", |world| {
        for repository in [REPOSITORY, SECOND] {
            sample::push_into(world, repository, &sample::commit("double-1"), repository);
        }
    });
    let (_, builds) = ended(&mut player);
    assert_eq!((builds, player.world.phase("greeter-1")), (0, "Succeeded".to_owned()));
}

#[test]
fn of_another_ci_the_images_that_were_pushed_before_the_first_are_released_with_it() {
    let followed = |world: &World| {
        world.edit("Pipeline", PIPELINE, |spec| {
            (spec["source"], spec["build"]) = (json!({"image": {"interval": "1m"}}), json!(null));
        });
    };
    let mut player = doubled("good-1", followed);
    player.advance(SignedDuration::from_mins(5));
    sample::push_into(&player.world, SECOND, &sample::commit("good-1"), "proxy");
    sample::push_image(&player.world, "good-1");
    let (said, builds) = ended(&mut player);
    assert!(said.contains("shop-proxy@sha256:"), "{said}");
    assert_eq!((builds, player.world.phase("greeter-1")), (0, "Succeeded".to_owned()));

    let mut player = doubled("good-1", followed);
    sample::push_image(&player.world, "good-1");
    let (said, _) = ended(&mut player);
    assert!(said.contains(&format!("there is no image {SECOND}:")), "{said}");
}

/// How many writes there are in three hours in which the build cannot be started.
fn writes_while_denied(is_double: bool) -> usize {
    let world = sample::world(7);
    sample::push(&world, "double-1");
    sample::apply(&world);
    if is_double {
        sample::double(&world);
        sample::push_content(&world, &sample::commit("double-1"), "built before");
    }
    let mut policy = sample::policy();
    let project = format!("arn:aws:codebuild:{}:{}:project/{}", sample::REGION, sample::ACCOUNT, sample::BUILD);
    let deny = json!({"Effect": "Deny", "Action": "codebuild:StartBuild", "Resource": project});
    policy["Statement"].as_array_mut().unwrap().push(deny);
    world.aws().set_policy(sample::ROLE, &policy).unwrap();
    let mut player = Player::new(world);
    player.advance(SignedDuration::from_mins(30));
    let before = player.world.store.version();
    player.advance(SignedDuration::from_hours(3));
    assert_eq!(player.world.phase("greeter-1"), "Active");
    player.world.store.writes_after(before).len()
}

#[test]
fn while_the_build_cannot_be_started_as_much_is_written_as_for_one_image() {
    let one = writes_while_denied(false);
    assert!(one > 0, "each try is written down before it is made");
    assert_eq!(writes_while_denied(true), one);
}

#[test]
fn a_release_that_began_before_an_image_was_added_makes_room_for_the_next() {
    let world = sample::world(7);
    sample::push(&world, "slow-1");
    sample::apply(&world);
    let mut player = Player::new(world);
    let builds = |world: &World| world.builds().iter().any(|build| build.project == sample::BUILD);
    assert!(player.until(PATIENCE, builds));
    sample::double(&player.world);
    sample::push(&player.world, "double-2");
    assert!(player.until(PATIENCE, |world| world.phase("greeter-1") == "Failed"));
    let said = player.world.object("Release", "greeter-1").unwrap().value()["status"]["summary"]["message"].to_string();
    assert!(said.contains("takes image proxy"), "{said}");
    assert!(player.until(PATIENCE, |world| world.phase("greeter-2") == "Succeeded"));
    assert_eq!(player.world.running("greeter"), [sample::commit("double-2")]);
}

#[test]
fn what_was_verified_stands_while_an_added_image_waits_for_the_next_release() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let mut player = Player::new(world);
    assert!(player.until(PATIENCE, |world| world.phase("greeter-1") == "Succeeded"));
    sample::double(&player.world);
    player.advance(SignedDuration::from_mins(30));
    assert!(!player.world.is("Pipeline", PIPELINE, "Stalled", "True"));
    assert_eq!(player.world.running("greeter"), [sample::commit("good-1")]);
    sample::push(&player.world, "double-2");
    assert!(player.until(PATIENCE, |world| world.phase("greeter-2") == "Succeeded"));
}

#[test]
fn while_a_repository_cannot_be_seen_nothing_is_built_wherever_it_stands_in_the_list() {
    let mut player = doubled("double-1", |world| {
        let mut policy = sample::policy();
        let repository = format!("arn:aws:ecr:{}:{}:repository/{SECOND}", sample::REGION, sample::ACCOUNT);
        let deny = json!({"Effect": "Deny", "Action": "ecr:DescribeImages", "Resource": repository});
        policy["Statement"].as_array_mut().unwrap().push(deny);
        world.aws().set_policy(sample::ROLE, &policy).unwrap();
    });
    player.advance(SignedDuration::from_hours(1));
    assert!(player.world.builds().iter().all(|build| build.project != sample::BUILD));
    player.world.aws().set_policy(sample::ROLE, &sample::policy()).unwrap();
    assert!(player.until(PATIENCE, |world| world.phase("greeter-1") == "Succeeded"));
}

#[test]
fn a_repository_that_is_not_allowed_stops_the_release_before_anything_is_built() {
    let mut player = doubled("double-1", |world| {
        world.edit("AwsAccount", "default", |spec| spec["allow"]["repositories"] = json!([REPOSITORY]));
    });
    let refused = |world: &World| world.is("Pipeline", PIPELINE, "Ready", "False");
    assert!(player.until(PATIENCE, refused));
    player.advance(SignedDuration::from_mins(30));
    let pipeline = player.world.object("Pipeline", PIPELINE).unwrap().value().clone();
    let said = pipeline["status"]["summary"]["message"].to_string();
    assert!(said.contains(SECOND), "{NAMESPACE}: {said}");
    assert!(player.world.builds().is_empty());
}
