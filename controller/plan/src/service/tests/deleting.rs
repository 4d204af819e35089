//! Finalizers and deletion.

use crate::condition::find;
use crate::fault::Remedy;
use crate::life::ABANDON;
use crate::look::Looked;
use crate::reason::ConditionType;
use crate::samples::ecs::{World, service};
use crate::samples::fault;
use crate::service::{Blocker, Guard, Rollout, reach};
use crate::world::ServiceLife;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

fn doomed() -> World {
    let mut world = World::new(service(&json!({"deletionPolicy": "Delete"})));
    assert!(matches!(world.run(40).rollout, Ok(Rollout::InSync { .. })));
    world.service.metadata.deletion_timestamp = Some(Time(crate::samples::at(world.now)));
    world
}

fn seen(world: &World) -> crate::service::Observed {
    let mut observed = world.observe();
    observed.service = Looked::Seen(world.live.clone());
    observed
}

#[test]
fn the_finalizer_comes_before_the_service_and_goes_after_it() {
    let mut world = doomed();
    assert_eq!(world.done[0].0, "guard");
    let (state, _) = world.pass_with(&seen(&world));
    assert_eq!((state.guard, &world.live.as_ref().unwrap().life), (Guard::Deletes, &ServiceLife::Draining));
    let (state, _) = world.pass_with(&seen(&world));
    assert_eq!((state.guard, world.count("unguard")), (Guard::Waits, 0));
    assert!(
        find(&world.record.conditions, ConditionType::Ready).unwrap().message.contains("launchway.dev/abandon=true")
    );
    world.live.as_mut().unwrap().life = ServiceLife::Inactive;
    world.pass_with(&seen(&world));
    assert_eq!(world.count("unguard"), 1);
}

#[test]
fn what_cannot_be_seen_or_is_not_known_keeps_the_finalizer() {
    let mut world = doomed();
    let mut observed = seen(&world);
    observed.service = Looked::Blind(fault("AccessDeniedException", Remedy::AskOperator));
    assert!(matches!(world.pass_with(&observed).0.rollout, Err(Blocker::Blind(_))));
    assert!(find(&world.record.conditions, ConditionType::InSync).unwrap().message.contains("denied"));
    observed.service = Looked::NotAsked;
    assert!(matches!(world.pass_with(&observed).0.rollout, Err(Blocker::Blind(_))));
    world.live.as_mut().unwrap().life = ServiceLife::Unknown("THINKING".into());
    assert_eq!(world.pass_with(&seen(&world)).0.guard, Guard::Waits);
    assert_eq!((world.count("unguard"), world.count("delete")), (0, 0));
}

#[test]
fn a_service_that_was_perhaps_created_a_moment_ago_is_not_forgotten() {
    let mut world = World::new(service(&json!({"deletionPolicy": "Delete"})));
    while world.count("create") == 0 {
        world.pass();
    }
    world.service.metadata.deletion_timestamp = Some(Time(crate::samples::at(world.now)));
    let mut observed = world.observe();
    observed.service = Looked::Seen(None);
    assert!(matches!(world.pass_with(&observed).0.rollout, Ok(Rollout::Settling(_))));
    assert_eq!(world.count("unguard"), 0);
}

#[test]
fn an_annotation_lets_the_object_go_and_leaves_aws_alone() {
    let mut world = doomed();
    world.service.metadata.annotations = Some([(ABANDON.to_owned(), "true".to_owned())].into());
    world.pass();
    assert_eq!((world.count("unguard"), world.count("delete")), (1, 0));
}

#[test]
fn a_retained_service_has_no_finalizer_and_one_of_another_owner_is_left_alone() {
    let mut world = doomed();
    world.live.as_mut().unwrap().tags.clear();
    world.pass_with(&seen(&world));
    assert_eq!((world.count("unguard"), world.count("delete")), (1, 0));

    let mut world = World::new(service(&json!({"deletionPolicy": "Delete"})));
    world.run(40);
    world.edit(&json!({"deletionPolicy": "Retain"}));
    world.run(40);
    assert_eq!(world.service.metadata.finalizers, None);
}

#[test]
fn a_service_whose_spec_is_refused_is_deleted_all_the_same() {
    let mut world = doomed();
    world.service.metadata.deletion_timestamp = None;
    world.edit(&json!({"service": {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}}));
    let (state, _) = world.pass();
    assert!(matches!(state.rollout, Err(Blocker::Refused(_))), "{state:?}");
    world.service.metadata.deletion_timestamp = Some(Time(crate::samples::at(world.now)));
    world.pass_with(&seen(&world));
    assert_eq!(world.count("delete"), 1);
    assert!(
        find(&world.record.conditions, ConditionType::Ready).unwrap().message.contains("launchway.dev/abandon=true")
    );
    world.live.as_mut().unwrap().life = ServiceLife::Inactive;
    world.pass_with(&seen(&world));
    assert_eq!(world.count("unguard"), 1);
}

#[test]
fn a_service_that_is_deleted_without_an_account_says_that_it_lacks_the_account_and_how_it_is_let_go() {
    let mut world = doomed();
    let mut observed = seen(&world);
    observed.account.spec = None;
    world.pass_with(&observed);
    let ready = find(&world.record.conditions, ConditionType::Ready).unwrap();
    assert_eq!(ready.reason, "NoAccount", "{}", ready.message);
    assert!(ready.message.contains(ABANDON), "{}", ready.message);
}

#[test]
fn a_service_in_a_cluster_that_is_not_allowed_is_not_looked_at_and_deletes_nothing() {
    let mut world = doomed();
    let mut observed = seen(&world);
    observed.account.spec.as_mut().unwrap().allow.clusters = vec!["other-*".into()];
    assert!(reach(&world.desired(), &observed).is_err());
    let (state, _) = world.pass_with(&observed);
    assert!(matches!(state.rollout, Err(Blocker::Refused(_))), "{state:?}");
    assert_eq!((world.count("delete"), world.count("unguard")), (0, 0));
    let ready = find(&world.record.conditions, ConditionType::Ready).unwrap();
    assert_eq!(ready.reason, "NotAllowed", "{}", ready.message);
    assert!(ready.message.contains(ABANDON), "{}", ready.message);
}
