//! What a Pipeline says of what runs: only what the stages were granted last and their targets still echo.

use super::rows::{World, at_work, failed, succeeded};
use crate::condition::find;
use crate::pipeline::ReleaseSeen;
use crate::reason::{ConditionType, Reason};
use crate::samples::release::release;
use crate::target::TargetSeen;
use launchway_crds::pipeline::Trouble;

fn said(world: &World, kind: ConditionType) -> (String, String, String) {
    let condition = find(&world.record.conditions, kind).unwrap();
    (condition.status.clone(), condition.reason.clone(), condition.message.clone())
}

/// Releases 1 and then 2 went through both stages, and 2 runs.
fn two() -> World {
    let mut second = succeeded(2);
    let stages = &mut second.status.as_mut().unwrap().stages;
    (stages[0].grant, stages[1].grant) = (15, 16);
    let mut world = World::new(vec![succeeded(1), second]);
    world.pass();
    world.record.stages.iter_mut().for_each(|stage| stage.grant.as_mut().unwrap().since = time(5));
    assert_eq!(said(&world, ConditionType::Released).0, "True", "{:?}", said(&world, ConditionType::Released));
    assert!(said(&world, ConditionType::Released).2.contains("web-2"));
    world
}

fn forget(world: &mut World, name: &str) {
    world.observed.releases.retain(|release| release.name != name);
}

fn target<'a>(world: &'a mut World, name: &str) -> &'a mut TargetSeen {
    world.observed.targets.get_mut(name).unwrap().as_mut().unwrap()
}

#[test]
fn deleting_releases_that_succeeded_changes_nothing_that_is_said_to_run() {
    for gone in [vec!["web-1"], vec!["web-2"], vec!["web-1", "web-2"]] {
        let mut world = two();
        gone.iter().for_each(|name| forget(&mut world, name));
        world.pass();
        let (status, _, message) = said(&world, ConditionType::Released);
        assert_eq!(status, "True", "{gone:?}: {message}");
        assert!(message.contains("web-2") && !message.contains("no such stage"), "{gone:?}: {message}");
    }
}

#[test]
fn a_release_that_is_deleted_while_it_rolls_leaves_its_stage_unproved() {
    let mut world = two();
    // Release 3 has entered staging.
    world.record.stages[0].grant.as_mut().unwrap().release = "web-3".into();
    world.record.stages[0].grant.as_mut().unwrap().number = 25;
    world.observed.targets.clear();
    world.pass();
    let (status, reason, message) = said(&world, ConditionType::Released);
    assert_eq!((&*status, &*reason), ("False", "ReleaseGone"), "{message}");
    for part in ["web-3", "staging", "deleted", "Manual"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(said(&world, ConditionType::Ready).0, "False");
}

#[test]
fn a_release_that_was_deleted_before_it_entered_a_stage_is_not_made_again() {
    let mut world = World::new(vec![at_work(9)]);
    world.pass();
    forget(&mut world, "web-9");
    world.pass();
    let (status, reason, message) = said(&world, ConditionType::Released);
    assert_eq!((&*status, &*reason), ("False", "ReleaseGone"), "{message}");
    assert!(!message.contains("making"), "{message}");
}

#[test]
fn a_newer_release_that_failed_is_reported_although_a_deleted_older_one_holds_the_stages() {
    let mut world = two();
    forget(&mut world, "web-2");
    let mut newer = crate::pipeline::ReleaseSeen::parse(failed(3)).unwrap();
    newer.created = Some(crate::samples::at(900));
    world.observed.releases.push(newer);
    world.record.stages.iter_mut().for_each(|stage| stage.grant.as_mut().unwrap().since = time(5));
    world.pass();
    assert_eq!(said(&world, ConditionType::Released).1, "BuildFailed", "{:?}", said(&world, ConditionType::Released));
}

fn time(second: i64) -> launchway_crds::condition::Time {
    launchway_crds::condition::Time(crate::samples::at(second))
}

#[test]
fn a_pipeline_reports_a_target_that_does_not_run_its_grant_and_when_it_has_recovered() {
    let mut world = two();
    let too_few = (Reason::TooFewTasks, "0 of 2 tasks run: task 1 exited with code 3".to_owned());
    target(&mut world, "web").unproved = Some(too_few);
    world.pass();
    let (status, reason, message) = said(&world, ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("False", "TooFewTasks"), "{message}");
    assert!(message.contains("prod") && message.contains("exited with code 3"), "{message}");
    assert_eq!(said(&world, ConditionType::Released).0, "False");
    let Some(Trouble { reason, .. }) = &world.record.stages[1].trouble else { panic!("{:?}", world.record.stages) };
    assert_eq!(reason, "TooFewTasks");
    target(&mut world, "web").unproved = None;
    world.pass();
    assert_eq!((said(&world, ConditionType::Released).0, &world.record.stages[1].trouble), ("True".into(), &None));
}

#[test]
fn a_target_that_is_edited_or_gone_is_not_said_to_run_anything() {
    let mut world = two();
    target(&mut world, "web-staging").rollout.as_mut().unwrap().phase = launchway_crds::service::RolloutPhase::Rolling;
    world.pass();
    assert_eq!(
        (said(&world, ConditionType::Released).0, said(&world, ConditionType::Ready).1),
        ("Unknown".into(), "Rolling".into())
    );
    world.observed.targets.insert("web-staging".into(), None);
    world.pass();
    let (status, reason, message) = said(&world, ConditionType::Released);
    assert_eq!((&*status, &*reason), ("False", "NotListed"), "{message}");
}

#[test]
fn while_a_newer_release_is_at_work_nothing_is_said_to_run_in_every_stage() {
    let mut world = two();
    world.observed.releases.push(crate::pipeline::ReleaseSeen::parse(at_work(3)).unwrap());
    world.pass();
    for kind in [ConditionType::Ready, ConditionType::Released] {
        assert!(!said(&world, kind).2.contains("runs in every stage"), "{}", said(&world, kind).2);
    }
}

#[test]
fn a_release_that_succeeded_and_whose_status_was_wiped_is_not_superseded_by_the_one_that_rolls() {
    let mut world = two();
    let status = world.observed.releases.iter_mut().find(|release| release.name == "web-2").unwrap();
    *status = ReleaseSeen::parse(release(2, 2, serde_json::Value::Null)).unwrap();
    world.observed.releases.push(ReleaseSeen::parse(at_work(3)).unwrap());
    world.record.stages[1].verified.as_mut().unwrap().at = time(50);
    world.pass();
    assert!(world.record.superseded.is_empty(), "{:?}", world.record.superseded);
    // One that was made anew under that name has proved nothing.
    world.record.stages[1].verified.as_mut().unwrap().at = time(1);
    world.pass();
    assert_eq!(world.record.superseded.len(), 1);
}

#[test]
fn a_pipeline_whose_newest_release_was_deleted_before_it_succeeded_is_not_released() {
    let mut world = two();
    world.record.heads =
        vec![crate::pipeline::heads::head("refs/heads/main", crate::samples::OTHER, 3, crate::samples::at(50))];
    world.observed.head = crate::look::Looked::Seen(Ok(crate::samples::OTHER.into()));
    world.pass();
    let (status, reason, message) = said(&world, ConditionType::Released);
    assert_eq!((&*status, &*reason), ("False", "ReleaseGone"), "{message}");
    assert!(message.contains(&crate::samples::OTHER[..12]) && message.contains("Manual"), "{message}");
}
