//! Health: what counts for it, how long failing checks are overlooked, and what DescribeTasks says.

use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::types::{
    ContainerDefinition, DesiredStatus, HealthCheck, LoadBalancer, PortMapping, ServiceDeploymentStatus as Status, Task,
};
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecs::Lack;

use crate::samples::GROUP_OF_CLOUDS;
use crate::stage::{Stage, TARGET_GROUP, balancer, breaker, checked, container, network, place};

/// Service `web` of one task with these containers.
async fn service(stage: &Stage, containers: Vec<ContainerDefinition>) -> CreateServiceFluentBuilder {
    let definition = stage.register_all(containers).await;
    let request = stage.ecs().create_service().cluster("prod").service_name("web").task_definition(definition);
    let request = request.desired_count(1).launch_type("FARGATE".into());
    request.network_configuration(network()).deployment_configuration(breaker())
}

fn named(name: &str, image: &str) -> ContainerDefinition {
    ContainerDefinition::builder().name(name).image(image).build()
}

/// The task's health, then each container's.
fn health(task: &Task) -> Vec<&str> {
    let containers = task.containers().iter().map(|container| container.health_status().unwrap().as_str());
    std::iter::once(task.health_status().unwrap().as_str()).chain(containers).collect()
}

#[tokio::test]
async fn a_grace_period_without_any_check_is_taken_and_unused() {
    let stage = Stage::new();
    let request = service(&stage, vec![container("app")]).await;
    let reply = request.health_check_grace_period_seconds(300).send().await.unwrap();
    assert_eq!(reply.service().unwrap().health_check_grace_period_seconds(), Some(300));
    stage.wait(120);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
}

#[tokio::test]
async fn a_grace_period_covers_the_checks_of_containers() {
    let stage = Stage::new();
    let request = service(&stage, vec![checked("app", "unhealthy")]).await;
    request.health_check_grace_period_seconds(300).send().await.unwrap();
    stage.wait(26 + 299);
    let tasks = stage.tasks(DesiredStatus::Running).await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(health(&tasks[0]), ["UNHEALTHY", "UNHEALTHY"]);
    assert!(stage.tasks(DesiredStatus::Stopped).await.is_empty());
    stage.wait(1);
    let stopped = stage.tasks(DesiredStatus::Stopped).await;
    assert_eq!(stopped[0].stopped_reason(), Some("Task failed container health checks"));
}

#[tokio::test]
async fn a_task_is_as_healthy_as_the_worst_of_its_essential_containers() {
    let stage = Stage::new();
    let aside = ContainerDefinition::builder().name("aside").image("aside").essential(false).build();
    service(&stage, vec![checked("app", "app"), aside]).await.send().await.unwrap();
    stage.wait(20);
    assert_eq!(health(&stage.tasks(DesiredStatus::Running).await[0]), ["UNKNOWN", "UNKNOWN", "UNKNOWN"]);
    stage.wait(40);
    assert_eq!(health(&stage.tasks(DesiredStatus::Running).await[0]), ["HEALTHY", "HEALTHY", "UNKNOWN"]);
}

#[tokio::test]
async fn an_essential_container_without_a_check_leaves_the_task_unknown() {
    let stage = Stage::new();
    service(&stage, vec![checked("app", "app"), named("other", "app")]).await.send().await.unwrap();
    stage.wait(120);
    let tasks = stage.tasks(DesiredStatus::Running).await;
    assert_eq!(health(&tasks[0]), ["UNKNOWN", "HEALTHY", "UNKNOWN"]);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
}

#[tokio::test]
async fn behind_a_target_group_a_containers_check_counts_too() {
    let stage = Stage::new();
    let slow = TaskStory::Healthy { after: std::time::Duration::from_secs(90) };
    stage.lock().image_story.insert("sidecar".to_owned(), slow);
    let request = service(&stage, vec![container("app"), checked("sidecar", "sidecar")]).await;
    request.load_balancers(balancer()).send().await.unwrap();
    stage.wait(31 + 89);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::InProgress));
    stage.wait(10);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
    let tasks = stage.tasks(DesiredStatus::Running).await;
    assert_eq!(health(&tasks[0]), ["UNKNOWN", "UNKNOWN", "HEALTHY"]);
}

#[tokio::test]
async fn a_task_is_stopped_for_the_check_that_fails() {
    let reason = |containers: Vec<ContainerDefinition>| async {
        let stage = Stage::new();
        service(&stage, containers).await.load_balancers(balancer()).send().await.unwrap();
        stage.wait(130);
        stage.tasks(DesiredStatus::Stopped).await[0].stopped_reason().unwrap().to_owned()
    };
    let behind = format!("Task failed ELB health checks in (target-group {TARGET_GROUP})");
    assert_eq!(reason(vec![container("unhealthy"), checked("sidecar", "app")]).await, behind);
    assert_eq!(
        reason(vec![container("app"), checked("sidecar", "unhealthy")]).await,
        "Task failed container health checks"
    );
}

#[tokio::test]
async fn a_task_that_was_run_by_hand_goes_on_whatever_its_health() {
    let stage = Stage::new();
    let definition = stage.register_all(vec![checked("app", "unhealthy")]).await;
    let run = stage.ecs().run_task().cluster("prod").task_definition(definition).launch_type("FARGATE".into());
    let started = run.network_configuration(network()).send().await.unwrap();
    let arn = started.tasks()[0].task_arn().unwrap();
    stage.wait(600);
    let reply = stage.ecs().describe_tasks().cluster("prod").tasks(arn).send().await.unwrap();
    assert_eq!(reply.tasks()[0].last_status(), Some("RUNNING"));
    assert_eq!(health(&reply.tasks()[0]), ["UNHEALTHY", "UNHEALTHY"]);
}

#[tokio::test]
async fn every_target_group_counts() {
    let stage = Stage::new();
    stage.lock().ecs.get_mut(&place()).unwrap().add_target_group(GROUP_OF_CLOUDS);
    let admin = ContainerDefinition::builder().name("admin").image("admin");
    let admin = admin.port_mappings(PortMapping::builder().container_port(9090).build()).build();
    let second = LoadBalancer::builder().container_name("admin").container_port(9090).target_group_arn(GROUP_OF_CLOUDS);
    let request = service(&stage, vec![container("app"), admin]).await;
    request.load_balancers(balancer()).load_balancers(second.build()).send().await.unwrap();
    stage.wait(120);
    let events = stage.service().await.events().to_vec();
    for group in [TARGET_GROUP, GROUP_OF_CLOUDS] {
        let registered = format!("registered 1 targets in (target-group {group})");
        assert!(events.iter().any(|event| event.message().unwrap().contains(&registered)), "{events:?}");
    }
    stage.lock().image_story.insert("admin".to_owned(), TaskStory::NeverHealthy);
    stage.ecs().update_service().cluster("prod").service("web").force_new_deployment(true).send().await.unwrap();
    stage.wait(300);
    let stopped = stage.tasks(DesiredStatus::Stopped).await;
    let reason = format!("Task failed ELB health checks in (target-group {GROUP_OF_CLOUDS})");
    assert_eq!(stopped[0].stopped_reason(), Some(&*reason));
}

/// A container whose check always fails and has these numbers.
fn failing(interval: i32, retries: i32, start: i32) -> ContainerDefinition {
    let check = HealthCheck::builder().command("CMD").command("false").interval(interval).retries(retries);
    let check = check.start_period(start).build().unwrap();
    ContainerDefinition::builder().name("app").image("unhealthy").health_check(check).build()
}

#[tokio::test]
async fn a_containers_check_fails_after_its_own_numbers() {
    for (container, seconds) in [(failing(5, 2, 0), 10), (failing(30, 3, 60), 150), (checked("app", "unhealthy"), 90)] {
        let stage = Stage::new();
        service(&stage, vec![container]).await.send().await.unwrap();
        stage.wait(26 + seconds - 1);
        assert_eq!(stage.tasks(DesiredStatus::Stopped).await.len(), 0, "after {seconds} s");
        stage.wait(1);
        assert_eq!(stage.tasks(DesiredStatus::Stopped).await.len(), 1, "after {seconds} s");
    }
}

#[tokio::test]
async fn the_check_that_fails_first_stops_the_task() {
    for (interval, reason) in [(5, "Task failed container health checks"), (30, "Task failed ELB health checks in")] {
        let stage = Stage::new();
        let mut container = failing(interval, 2, 0);
        container.port_mappings = container_ports();
        let request = service(&stage, vec![container]).await.load_balancers(balancer());
        stage.lock().ecs.get_mut(&place()).unwrap().timing.unhealthy = jiff::SignedDuration::from_secs(30);
        request.send().await.unwrap();
        stage.wait(31 + 30);
        let stopped = stage.tasks(DesiredStatus::Stopped).await;
        assert!(stopped[0].stopped_reason().unwrap().starts_with(reason));
    }
}

fn container_ports() -> Option<Vec<PortMapping>> {
    Some(vec![PortMapping::builder().container_port(8080).build()])
}

#[tokio::test]
async fn a_second_target_group_that_is_sick_fails_the_rollout() {
    let stage = Stage::new();
    stage.lock().ecs.get_mut(&place()).unwrap().add_target_group(GROUP_OF_CLOUDS);
    stage.lock().ecs.get_mut(&place()).unwrap().lack(Lack::HealthyTargets("*targetgroup/admin/*".to_owned()));
    let second = LoadBalancer::builder().container_name("app").container_port(8080).target_group_arn(GROUP_OF_CLOUDS);
    let request = service(&stage, vec![container("app")]).await.load_balancers(balancer());
    request.load_balancers(second.build()).send().await.unwrap();
    stage.wait(1200);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::RollbackFailed));
    let stopped = stage.tasks(DesiredStatus::Stopped).await;
    assert!(stopped.iter().all(|task| task.stopped_reason().unwrap().contains("targetgroup/admin")), "{stopped:?}");
    assert!(!stopped.is_empty());
}
