//! Services of other shapes than the sample's own, each made from that one by small changes, and the edits of stories.
//! All that these files know of where a member stands in a Service's spec is here and in `service`.

use serde_json::{Value, json};

use super::{ACCOUNT, CLUSTER, INSTALLATION, NAMESPACE, REGION, SERVICES, World, service};

/// The image of the container beside the greeter: no build of ours makes it.
pub const SIDECAR: &str = "public.ecr.aws/shop/proxy:1.4";
/// The parameter that the greeter's secret is read from.
pub const PARAMETER: &str = "/shop/api-key";

/// A target group of the sample's load balancer.
pub fn target_group(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/0123456789abcdef")
}

/// The target groups that are there.
pub const TARGET_GROUPS: [&str; 2] = ["public", "internal"];

fn parameter() -> String {
    format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{PARAMETER}")
}

/// The Service of a stage with two load balancers, secrets, and a second container that has an image of its own.
pub fn rich(stage: usize) -> Value {
    let mut rich = service(stage);
    let spec = &mut rich["spec"];
    spec["taskDefinition"]["containerDefinitions"][0]["secrets"] =
        json!([{"name": "API_KEY", "valueFrom": parameter()}]);
    let sidecar = json!({
        "name": "proxy", "image": SIDECAR, "essential": false, "portMappings": [{"containerPort": 8080}],
        "secrets": [{"name": "TOKEN", "valueFrom": parameter()}],
    });
    spec["taskDefinition"]["containerDefinitions"].as_array_mut().expect("a list").push(sidecar);
    spec["service"]["loadBalancers"] = json!([
        {"targetGroupArn": target_group("public"), "containerName": "greeter", "containerPort": 5000},
        {"targetGroupArn": target_group("internal"), "containerName": "proxy", "containerPort": 8080},
    ]);
    rich
}

/// The Service of a stage that says nothing of what ECS can do beside running its task definition.
pub fn bare(stage: usize) -> Value {
    let mut bare = service(stage);
    bare["spec"].as_object_mut().expect("a spec").remove("service");
    bare
}

/// A Service with a literal image: nothing grants it anything.
pub fn literal(name: &str, image: &str) -> Value {
    let mut literal = rich(0);
    literal["metadata"]["name"] = json!(name);
    let container = literal["spec"]["taskDefinition"]["containerDefinitions"][0].as_object_mut().expect("a container");
    container.remove("imageFrom");
    container.insert("image".to_owned(), json!(image));
    literal
}

/// Sets how much memory the tasks of a Service get, in MiB.
pub fn set_memory(spec: &mut Value, memory: i64) {
    spec["taskDefinition"]["memory"] = json!(memory.to_string());
}

/// Sets how many tasks a Service runs.
pub fn set_count(spec: &mut Value, count: i64) {
    spec["service"]["desiredCount"] = json!(count);
}

/// The tag that hands an ECS service over to a Service of the sample.
pub fn owner_tag(name: &str) -> Value {
    json!({"key": "launchway.dev/owner", "value": format!("{INSTALLATION}/{NAMESPACE}/{name}")})
}

/// What a person asked ECS for, for the service of the second stage, before anybody thought of Launchway: much that no
/// manifest of the sample says.
pub fn made_by_hand(definition: &str) -> Value {
    json!({
        "cluster": CLUSTER, "serviceName": SERVICES[1], "taskDefinition": definition, "desiredCount": 3,
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}],
        "platformVersion": "1.4.0",
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-1a"], "securityGroups": ["sg-1a"], "assignPublicIp": "DISABLED",
        }},
        "loadBalancers": TARGET_GROUPS.map(|name| json!({
            "targetGroupArn": target_group(name), "containerName": "greeter", "containerPort": 5000,
        })),
        "healthCheckGracePeriodSeconds": 45,
        "serviceRegistries": [{
            "registryArn": format!("arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-0123456789abcdef"),
        }],
        "serviceConnectConfiguration": {"enabled": true, "namespace": "shop"},
        "enableExecuteCommand": true,
        "propagateTags": "SERVICE",
        "deploymentConfiguration": {
            "maximumPercent": 150, "minimumHealthyPercent": 50,
            "deploymentCircuitBreaker": {"enable": false, "rollback": false},
        },
    })
}

/// The task definition of the service that was made by hand.
pub fn registered_by_hand() -> Value {
    json!({
        "family": "greeter", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{"name": "greeter", "image": SIDECAR, "portMappings": [{"containerPort": 5000}]}],
    })
}

/// Adds what these Services name to the account.
pub(super) fn add_named(world: &World) {
    let mut aws = world.aws();
    let place = super::place();
    for name in TARGET_GROUPS {
        aws.ecs.entry(place.clone()).or_default().add_target_group(&target_group(name));
    }
    aws.ssm.entry(place).or_default().put_secure(PARAMETER, "not a real key");
}
