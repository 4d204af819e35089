//! Records: a status is parsed, and a status that makes no sense counts as lost, so that builds are looked for first.

use crate::release::Desired;
use crate::release::record::{Ending, Progress};
use crate::release::state::Course;
use crate::samples::at;
use crate::samples::codebuild::World;
use crate::start::Intent;
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StepPhase};
use serde_json::json;

fn started() -> World {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    while world.builds.is_empty() {
        world.pass();
    }
    world
}

fn damaged(damage: fn(&mut ReleaseStatus)) -> World {
    let mut world = started();
    damage(&mut world.status);
    world
}

#[test]
fn a_step_whose_record_is_damaged_is_looked_for_and_not_started_again() {
    let damages: [fn(&mut ReleaseStatus); 3] = [
        |status| (status.steps[0].phase, status.steps[0].started) = (StepPhase::Intended, None),
        |status| status.steps[0].started = None,
        |status| status.steps.clear(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut world = damaged(damage);
        let state = world.run(80);
        assert!(matches!(state.course, Course::AtStage { .. }), "{number} {state:?}");
        assert_eq!(world.builds.len(), 1, "{number}");
    }
}

#[test]
fn a_lost_intent_is_looked_for_since_the_release_was_made() {
    let world = damaged(|status| status.steps[0].started = None);
    let intent = Intent::Recovery { resource: "web-build".into(), since: at(0) };
    assert_eq!(world.record().work.unwrap().steps[0].progress, Progress::Intended(intent));
}

#[test]
fn a_record_without_one_of_its_steps_is_no_record_but_how_the_release_ended_is_kept() {
    let mut world = started();
    assert!(world.record().is_at_work());
    world.status.steps.clear();
    assert_eq!(world.record().work, None);
    world.status.phase = Some(ReleasePhase::Failed);
    assert_eq!(world.record().ended, Some(Ending::Failed));
}

#[test]
fn an_object_without_a_uid_is_no_release() {
    let mut world = World::new();
    world.release.metadata.uid = None;
    assert!(Desired::parse(&world.release).is_err());
}

#[test]
fn a_status_that_is_wiped_while_a_build_runs_starts_nothing_again_however_young_the_release_is() {
    let mut world = started();
    let builds = world.builds.len();
    world.status = crate::release::report::empty();
    for _ in 0..5 {
        world.pass();
    }
    assert!(world.release.metadata.finalizers.is_some(), "what was started is still to be found");
    assert_eq!(world.builds.len(), builds);
}

#[test]
fn a_release_that_succeeded_says_so_again_after_its_status_was_wiped() {
    let mut world = World::new();
    let verified = |second: i64| {
        json!({"stages": [{"name": "prod", "verified": {"release": "web-1", "grant": 6,
            "commit": crate::samples::COMMIT, "images": crate::samples::release::images(), "at": crate::samples::time(second)}}]})
    };
    world.pipeline = verified(50);
    world.pass();
    assert_eq!(world.status.phase, Some(ReleasePhase::Succeeded), "{:?}", world.status);
    assert!(world.builds.is_empty());
    let mut anew = World::new();
    anew.pipeline = verified(-1);
    anew.pass();
    assert_eq!(
        anew.status.phase,
        Some(ReleasePhase::Active),
        "one of the same name was proved before this one was made"
    );
}
