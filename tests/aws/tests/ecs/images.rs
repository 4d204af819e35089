//! Images: digests that are pinned, health that is checked.

use std::time::Duration;

use aws_sdk_ecs::types::{HealthCheck, LoadBalancer, ServiceDeploymentStatus as Status};
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecr::Mutability;
use serde_json::json;

use crate::stage::{Fargate, Stage, TARGET_GROUP, breaker, container, network, place};

const IMAGE: &str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/web:latest";

fn push(stage: &Stage, content: &str, story: TaskStory) -> String {
    let now = stage.now();
    let mut world = stage.lock();
    let ecr = world.ecr.entry(place()).or_default();
    if !ecr.repositories.contains_key("web") {
        ecr.add_repository("web", Mutability::Mutable);
    }
    ecr.push("web", "latest", content, story, now).ok().unwrap()
}

async fn registered(stage: &Stage) -> String {
    let request =
        stage.ecs().register_task_definition().family("web").container_definitions(container(IMAGE)).fargate();
    let reply = request.execution_role_arn("arn:aws:iam::111122223333:role/exec").send().await.unwrap();
    reply.task_definition().unwrap().task_definition_arn().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_task_fixes_the_digest_and_a_moved_tag_changes_nothing_until_forced() {
    let stage = Stage::new();
    let first = push(&stage, "one", TaskStory::default());
    let definition = registered(&stage).await;
    stage.create(&definition).await;
    stage.wait(120);
    let second = push(&stage, "two", TaskStory::default());
    stage.ecs().update_service().cluster("prod").service("web").desired_count(3).send().await.unwrap();
    stage.wait(120);
    let running = || stage.lock().ecs[&place()].service("prod", "web").unwrap().running_images(stage.now());
    assert_eq!(running(), [first.clone(), first.clone(), first.clone()]);
    stage.ecs().update_service().cluster("prod").service("web").force_new_deployment(true).send().await.unwrap();
    stage.wait(180);
    assert_eq!(running(), [second.clone(), second.clone(), second.clone()]);
    let rollout = &stage.rollouts().await[0];
    let arn = rollout.target_service_revision().unwrap().arn().unwrap();
    let reply = stage.ecs().describe_service_revisions().service_revision_arns(arn).send().await.unwrap();
    assert_eq!(reply.service_revisions()[0].container_images()[0].image_digest(), Some(second.as_str()));
}

#[tokio::test]
async fn a_container_whose_versions_need_not_be_consistent_follows_its_tag() {
    let stage = Stage::new();
    let first = push(&stage, "one", TaskStory::default());
    let request = json!({
        "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "executionRoleArn": "exec",
        "containerDefinitions": [{"name": "app", "image": IMAGE, "versionConsistency": "disabled"}],
    });
    stage.ask("RegisterTaskDefinition", &request).unwrap();
    stage.create("web").await;
    stage.wait(120);
    let second = push(&stage, "two", TaskStory::default());
    stage.ecs().update_service().cluster("prod").service("web").desired_count(3).send().await.unwrap();
    stage.wait(120);
    let running = stage.lock().ecs[&place()].service("prod", "web").unwrap().running_images(stage.now());
    assert_eq!(running, [first.clone(), first, second]);
}

#[tokio::test]
async fn the_story_of_an_image_follows_its_digest() {
    let stage = Stage::new();
    push(&stage, "one", TaskStory::default());
    let definition = registered(&stage).await;
    stage.create(&definition).await;
    stage.wait(120);
    let crash = TaskStory::Crashes {
        after: Duration::from_secs(1),
        exit_code: 137,
        reason: "OutOfMemoryError".to_owned(),
        output: vec![],
    };
    push(&stage, "two", crash);
    stage.ecs().update_service().cluster("prod").service("web").force_new_deployment(true).send().await.unwrap();
    stage.wait(300);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::RollbackSuccessful));
    assert_eq!(stage.service().await.running_count(), 2);
}

#[tokio::test]
async fn an_image_that_never_gets_healthy_fails_behind_a_health_check_and_runs_without_one() {
    let stage = Stage::new();
    let unchecked = stage.register("unhealthy").await;
    stage.create(&unchecked).await;
    stage.wait(120);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
    let check = HealthCheck::builder().command("CMD").command("true").build().unwrap();
    let checked =
        aws_sdk_ecs::types::ContainerDefinition::builder().name("app").image("unhealthy").health_check(check).build();
    let request = stage.ecs().register_task_definition().family("web").container_definitions(checked).fargate();
    let reply = request.send().await.unwrap();
    stage.roll(reply.task_definition().unwrap().task_definition_arn().unwrap()).await;
    stage.wait(900);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::RollbackSuccessful));
    let service = stage.service().await;
    assert!(service.events().iter().any(|event| event.message().unwrap().ends_with("failed container health checks.")));
}

#[tokio::test]
async fn failing_target_health_stops_the_task_after_the_grace_period() {
    let stage = Stage::new();
    let definition = stage.register("unhealthy").await;
    let balancer =
        LoadBalancer::builder().container_name("app").container_port(8080).target_group_arn(TARGET_GROUP).build();
    let request =
        stage.ecs().create_service().cluster("prod").service_name("web").task_definition(&definition).desired_count(1);
    let request =
        request.launch_type("FARGATE".into()).network_configuration(network()).deployment_configuration(breaker());
    request.load_balancers(balancer).health_check_grace_period_seconds(600).send().await.unwrap();
    stage.wait(600);
    assert_eq!(stage.service().await.running_count(), 1);
    stage.wait(100);
    let task = stage.lock().ecs[&place()].service("prod", "web").unwrap().tasks[0].clone();
    let end = task.end.unwrap();
    assert_eq!(
        (end.code, end.reason),
        ("ServiceSchedulerInitiated", format!("Task failed ELB health checks in (target-group {TARGET_GROUP})"))
    );
}
