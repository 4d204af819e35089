//! Tasks: a rollout without any proves nothing, and too few of them are told, whatever happened before.

use crate::condition::{find, is_true};
use crate::reason::{ConditionType, Reason};
use crate::samples::ecs::{Fate, World, service};
use crate::service::tasks::Tasks;
use crate::service::{Blocker, Rollout};
use crate::wake::Wake;
use crate::world::DeploymentStatus;
use serde_json::json;

fn said(world: &World, kind: ConditionType) -> (String, String, String) {
    let condition = find(&world.record.conditions, kind).unwrap();
    (condition.status.clone(), condition.reason.clone(), condition.message.clone())
}

fn of_two() -> World {
    let mut world = World::new(service(&json!({"service": {"desiredCount": 2}})));
    world.run(40);
    assert!(is_true(&world.record.conditions, ConditionType::Ready));
    world
}

fn runs(world: &mut World, tasks: i32) {
    world.live.as_mut().unwrap().running = tasks;
    world.wait(1);
}

#[test]
fn a_rollout_without_tasks_is_unproved_until_tasks_run_and_stays_proved_when_they_are_parked() {
    let mut world = World::new(service(&json!({"service": {"desiredCount": 0}})));
    world.run(40);
    for kind in [ConditionType::Ready, ConditionType::RolledOut] {
        let (status, reason, message) = said(&world, kind);
        assert_eq!((&*status, &*reason), ("Unknown", "Unproved"), "{message}");
        assert!(message.contains("desired count is 0"), "{message}");
    }
    world.edit(&json!({"service": {"desiredCount": 1}}));
    world.run(40);
    assert!(is_true(&world.record.conditions, ConditionType::RolledOut));
    world.edit(&json!({"service": {"desiredCount": 0}}));
    world.run(40);
    assert!(is_true(&world.record.conditions, ConditionType::Ready));
    assert!(said(&world, ConditionType::Ready).2.contains("ran"), "{}", said(&world, ConditionType::Ready).2);
}

#[test]
fn too_few_tasks_for_longer_than_the_deadline_are_told_with_their_reasons_and_so_is_their_recovery() {
    let mut world = of_two();
    runs(&mut world, 0);
    let (_, wake) = world.pass();
    assert_eq!(wake, Wake::After(60), "it is watched from now on");
    assert!(is_true(&world.record.conditions, ConditionType::Ready), "for a moment that is usual");
    world.wait(3600);
    world.pass();
    let (status, reason, message) = said(&world, ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("False", "TooFewTasks"), "{message}");
    for part in ["0 of 2 tasks", "task-1", "exited with code 3", "spec.rollout.deadline"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(is_true(&world.record.conditions, ConditionType::Stalled));
    assert_eq!(said(&world, ConditionType::RolledOut).0, "False");
    runs(&mut world, 2);
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Ready));
    assert!(!is_true(&world.record.conditions, ConditionType::Stalled));
    runs(&mut world, 1);
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Ready), "the time counts from the last time that all ran");
}

#[test]
fn a_rollout_that_no_task_has_proved_is_not_done_because_ecs_says_so() {
    let mut world = World::new(service(&json!({"service": {"desiredCount": 2}})));
    while world.live.is_none() {
        world.pass();
    }
    world.wait(90);
    runs(&mut world, 1);
    let (state, wake) = world.pass();
    assert!(
        matches!(state.rollout, Ok(Rollout::InSync { tasks: Tasks::Short { proved: false, .. }, .. })),
        "{state:?}"
    );
    assert_eq!(wake, Wake::After(15));
    assert_eq!(said(&world, ConditionType::RolledOut).0, "Unknown");
    assert!(said(&world, ConditionType::Ready).2.contains("1 of 2 tasks"), "{}", said(&world, ConditionType::Ready).2);
}

#[test]
fn what_was_stopped_has_not_failed_before_ecs_could_show_what_stopped_it() {
    let mut world = of_two();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::Stops];
    while world.deployments.first().is_none_or(|(seen, _)| seen.deployment.status != DeploymentStatus::Stopped) {
        world.pass();
        world.wait(15);
    }
    let (state, _) = world.pass();
    assert!(matches!(&state.rollout, Err(Blocker::Unclear(why)) if why.contains("waiting a minute")), "{state:?}");
    assert_ne!(said(&world, ConditionType::RolledOut).1, Reason::RolloutFailed.as_str());
    world.wait(90);
    let (state, _) = world.pass();
    assert!(matches!(state.rollout, Ok(Rollout::Failed { .. })), "nothing newer is there: {state:?}");
}
