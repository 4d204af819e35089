//! Images that somebody else's CI pushes: nothing is built.

use super::{image, message};
use crate::condition::{find, is_true};
use crate::reason::ConditionType;
use crate::samples::codebuild::{World, pushed};
use crate::world::BuildStatus;
use launchway_crds::release::ReleasePhase;
use serde_json::{Value, json};

/// A Release of a Pipeline that follows images, with these checks.
fn following(checks: &Value) -> World {
    let mut world = World::new();
    world.changes = json!({"source": {"git": null, "image": {"tag": "v-$(commit)"}}, "build": null, "checks": checks});
    world
}

#[test]
fn the_image_that_carries_the_commits_tag_is_taken_and_nothing_is_built() {
    let mut world = following(&json!([]));
    world.image = Some(pushed("their build", -60));
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (0, Some(pushed("their build", -60).digest)));
    assert!(world.status.steps.is_empty());
    for kind in [ConditionType::ChecksPassed, ConditionType::Built] {
        assert!(is_true(&world.status.conditions, kind), "{kind:?}: {:?}", find(&world.status.conditions, kind));
    }
    let plan = world.status.plan.unwrap();
    assert_eq!((plan.build, plan.tag), (None, Some("v-$(commit)".into())));
}

#[test]
fn checks_come_first_and_one_that_fails_ends_the_release() {
    let checks = json!([{"name": "lint", "codeBuild": {"project": "lint"}}]);
    let mut good = following(&checks);
    good.image = Some(pushed("their build", -60));
    good.run(60);
    assert_eq!((good.builds.len(), image(&good).is_some()), (1, true));
    let checked = find(&good.status.conditions, ConditionType::ChecksPassed).unwrap();
    assert_eq!(checked.message, "every check succeeded");
    let mut bad = following(&checks);
    (bad.image, bad.ends) = (Some(pushed("their build", -60)), vec![BuildStatus::Failed]);
    bad.run(60);
    assert_eq!((bad.status.phase, image(&bad)), (Some(ReleasePhase::Failed), None), "{}", message(&bad));
}

#[test]
fn an_image_that_is_not_there_is_waited_for_a_minute_and_then_explained() {
    let mut late = following(&json!([]));
    while late.now < 30 {
        late.pass();
        late.wait(10);
    }
    assert_eq!(
        (message(&late).as_str(), late.status.phase),
        ("waiting for the image to appear in ECR", Some(ReleasePhase::Active))
    );
    late.image = Some(pushed("their build", 30));
    late.run(60);
    assert!(image(&late).is_some());
    let mut gone = following(&json!([]));
    gone.run(60);
    assert_eq!(gone.status.phase, Some(ReleasePhase::Failed));
    for part in ["there is no image web:v-01234567", "let it be pushed", "another Release"] {
        assert!(message(&gone).contains(part), "{part}: {}", message(&gone));
    }
}

#[test]
fn a_tag_that_was_moved_since_the_commit_was_released_is_not_rolled() {
    let mut world = following(&json!([]));
    let of = crate::image::key(&world.desired().commit, "web");
    world.pipeline =
        json!({"released": [{"of": of, "digest": pushed("their build", -60).digest}], "building": ["web-1"]});
    world.image = Some(pushed("somebody", -30));
    world.run(60);
    assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None), "{}", message(&world));
    assert!(!message(&world).contains("built anew"), "{}", message(&world));
}
