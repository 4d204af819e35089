//! Tasks that fail: how they are counted, and from when on a task is none of them.

use std::time::Duration;

use aws_sdk_ecs::types::{
    DeploymentCircuitBreaker, DeploymentConfiguration, DeploymentRolloutState, DesiredStatus,
    ServiceDeploymentStatus as Status,
};
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecs::{CrashLoops, EcsState, FailedDeployments, Lack, Timing, Unplaced};
use serde_json::json;

use crate::stage::{Stage, place};

fn crashing(stage: &Stage, image: &str, seconds: u64) {
    let story =
        TaskStory::Crashes { after: Duration::from_secs(seconds), exit_code: 1, reason: String::new(), output: vec![] };
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

fn set(stage: &Stage, act: impl FnOnce(&mut EcsState)) {
    act(stage.lock().ecs.get_mut(&place()).unwrap());
}

fn unpullable(stage: &Stage) {
    let reason = "CannotPullContainerError: pull image manifest has been retried 7 time(s)".to_owned();
    stage.lock().image_story.insert("gone".to_owned(), TaskStory::NeverStarts { reason });
}

/// Service `web` of one task is rolled to `image`; at which of these seconds after UpdateService which failures were counted.
async fn failures_of(stage: &Stage, image: &str, looks: &[i64]) -> Vec<i32> {
    stage.steady("app").await;
    stage.ecs().update_service().cluster("prod").service("web").desired_count(1).send().await.unwrap();
    stage.wait(120);
    let bad = stage.register(image).await;
    stage.roll(&bad).await;
    let (mut counts, mut passed) = (Vec::new(), 0);
    for look in looks {
        stage.wait(look - passed);
        passed = *look;
        counts.push(stage.rollouts().await[0].deployment_circuit_breaker().unwrap().failure_count());
    }
    counts
}

#[tokio::test]
async fn failures_come_minutes_apart_as_they_were_seen_to() {
    let stage = Stage::new();
    unpullable(&stage);
    set(&stage, |ecs| ecs.timing = Timing::observed());
    let counts = failures_of(&stage, "gone", &[153, 154, 283, 284, 659]).await;
    assert_eq!(counts, [0, 1, 1, 2, 2]);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::InProgress));
    stage.wait(1);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::RollbackInProgress));
}

#[tokio::test]
async fn a_rollout_can_fall_silent_for_a_quarter_of_an_hour() {
    let stage = Stage::new();
    unpullable(&stage);
    set(&stage, |ecs| ecs.timing = Timing::falling_silent());
    assert_eq!(failures_of(&stage, "gone", &[284]).await, [2]);
    let before = stage.service().await;
    stage.wait(15 * 60 - 1);
    let after = stage.service().await;
    assert_eq!(after.events().len(), before.events().len(), "nothing is said");
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::InProgress));
    stage.wait(1 + 10 + 118);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::RollbackInProgress));
}

#[tokio::test]
async fn an_image_can_take_its_time_to_pull() {
    let stage = Stage::new();
    let during = Duration::from_secs(15 * 60);
    let then = Box::new(TaskStory::default());
    stage.lock().image_story.insert("large".to_owned(), TaskStory::Pulls { during, then });
    let large = stage.register("large").await;
    stage.create(&large).await;
    stage.wait(1 + 10 + 15 * 60 - 1);
    let service = stage.service().await;
    assert_eq!((service.running_count(), service.pending_count(), service.events().len()), (0, 2, 1));
    stage.wait(60);
    assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful));
}

#[tokio::test]
async fn a_crash_loop_that_nothing_checks_is_counted_or_goes_on_for_ever() {
    for (told, failures, status) in
        [(CrashLoops::Counted, 3, Status::RollbackSuccessful), (CrashLoops::Overlooked, 0, Status::InProgress)]
    {
        let stage = Stage::new();
        set(&stage, |ecs| ecs.crash_loops = told);
        assert_eq!(failures_of(&stage, "crash", &[3600]).await, [failures]);
        assert_eq!(stage.rollouts().await[0].status(), Some(&status));
        let failed = stage.service().await.deployments()[0].failed_tasks();
        assert_eq!(failed, 0);
    }
}

#[tokio::test]
async fn a_task_without_room_is_overlooked_by_the_breaker_or_counted() {
    for (told, status) in [(Unplaced::Overlooked, Status::InProgress), (Unplaced::Counted, Status::RollbackSuccessful)]
    {
        let stage = Stage::new();
        stage.steady("app").await;
        set(&stage, |ecs| {
            ecs.unplaced = told;
            ecs.lack(Lack::Capacity("FARGATE".to_owned()));
        });
        let next = stage.register("app:2").await;
        stage.roll(&next).await;
        stage.wait(1200);
        assert_eq!(stage.rollouts().await[0].status(), Some(&status));
    }
}

#[tokio::test]
async fn a_restart_policy_starts_a_container_again_that_ran_long_enough() {
    for (ran, ignored, running) in [(120, 0, true), (119, 0, false), (120, 1, false)] {
        let stage = Stage::new();
        crashing(&stage, "app", ran);
        let policy = json!({"enabled": true, "restartAttemptPeriod": 120, "ignoredExitCodes": [ignored]});
        let request = json!({
            "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "containerDefinitions": [{"name": "app", "image": "app", "restartPolicy": policy}],
        });
        stage.ask("RegisterTaskDefinition", &request).unwrap();
        stage.create("web").await;
        stage.wait(1 + 25 + 125);
        assert_eq!(stage.tasks(DesiredStatus::Stopped).await.is_empty(), running, "{ran} {ignored}");
    }
}

#[tokio::test]
async fn a_failed_deployment_is_shown_as_failed_or_as_draining_while_the_service_rolls_back() {
    for (told, shown) in
        [(FailedDeployments::Failed, ("ACTIVE", "FAILED")), (FailedDeployments::Draining, ("DRAINING", "IN_PROGRESS"))]
    {
        let stage = Stage::new();
        set(&stage, |ecs| {
            ecs.failed_deployments = told;
            ecs.timing.deprovisioning = jiff::SignedDuration::from_mins(10);
        });
        failures_of(&stage, "crash", &[200]).await;
        let service = stage.described("web");
        let failed = &service["deployments"][1];
        assert_eq!((failed["status"].as_str().unwrap(), failed["rolloutState"].as_str().unwrap()), shown);
        assert_eq!(service["deployments"][0]["status"], "PRIMARY");
    }
}
