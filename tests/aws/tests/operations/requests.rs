//! One request or more for each operation, with values that mean something in the scene.

use serde_json::{Value, json};

use crate::members::{GROUP_OF_CLOUDS, everything, on_fargate, on_instances};
use crate::scene::Scene;
use crate::stage::{ACCOUNT, REGION};

/// Requests for an operation; none for one that the simulator does not know.
pub fn requests(scene: &Scene, service: &str, operation: &str) -> Vec<Value> {
    match service {
        "ecs" => of_ecs(scene, operation),
        "codebuild" => of_codebuild(scene, operation),
        "ecr" => of_ecr(scene, operation),
        "logs" => of_logs(scene),
        "ssm" => vec![json!({"Names": ["/web/key", "/web/none"], "WithDecryption": true})],
        _ => of_sts(operation),
    }
}

/// The token of the second page.
fn token(scene: &Scene, service: &str, operation: &str, request: &Value) -> Value {
    let mut request = request.clone();
    request["maxResults"] = json!(1);
    scene.clone().ask(service, operation, &request).unwrap()["nextToken"].clone()
}

/// A request, and the same for its second page.
fn paged(scene: &Scene, service: &str, operation: &str, request: Value) -> Vec<Value> {
    let mut second = request.clone();
    second["nextToken"] = token(scene, service, operation, &request);
    second["maxResults"] = json!(1);
    vec![request, second]
}

fn one(scene: &Scene, operation: &str, request: &Value, member: &str) -> Value {
    scene.clone().take(operation, request)[member][0].clone()
}

fn of_ecs(scene: &Scene, operation: &str) -> Vec<Value> {
    let plain = json!({"cluster": "prod", "service": "plain"});
    let rollout = one(scene, "ListServiceDeployments", &plain, "serviceDeployments");
    let service = one(scene, "DescribeServices", &json!({"cluster": "prod", "services": ["plain"]}), "services");
    let task = one(scene, "ListTasks", &json!({"cluster": "prod"}), "taskArns");
    let hand = one(scene, "ListTasks", &json!({"cluster": "prod", "startedBy": "me"}), "taskArns");
    let list = |request| paged(scene, "ecs", operation, request);
    match operation {
        "RegisterTaskDefinition" => vec![on_instances(), on_fargate()],
        "CreateService" => vec![everything("fargate"), created_on_instances()],
        "UpdateService" => vec![updated()],
        "RunTask" => vec![run(), run_on_a_strategy()],
        "StopTask" => vec![json!({"cluster": "prod", "task": task, "reason": "by hand"})],
        "DeleteService" => vec![json!({"cluster": "prod", "service": "plain", "force": true})],
        "DeregisterTaskDefinition" => vec![json!({"taskDefinition": "plain:1"})],
        "DescribeTaskDefinition" => vec![json!({"taskDefinition": "plain:1", "include": ["TAGS"]})],
        "DescribeClusters" => vec![json!({"clusters": ["prod"]})],
        "DescribeServices" => vec![json!({"cluster": "prod", "services": ["plain"], "include": ["TAGS"]})],
        "DescribeTasks" => vec![json!({"cluster": "prod", "tasks": [hand], "include": ["TAGS"]})],
        "DescribeServiceDeployments" => vec![json!({"serviceDeploymentArns": [rollout["serviceDeploymentArn"]]})],
        "DescribeServiceRevisions" => vec![json!({"serviceRevisionArns": [rollout["targetServiceRevisionArn"]]})],
        "ListServiceDeployments" => {
            let filtered =
                |bound: &str, at: f64| json!({"cluster": "prod", "service": "plain", "createdAt": {bound: at}});
            let of = json!({"cluster": "prod", "service": "plain", "status": ["PENDING"]});
            [list(plain), vec![filtered("after", 4e9), filtered("before", 1.0), of]].concat()
        }
        "ListServices" => list(json!({"cluster": "prod"})),
        "ListTasks" => {
            let by = json!({"cluster": "prod", "startedBy": "me"});
            let of = json!({"cluster": "prod", "serviceName": "plain"});
            [list(json!({"cluster": "prod"})), vec![by, of]].concat()
        }
        "ListTaskDefinitions" => list(json!({"sort": "DESC"})),
        "ListTagsForResource" => vec![json!({"resourceArn": service["serviceArn"]})],
        "TagResource" => vec![json!({"resourceArn": service["serviceArn"], "tags": [{"key": "new", "value": "tag"}]})],
        "UntagResource" => vec![json!({"resourceArn": service["serviceArn"], "tagKeys": ["team"]})],
        "StopServiceDeployment" => {
            let other = json!({"cluster": "prod", "service": "other"});
            let rollout = one(scene, "ListServiceDeployments", &other, "serviceDeployments");
            vec![json!({"serviceDeploymentArn": rollout["serviceDeploymentArn"], "stopType": "ROLLBACK"})]
        }
        _ => Vec::new(),
    }
}

fn created_on_instances() -> Value {
    json!({
        "cluster": "prod", "serviceName": "web", "taskDefinition": "instances", "desiredCount": 1, "launchType": "EC2", "role": "ecsServiceRole",
        "placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}],
        "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
        "loadBalancers": [{"targetGroupArn": GROUP_OF_CLOUDS, "containerName": "proxy", "containerPort": 80}],
    })
}

fn updated() -> Value {
    let mut request = everything("fargate");
    let members = request.as_object_mut().unwrap();
    for create_only in ["serviceName", "clientToken", "schedulingStrategy", "tags"] {
        members.remove(create_only);
    }
    request["service"] = json!("plain");
    request["forceNewDeployment"] = json!(true);
    request
}

fn run() -> Value {
    json!({
        "cluster": "prod", "taskDefinition": "plain", "launchType": "FARGATE", "count": 2, "startedBy": "somebody",
        "group": "batch", "clientToken": "token-1", "referenceId": "reference", "enableExecuteCommand": true,
        "enableECSManagedTags": true, "propagateTags": "TASK_DEFINITION", "platformVersion": "1.3.0",
        "tags": [{"key": "a", "value": "b"}],
        "networkConfiguration": everything("plain")["networkConfiguration"],
        "overrides": {
            "cpu": "512", "memory": "1024", "executionRoleArn": "exec", "taskRoleArn": "task", "ephemeralStorage": {"sizeInGiB": 30},
            "containerOverrides": [{"name": "app", "command": ["migrate"], "environment": [{"name": "A", "value": "b"}]}],
        },
    })
}

fn run_on_a_strategy() -> Value {
    json!({
        "cluster": "prod", "taskDefinition": "plain", "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}],
        "networkConfiguration": everything("plain")["networkConfiguration"],
    })
}

fn of_codebuild(scene: &Scene, operation: &str) -> Vec<Value> {
    let build = scene.clone().ask("codebuild", "ListBuildsForProject", &json!({"projectName": "web"})).unwrap();
    let build = build["ids"][0].clone();
    match operation {
        "StartBuild" => vec![json!({
            "projectName": "web", "sourceVersion": "0123456789abcdef0123456789abcdef01234567", "idempotencyToken": "token-1",
            "environmentVariablesOverride": [{"name": "A", "value": "b", "type": "PLAINTEXT"}],
            "buildspecOverride": "version: 0.2", "timeoutInMinutesOverride": 10, "queuedTimeoutInMinutesOverride": 10,
            "imageOverride": "aws/codebuild/standard:6.0", "hostKernelOverride": "LINUX_KERNEL_6", "debugSessionEnabled": true,
            "artifactsOverride": {
                "type": "S3", "location": "bucket", "path": "out", "name": "web", "namespaceType": "BUILD_ID", "encryptionDisabled": true,
            },
            "secondaryArtifactsOverride": [{
                "type": "S3", "location": "bucket", "path": "out", "name": "web", "namespaceType": "BUILD_ID", "artifactIdentifier": "second",
            }],
            "secondarySourcesOverride": [{"type": "GITHUB", "location": "https://github.com/team/lib.git", "sourceIdentifier": "lib"}],
            "secondarySourcesVersionOverride": [{"sourceVersion": "main", "sourceIdentifier": "lib"}], "computeTypeOverride": "BUILD_GENERAL1_LARGE",
        })],
        "StopBuild" => vec![json!({"id": build})],
        "BatchGetBuilds" => vec![json!({"ids": [build]})],
        "BatchGetProjects" => vec![json!({"names": ["web"]})],
        "BatchGetReports" => {
            vec![json!({"reportArns": [format!("arn:aws:codebuild:{REGION}:{ACCOUNT}:report/web-tests:none")]})]
        }
        "ListBuildsForProject" => vec![json!({"projectName": "web"})],
        _ => Vec::new(),
    }
}

fn of_ecr(scene: &Scene, operation: &str) -> Vec<Value> {
    match operation {
        "BatchGetImage" => vec![json!({"repositoryName": "web", "imageIds": [{"imageTag": "v1"}]})],
        "DescribeImageScanFindings" => {
            paged(scene, "ecr", operation, json!({"repositoryName": "web", "imageId": {"imageTag": "v1"}}))
        }
        "DescribeImages" => {
            let named = json!({"repositoryName": "web", "imageIds": [{"imageTag": "v1"}]});
            let filtered = |filter: Value| json!({"repositoryName": "web", "filter": filter});
            let filtered = [filtered(json!({"tagStatus": "UNTAGGED"})), filtered(json!({"imageStatus": "ARCHIVED"}))];
            [paged(scene, "ecr", operation, json!({"repositoryName": "web"})), vec![named], filtered.to_vec()].concat()
        }
        _ => [paged(scene, "ecr", operation, json!({})), vec![json!({"repositoryNames": ["web"]})]].concat(),
    }
}

fn of_logs(scene: &Scene) -> Vec<Value> {
    let first = json!({"logGroupName": "group", "logStreamName": "stream", "limit": 2, "startFromHead": true});
    let mut second = first.clone();
    second["nextToken"] = scene.clone().ask("logs", "GetLogEvents", &first).unwrap()["nextForwardToken"].clone();
    let late =
        json!({"logGroupIdentifier": "group", "logStreamName": "stream", "startTime": scene.now.as_millisecond()});
    vec![first, second, late]
}

fn of_sts(operation: &str) -> Vec<Value> {
    match operation {
        "AssumeRole" => vec![json!({
            "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/assumed"), "RoleSessionName": "session", "DurationSeconds": 900, "ExternalId": "external",
        })],
        _ => vec![json!({})],
    }
}
