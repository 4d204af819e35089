//! Which build pushed the image that carries the commit's tag. An image from a build that did not succeed is never
//! rolled out.

use super::{image, message};
use crate::condition::find;
use crate::reason::ConditionType;
use crate::release::state::Course;
use crate::samples::COMMIT;
use crate::samples::at;
use crate::samples::codebuild::{Pushes, Reply, World, pushed, yesterdays};
use crate::samples::release::build;
use crate::world::{BuildStatus, LiveBuild};
use launchway_crds::release::{ReleasePhase, StepPhase};
use proptest::prelude::*;
use serde_json::json;

/// A world without checks. A build of the commit with this status ran from 0 s to 600 s, and an image was pushed at 300
/// s.
fn after(status: BuildStatus) -> World {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.now = 3600;
    world.release = crate::samples::release::release(2, 3600, serde_json::Value::Null);
    world.builds = vec![("earlier".into(), earlier("web-build:earlier", status, 0, Some(600)))];
    world.image = Some(pushed("earlier", 300));
    world
}

fn earlier(id: &str, status: BuildStatus, from: i64, to: Option<i64>) -> LiveBuild {
    LiveBuild { started_at: at(from), ended_at: to.map(at), ..build(id, status, &[]) }
}

#[test]
fn the_image_of_a_build_that_did_not_succeed_is_built_again_and_that_of_one_that_did_is_not() {
    let bad = [BuildStatus::Failed, BuildStatus::Fault, BuildStatus::TimedOut, BuildStatus::Stopped];
    for status in bad {
        let mut world = after(status.clone());
        let left = world.image.clone().unwrap().digest;
        world.run(60);
        assert_eq!(world.builds.len(), 2, "{status:?}");
        assert_ne!(image(&world), Some(left), "{status:?}");
        assert!(image(&world).is_some(), "{status:?}");
    }
    let mut world = after(BuildStatus::Succeeded);
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (1, world.image.map(|image| image.digest)));
}

#[test]
fn an_image_from_before_or_after_every_build_of_the_commit_is_the_commits() {
    for second in [-60, 660] {
        let mut world = after(BuildStatus::Failed);
        world.image = Some(pushed("a person", second));
        world.run(60);
        assert_eq!((world.builds.len(), image(&world)), (1, world.image.map(|image| image.digest)), "{second}");
    }
    let mut world = after(BuildStatus::Failed);
    world.builds[0].1.versions = vec!["another commit".into()];
    world.run(60);
    assert_eq!(world.builds.len(), 1, "a build of another commit pushes another tag");
}

#[test]
fn an_attempt_that_met_a_fault_leaves_nothing_that_is_rolled() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.ends = vec![BuildStatus::Fault];
    world.pushes = Pushes::All;
    world.run(100);
    assert_eq!(world.builds.len(), 2);
    assert_eq!(image(&world), Some(pushed("web-build:2", 0).digest));
}

#[test]
fn a_running_build_that_has_pushed_the_image_is_waited_for() {
    let mut world = after(BuildStatus::InProgress);
    world.builds[0].1.ended_at = None;
    world.ends = vec![BuildStatus::InProgress];
    let mut course = world.pass().0.course;
    while matches!(course, Course::Starting(_) | Course::Checking) {
        course = world.pass().0.course;
    }
    assert_eq!(course, Course::Unproved { build: "web-build:earlier".into() });
    assert!(message(&world).contains("web-build:earlier"), "{}", message(&world));
    world.builds[0].1 = earlier("web-build:earlier", BuildStatus::Succeeded, 0, Some(3700));
    world.run(60);
    assert_eq!(image(&world), world.image.map(|image| image.digest));
}

#[test]
fn a_taken_tag_that_cannot_be_moved_fails_the_release_and_is_named() {
    let mut world = after(BuildStatus::Failed);
    world.immutable = true;
    world.ends = vec![BuildStatus::Failed];
    world.run(60);
    assert_eq!((world.status.phase, world.builds.len()), (Some(ReleasePhase::Failed), 2));
    let told = message(&world);
    for part in [&*world.image.unwrap().digest, "web-build:earlier", "batch-delete-image", COMMIT] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_build_that_failed_because_anothers_image_was_there_first_is_no_failure() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.immutable = true;
    world.ends = vec![BuildStatus::Failed];
    while world.builds.is_empty() {
        world.pass();
    }
    // Another Pipeline's build of the commit pushes first.
    world.builds.push(("another".into(), earlier("web-build:other", BuildStatus::Succeeded, 0, Some(40))));
    world.image = Some(pushed("web-build:other", 30));
    world.run(60);
    assert_eq!(world.status.phase, Some(ReleasePhase::Active), "{}", message(&world));
    assert_eq!(image(&world), world.image.map(|image| image.digest));
}

#[test]
fn of_two_builds_at_the_same_time_the_one_that_failed_may_have_moved_the_tag() {
    for (immutable, builds) in [(true, 2), (false, 3)] {
        let mut world = after(BuildStatus::Failed);
        world.immutable = immutable;
        world.builds.push(("good".into(), earlier("web-build:good", BuildStatus::Succeeded, 10, Some(610))));
        world.run(60);
        assert_eq!(world.builds.len(), builds, "{immutable}");
    }
}

/// A Release whose own build has begun, beside a build of the same commit that fails and has pushed.
fn beside_one_that_fails(immutable: bool) -> World {
    let mut world = World::new();
    (world.changes, world.immutable, world.pushes) = (json!({"checks": []}), immutable, Pushes::None);
    while world.builds.is_empty() {
        world.pass();
    }
    world.builds.push(("theirs".into(), earlier("web-build:theirs", BuildStatus::Failed, 0, Some(55))));
    world.image = Some(pushed("web-build:theirs", 50));
    world
}

#[test]
fn what_a_build_that_failed_pushed_while_the_releases_own_ran_is_not_rolled_where_tags_can_be_moved() {
    let mut movable = beside_one_that_fails(false);
    movable.run(60);
    assert_eq!((movable.status.phase, image(&movable)), (Some(ReleasePhase::Failed), None));
    assert!(message(&movable).contains("web-build:theirs"), "{}", message(&movable));
    let mut fixed = beside_one_that_fails(true);
    fixed.run(60);
    assert!(image(&fixed).is_some(), "theirs would have been refused: {}", message(&fixed));
}

proptest! {
    #[test]
    fn no_image_of_a_build_that_did_not_succeed_is_rolled_out(
        builds in proptest::collection::vec((0i64..100, 1i64..100, any::<bool>()), 0..5), pushed_at in 0i64..200, immutable: bool
    ) {
        let mut world = after(BuildStatus::Succeeded);
        world.immutable = immutable;
        world.builds = builds.iter().enumerate().map(|(n, (from, lasts, good))| {
            let status = if *good { BuildStatus::Succeeded } else { BuildStatus::Failed };
            let id = format!("web-build:{n}");
            (id.clone(), earlier(&id, status, *from, Some(from + lasts)))
        }).collect();
        world.image = Some(pushed("somebody", pushed_at));
        let there = world.builds.len();
        world.run(60);
        let within = |(from, lasts, _): &&(i64, i64, bool)| *from <= pushed_at && pushed_at <= from + lasts;
        let bad = builds.iter().filter(within).any(|(_, _, good)| !good);
        let good = builds.iter().filter(within).any(|(_, _, good)| *good);
        if bad && !(good && immutable) {
            prop_assert!(world.builds.len() > there, "it is built again");
        }
        if !bad {
            prop_assert!(world.builds.len() == there || !good, "what is proved is not built again");
        }
    }
}

fn remembers(commit: &str, repository: &str, digest: &str) -> serde_json::Value {
    json!({"released": [{"of": crate::image::key(commit, repository), "digest": digest}]})
}

fn with_image_there(pipeline: serde_json::Value) -> World {
    let mut world = World::new();
    (world.changes, world.pipeline) = (json!({"checks": []}), pipeline);
    world.image = Some(pushed("somebody else", -3600));
    world.run(60);
    world
}

#[test]
fn another_image_under_the_tag_of_a_commit_that_was_released_before_is_refused_and_said() {
    let other = format!("sha256:{}", "b".repeat(64));
    let world = with_image_there(remembers(COMMIT, "web", &other));
    assert_eq!(world.status.phase, Some(ReleasePhase::Failed));
    assert!(world.status.images.is_empty());
    let ready = find(&world.status.conditions, ConditionType::Ready).unwrap();
    let seen = &world.image.as_ref().unwrap().digest;
    assert_eq!(ready.reason, "ImageChanged");
    for word in [&other, seen, "put-image", "push a new commit"] {
        assert!(ready.message.contains(word), "{word}: {}", ready.message);
    }
    for known in [
        remembers(COMMIT, "web", &pushed("somebody else", 0).digest),
        remembers(COMMIT, "another", &other),
        remembers(crate::samples::OTHER, "web", &other),
    ] {
        assert_eq!(with_image_there(known).status.images.len(), 1);
    }
}

#[test]
fn an_image_that_the_releases_own_build_pushed_is_taken_whatever_was_released_before() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.pipeline = remembers(COMMIT, "web", &format!("sha256:{}", "b".repeat(64)));
    world.run(60);
    assert_eq!((world.builds.len(), world.status.images.len()), (1, 1));
}

#[test]
fn that_tags_can_be_moved_is_said_once_by_the_first_release_and_nobody_else_looks() {
    for (immutable, pipeline, warnings) in [
        (false, serde_json::Value::Null, 1),
        (true, serde_json::Value::Null, 0),
        (false, remembers(crate::samples::OTHER, "web", &pushed("x", 0).digest), 0),
    ] {
        let mut world = World::new();
        (world.changes, world.pipeline, world.immutable) = (json!({"checks": []}), pipeline, immutable);
        world.run(60);
        assert_eq!(world.status.images.len(), 1);
        assert_eq!(world.warnings.len(), warnings, "{:?}", world.warnings);
        assert!(world.warnings.iter().all(|note| note.contains("put-image-tag-mutability")));
        // At rest it is not looked at.
        assert!(world.observe().immutable.is_empty());
    }
}

#[test]
fn the_image_of_a_repository_is_taken_only_where_the_account_lets_the_namespace_name_it() {
    for (allowed, takes) in [(vec!["tenant-b-*".into()], false), (Vec::new(), false), (vec!["web".into()], true)] {
        let mut world = World::new();
        world.changes = json!({"checks": []});
        world.image = Some(pushed("tenant a", -3600));
        for _ in 0..10 {
            let mut seen = world.observe();
            seen.account.spec.as_mut().unwrap().allow.repositories = allowed.clone();
            world.pass_with(&seen);
        }
        assert_eq!(world.status.images.len(), usize::from(takes), "{allowed:?}");
        assert_eq!(world.builds.len(), 0, "{allowed:?}");
    }
}

/// The same, where the tag says seven digits of the commit.
fn short(mut world: World) -> World {
    world.changes["build"] = json!({"tag": "v-$(shortCommit:7)"});
    world
}

#[test]
fn an_image_whose_tag_does_not_say_the_whole_commit_is_the_commits_only_if_a_build_of_it_pushed_it() {
    let mut own = short(after(BuildStatus::Succeeded));
    own.run(60);
    assert_eq!((own.builds.len(), image(&own)), (1, own.image.map(|image| image.digest)));
    let mut others = short(after(BuildStatus::Succeeded));
    others.builds[0].1.versions = vec!["another commit".into()];
    let mut nobodys = short(after(BuildStatus::Succeeded));
    nobodys.builds.clear();
    for mut world in [others, nobodys] {
        let (before, builds) = (world.image.clone().unwrap().digest, world.builds.len());
        world.run(60);
        assert_eq!(world.builds.len(), builds + 1, "it is built");
        assert!(image(&world).is_some_and(|digest| digest != before), "and not rolled as it was found");
    }
}

#[test]
fn a_short_tag_that_another_commit_has_taken_for_good_is_explained() {
    let mut world = short(after(BuildStatus::Succeeded));
    world.builds[0].1.versions = vec!["another commit".into()];
    world.immutable = true;
    world.ends = vec![BuildStatus::Failed];
    world.run(60);
    assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None));
    let told = message(&world);
    for part in [&*world.image.unwrap().digest, &format!("v-{}", &COMMIT[..7]), "spec.build.tag", "more digits"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let mut silent = short(after(BuildStatus::Succeeded));
    silent.builds[0].1.versions = vec!["another commit".into()];
    silent.pushes = Pushes::None;
    silent.run(60);
    assert!(message(&silent).contains("not known to have pushed") && image(&silent).is_none(), "{}", message(&silent));
}

/// Another commit with the same seven first digits.
fn sibling() -> String {
    format!("{}{}", &COMMIT[..7], "f".repeat(33))
}

#[test]
fn the_image_of_another_commit_with_the_same_tag_is_not_taken_for_that_of_a_build_at_the_same_time() {
    for immutable in [false, true] {
        let mut world = short(World::new());
        (world.changes["checks"], world.immutable, world.pushes) = (json!([]), immutable, Pushes::None);
        while world.builds.is_empty() {
            world.pass();
        }
        let theirs =
            LiveBuild { versions: vec![sibling()], ..earlier("web-build:theirs", BuildStatus::Succeeded, 0, Some(40)) };
        world.builds.push(("theirs".into(), theirs));
        world.image = Some(pushed("web-build:theirs", 30));
        world.run(60);
        assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None), "{immutable}");
        assert!(message(&world).contains("another commit"), "{}", message(&world));
    }
}

#[test]
fn what_is_pushed_under_a_short_tag_after_the_releases_build_had_ended_is_not_its_image() {
    let mut world = short(World::new());
    (world.changes["checks"], world.pushes) = (json!([]), Pushes::None);
    while image(&world).is_none() && world.status.phase != Some(ReleasePhase::Failed) {
        world.pass();
        world.wait(10);
        let now = world.now;
        let long_ended = |build: &LiveBuild| build.ended_at.is_some_and(|ended| ended < at(now - 5));
        let there = world.builds.first().is_some_and(|(_, build)| long_ended(build));
        world.image = there.then(|| pushed("a person", now));
    }
    assert_eq!(image(&world), None);
}

#[test]
fn a_build_that_makes_the_same_bytes_again_is_known_by_the_tag_that_it_moved() {
    for (before, is_taken) in [(None, true), (Some(pushed("another commit", -600)), true), (Some(yesterdays()), false)]
    {
        let mut world = short(World::new());
        (world.changes["checks"], world.pushes, world.image) = (json!([]), Pushes::Same, before.clone());
        world.run(60);
        assert_eq!(world.builds.len(), 1, "{before:?}");
        assert_eq!(image(&world).is_some(), is_taken, "{before:?}: {}", message(&world));
        assert!(is_taken || message(&world).contains("batch-delete-image"), "{}", message(&world));
    }
}

#[test]
fn what_a_commit_was_released_with_before_is_its_image_under_a_short_tag_too() {
    let mut world = short(World::new());
    (world.changes["checks"], world.image, world.immutable) = (json!([]), Some(yesterdays()), true);
    world.pipeline = remembers(COMMIT, "web", &yesterdays().digest);
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (0, Some(yesterdays().digest)));
}

/// A build of the other commit with the same tag, which succeeded.
fn siblings(from: i64, to: i64) -> (String, LiveBuild) {
    let build = earlier("web-build:theirs", BuildStatus::Succeeded, from, Some(to));
    ("theirs".into(), LiveBuild { versions: vec![sibling()], ..build })
}

/// A Release with a short tag whose build pushes nothing, as far as its first call.
fn called(replies: Vec<Reply>) -> World {
    let mut world = short(World::new());
    (world.changes["checks"], world.pushes, world.replies) = (json!([]), Pushes::None, replies);
    while world.status.steps.first().is_none_or(|step| step.phase == StepPhase::Waiting) {
        world.pass();
    }
    world
}

#[test]
fn a_tag_that_another_commit_moved_since_it_was_looked_at_proves_nothing() {
    // Between a call that started nothing and the next one.
    let mut between = called(vec![Reply::Vanishes]);
    between.builds.push(siblings(10, 60));
    between.image = Some(pushed("web-build:theirs", 50));
    // After the build's end, to bytes that were there long before.
    let mut after = called(vec![Reply::Comes]);
    after.wait(70);
    after.builds.push(siblings(100, 160));
    (after.now, after.image) = (200, Some(yesterdays()));
    // After the look, and before the build.
    let mut before = called(vec![Reply::Comes]);
    before.builds.push(siblings(-60, -20));
    before.image = Some(yesterdays());
    for mut world in [between, after, before] {
        world.run(60);
        assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None), "{:?}", world.builds);
    }
}

#[test]
fn bytes_that_a_failed_build_had_pushed_too_are_taken_where_a_good_build_moved_the_tag_to_them() {
    for tag in ["$(commit)", "$(shortCommit)"] {
        let mut world = World::new();
        world.changes = json!({"checks": [], "build": {"tag": tag}});
        world.builds.push(("failed".into(), earlier("web-build:failed", BuildStatus::Failed, -86_500, Some(-86_300))));
        world.pushes = Pushes::Same;
        world.run(60);
        assert_eq!((world.builds.len(), image(&world)), (2, Some(yesterdays().digest)), "{tag}: {}", message(&world));
    }
}

#[test]
fn what_the_tag_names_is_looked_at_again_before_a_call_is_made_anew() {
    let mut world = called(vec![Reply::Vanishes]);
    world.pushes = Pushes::Same;
    // Somebody moves the tag while it is not known whether the first call has started a build.
    world.wait(400);
    world.image = Some(pushed("a person", -60));
    world.run(60);
    assert_eq!(image(&world), Some(yesterdays().digest), "{}", message(&world));
}

#[test]
fn an_image_that_came_while_a_call_was_in_doubt_is_taken_and_the_step_is_over() {
    let mut world = called(vec![Reply::Vanishes]);
    world.changes["build"] = json!({"tag": "$(commit)"});
    world.wait(400);
    world.builds.push(("theirs".into(), earlier("web-build:theirs", BuildStatus::Succeeded, 100, Some(300))));
    world.image = Some(pushed("web-build:theirs", 200));
    world.run(60);
    assert_eq!(image(&world), world.image.as_ref().map(|image| image.digest.clone()), "{}", message(&world));
    assert_eq!((world.builds.len(), world.status.steps[0].phase), (1, StepPhase::Succeeded));
}

#[test]
fn a_check_of_the_commit_that_fails_at_the_same_time_takes_no_proof_away() {
    let mut world = beside_one_that_fails(false);
    world.builds[1].1.marker = Some("another/lint/1".into());
    world.run(60);
    assert_eq!(image(&world), world.image.map(|image| image.digest));
}

#[test]
fn bytes_that_are_made_again_are_the_releases_own_though_the_commit_was_released_with_others() {
    let mut world = World::new();
    (world.changes, world.pushes) = (json!({"checks": []}), Pushes::Same);
    world.pipeline = remembers(COMMIT, "web", &format!("sha256:{}", "b".repeat(64)));
    world.run(60);
    assert_eq!(image(&world), Some(yesterdays().digest), "{}", message(&world));
}

#[test]
fn commits_of_both_lengths_can_have_the_tag_of_another_one() {
    for digits in [40, 64] {
        let mut world = short(after(BuildStatus::Succeeded));
        let theirs = format!("{}{}", &COMMIT[..7], "f".repeat(digits - 7));
        world.builds.push(("theirs".into(), LiveBuild { versions: vec![theirs], ..siblings(200, 400).1 }));
        let found = world.image.clone().unwrap().digest;
        world.run(60);
        assert!(image(&world).is_some_and(|digest| digest != found), "{digits}");
    }
}
