//! The rollout of a meaning, from the first pass to its end, whatever happens to replies and reads.

use crate::condition::{find, is_true};
use crate::fault::Remedy;
use crate::look::Looked;
use crate::reason::ConditionType;
use crate::samples::ecs::{Fate, Reply, World, adopted, follower, pipeline, service};
use crate::samples::fault;
use crate::service::{Blocker, Record, Rollout};
use crate::wake::Wake;
use crate::world::Members;
use launchway_crds::service::RolloutPhase;
use serde_json::json;

fn running() -> World {
    let mut world = World::new(service(&json!({})));
    assert!(matches!(world.run(40).rollout, Ok(Rollout::InSync { .. })));
    world
}

fn phase(world: &World) -> RolloutPhase {
    world.record.rollout.as_ref().unwrap().phase
}

fn message(world: &World, kind: ConditionType) -> String {
    find(&world.record.conditions, kind).map(|condition| condition.message.clone()).unwrap_or_default()
}

#[test]
fn a_new_service_is_created_once_and_is_in_sync_when_ecs_has_ended_its_deployment() {
    let world = running();
    assert_eq!((world.count("register"), world.count("create"), world.count("update")), (1, 1, 0));
    assert!(is_true(&world.record.conditions, ConditionType::Ready) && phase(&world) == RolloutPhase::Done);
    assert!(world.now >= 60, "not before the deployment ended");
}

#[test]
fn every_lost_reply_leaves_one_definition_one_service_and_one_rollout() {
    let mut world = World::new(service(&json!({})));
    world.replies = vec![Reply::Lost; 2];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("register"), world.count("create"), world.deployments.len()), (1, 1, 1));
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.replies = vec![Reply::Lost; 2];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("register"), world.count("update"), world.deployments.len()), (2, 1, 2));
}

#[test]
fn reads_that_are_old_repeat_nothing() {
    let mut world = World::new(service(&json!({})));
    world.lag = 20;
    assert!(matches!(world.run(200).rollout, Ok(Rollout::InSync { .. })));
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    assert!(matches!(world.run(200).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("create"), world.count("update"), world.deployments.len()), (1, 1, 2));
}

#[test]
fn a_service_whose_deployment_is_not_shown_yet_is_not_in_sync() {
    let mut world = World::new(service(&json!({})));
    while world.count("create") == 0 {
        world.pass();
    }
    world.wait(40);
    let mut observed = world.observe();
    observed.followed = Looked::NotAsked;
    observed.service = Looked::Seen(world.live.clone());
    observed.deployments = Looked::Seen(Vec::new());
    world.record.rollout.as_mut().unwrap().deployment = None;
    let (state, _) = world.pass_with(&observed);
    assert!(matches!(state.rollout, Err(Blocker::Unclear(_))), "{state:?}");
    assert!(!is_true(&world.record.conditions, ConditionType::Ready));
}

#[test]
fn a_rollout_that_is_rolled_back_is_held_through_resyncs_restarts_and_a_wiped_status() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    assert_eq!((phase(&world), world.count("update")), (RolloutPhase::Failed, 1));
    let told = message(&world, ConditionType::RolledOut);
    assert!(told.contains("exited with code 3") && told.contains("kubectl -n shop patch esvc web"), "{told}");
    let before = world.record.clone();
    for _ in 0..5 {
        world.wait(600);
        assert_eq!(world.run(5).rollout, Ok(Rollout::Held));
    }
    assert_eq!(world.record, before, "nothing is written while nothing happens");
    world.record = Record::empty().status().clone();
    world.run(20);
    world.run(20);
    assert_eq!((phase(&world), world.count("update"), world.deployments.len()), (RolloutPhase::Failed, 1, 2));
}

#[test]
fn a_held_rollout_that_ecs_has_forgotten_stays_held() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack];
    world.run(60);
    world.deployments.remove(0);
    world.wait(600);
    assert_eq!(world.run(5).rollout, Ok(Rollout::Held));
    assert_eq!(world.count("update"), 1);
}

#[test]
fn a_changed_retry_or_a_higher_grant_tries_a_held_rollout_once_more() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack, Fate::RollsBack];
    world.run(60);
    world.edit(&json!({"rollout": {"retry": "again"}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    assert_eq!(world.count("update"), 2);
    world.edit(&json!({"rollout": {"retry": "once more"}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.count("update"), 3);

    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(Some(1)));
    world.live = Some(adopted(&world, "arn:old"));
    world.deploy("arn:old", world.live.clone().unwrap().members, Fate::Succeeds);
    world.wait(100);
    world.fates = vec![Fate::RollsBack];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    world.pipeline = Some(pipeline(Some(2)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.record.rollout.as_ref().unwrap().grant, 2);
    assert_eq!(world.count("update"), 2);
}

#[test]
fn another_restart_text_rolls_the_same_thing_once_more_and_only_a_new_deployment_proves_it() {
    let mut world = running();
    let (deployments, before) = (world.deployments.len(), world.live.clone().unwrap().task_definition);
    world.edit(&json!({"rollout": {"restart": "rotated"}}));
    let (state, _) = world.pass();
    assert!(!matches!(state.rollout, Ok(Rollout::InSync { .. })), "{state:?}");
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.deployments.len(), world.count("update")), (deployments + 1, 1));
    assert_eq!(world.live.clone().unwrap().task_definition, before);
    assert!(world.record.rollout.as_ref().unwrap().proved_at.is_some());
    world.wait(7200);
    world.run(60);
    world.record = crate::service::Record::empty().status().clone();
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.deployments.len(), deployments + 1, "neither time nor a wiped status rolls it again");
    world.edit(&json!({"rollout": {"restart": "again"}}));
    world.fates = vec![Fate::RollsBack];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    world.run(60);
    assert_eq!(world.deployments.len(), deployments + 2, "what failed is held");
}

#[test]
fn a_stopped_deployment_is_tried_again_by_force_because_nothing_differs() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::Stops];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    world.edit(&json!({"rollout": {"retry": "again"}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.deployments.len(), 3);
}

#[test]
fn a_first_deployment_that_has_nothing_to_roll_back_to_fails_and_says_why() {
    let mut world = World::new(service(&json!({})));
    world.fates = vec![Fate::Stalls];
    assert!(matches!(world.run(60).rollout, Ok(Rollout::Failed { .. })));
    assert!(message(&world, ConditionType::Stalled).contains("nothing to roll back to"), "{:?}", world.record);
    world.wait(600);
    assert_eq!(world.run(5).rollout, Ok(Rollout::Held));
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })), "a fixed spec does not wait for what hangs");
}

#[test]
fn a_first_deployment_that_never_ends_fails_at_its_deadline() {
    let mut world = World::new(service(&json!({"rollout": {"deadline": "30m"}})));
    world.fates = vec![Fate::Hangs];
    assert!(matches!(world.run(200).rollout, Ok(Rollout::Failed { .. })));
    assert!((1800..1900).contains(&world.now), "{}", world.now);
}

#[test]
fn a_rollout_that_hangs_is_said_to_hang_and_a_changed_spec_does_not_wait_for_it() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::Hangs];
    let mut last = world.pass().0;
    while !matches!(last.rollout, Ok(Rollout::Overdue { .. })) {
        world.wait(15);
        last = world.pass().0;
    }
    let message = message(&world, ConditionType::Stalled);
    assert!(message.contains("30m") && message.contains("stop-service-deployment"), "{message}");
    assert!(!is_true(&world.record.conditions, ConditionType::RolledOut) && world.count("update") == 1);
    world.deployments[0].1 = Fate::Succeeds;
    world.wait(60);
    assert!(matches!(world.run(10).rollout, Ok(Rollout::InSync { .. })), "it may still get there");
    world.edit(&json!({"taskDefinition": {"memory": 2048}}));
    world.fates = vec![Fate::Hangs];
    while !matches!(world.pass().0.rollout, Ok(Rollout::Overdue { .. })) {
        world.wait(15);
    }
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
}

#[test]
fn a_service_in_another_region_or_account_is_not_made_a_second_time() {
    let mut world = running();
    let arn = &mut world.record.service.as_mut().unwrap().arn;
    *arn = "arn:aws:ecs:eu-west-1:123456789012:service/shop/web".into();
    world.live = None;
    world.wait(1);
    let (state, _) = world.pass();
    assert!(matches!(&state.rollout, Err(Blocker::Stuck { why, .. }) if why.contains("eu-west-1")), "{state:?}");
    assert_eq!(world.count("create"), 1);
}

#[test]
fn the_same_meaning_under_a_new_grant_only_echoes_it() {
    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(Some(1)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    world.pipeline = Some(pipeline(Some(2)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.record.rollout.as_ref().unwrap().grant, world.deployments.len()), (2, 1));
    world.pipeline = Some(pipeline(Some(1)));
    let (state, _) = world.pass();
    assert_eq!(state.rollout, Err(Blocker::OldGrant { seen: 1 }));
    assert!(is_true(&world.record.conditions, ConditionType::Ready));
    assert_eq!(world.record.rollout.as_ref().unwrap().grant, 2);
}

#[test]
fn a_grant_of_another_stage_is_not_compared() {
    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(Some(9)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    world.record.rollout.as_mut().unwrap().source = Some("other/prod".into());
    world.pipeline = Some(pipeline(Some(2)));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
}

#[test]
fn somebody_elses_rollout_is_waited_for_and_then_set_right() {
    let mut world = running();
    world.deploy("arn:other", world.live.clone().unwrap().members, Fate::Succeeds);
    let (state, wake) = world.pass();
    assert!(matches!(state.rollout, Ok(Rollout::Waiting(_))) && wake == Wake::After(15), "{state:?}");
    assert!(message(&world, ConditionType::Ready).contains("stop-service-deployment"));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("update"), world.deployments.len()), (1, 3));
}

#[test]
fn somebody_elses_rollout_without_a_circuit_breaker_is_not_waited_for_for_ever() {
    let mut world = running();
    world.deploy("arn:other", world.live.clone().unwrap().members, Fate::Stalls);
    world.wait(70);
    world.deployments[0].0.deployment.breaker.as_mut().unwrap().status = "DISABLED".into();
    world.wait(1800);
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
}

#[test]
fn what_starts_no_rollout_is_set_right_while_one_is_held() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack];
    world.run(60);
    world.edit(&json!({"service": {"desiredCount": 3, "tags": [{"key": "team", "value": "shop"}]}}));
    assert_eq!(world.run(60).rollout, Ok(Rollout::Held));
    let live = world.live.clone().unwrap();
    assert_eq!((live.desired, live.tags["team"].as_str()), (3, "shop"));
    assert_eq!((phase(&world), world.count("update")), (RolloutPhase::Failed, 1));
}

#[test]
fn the_count_is_changed_while_a_rollout_goes_on() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    while !matches!(world.pass().0.rollout, Ok(Rollout::Rolling(_))) {}
    world.edit(&json!({"service": {"desiredCount": 2}}));
    world.pass();
    assert_eq!(world.live.as_ref().unwrap().desired, 2);
    assert_eq!(phase(&world), RolloutPhase::Rolling);
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
}

#[test]
fn a_refused_adjustment_is_said_and_asked_again() {
    let mut world = running();
    world.edit(&json!({"service": {"desiredCount": 2}}));
    let observed = world.observe();
    let desired = world.desired();
    let wanted = Ok(world.wanted());
    let state = crate::service::assess(&desired, &wanted, &world.record(), &observed, &desired.owner("inst"));
    let plan = crate::service::decide(&desired, wanted.as_ref().ok(), &world.record(), &state, 600);
    let outcome = crate::Outcome::Failed(fault("AccessDeniedException", Remedy::AskOperator));
    let pass = crate::service::report::Pass {
        desired: &desired,
        wanted: wanted.as_ref().ok(),
        state: &state,
        action: plan.action.as_ref(),
        outcome: &outcome,
        at: observed.at,
    };
    world.record = crate::service::report(&world.record(), &pass);
    assert!(is_true(&world.record.conditions, ConditionType::Stalled));
    assert!(message(&world, ConditionType::Stalled).contains("ecs:UpdateService on service/shop/web is denied"));
    world.wait(300);
    assert!(matches!(world.run(20).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.live.as_ref().unwrap().desired, 2);
}

#[test]
fn the_deployment_configuration_rides_along_with_a_rollout() {
    let mut world = running();
    world.edit(&json!({"taskDefinition": {"memory": 1024}, "service": {"deploymentConfiguration": {"minimumHealthyPercent": 50}}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("update"), world.count("adjust")), (1, 0));
    assert_eq!(world.live.as_ref().unwrap().members["deploymentConfiguration"]["minimumHealthyPercent"], 50);
}

#[test]
fn awss_choices_are_not_differences() {
    let none =
        json!({"networkConfiguration": {"awsvpcConfiguration": {"securityGroups": []}}, "platformVersion": "LATEST"});
    let mut world = World::new(service(&json!({"service": none})));
    while world.deployments.is_empty() {
        world.pass();
    }
    let filled = |members: &mut Members, version: &str| {
        members.insert("platformVersion".into(), json!(version));
        members["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] = json!(["sg-default"]);
        members["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = json!("DISABLED");
        members.insert("healthCheckGracePeriodSeconds".into(), json!(0));
        members.insert("serviceRegistries".into(), json!([]));
    };
    filled(&mut world.deployments[0].0.target.as_mut().unwrap().members, "1.4.0");
    filled(&mut world.live.as_mut().unwrap().members, "LATEST");
    assert!(matches!(world.run(40).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("update"), world.count("adjust")), (0, 0));
}

#[test]
fn a_refusal_that_is_dubious_is_believed_the_second_time_and_the_definition_is_looked_for_again() {
    let mut world = World::new(service(&json!({})));
    let told = fault("InvalidParameterException", Remedy::LookAgain);
    let mut wakes = Vec::new();
    for _ in 0..6 {
        let (observed, desired, wanted) = (world.observe(), world.desired(), Ok(world.wanted()));
        let state = crate::service::assess(&desired, &wanted, &world.record(), &observed, &desired.owner("inst"));
        let plan = crate::service::decide(&desired, wanted.as_ref().ok(), &world.record(), &state, 600);
        let outcome = match plan.action {
            Some(crate::service::Action::Create(_)) => crate::Outcome::Failed(told.clone()),
            Some(_) => {
                world.pass();
                continue;
            }
            None => crate::Outcome::Idle,
        };
        let pass = crate::service::report::Pass {
            desired: &desired,
            wanted: wanted.as_ref().ok(),
            state: &state,
            action: plan.action.as_ref(),
            outcome: &outcome,
            at: observed.at,
        };
        world.record = crate::service::report(&world.record(), &pass);
        wakes.push(is_true(&world.record.conditions, ConditionType::Stalled));
        assert!(!matches!(state.rollout, Ok(Rollout::Absent { .. })) || world.record.task_definitions.is_empty());
    }
    assert_eq!(wakes.iter().filter(|stalled| **stalled).count(), wakes.len() - 1, "{wakes:?}");
}

#[test]
fn no_condition_tells_the_plain_value_of_a_variable() {
    let world = running();
    let status = serde_json::to_string(&world.record).unwrap();
    assert!(!status.contains("hello-plain-value"), "{status}");
}
