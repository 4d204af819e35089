//! What is done beside a rollout never hides how the rollout stands, and what ECS refuses or shows otherwise is not sent
//! again and again.

use crate::condition::find;
use crate::fault::Remedy;
use crate::reason::ConditionType;
use crate::samples::ecs::{Fate, World, adopted, service};
use crate::samples::fault;
use crate::service::{Blocker, Rollout};
use crate::world::{DeploymentStatus, ServiceLife};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use launchway_crds::service::{Effect, EffectStatus, RolloutPhase};
use serde_json::{Value, json};

fn running(spec: &Value) -> World {
    let mut world = World::new(service(spec));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    world.wait(60);
    world
}

/// What a condition says: its status, its reason and its message.
fn said(world: &World, kind: ConditionType) -> (String, String, String) {
    let found = find(&world.record.conditions, kind).cloned();
    found.map(|one| (one.status, one.reason, one.message)).unwrap_or_default()
}

fn grace(seconds: i64) -> Value {
    json!({"service": {"healthCheckGracePeriodSeconds": seconds}})
}

#[test]
fn a_refused_setting_never_hides_a_rollout_that_fails() {
    let mut world = running(&json!({}));
    world.refused = Some("adjust");
    world.fates = vec![Fate::RollsBack];
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    while !matches!(world.pass().0.rollout, Ok(Rollout::Rolling(_))) {}
    world.edit(&grace(60));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. } | Rollout::Held)));
    assert_eq!(world.record.rollout.as_ref().unwrap().phase, RolloutPhase::Failed);
    assert_eq!(said(&world, ConditionType::RolledOut).0, "False");
    assert_eq!(said(&world, ConditionType::Stalled).1, "RolledBack");
    assert!(
        said(&world, ConditionType::InSync).2.contains("InvalidParameterException"),
        "{:?}",
        world.record.conditions
    );
}

#[test]
fn a_refused_setting_is_said_beside_a_rollout_that_ended_well_and_is_tried_again_now_and_then() {
    let mut world = running(&json!({}));
    world.refused = Some("adjust");
    world.edit(&grace(60));
    world.run(60);
    assert_eq!(said(&world, ConditionType::RolledOut).0, "True");
    assert_eq!(
        (said(&world, ConditionType::Ready).0, said(&world, ConditionType::InSync).0),
        ("False".into(), "False".into())
    );
    assert!(said(&world, ConditionType::Stalled).2.contains("InvalidParameterException"));
    for _ in 0..10 {
        world.wait(30);
        world.run(5);
    }
    assert_eq!(world.count("refused"), 2, "once in five minutes");
    world.edit(&grace(90));
    world.run(5);
    assert_eq!(world.count("refused"), 3, "another value is another question");
    world.refused = None;
    world.wait(300);
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(said(&world, ConditionType::Ready).0, "True");
}

#[test]
fn a_refused_setting_does_not_keep_anybody_from_scaling() {
    let mut world = running(&json!({}));
    world.refused = Some("adjust");
    world.edit(&json!({"service": {"desiredCount": 4, "healthCheckGracePeriodSeconds": 60}}));
    world.run(60);
    assert_eq!(world.live.as_ref().unwrap().desired, 4);
}

#[test]
fn a_second_change_does_not_wait_for_the_first_to_settle() {
    let mut world = running(&json!({}));
    for count in [2, 3] {
        world.edit(&json!({"service": {"desiredCount": count}}));
        world.pass();
        world.wait(1);
    }
    assert_eq!((world.live.as_ref().unwrap().desired, world.count("scale")), (3, 2));
}

#[test]
fn the_first_change_after_a_creation_does_not_wait_for_it_to_settle() {
    let mut world = World::new(service(&json!({})));
    while world.count("create") == 0 {
        world.pass();
    }
    world.deployments[0].0.deployment.status = DeploymentStatus::Successful;
    world.wait(1);
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    for _ in 0..5 {
        world.pass();
        world.wait(1);
    }
    assert_eq!(world.count("update"), 1);
}

#[test]
fn what_somebody_sets_back_is_set_right_again() {
    let mut world = running(&json!({"service": {"desiredCount": 2}}));
    for _ in 0..3 {
        let live = world.live.as_mut().unwrap();
        live.members.insert("desiredCount".into(), json!(9));
        world.wait(60);
        world.run(20);
        assert_eq!(world.live.as_ref().unwrap().members["desiredCount"], 2);
        world.wait(60);
        world.run(5);
    }
    assert_eq!((world.count("scale"), said(&world, ConditionType::Ready).0.as_str()), (3, "True"));
}

#[test]
fn a_setting_that_ecs_shows_otherwise_is_sent_once_and_said() {
    let mut world = running(&json!({}));
    world.shows = Some(("healthCheckGracePeriodSeconds", json!(61)));
    world.edit(&grace(60));
    for _ in 0..20 {
        world.run(20);
        world.wait(600);
    }
    assert_eq!(world.count("adjust"), 1);
    let (status, reason, message) = said(&world, ConditionType::Stalled);
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Differs"));
    assert!(message.contains("spec.service.healthCheckGracePeriodSeconds") && message.contains("61"), "{message}");
    assert_eq!(said(&world, ConditionType::RolledOut).0, "True");
}

#[test]
fn a_rollout_that_ecs_shows_otherwise_is_rolled_once_and_said() {
    let mut world = running(&json!({}));
    world.shows = Some(("serviceConnectConfiguration", json!({"enabled": true, "namespace": "arn:namespace/shop"})));
    world.edit(&json!({"service": {"serviceConnectConfiguration": {"enabled": true, "namespace": "shop"}}}));
    for _ in 0..20 {
        world.run(20);
        world.wait(600);
    }
    assert_eq!((world.count("update"), world.deployments.len()), (1, 2));
    let (status, reason, message) = said(&world, ConditionType::Stalled);
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Differs"));
    assert!(message.contains("arn:namespace/shop") && message.contains("serviceConnectConfiguration"), "{message}");
    world.edit(
        &json!({"service": {"serviceConnectConfiguration": {"enabled": true, "namespace": "arn:namespace/shop"}}}),
    );
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
}

#[test]
fn a_strategy_of_capacity_providers_is_rolled_by_force_and_proved() {
    let mut world = running(&json!({"service": {"launchType": null}}));
    world.edit(&json!({"service": {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("update"), world.count("adjust"), world.deployments.len()), (1, 0, 2));
}

#[test]
fn a_member_that_only_revisions_show_costs_nothing_at_rest() {
    let mut world = running(&json!({"service": {"monitoring": {"some": "thing"}}}));
    world.live.as_mut().unwrap().members.remove("monitoring");
    world.deployments.truncate(1);
    world.wait(600);
    let observed = world.observe();
    assert_eq!(observed.deployments, crate::look::Looked::NotAsked);
    assert!(matches!(world.run(5).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.count("update"), 0);
}

#[test]
fn a_label_may_be_called_role() {
    let labelled = json!({"taskDefinition": {"containerDefinitions": [{"name": "web", "image": "nginx:1.27",
        "dockerLabels": {"role": "frontend"}, "logConfiguration": {"logDriver": "fluentd", "options": {"role": "x"}}}]}});
    let mut world = World::new(service(&labelled));
    let mut observed = world.observe();
    observed.account.spec.as_mut().unwrap().allow.roles = vec!["arn:aws:iam::*:role/exec".into()];
    let state = world.pass_with(&observed).0;
    assert!(!matches!(state.rollout, Err(Blocker::Refused(_))), "{state:?}");
}

#[test]
fn a_refusal_is_believed_the_second_time_whatever_number_its_text_has() {
    let mut world = World::new(service(&json!({})));
    let mut stalled = 0;
    for request in 0..8 {
        let mut told = fault("InvalidParameterException", Remedy::LookAgain);
        told.kind = crate::fault::FaultKind::Dubious;
        told.message = format!("no (request {request})");
        world.next_fault = Some(("create", told));
        world.pass();
        world.wait(60);
        stalled += usize::from(said(&world, ConditionType::Stalled).0 == "True");
    }
    assert!(stalled >= 4, "{stalled}");
}

#[test]
fn a_forged_status_chooses_no_task_definition_of_another_family() {
    let mut world = running(&json!({}));
    let meaning = world.wanted().task_meaning.to_string();
    let forged = "arn:task-definition/inst_other_web:1";
    for one in &mut world.record.task_definitions {
        (one.meaning, one.arn) = (meaning.clone(), forged.into());
    }
    world.record.rollout.as_mut().unwrap().task_definition = Some(forged.into());
    world.wait(600);
    world.run(20);
    assert_ne!(world.live.as_ref().unwrap().task_definition, forged);
}

#[test]
fn times_at_the_end_of_the_calendar_do_no_harm() {
    let mut world = running(&json!({}));
    let last = Time(Timestamp::MAX);
    for effect in [Effect::Create, Effect::Update, Effect::Adjust, Effect::Scale, Effect::Tag] {
        world.record.effects.retain(|one| one.effect != effect);
        let (meaning, seen) = ("x".to_owned(), false);
        world.record.effects.push(EffectStatus { effect, meaning, at: last.clone(), seen, refused: None });
    }
    world.record.service.as_mut().unwrap().creations = i64::MAX;
    world.edit(&json!({"service": {"desiredCount": 2}}));
    world.pass();
    assert_eq!(world.live.as_ref().unwrap().desired, 2);
    world.live.as_mut().unwrap().life = ServiceLife::Inactive;
    world.pass();
}

#[test]
fn a_service_that_was_handed_over_was_not_created_by_us() {
    let mut world = World::new(service(&json!({})));
    world.live = Some(adopted(&world, "arn:old"));
    world.deploy("arn:old", world.live.clone().unwrap().members, Fate::Succeeds);
    world.wait(90);
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.record.service.as_ref().unwrap().creations, 0);
}
