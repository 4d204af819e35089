//! Every member of RegisterTaskDefinition and CreateService is taken and shown again, and none else.

use std::collections::BTreeSet;

use launchway_test_aws::ecs::Rules;
use launchway_test_aws::model;
use serde_json::{Map, Value, json};

use crate::samples::{GROUP_OF_CLOUDS, everything, on_fargate, on_instances};
use crate::stage::{ACCOUNT, Stage, place};

pub fn stage() -> Stage {
    let stage = Stage::new();
    let mut world = stage.lock();
    world.add_role(ACCOUNT, "task");
    world.ecs.entry(place()).or_default().add_target_group(GROUP_OF_CLOUDS);
    drop(world);
    stage
}

/// The paths of the members that a request names.
fn named(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                paths.insert(path.clone());
                named(value, &path, paths);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, &format!("{path}[]"), paths)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The members of an operation that none of the requests names.
fn unnamed(operation: &str, requests: &[Value]) -> Vec<String> {
    let mut paths = BTreeSet::new();
    requests.iter().for_each(|request| named(request, "", &mut paths));
    model::input(operation).paths().into_keys().filter(|path| !paths.contains(path)).collect()
}

/// What is in `asked` and not, or not so, in `shown`. Lists must be in the same order; more members may be shown.
fn lost(asked: &Value, shown: &Value, path: &str) -> Vec<String> {
    match (asked, shown) {
        (Value::Object(asked), Value::Object(shown)) => asked
            .iter()
            .flat_map(|(name, value)| lost(value, shown.get(name).unwrap_or(&Value::Null), &format!("{path}.{name}")))
            .collect(),
        (Value::Array(asked), Value::Array(shown)) if asked.len() == shown.len() => {
            asked.iter().zip(shown).flat_map(|(asked, shown)| lost(asked, shown, &format!("{path}[]"))).collect()
        }
        (asked, shown) if asked == shown => Vec::new(),
        (asked, shown) => vec![format!("{path}: {asked} became {shown}")],
    }
}

fn members(of: &Value) -> Map<String, Value> {
    of.as_object().unwrap().clone()
}

/// A request, which AWS shows with ARNs for roles and numbers for sizes.
fn resolved(mut request: Value) -> Value {
    for (member, shown) in [
        ("taskRoleArn", "arn:aws:iam::111122223333:role/task"),
        ("executionRoleArn", "arn:aws:iam::111122223333:role/exec"),
    ] {
        request[member] = json!(shown);
    }
    for (member, value) in members(&request) {
        request[member] = match value.as_str() {
            Some("1 vCPU") => json!("1024"),
            Some("2 GB" | "2GB") => json!("2048"),
            Some(_) | None => value,
        };
    }
    request
}

#[tokio::test]
async fn every_member_of_a_task_definition_is_taken_and_shown() {
    let requests = [on_instances(), on_fargate()];
    assert_eq!(unnamed("RegisterTaskDefinition", &requests), Vec::<String>::new());
    let stage = stage();
    for request in requests {
        let family = request["family"].clone();
        stage.ask("RegisterTaskDefinition", &request).unwrap();
        let shown =
            stage.ask("DescribeTaskDefinition", &json!({"taskDefinition": family, "include": ["TAGS"]})).unwrap();
        let mut request = resolved(request);
        let tags = request.as_object_mut().unwrap().remove("tags").unwrap_or(json!([]));
        assert_eq!(lost(&request, &shown["taskDefinition"], ""), Vec::<String>::new());
        assert_eq!(shown["tags"], tags);
    }
}

#[tokio::test]
async fn every_member_of_a_service_is_taken_and_shown_where_aws_shows_it() {
    let stage = stage();
    stage.ask("RegisterTaskDefinition", &on_fargate()).unwrap();
    let request = everything("fargate:1");
    let elsewhere = [
        "launchType",
        "role",
        "placementConstraints",
        "placementStrategy",
        "loadBalancers[].advancedConfiguration",
        "loadBalancers[].loadBalancerName",
        "serviceRegistries[].",
        "deploymentConfiguration.lifecycleHooks",
        "deploymentConfiguration.linearConfiguration",
        "deploymentConfiguration.canaryConfiguration",
        "deploymentConfiguration.earlySuccessCriteria",
    ];
    let unnamed = unnamed("CreateService", std::slice::from_ref(&request));
    let unnamed: Vec<&String> =
        unnamed.iter().filter(|path| !elsewhere.iter().any(|other| path.starts_with(other))).collect();
    assert_eq!(unnamed, Vec::<&String>::new());
    stage.ask("CreateService", &request).unwrap();
    stage.wait(60);
    let shown = stage.ask("DescribeServices", &json!({"cluster": "prod", "services": ["web"], "include": ["TAGS"]}));
    let service = shown.unwrap()["services"][0].clone();
    let revision = service["currentServiceRevisions"][0]["arn"].clone();
    let shown = stage.ask("DescribeServiceRevisions", &json!({"serviceRevisionArns": [revision]})).unwrap();
    let shown = [&service, &service["deployments"][0], &shown["serviceRevisions"][0]].map(members);
    for (member, asked) in members(&request) {
        if ["cluster", "clientToken", "taskDefinition"].contains(&member.as_str()) {
            continue;
        }
        let kept = shown.iter().filter_map(|view| view.get(&member)).any(|view| lost(&asked, view, "").is_empty());
        assert!(kept, "{member} is nowhere");
    }
    let only_of_deployments = ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];
    assert!(only_of_deployments.iter().all(|member| service[member].is_null()));
    assert_eq!(service["launchType"], Value::Null);
    assert_eq!((&service["platformVersion"], &shown[2]["platformVersion"]), (&json!("LATEST"), &json!("1.4.0")));
}

#[tokio::test]
async fn what_the_model_does_not_have_is_refused() {
    let stage = stage();
    let with = |member: &str, value: Value| {
        let mut request = on_fargate();
        request[member] = value;
        stage.ask("RegisterTaskDefinition", &request).unwrap_err()
    };
    assert_eq!(with("networkmode", json!("awsvpc")), "SerializationException: Unknown member: networkmode");
    assert_eq!(with("cpu", json!(256)), "SerializationException: cpu should be a String, not an Integer");
    assert_eq!(
        with("networkMode", json!("foo")),
        "ClientException: networkMode 'foo' is not one of [awsvpc, bridge, host, none]"
    );
    stage.ask("RegisterTaskDefinition", &on_fargate()).unwrap();
    let mut request = everything("fargate");
    request["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = json!("MAYBE");
    assert_eq!(
        stage.ask("CreateService", &request).unwrap_err(),
        "InvalidParameterException: networkConfiguration.awsvpcConfiguration.assignPublicIp 'MAYBE' is not one of [DISABLED, ENABLED]"
    );
    let mut request = everything("fargate");
    request["deploymentConfiguration"]["deploymentCircuitBreaker"] = json!({"enable": true});
    assert_eq!(
        stage.ask("CreateService", &request).unwrap_err(),
        "InvalidParameterException: deploymentConfiguration.deploymentCircuitBreaker.rollback is required"
    );
}

#[tokio::test]
async fn parts_of_a_task_definition_that_do_not_fit_together_are_refused() {
    let stage = stage();
    let refused = |edit: &dyn Fn(&mut Value)| {
        let mut request = on_fargate();
        edit(&mut request);
        let refused = stage.ask("RegisterTaskDefinition", &request);
        refused.expect_err("refused").strip_prefix("ClientException: ").unwrap().to_owned()
    };
    let of_app = |member: &'static str, value: Value| {
        refused(&|request| request["containerDefinitions"][0][member] = value.clone())
    };
    assert_eq!(
        of_app("dependsOn", json!([{"containerName": "app", "condition": "START"}])),
        "Container 'app' can not depend on itself."
    );
    assert_eq!(
        of_app("dependsOn", json!([{"containerName": "nobody", "condition": "START"}])),
        "Container dependency 'nobody' does not exist in the task definition."
    );
    assert_eq!(
        of_app("dependsOn", json!([{"containerName": "envoy", "condition": "SUCCESS"}])),
        "The condition SUCCESS can't be set on the essential container 'envoy'."
    );
    let circle = json!([{"containerName": "app", "condition": "START"}]);
    assert_eq!(
        refused(&|request| request["containerDefinitions"][1]["dependsOn"] = circle.clone()),
        "Container dependencies can not be circular."
    );
    assert_eq!(of_app("name", json!("envoy")), "Container names should be unique.");
    assert_eq!(
        of_app("mountPoints", json!([{"sourceVolume": "nowhere", "containerPath": "/x"}])),
        "Unknown volume 'nowhere'."
    );
    assert_eq!(
        of_app("volumesFrom", json!([{"sourceContainer": "nobody"}])),
        "Unknown container 'nobody' in volumesFrom."
    );
    let both = |request: &mut Value| {
        request["containerDefinitions"][0]["environment"] = json!([{"name": "KEY", "value": "x"}]);
        request["containerDefinitions"][0]["secrets"] = json!([{"name": "KEY", "valueFrom": "key"}]);
    };
    assert!(refused(&both).starts_with("The secret name must be unique"));
    assert!(of_app("memory", json!(5)).ends_with("must be at least 6 MiB."));
    let restarts = |period: i64| json!({"enabled": true, "restartAttemptPeriod": period});
    assert!(of_app("restartPolicy", restarts(59)).ends_with("between 60 and 1800 seconds."));
    assert!(of_app("memory", json!(4096)).starts_with("The total memory of the containers, 4096"));
    assert!(of_app("cpu", json!(2048)).starts_with("The total cpu of the containers, 2048"));
    assert!(of_app("logConfiguration", json!({"logDriver": "awslogs"})).ends_with("requires options: awslogs-group"));
    assert_eq!(of_app("privileged", json!(true)), "Fargate compatible task definitions do not support privileged");
    assert_eq!(of_app("stopTimeout", json!(121)), "Fargate supports a stopTimeout of at most 120 seconds.");
    assert!(
        refused(&|request| request["ephemeralStorage"]["sizeInGiB"] = json!(5)).ends_with("between 21 and 200 GiB.")
    );
    let eleven: Vec<Value> = (0..11).map(|number| json!({"name": format!("c{number}"), "image": "app"})).collect();
    assert!(refused(&|request| request["containerDefinitions"] = json!(eleven)).starts_with("Too many containers"));
    assert!(stage.lock().ecs[&place()].revisions("fargate").is_empty());
}

#[tokio::test]
async fn an_empty_list_removes_and_an_absent_one_keeps() {
    let stage = stage();
    stage.ask("RegisterTaskDefinition", &on_fargate()).unwrap();
    stage.ask("CreateService", &everything("fargate")).unwrap();
    stage.wait(300);
    let update = |member: &str, value: Value| {
        stage.ask("UpdateService", &json!({"cluster": "prod", "service": "web", member: value})).unwrap()["service"]
            .clone()
    };
    let began = |service: &Value| service["deployments"].as_array().unwrap().len() > 1;
    let before = stage.described("web");
    for (member, value) in [
        ("desiredCount", json!(3)),
        ("enableExecuteCommand", json!(false)),
        ("propagateTags", json!("NONE")),
        ("healthCheckGracePeriodSeconds", json!(5)),
        ("deploymentConfiguration", json!({"maximumPercent": 200})),
        ("loadBalancers", before["loadBalancers"].clone()),
    ] {
        let after = update(member, value);
        assert!(!began(&after), "{member} starts a deployment");
        assert_eq!(after["loadBalancers"], before["loadBalancers"]);
    }
    stage.wait(300);
    for member in ["loadBalancers", "serviceRegistries"] {
        let after = update(member, json!([]));
        assert_eq!((after[member].clone(), began(&after)), (json!([]), true), "{member}");
        stage.wait(600);
        assert_eq!(stage.described("web")["deployments"].as_array().unwrap().len(), 1);
    }
    let kept = stage.described("web");
    assert_eq!(kept["capacityProviderStrategy"], before["capacityProviderStrategy"]);
    assert_eq!(kept["deploymentConfiguration"]["alarms"], before["deploymentConfiguration"]["alarms"]);
}

#[tokio::test]
async fn what_a_service_on_fargate_can_not_have_is_refused() {
    let stage = stage();
    stage.ask("RegisterTaskDefinition", &on_fargate()).unwrap();
    let refused = |member: &str, value: Value| {
        let mut request = everything("fargate");
        request[member] = value;
        stage.ask("CreateService", &request).expect_err(member)
    };
    assert!(refused("launchType", json!("FARGATE")).contains("both a launch type and capacity provider strategy"));
    assert!(refused("role", json!("ecsServiceRole")).contains("require a service linked role"));
    assert!(
        refused("placementStrategy", json!([{"type": "random"}])).contains("Placement strategies are not supported")
    );
    assert!(refused("placementConstraints", json!([{"type": "distinctInstance"}])).contains("Placement constraints"));
    assert!(refused("volumeConfigurations", json!([{"name": "other"}])).contains("no volume other"));
    assert!(refused("desiredCount", json!(5001)).contains("more than 5000"));
    assert!(refused("schedulingStrategy", json!("DAEMON")).starts_with("UnsupportedFeatureException"));
    let twice = json!([{"capacityProvider": "FARGATE", "base": 1, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "base": 1}]);
    assert!(refused("capacityProviderStrategy", twice).contains("Only one capacity provider"));
    assert_eq!(stage.described("web"), Value::Null);
}

#[tokio::test]
async fn a_role_of_ones_own_and_placement_are_shown_on_instances() {
    let stage = stage();
    stage.ask("RegisterTaskDefinition", &on_instances()).unwrap();
    let request = json!({
        "cluster": "prod", "serviceName": "web", "taskDefinition": "instances", "desiredCount": 1, "role": "ecsServiceRole",
        "placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}],
        "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
        "loadBalancers": [{"targetGroupArn": GROUP_OF_CLOUDS, "containerName": "proxy", "containerPort": 80}],
    });
    let service = stage.ask("CreateService", &request).unwrap()["service"].clone();
    assert_eq!(service["roleArn"], "arn:aws:iam::111122223333:role/ecsServiceRole");
    assert_eq!((&service["launchType"], &service["platformVersion"]), (&json!("EC2"), &Value::Null));
    for member in ["placementConstraints", "placementStrategy", "loadBalancers"] {
        assert_eq!(service[member], request[member]);
    }
}

/// Files that people keep are often halves: sizes and images are filled in later. Their shapes are taken all the same, if one asks for that.
#[tokio::test]
async fn a_world_can_be_told_to_hold_requests_to_their_model_only() {
    let stage = stage();
    let half = json!({"family": "half", "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [{"name": "app", "image": "app"}]});
    assert!(stage.ask("RegisterTaskDefinition", &half).unwrap_err().starts_with("ClientException"));
    stage.lock().ecs.get_mut(&place()).unwrap().rules = Rules::Model;
    let kept = stage.ask("RegisterTaskDefinition", &half).unwrap()["taskDefinition"].clone();
    assert_eq!(lost(&half, &kept, ""), Vec::<String>::new());
    let mut service = json!({"cluster": "prod", "serviceName": "web", "taskDefinition": "half", "desiredCount": 1});
    service["platformVersion"] = json!("9.9.9");
    assert_eq!(stage.ask("CreateService", &service).unwrap()["service"]["platformVersion"], "9.9.9");
    let wrong = json!({"family": "half", "containerDefinitions": [{"name": "app", "picture": "app"}]});
    assert!(stage.ask("RegisterTaskDefinition", &wrong).unwrap_err().starts_with("SerializationException"));
}
