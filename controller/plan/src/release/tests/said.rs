//! Images that the build says itself.

use super::{image, message};
use crate::samples::codebuild::{Pushes, World, pushed, yesterdays};
use crate::samples::release::build;
use crate::samples::{COMMIT, OTHER, at};
use crate::world::{BuildStatus, LiveBuild};
use launchway_crds::release::ReleasePhase;
use serde_json::json;

const REPOSITORY: &str = "123456789012.dkr.ecr.us-east-2.amazonaws.com/web";

/// A Release whose build exports that as `IMAGE_URI`.
fn saying(text: &str) -> World {
    let mut world = World::new();
    world.changes = json!({"checks": [], "build": {"imageFrom": {"variable": "IMAGE_URI"}}});
    world.says = Some(text.to_owned());
    world
}

#[test]
fn a_digest_that_the_build_says_is_the_image_whatever_carries_the_commits_tag() {
    for text in [format!("{REPOSITORY}@DIGEST"), "DIGEST".to_owned(), format!("{REPOSITORY}:v1@DIGEST")] {
        let mut world = saying(&text);
        world.image = Some(pushed("somebody", -60));
        world.run(60);
        assert_eq!((world.builds.len(), image(&world)), (1, Some(pushed("web-build:1", 60).digest)), "{text}");
    }
    let mut same = saying("DIGEST");
    same.pushes = Pushes::Same;
    same.run(60);
    assert_eq!(image(&same), Some(yesterdays().digest), "bytes that were there before");
}

#[test]
fn what_the_build_says_in_another_form_or_not_at_all_is_explained_and_not_rolled() {
    for (text, parts) in [
        (None, ["exported no image as IMAGE_URI", "exported-variables: [IMAGE_URI]"]),
        (Some("999999999999.dkr.ecr.us-east-2.amazonaws.com/web@DIGEST"), ["999999999999", "spec.images"]),
        (Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@DIGEST"), ["eu-west-1", "spec.images"]),
        (Some("123456789012.dkr.ecr.us-east-2.amazonaws.com/api@DIGEST"), ["/api@", "spec.images"]),
        (Some("123456789012.dkr.ecr.us-east-2.amazonaws.com/web:latest"), ["web:latest", "say the digest"]),
    ] {
        let mut world = saying("");
        world.says = text.map(str::to_owned);
        world.run(60);
        assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None), "{text:?}");
        for part in parts {
            assert!(message(&world).contains(part), "{part}: {}", message(&world));
        }
    }
    let mut gone = saying(&format!("{REPOSITORY}@sha256:{}", "c".repeat(64)));
    gone.run(60);
    assert!(message(&gone).contains("not in ECR") && image(&gone).is_none(), "{}", message(&gone));
}

#[test]
fn a_build_that_fails_says_nothing() {
    let mut world = saying("DIGEST");
    (world.ends, world.pushes) = (vec![BuildStatus::Failed], Pushes::All);
    world.run(60);
    assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None));
}

#[test]
fn a_tag_that_the_build_says_is_believed_unless_another_build_may_have_moved_it() {
    let other = |versions: &[&str], to: i64| LiveBuild {
        versions: versions.iter().map(|version| (*version).to_owned()).collect(),
        started_at: at(0),
        ended_at: Some(at(to)),
        ..build("web-build:theirs", BuildStatus::Succeeded, &[])
    };
    let short = &COMMIT[..7];
    for (tag, beside, is_rolled) in [
        ("build-17", None, true),
        ("build-17", Some(other(&[OTHER], -60)), true),
        ("build-17", Some(other(&[OTHER], 30)), false),
        (short, Some(other(&[OTHER], 30)), true),
        (short, Some(other(&["main"], 30)), false),
        (short, Some(other(&[COMMIT], 30)), false),
    ] {
        let mut world = saying(&format!("{REPOSITORY}:{tag}"));
        while world.builds.is_empty() {
            world.pass();
        }
        world.builds.extend(beside.clone().map(|build| ("theirs".to_owned(), build)));
        world.run(60);
        assert_eq!(image(&world).is_some(), is_rolled, "{tag} {beside:?}: {}", message(&world));
        assert!(is_rolled || message(&world).contains("say the digest"), "{}", message(&world));
    }
}

#[test]
fn the_releases_own_checks_and_attempts_take_no_tag_away() {
    let uid = saying("").release.metadata.uid.unwrap();
    for marker in [format!("{uid}/build/1"), format!("{uid}/lint/1")] {
        let mut world = saying(&format!("{REPOSITORY}:build-17"));
        while world.builds.is_empty() {
            world.pass();
        }
        let before =
            LiveBuild { marker: Some(marker), started_at: at(-30), ended_at: Some(at(2)), ..world.builds[0].1.clone() };
        world.builds.push(("before".into(), LiveBuild { id: "web-build:before".into(), ..before }));
        world.builds[1].1.status = BuildStatus::Failed;
        world.run(60);
        assert!(image(&world).is_some(), "{}", message(&world));
    }
}

#[test]
fn what_codebuild_shows_late_is_looked_for() {
    let mut world = saying("DIGEST");
    let says = world.says.take();
    while world.status.steps.first().is_none_or(|step| step.started.as_ref().is_none_or(|one| one.ended_at.is_none())) {
        let (_, wake) = world.pass();
        if let crate::wake::Wake::After(seconds) = wake {
            world.wait(seconds);
        }
    }
    world.wait(10);
    let digest = world.image.clone().unwrap().digest;
    world.builds[0].1.images.insert("IMAGE_URI".into(), says.unwrap().replace("DIGEST", &digest));
    world.run(60);
    assert_eq!(image(&world), Some(digest), "{}", message(&world));
}

#[test]
fn what_the_commit_was_released_with_before_is_not_built_again_while_it_is_there() {
    let remembers = json!({"released": [{"of": crate::image::key(COMMIT, "web"), "digest": yesterdays().digest}]});
    for (there, builds) in [(Some(yesterdays()), 0), (None, 1)] {
        let mut world = saying("DIGEST");
        (world.pipeline, world.image) = (remembers.clone(), there);
        world.run(60);
        assert_eq!(world.builds.len(), builds);
        assert!(image(&world).is_some(), "{}", message(&world));
    }
}

#[test]
fn what_was_said_is_found_again_after_the_status_was_lost() {
    let mut world = saying("DIGEST");
    world.run(60);
    let before = image(&world);
    world.status = crate::release::report::empty();
    world.release.metadata.creation_timestamp = None;
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (1, before));
}
