//! A build that never gets its source: ended by CodeBuild's own timeout, and where that does not work by us, two minutes
//! later. The message says where it hung, for how long, and what to look at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::SignedDuration;
use launchway_test_aws::codebuild::{Build, Stories, Vpc};
use launchway_tests::scenario::Player;
use launchway_tests::scenario::script::fate;
use launchway_tests::world::{World, is_effect, sample};

const PATIENCE: SignedDuration = SignedDuration::from_hours(3);

/// Where the project's builds run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    Aws,
    Vpc,
}

/// The world after a release of that commit has failed, and the message of its Release.
fn failed(commit: &str, network: Network) -> (World, String) {
    let world = sample::world(7);
    let mut aws = world.aws();
    let builds = aws.codebuild.entry(sample::place()).or_default();
    builds.stories = Stories::new(fate);
    if network == Network::Vpc {
        let mut project = builds.project(sample::BUILD).unwrap().clone();
        let (subnets, security_groups) = (vec!["subnet-1a".to_owned()], vec!["sg-1a".to_owned()]);
        project.vpc = Some(Vpc { id: "vpc-1".to_owned(), subnets, security_groups });
        builds.add_project(project);
    }
    drop(aws);
    sample::push(&world, commit);
    sample::apply(&world);
    let mut player = Player::new(world.clone());
    assert!(player.until(PATIENCE, |world| world.is("Pipeline", "greeter", "Released", "False")));
    player.advance(SignedDuration::from_mins(10));
    let release = world.object("Release", "greeter-1").unwrap();
    let all = release.value()["status"]["conditions"].as_array().unwrap().clone();
    let stalled = all.iter().find(|one| one["type"] == "Stalled").unwrap();
    let message = stalled["message"].as_str().unwrap().to_owned();
    (world, message)
}

fn build(world: &World) -> Build {
    let mut builds: Vec<Build> = world.builds().into_iter().filter(|build| build.project == sample::BUILD).collect();
    assert_eq!(builds.len(), 1, "one build was made, and none again");
    builds.remove(0)
}

/// How long a build took from its start to its end, in seconds.
fn took(build: &Build) -> i64 {
    build.phases.last().unwrap().started_at.duration_since(build.started_at).as_secs()
}

fn stops(world: &World) -> usize {
    world.aws().log.iter().filter(|entry| is_effect(entry) && entry.operation == "StopBuild").count()
}

fn assert_told(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "the message lacks {word:?}: {message}");
    }
}

#[test]
fn a_build_that_never_gets_its_source_is_ended_by_codebuild_and_told() {
    let (world, message) = failed("hanging-1", Network::Aws);
    // Of the 20 minutes that it may take, some seconds go by before the source is asked for.
    assert_eq!((build(&world).status(), stops(&world)), ("TIMED_OUT", 0));
    assert_told(&message, &["DOWNLOAD_SOURCE", "19 minutes", "source and its credentials", sample::BUILD]);
    assert!(!message.contains("VPC"), "{message}");
}

#[test]
fn of_a_build_in_a_vpc_its_way_out_is_told() {
    let (world, message) = failed("hanging-1", Network::Vpc);
    assert_eq!(build(&world).status(), "TIMED_OUT");
    assert_told(&message, &["DOWNLOAD_SOURCE", "19 minutes", "VPC", "NAT gateway", "443", sample::BUILD]);
}

#[test]
fn a_build_that_codebuild_forgets_to_end_is_stopped_two_minutes_later() {
    for network in [Network::Aws, Network::Vpc] {
        let (world, message) = failed("endless-1", network);
        let build = build(&world);
        assert_eq!((build.status(), stops(&world)), ("STOPPED", 1));
        let seconds = took(&build);
        assert!((22 * 60..=24 * 60).contains(&seconds), "stopped after {seconds} s");
        let hint = if network == Network::Vpc { "NAT gateway" } else { "source and its credentials" };
        assert_told(&message, &["stopped", "DOWNLOAD_SOURCE", "minutes", hint]);
    }
}

#[test]
fn while_it_hangs_the_release_says_in_which_phase() {
    let world = sample::world(7);
    world.aws().codebuild.entry(sample::place()).or_default().stories = Stories::new(fate);
    sample::push(&world, "hanging-1");
    sample::apply(&world);
    let mut player = Player::new(world.clone());
    assert!(player.until(PATIENCE, |world| world.is("Release", "greeter-1", "ChecksPassed", "True")));
    player.advance(SignedDuration::from_mins(10));
    let release = world.object("Release", "greeter-1").unwrap();
    let message = release.value()["status"]["summary"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("DOWNLOAD_SOURCE"), "{message}");
}
