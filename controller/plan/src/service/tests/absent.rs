//! What a spec does not name is not ours: it is never sent, never compared, never reset.

use crate::samples::ecs::{World, adopted, service};
use crate::service::Rollout;
use crate::world::Members;
use serde_json::{Value, json};

/// A service that somebody else set up, with much that no manifest names, handed over by the owner tag.
fn handed_over(spec: &Value) -> World {
    let mut world = World::new(service(spec));
    let mut live = adopted(&world, "arn:old");
    live.members.extend(theirs());
    world.live = Some(live.clone());
    world.deploy("arn:old", live.members, crate::samples::ecs::Fate::Succeeds);
    world.wait(90);
    world
}

fn theirs() -> Members {
    let theirs = json!({
        "loadBalancers": [{"targetGroupArn": "tg-1", "containerName": "web", "containerPort": 80}],
        "serviceRegistries": [{"registryArn": "r-1"}],
        "serviceConnectConfiguration": {"enabled": true, "namespace": "shop"},
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}],
        "enableExecuteCommand": true, "enableECSManagedTags": true, "propagateTags": "SERVICE",
        "desiredCount": 7, "healthCheckGracePeriodSeconds": 90, "platformVersion": "1.4.0",
        "placementStrategy": [{"type": "spread", "field": "host"}],
        "deploymentConfiguration": {"strategy": "ROLLING", "minimumHealthyPercent": 50, "maximumPercent": 150,
            "deploymentCircuitBreaker": {"enable": false, "rollback": false},
            "alarms": {"enable": true, "rollback": true, "alarmNames": ["a"]}},
    });
    theirs.as_object().cloned().unwrap()
}

fn bare() -> Value {
    json!({"service": {"launchType": null, "networkConfiguration": null}})
}

#[test]
fn a_service_that_is_handed_over_keeps_all_that_the_manifest_does_not_name() {
    let mut world = handed_over(&bare());
    let before = world.live.clone().unwrap().members;
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!((world.count("update"), world.count("adjust")), (1, 0));
    assert_eq!(world.live.as_ref().unwrap().members, before);
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.live.as_ref().unwrap().members, before);
}

#[test]
fn a_member_that_is_named_is_set_and_its_neighbours_stay() {
    let mut world = handed_over(&bare());
    world.edit(&json!({"service": {"deploymentConfiguration": {"maximumPercent": 200}}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    let configuration = world.live.as_ref().unwrap().members["deploymentConfiguration"].clone();
    assert_eq!(configuration["maximumPercent"], 200);
    assert_eq!(configuration["minimumHealthyPercent"], 50);
    assert_eq!(configuration["deploymentCircuitBreaker"], json!({"enable": false, "rollback": false}));
    assert_eq!(configuration["alarms"]["alarmNames"], json!(["a"]));
}

#[test]
fn an_empty_list_that_is_named_takes_all_away_once() {
    let mut world = handed_over(&bare());
    world.edit(&json!({"service": {"loadBalancers": []}}));
    assert!(matches!(world.run(60).rollout, Ok(Rollout::InSync { .. })));
    assert_eq!(world.live.as_ref().unwrap().members["loadBalancers"], json!([]));
    assert_eq!(world.count("update"), 1);
}

#[test]
fn the_circuit_breaker_is_ours_only_on_creation_and_only_where_nothing_is_said() {
    let breaker = |spec: &Value| {
        let mut world = World::new(service(spec));
        world.run(60);
        world.live.as_ref().unwrap().members["deploymentConfiguration"]["deploymentCircuitBreaker"].clone()
    };
    let off = json!({"enable": false, "rollback": false});
    assert_eq!(breaker(&json!({})), json!({"enable": true, "rollback": true}));
    assert_eq!(
        breaker(&json!({"service": {"deploymentConfiguration": {"deploymentCircuitBreaker": off.clone()}}})),
        off
    );
}
