//! Tasks that fail: how they are counted, and from when on a task is none of them.

use std::time::Duration;

use aws_sdk_ecs::types::{
    DeploymentCircuitBreaker, DeploymentConfiguration, DeploymentRolloutState, ServiceDeploymentStatus as Status,
};
use launchway_test_aws::TaskStory;

use crate::stage::Stage;

fn crashing(stage: &Stage, image: &str, seconds: u64) {
    let story = TaskStory::Crashes { after: Duration::from_secs(seconds), exit_code: 1, reason: String::new() };
    stage.lock().image_story.insert(image.to_owned(), story);
}

#[tokio::test]
async fn a_task_without_checks_counts_forty_seconds_after_it_runs() {
    let stage = Stage::new();
    stage.steady("app:1").await;
    let definition = stage.register("app:2").await;
    stage.roll(&definition).await;
    stage.wait(26 + 39);
    let service = stage.service().await;
    assert_eq!((service.running_count(), service.deployments()[0].running_count()), (4, 2), "the old ones stay");
    stage.wait(1);
    assert_eq!(stage.service().await.running_count(), 2);
}

#[tokio::test]
async fn a_crash_within_forty_seconds_does_not_reset_the_breaker() {
    let stage = Stage::new();
    let good = stage.steady("app").await;
    crashing(&stage, "late", 39);
    let bad = stage.register("late").await;
    stage.roll(&bad).await;
    stage.wait(600);
    let rollout = &stage.rollouts().await[0];
    assert_eq!(rollout.status(), Some(&Status::RollbackSuccessful));
    assert_eq!(rollout.deployment_circuit_breaker().unwrap().failure_count(), 4);
    assert_eq!(stage.service().await.task_definition(), Some(good.as_str()));
}

#[tokio::test]
async fn failed_tasks_are_none_any_more_once_one_has_run_well() {
    let stage = Stage::new();
    stage.steady("app").await;
    let bad = stage.register("crash").await;
    let update = stage.ecs().update_service().cluster("prod").service("web").task_definition(&bad);
    let breaker = DeploymentCircuitBreaker::builder().build();
    let none = DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build();
    update.deployment_configuration(none).send().await.unwrap();
    stage.wait(30);
    let failed = || async { stage.service().await.deployments()[0].failed_tasks() };
    assert_eq!(failed().await, 2);
    stage.lock().image_story.insert("crash".to_owned(), TaskStory::default());
    stage.wait(120);
    assert_eq!(failed().await, 0);
    crashing(&stage, "crash", 1);
    stage.ecs().update_service().cluster("prod").service("web").desired_count(3).send().await.unwrap();
    stage.wait(120);
    let service = stage.service().await;
    assert_eq!((service.running_count(), service.deployments()[0].failed_tasks()), (2, 0));
    assert_eq!(service.deployments()[0].rollout_state(), Some(&DeploymentRolloutState::Completed));
}
