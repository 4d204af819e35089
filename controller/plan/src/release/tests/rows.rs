//! The rows for a Release in the table of docs/conditions.md. Their statuses are written to `tests/rows`.

use crate::fault::Remedy;
use crate::look::Looked;
use crate::release::BuildSeen;
use crate::release::state::Course;
use crate::samples::codebuild::World;
use crate::samples::fault;
use crate::world::BuildStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

/// Compares the object with its file in `tests/rows`.
macro_rules! row {
    ($name:literal, $world:expr) => {{
        let mut object = $world.release.clone();
        object.status = Some($world.status.clone());
        insta::with_settings!({snapshot_path => "../../../tests/rows", prepend_module_to_snapshot => false}, {
            insta::assert_json_snapshot!($name, object);
        });
    }};
}

fn building() -> World {
    let mut world = World::new();
    for _ in 0..6 {
        world.pass();
    }
    world.wait(20);
    world.pass();
    world
}

#[test]
fn a_release_at_work_is_reconciling_and_stays_so_while_its_builds_cannot_be_seen() {
    let mut world = building();
    row!("release-checking", world);
    let mut observed = world.observe();
    observed.builds.insert("lint".into(), BuildSeen::Known(Looked::Blind(fault("Throttling", Remedy::Retry))));
    world.pass_with(&observed);
    row!("release-blind", world);
}

#[test]
fn a_held_release_waits_for_a_person() {
    let mut world = World::new();
    world.pass();
    world.changes = json!({"suspend": true});
    assert_eq!(world.pass().0.course, Course::Suspended);
    row!("release-held", world);
}

#[test]
fn a_failed_release_is_stalled() {
    let mut world = World::new();
    world.ends = vec![BuildStatus::Failed];
    world.run(60);
    row!("release-failed", world);
}

#[test]
fn a_superseded_or_cancelled_release_is_done() {
    let mut world = building();
    world.pipeline = json!({"superseded": [{"release": "web-1", "by": "web-2"}]});
    world.run(20);
    row!("release-superseded", world);
    let mut world = building();
    let mut observed = world.observe();
    observed.pipeline = None;
    world.pass_with(&observed);
    row!("release-cancelled", world);
    world.release.metadata.deletion_timestamp = Some(Time(crate::samples::at(world.now)));
    world.pass();
    assert!(world.status.conditions.iter().all(|condition| condition.type_ != "Stalled"));
}

#[test]
fn a_release_without_a_pipeline_or_an_account_is_stalled() {
    let mut world = World::new();
    let mut observed = world.observe();
    observed.pipeline = None;
    world.pass_with(&observed);
    row!("release-no-pipeline", world);
    let mut world = World::new();
    let mut observed = world.observe();
    observed.account.spec = None;
    world.pass_with(&observed);
    row!("release-no-account", world);
}
