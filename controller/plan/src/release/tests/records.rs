//! Records: a status is parsed, and a status that makes no sense counts as lost, so that builds are looked for first.

use crate::refusal::Refusal;
use crate::release::record::{Ending, Progress};
use crate::release::state::{Course, Line};
use crate::release::{Desired, Look, looks};
use crate::samples::at;
use crate::samples::codebuild::World;
use crate::start::Intent;
use crate::wake::Wake;
use crate::world::{BuildStatus, LiveBuild};
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

/// A world whose only build runs, after this was written into its status.
fn forged(forge: fn(&mut ReleaseStatus)) -> World {
    let mut world = damaged(forge);
    let mut others = world.builds[0].1.clone();
    others.marker = Some("another-uid/build/1".into());
    for id in ["web-build:others", "others-project:1"] {
        world.builds.push((id.into(), LiveBuild { id: id.into(), ..others.clone() }));
    }
    world
}

fn says(world: &World) -> String {
    serde_json::to_string(&world.status).unwrap()
}

#[test]
fn a_build_that_a_status_names_and_the_release_did_not_start_is_neither_shown_nor_stopped() {
    let names: [fn(&mut ReleaseStatus); 2] = [
        |status| status.steps[0].started.as_mut().unwrap().id = "web-build:others".into(),
        |status| status.steps[0].started.as_mut().unwrap().id = "others-project:1".into(),
    ];
    for name in names {
        for is_deleted in [false, true] {
            let mut world = forged(name);
            if is_deleted {
                world.release.metadata.deletion_timestamp = world.release.metadata.creation_timestamp.clone();
            }
            for (_, build) in &mut world.builds[1..] {
                (build.status, build.log_link) = (BuildStatus::Failed, Some("https://others.example.com".into()));
            }
            let before = world.builds[1..].to_vec();
            world.run(80);
            assert_eq!(world.builds[1..], before, "nothing was done to what is another one's");
            assert!(!says(&world).contains("others.example.com"), "{}", says(&world));
            assert_eq!(world.status.steps[0].phase, StepPhase::Failed);
            assert!(says(&world).contains("did not start"), "{}", says(&world));
        }
    }
}

#[test]
fn a_build_that_is_named_in_a_status_is_looked_at_in_its_own_project_only_and_the_search_too() {
    let world = forged(|status| status.steps[0].started.as_mut().unwrap().id = "others-project:1".into());
    let seen = world.observe();
    assert!(seen.builds.is_empty(), "{:?}", seen.builds);
    let world = forged(|status| {
        status.steps[0].started = None;
        (status.steps[0].phase, status.steps[0].intent) = (
            StepPhase::Intended,
            serde_json::from_value(json!({"call": 1, "token": "t", "resource": "others-project", "requestHash": "h",
                "since": crate::samples::time(0)}))
            .unwrap(),
        );
    });
    let looks = looks(&world.desired(), &world.record(), &seen);
    let projects: Vec<&str> = looks
        .iter()
        .filter_map(|look| if let Look::Search { project, .. } = look { Some(&**project) } else { None })
        .collect();
    assert_eq!(projects, ["web-build"]);
}

#[test]
fn a_project_and_a_repository_that_the_account_does_not_allow_are_not_looked_at_whatever_the_status_says() {
    for is_deleted in [false, true] {
        let mut world = started();
        if is_deleted {
            world.release.metadata.deletion_timestamp = world.release.metadata.creation_timestamp.clone();
        }
        let mut seen = world.observe();
        assert!(seen.builds.contains_key("build"));
        let allow = &mut seen.account.spec.as_mut().unwrap().allow;
        (allow.projects, allow.repositories) = (vec!["mine-*".into()], vec!["mine-*".into()]);
        let looks = looks(&world.desired(), &world.record(), &seen);
        let reaches = |look: &&Look| !matches!(look, Look::AccountId | Look::Target(_) | Look::Verify { .. });
        assert_eq!(looks.iter().filter(reaches).count(), 0, "{looks:?}");
    }
}

#[test]
fn a_release_that_says_that_its_pipeline_made_it_does_not_begin_unless_the_pipeline_says_so_too() {
    let mut world = World::new();
    let making = |number| json!({"ref": "refs/heads/main", "commit": crate::samples::COMMIT, "number": number, "seenAt": crate::samples::time(0)});
    world.pipeline = json!({"made": ["r-2"], "making": making(1)});
    let (state, wake) = world.pass();
    assert_eq!((&state.course, wake), (&Course::InLine(Line::Record), Wake::After(60)));
    world.pipeline = json!({"made": ["r-2"], "making": making(2)});
    let (state, wake) = world.pass();
    assert!(matches!(&state.course, Course::Refused(Refusal::NotMade { .. })), "{state:?}");
    assert_eq!((wake, world.status.plan.clone()), (Wake::OnChange, None));
    assert!(says(&world).contains("reason Manual"), "{}", says(&world));
    world.pipeline = json!({"made": ["r-1"]});
    assert!(matches!(world.pass().0.course, Course::Starting(_)));
}

#[test]
fn a_release_that_a_person_made_begins_when_its_pipeline_lets_it() {
    let mut world = World::new();
    (world.release.spec.number, world.release.spec.reason) = (None, launchway_crds::release::ReleaseReason::Manual);
    world.pipeline = json!({"made": [], "building": []});
    assert_eq!(world.pass().0.course, Course::InLine(Line::Pipeline));
    world.pipeline = json!({"made": [], "building": ["web-1"]});
    assert!(matches!(world.pass().0.course, Course::Starting(_)));
}

#[test]
fn numbers_at_the_end_of_their_range_overflow_nothing() {
    let mut world = damaged(|status| {
        status.steps[0].attempt = i32::MAX;
        (status.steps[0].phase, status.steps[0].started) = (StepPhase::Intended, None);
        status.steps[0].intent =
            serde_json::from_value(json!({"call": i32::MAX, "token": "t", "resource": "web-build", "requestHash": "h",
                "since": crate::samples::time(0)}))
            .unwrap();
    });
    world.now = 100_000;
    world.pass();
    world.pass();
}
