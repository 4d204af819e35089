//! A world that lacks what a request names: what AWS refuses at once, what only the tasks find out.

use aws_sdk_ecs::types::{DesiredStatus, ServiceDeploymentStatus as Status};
use launchway_test_aws::ecs::Lack;
use serde_json::{Value, json};

use crate::stage::{ACCOUNT, Stage, place};

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:web/key-AbCdEf";
const IMAGE: &str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/web:1";

fn lack(stage: &Stage, lack: Lack) {
    stage.lock().ecs.get_mut(&place()).unwrap().lack(lack);
}

fn subnet() -> Lack {
    Lack::Subnet("subnet-b".to_owned())
}

/// A definition on Fargate of one container with these members more.
fn definition(more: &Value) -> Value {
    let mut container = json!({"name": "app", "image": "app"});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "1024", "memory": "2048",
        "executionRoleArn": "exec", "containerDefinitions": [container],
    })
}

fn service() -> Value {
    json!({
        "cluster": "prod", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-a"]}},
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}},
    })
}

/// A stage on which service `web` of one such container was created.
fn begun(stage: &Stage, container: &Value) {
    stage.ask("RegisterTaskDefinition", &definition(container)).unwrap();
    stage.ask("CreateService", &service()).unwrap();
}

/// Why the first task that stopped did so.
async fn stopped(stage: &Stage) -> String {
    stage.wait(60);
    let task = stage.tasks(DesiredStatus::Stopped).await.remove(0);
    assert_eq!(task.stop_code().unwrap().as_str(), "TaskFailedToStart");
    task.stopped_reason().unwrap().to_owned()
}

fn events(stage: &Stage) -> Vec<String> {
    let events = stage.described("web")["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

/// The role `exec` may do these.
fn exec_may(stage: &Stage, actions: &[&str]) {
    let document = json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    stage.lock().set_policy(&format!("arn:aws:iam::{ACCOUNT}:role/exec"), &document).unwrap();
}

#[tokio::test]
async fn a_subnet_or_group_that_is_not_there_is_refused_by_every_call_that_names_it() {
    let stage = Stage::new();
    stage.ask("RegisterTaskDefinition", &definition(&json!({}))).unwrap();
    lack(&stage, subnet());
    let refused = stage.ask("CreateService", &service()).unwrap_err();
    assert_eq!(
        refused,
        "InvalidParameterException: Error retrieving subnet information for [subnet-a, subnet-b]: The subnet ID 'subnet-b' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
    );
    let run = json!({"cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": service()["networkConfiguration"]});
    assert_eq!(stage.ask("RunTask", &run).unwrap_err(), refused);
    stage.lock().ecs.get_mut(&place()).unwrap().supply(&subnet());
    stage.ask("CreateService", &service()).unwrap();
    lack(&stage, Lack::SecurityGroup("sg-*".to_owned()));
    let update = |member: &str| {
        stage.ask("UpdateService", &json!({"cluster": "prod", "service": "web", member: service()[member]}))
    };
    assert!(update("networkConfiguration").unwrap_err().ends_with(
        "Error retrieving security group information for [sg-a]: The security group 'sg-a' does not exist (ErrorCode: InvalidGroup.NotFound)"
    ));
    update("desiredCount").unwrap();
}

#[tokio::test]
async fn a_subnet_that_goes_away_later_stops_further_tasks_only() {
    let stage = Stage::new();
    begun(&stage, &json!({}));
    stage.wait(120);
    lack(&stage, subnet());
    stage.ask("UpdateService", &json!({"cluster": "prod", "service": "web", "desiredCount": 2})).unwrap();
    stage.wait(600);
    let said = |what: &str| events(&stage).iter().filter(|event| event.contains(what)).count();
    assert_eq!(said("failed to launch a task with (error Error retrieving subnet information"), 1, "said once");
    assert_eq!(stage.described("web")["runningCount"], 1);
    stage.lock().ecs.get_mut(&place()).unwrap().supply(&subnet());
    stage.wait(120);
    assert_eq!(stage.described("web")["runningCount"], 2);
}

#[tokio::test]
async fn secrets_and_parameters_that_are_missing_stop_the_task() {
    for (lacking, from, said) in [
        (
            Lack::Secret("web/*".to_owned()),
            format!("{SECRET}:password::"),
            "Secrets Manager can't find the specified secret.",
        ),
        (Lack::Parameter("/web/key".to_owned()), "/web/key".to_owned(), "invalid ssm parameters: /web/key"),
    ] {
        let stage = Stage::new();
        lack(&stage, lacking);
        begun(&stage, &json!({"secrets": [{"name": "KEY", "valueFrom": from}]}));
        let reason = stopped(&stage).await;
        assert!(
            reason.starts_with("ResourceInitializationError: unable to pull secrets or registry auth: "),
            "{reason}"
        );
        assert!(reason.ends_with(said), "{reason}");
        stage.wait(600);
        assert_eq!(stage.rollouts().await[0].status(), Some(&Status::RollbackFailed));
    }
}

#[tokio::test]
async fn a_missing_log_group_stops_the_task_unless_it_is_to_be_made() {
    let logs = |more: &str| {
        json!({"logConfiguration": {"logDriver": "awslogs", "options": {
        "awslogs-group": "/web", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "web", "awslogs-create-group": more}}})
    };
    let stage = Stage::new();
    lack(&stage, Lack::LogGroup("/web".to_owned()));
    begun(&stage, &logs("false"));
    assert_eq!(
        stopped(&stage).await,
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
    );
    let stage = Stage::new();
    lack(&stage, Lack::LogGroup("/web".to_owned()));
    begun(&stage, &logs("true"));
    stage.wait(120);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
    let stage = Stage::new();
    exec_may(&stage, &["logs:CreateLogStream"]);
    begun(&stage, &logs("true"));
    assert!(stopped(&stage).await.contains("failed to create Cloudwatch log group: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/exec/"));
}

#[tokio::test]
async fn rights_that_the_execution_role_lacks_stop_the_task() {
    let logs = json!({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/web", "awslogs-region": "eu-central-1"}}});
    for (container, may, said) in [
        (
            json!({"secrets": [{"name": "KEY", "valueFrom": SECRET}]}),
            &["ssm:*"][..],
            "not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager",
        ),
        (
            json!({"secrets": [{"name": "KEY", "valueFrom": "key"}]}),
            &["secretsmanager:*"],
            "not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-central-1:111122223333:parameter/key",
        ),
        (
            json!({"image": IMAGE}),
            &["logs:*"],
            "unable to retrieve ecr registry auth: service call has been retried 3 time(s): AccessDeniedException",
        ),
        (
            json!({"image": IMAGE}),
            &["ecr:GetAuthorizationToken"],
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref",
        ),
        (logs, &["ecr:*"], "failed to create Cloudwatch log stream: AccessDeniedException"),
    ] {
        let stage = Stage::new();
        exec_may(&stage, may);
        begun(&stage, &container);
        let reason = stopped(&stage).await;
        assert!(reason.contains(said), "{reason}");
    }
}

#[tokio::test]
async fn without_a_way_out_only_a_public_address_helps() {
    for (address, status) in [("DISABLED", Status::RollbackFailed), ("ENABLED", Status::Successful)] {
        let stage = Stage::new();
        lack(&stage, Lack::WayOut("subnet-a".to_owned()));
        stage.ask("RegisterTaskDefinition", &definition(&json!({}))).unwrap();
        let mut request = service();
        request["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = json!(address);
        stage.ask("CreateService", &request).unwrap();
        stage.wait(300);
        assert_eq!(stage.rollouts().await[0].status(), Some(&status));
    }
}

#[tokio::test]
async fn a_role_that_is_gone_or_does_not_trust_ecs_lets_no_task_start() {
    let stage = Stage::new();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/exec");
    stage.ask("RegisterTaskDefinition", &definition(&json!({}))).unwrap();
    stage.lock().iam.roles.get_mut(&role).unwrap().trusts.push("lambda.amazonaws.com".to_owned());
    stage.ask("CreateService", &service()).unwrap();
    stage.wait(300);
    assert!(events(&stage)[0].contains(&format!("ECS was unable to assume the role '{role}'")));
    assert!(stage.tasks(DesiredStatus::Stopped).await.is_empty());
    stage.lock().iam.roles.get_mut(&role).unwrap().trusts.push("ecs-tasks.amazonaws.com".to_owned());
    stage.wait(120);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
}

#[tokio::test]
async fn without_capacity_there_is_an_event_and_no_task() {
    let stage = Stage::new();
    let capacity = Lack::Capacity("FARGATE".to_owned());
    lack(&stage, capacity.clone());
    begun(&stage, &json!({}));
    stage.wait(3600);
    let said = events(&stage);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("was unable to place a task. Reason: Capacity is unavailable at this time."), "{said:?}");
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::InProgress), "no task has failed");
    let run = json!({"cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": service()["networkConfiguration"]});
    let answer = stage.ask("RunTask", &run).unwrap();
    assert_eq!(answer["tasks"], json!([]));
    assert!(answer["failures"][0]["reason"].as_str().unwrap().starts_with("Capacity is unavailable"));
    stage.lock().ecs.get_mut(&place()).unwrap().supply(&capacity);
    stage.wait(180);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
}

#[tokio::test]
async fn the_quota_of_vcpus_counts_every_task_that_is_not_stopped() {
    let stage = Stage::new();
    lack(&stage, Lack::FargateVcpus { beyond: 3 });
    begun(&stage, &json!({}));
    let run = json!({"cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE", "count": 2, "networkConfiguration": service()["networkConfiguration"]});
    stage.wait(120);
    let answer = stage.ask("RunTask", &run).unwrap();
    assert_eq!((answer["tasks"].as_array().unwrap().len(), answer["failures"].as_array().unwrap().len()), (2, 0));
    stage.ask("UpdateService", &json!({"cluster": "prod", "service": "web", "desiredCount": 3})).unwrap();
    stage.wait(600);
    assert_eq!(stage.described("web")["runningCount"], 1);
    assert!(events(&stage)[0].contains("limit on the number of vCPUs"));
}

#[tokio::test]
async fn a_capacity_provider_that_the_cluster_does_not_have_is_refused() {
    let stage = Stage::new();
    stage.ask("RegisterTaskDefinition", &definition(&json!({}))).unwrap();
    lack(&stage, Lack::CapacityProvider("FARGATE_SPOT".to_owned()));
    let mut request = service();
    request.as_object_mut().unwrap().remove("launchType");
    request["capacityProviderStrategy"] = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    let refused = stage.ask("CreateService", &request).unwrap_err();
    assert!(refused.starts_with("InvalidParameterException: The specified capacity provider strategy cannot contain"));
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_refused() {
    let stage = Stage::new();
    stage.ask("RegisterTaskDefinition", &definition(&json!({}))).unwrap();
    lack(&stage, Lack::Namespace("internal".to_owned()));
    let mut request = service();
    request["serviceConnectConfiguration"] = json!({"enabled": true, "namespace": "internal"});
    assert!(stage.ask("CreateService", &request).unwrap_err().starts_with("NamespaceNotFoundException: "));
    request["serviceConnectConfiguration"]["namespace"] = json!("other");
    stage.ask("CreateService", &request).unwrap();
}
