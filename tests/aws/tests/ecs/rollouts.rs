//! Rollouts: good ones, failed ones, superseded ones, and those that stall.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{
    AvailabilityZoneRebalancing, DeploymentConfiguration, DeploymentRolloutState, DesiredStatus, ServiceDeployment,
    ServiceDeploymentRollbackMonitorsStatus as Monitor, ServiceDeploymentStatus as Status,
    StopServiceDeploymentStopType,
};

use launchway_test_aws::ecs::Unrollable;

use crate::stage::{Stage, place};

async fn statuses(stage: &Stage) -> Vec<Status> {
    stage.rollouts().await.iter().map(|rollout| rollout.status().unwrap().clone()).collect()
}

fn monitor(rollout: &ServiceDeployment) -> (&Monitor, i32, i32) {
    let breaker = rollout.deployment_circuit_breaker().unwrap();
    (breaker.status().unwrap(), breaker.failure_count(), breaker.threshold())
}

#[tokio::test]
async fn a_good_commit_replaces_the_old_tasks_and_never_falls_below_the_minimum() {
    let stage = Stage::new();
    stage.steady("app:1").await;
    let definition = stage.register("app:2").await;
    stage.roll(&definition).await;
    for _ in 0..120 {
        stage.wait(1);
        let service = stage.service().await;
        assert!(service.running_count() >= 2, "{}", service.running_count());
        assert!(service.running_count() + service.pending_count() <= 4);
    }
    let service = stage.service().await;
    assert_eq!(service.deployments().len(), 1);
    assert_eq!(service.deployments()[0].rollout_state(), Some(&DeploymentRolloutState::Completed));
    let rollouts = stage.rollouts().await;
    assert_eq!(rollouts[0].status(), Some(&Status::Successful));
    assert_eq!(monitor(&rollouts[0]), (&Monitor::MonitoringComplete, 0, 3));
    assert_eq!(
        stage.lock().ecs[&place()].service("prod", "web").unwrap().running_images(stage.now()),
        ["app:2", "app:2"]
    );
}

#[tokio::test]
async fn a_crashing_commit_is_rolled_back_and_its_deployment_leaves_the_list() {
    let stage = Stage::new();
    let good = stage.steady("app").await;
    let bad = stage.register("crash").await;
    stage.roll(&bad).await;
    stage.wait(65);
    let service = stage.service().await;
    assert_eq!(service.task_definition(), Some(good.as_str()));
    let state = |at: usize| {
        (service.deployments()[at].status().unwrap(), service.deployments()[at].rollout_state().unwrap().as_str())
    };
    assert_eq!((state(0), state(1)), (("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "FAILED")));
    assert_eq!(statuses(&stage).await[0], Status::RollbackInProgress);
    stage.wait(120);
    let service = stage.service().await;
    assert_eq!(service.deployments().len(), 1);
    assert_eq!((service.running_count(), service.deployments()[0].task_definition()), (2, Some(good.as_str())));
    let rollout = &stage.rollouts().await[0];
    assert_eq!(rollout.status(), Some(&Status::RollbackSuccessful));
    assert_eq!(
        rollout.status_reason(),
        Some("Service deployment rolled back because the circuit breaker threshold was exceeded.")
    );
    assert!(matches!(monitor(rollout), (Monitor::Triggered, 3.., 3)));
    let revision = rollout.rollback().unwrap().service_revision_arn().unwrap();
    let revision = stage.ecs().describe_service_revisions().service_revision_arns(revision).send().await.unwrap();
    assert_eq!(revision.service_revisions()[0].task_definition(), Some(good.as_str()));
}

#[tokio::test]
async fn the_stopped_tasks_of_a_failed_commit_tell_why_for_an_hour() {
    let stage = Stage::new();
    stage.steady("app").await;
    let bad = stage.register("crash").await;
    let started_by = stage.roll(&bad).await.deployments()[0].id().unwrap().to_owned();
    stage.wait(300);
    let list =
        || stage.ecs().list_tasks().cluster("prod").service_name("web").desired_status(DesiredStatus::Stopped).send();
    let listed = list().await.unwrap();
    let described =
        stage.ecs().describe_tasks().cluster("prod").set_tasks(Some(listed.task_arns().to_vec())).send().await.unwrap();
    let failed: Vec<_> = described.tasks().iter().filter(|task| task.started_by() == Some(&started_by)).collect();
    assert_eq!(failed[0].stop_code().unwrap().as_str(), "EssentialContainerExited");
    assert_eq!(failed[0].stopped_reason(), Some("Essential container in task exited"));
    assert_eq!(failed[0].containers()[0].exit_code(), Some(1));
    stage.wait(3600);
    assert!(list().await.unwrap().task_arns().is_empty());
}

#[tokio::test]
async fn a_first_deployment_that_crashes_has_no_rollback_candidate_and_ends() {
    let stage = Stage::new();
    let bad = stage.register("crash").await;
    stage.create(&bad).await;
    stage.wait(600);
    let rollout = &stage.rollouts().await[0];
    assert_eq!(
        (rollout.status(), rollout.status_reason()),
        (Some(&Status::RollbackFailed), Some("No rollback candidate was found to run the rollback."))
    );
    assert!(rollout.finished_at().is_some() && rollout.rollback().is_none());
    assert_eq!(monitor(rollout).0, &Monitor::Triggered);
    let service = stage.service().await;
    assert_eq!((service.running_count(), service.pending_count()), (0, 0));
    assert_eq!(service.deployments()[0].rollout_state(), Some(&DeploymentRolloutState::Failed));
    let tasks = || stage.lock().ecs[&place()].service("prod", "web").unwrap().tasks.len();
    assert_eq!(tasks(), 4, "two rounds of two, and none after that");
    assert_eq!(stage.lock().next_event(stage.now()), None);
    let good = stage.register("app").await;
    stage.roll(&good).await;
    stage.wait(120);
    assert_eq!(statuses(&stage).await, [Status::Successful, Status::RollbackFailed]);
}

#[tokio::test]
async fn a_first_deployment_that_crashes_stalls_for_ever_where_aws_is_said_to_do_that() {
    let stage = Stage::new();
    stage.lock().ecs.entry(place()).or_default().unrollable = Unrollable::Stalls;
    let bad = stage.register("crash").await;
    stage.create(&bad).await;
    stage.wait(600);
    let tasks = stage.lock().ecs[&place()].service("prod", "web").unwrap().tasks.len();
    stage.wait(1200);
    assert_eq!(stage.lock().ecs[&place()].service("prod", "web").unwrap().tasks.len(), tasks);
    let rollout = &stage.rollouts().await[0];
    assert_eq!(rollout.status(), Some(&Status::InProgress));
    assert_eq!(monitor(rollout).0, &Monitor::Triggered);
    assert_eq!(stage.service().await.running_count(), 0);
    assert_eq!(stage.lock().next_event(stage.now()), None);
}

#[tokio::test]
async fn without_a_circuit_breaker_a_crashing_commit_is_tried_again_and_again_with_growing_pauses() {
    let stage = Stage::new();
    stage.steady("app").await;
    let bad = stage.register("crash").await;
    let request = stage.ecs().update_service().cluster("prod").service("web").task_definition(&bad);
    let none = DeploymentConfiguration::builder()
        .deployment_circuit_breaker(aws_sdk_ecs::types::DeploymentCircuitBreaker::builder().build())
        .build();
    request.deployment_configuration(none).send().await.unwrap();
    stage.wait(7200);
    let service = stage.service().await;
    assert_eq!(service.running_count(), 2);
    assert_eq!(service.deployments()[0].rollout_state(), Some(&DeploymentRolloutState::InProgress));
    let failed = service.deployments()[0].failed_tasks();
    assert!((10..60).contains(&failed), "{failed}");
    assert_eq!(statuses(&stage).await[0], Status::InProgress);
    assert!(
        service.events().iter().any(|event| event.message().unwrap().contains("unable to consistently start tasks"))
    );
}

#[tokio::test]
async fn a_breaker_that_does_not_roll_back_stops_and_leaves_the_old_tasks_alone() {
    let stage = Stage::new();
    stage.steady("app").await;
    let bad = stage.register("crash").await;
    let breaker = aws_sdk_ecs::types::DeploymentCircuitBreaker::builder().enable(true).rollback(false).build();
    let configuration = DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build();
    let request = stage.ecs().update_service().cluster("prod").service("web").task_definition(&bad);
    request.deployment_configuration(configuration).send().await.unwrap();
    stage.wait(600);
    let service = stage.service().await;
    assert_eq!(service.running_count(), 2);
    assert_eq!(service.deployments()[0].rollout_state(), Some(&DeploymentRolloutState::Failed));
    assert_eq!(statuses(&stage).await[0], Status::Stopped);
}

#[tokio::test]
async fn a_newer_rollout_supersedes_the_one_that_runs() {
    let stage = Stage::new();
    stage.steady("app:1").await;
    let (second, third) = (stage.register("slow").await, stage.register("app:3").await);
    stage.roll(&second).await;
    stage.wait(40);
    stage.roll(&third).await;
    stage.wait(1);
    assert_eq!(statuses(&stage).await[..2], [Status::InProgress, Status::StopRequested]);
    assert_eq!(stage.service().await.deployments().len(), 3);
    stage.wait(180);
    assert_eq!(statuses(&stage).await, [Status::Successful, Status::Stopped, Status::Successful]);
    let service = stage.service().await;
    assert_eq!((service.deployments().len(), service.running_count()), (1, 2));
    assert_eq!(service.task_definition(), Some(third.as_str()));
}

#[tokio::test]
async fn the_same_task_definition_again_starts_nothing_unless_forced() {
    let stage = Stage::new();
    let definition = stage.steady("app").await;
    stage.roll(&definition).await;
    stage
        .ecs()
        .update_service()
        .cluster("prod")
        .service("web")
        .network_configuration(crate::stage::network())
        .send()
        .await
        .unwrap();
    stage.wait(5);
    assert_eq!(stage.rollouts().await.len(), 1);
    stage.ecs().update_service().cluster("prod").service("web").force_new_deployment(true).send().await.unwrap();
    stage.wait(5);
    assert_eq!(stage.rollouts().await.len(), 2);
}

#[tokio::test]
async fn the_desired_count_scales_without_a_rollout() {
    let stage = Stage::new();
    stage.steady("app").await;
    let scale = |count| stage.ecs().update_service().cluster("prod").service("web").desired_count(count).send();
    scale(4).await.unwrap();
    stage.wait(60);
    assert_eq!(stage.service().await.running_count(), 4);
    scale(1).await.unwrap();
    stage.wait(60);
    assert_eq!(stage.service().await.running_count(), 1);
    assert_eq!(stage.rollouts().await.len(), 1);
}

#[tokio::test]
async fn a_rollout_can_be_stopped_and_goes_back() {
    let stage = Stage::new();
    let good = stage.steady("app").await;
    let slow = stage.register("slow").await;
    stage.roll(&slow).await;
    stage.wait(60);
    let arn = stage.service().await.current_service_deployment().unwrap().to_owned();
    let stop = || {
        stage
            .ecs()
            .stop_service_deployment()
            .service_deployment_arn(&arn)
            .stop_type(StopServiceDeploymentStopType::Rollback)
            .send()
    };
    stop().await.unwrap();
    assert_eq!(statuses(&stage).await[0], Status::RollbackRequested);
    stop().await.unwrap();
    stage.wait(120);
    assert_eq!(statuses(&stage).await[0], Status::RollbackSuccessful);
    assert_eq!(stage.service().await.task_definition(), Some(good.as_str()));
    assert_eq!(stop().await.unwrap_err().code(), Some("ConflictException"));
    let unknown = format!("{arn}x");
    let refused = stage.ecs().stop_service_deployment().service_deployment_arn(unknown).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ServiceDeploymentNotFoundException"));
}

#[tokio::test]
async fn an_image_that_ecr_does_not_hold_cannot_be_pulled() {
    let stage = Stage::new();
    stage.steady("app").await;
    let image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/web:nothing";
    let request =
        stage.ecs().register_task_definition().family("web").container_definitions(crate::stage::container(image));
    let reply = crate::stage::Fargate::fargate(request)
        .execution_role_arn("arn:aws:iam::111122223333:role/exec")
        .send()
        .await
        .unwrap();
    stage.roll(reply.task_definition().unwrap().task_definition_arn().unwrap()).await;
    stage.wait(300);
    assert_eq!(statuses(&stage).await[0], Status::RollbackSuccessful);
    let service = stage.service().await;
    assert!(service.events().iter().any(|event| event.message().unwrap().contains("CannotPullContainerError")));
}

#[tokio::test]
async fn percents_that_leave_no_room_stick_and_say_so() {
    let stage = Stage::new();
    stage.steady("app:1").await;
    let definition = stage.register("app:2").await;
    let tight = DeploymentConfiguration::builder().minimum_healthy_percent(100).maximum_percent(100).build();
    let request = stage.ecs().update_service().cluster("prod").service("web").task_definition(&definition);
    let request = request.availability_zone_rebalancing(AvailabilityZoneRebalancing::Disabled);
    request.deployment_configuration(tight).send().await.unwrap();
    stage.wait(600);
    let service = stage.service().await;
    assert_eq!((service.running_count(), service.deployments().len()), (2, 2));
    assert!(service.events()[0].message().unwrap().contains("unable to stop or start tasks"));
}

#[tokio::test]
async fn a_minimum_of_nothing_stops_the_old_tasks_first() {
    let stage = Stage::new();
    stage.steady("app:1").await;
    let definition = stage.register("app:2").await;
    let recreate = DeploymentConfiguration::builder().minimum_healthy_percent(0).maximum_percent(100).build();
    let request = stage.ecs().update_service().cluster("prod").service("web").task_definition(&definition);
    let request = request.availability_zone_rebalancing(AvailabilityZoneRebalancing::Disabled);
    request.deployment_configuration(recreate).send().await.unwrap();
    stage.wait(10);
    assert_eq!(stage.service().await.running_count(), 0);
    stage.wait(120);
    assert_eq!(stage.service().await.running_count(), 2);
    assert_eq!(statuses(&stage).await[0], Status::Successful);
}

#[tokio::test]
async fn rollouts_are_listed_by_status_time_and_page() {
    let stage = Stage::new();
    stage.steady("app:1").await;
    let between = stage.now();
    for image in ["app:2", "app:3"] {
        stage.wait(10);
        let definition = stage.register(image).await;
        stage.roll(&definition).await;
        stage.wait(150);
    }
    let list = || stage.ecs().list_service_deployments().cluster("prod").service("web");
    let first = list().max_results(2).send().await.unwrap();
    let rest = list().max_results(2).next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((first.service_deployments().len(), rest.service_deployments().len()), (2, 1));
    let after = aws_sdk_ecs::primitives::DateTime::from_secs(between.as_second());
    let later = list().created_at(aws_sdk_ecs::types::CreatedAt::builder().after(after).build()).send().await.unwrap();
    assert_eq!(later.service_deployments().len(), 2);
    assert!(list().status(Status::Pending).send().await.unwrap().service_deployments().is_empty());
    let many = (0..21).map(|n| format!("arn:{n}")).collect();
    let refused =
        stage.ecs().describe_service_deployments().set_service_deployment_arns(Some(many)).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterException"));
}

#[tokio::test]
async fn it_does_not_matter_how_time_is_cut() {
    let (coarse, fine) = (Stage::new(), Stage::new());
    for (stage, step) in [(&coarse, 600), (&fine, 1)] {
        stage.steady("app").await;
        let bad = stage.register("crash").await;
        stage.roll(&bad).await;
        for _ in 0..600 / step {
            stage.wait(step);
        }
    }
    let (one, other) = (format!("{:?}", coarse.service().await), format!("{:?}", fine.service().await));
    assert_eq!(one, other);
}

#[tokio::test]
async fn what_supersedes_a_rollback_and_fails_has_nothing_to_go_back_to() {
    let stage = Stage::new();
    stage.steady("app").await;
    let (bad, worse) = (stage.register("crash").await, stage.register("crash").await);
    stage.roll(&bad).await;
    stage.wait(65);
    assert_eq!(statuses(&stage).await[0], Status::RollbackInProgress);
    stage.roll(&worse).await;
    stage.wait(900);
    assert_eq!(statuses(&stage).await[..2], [Status::RollbackFailed, Status::Stopped]);
    assert_eq!(stage.service().await.running_count(), 2, "the good tasks go on");
}

#[tokio::test]
async fn rollouts_are_listed_by_the_services_arn_alone() {
    let stage = Stage::new();
    stage.steady("app").await;
    let arn = stage.service().await.service_arn().unwrap().to_owned();
    let listed = stage.ecs().list_service_deployments().service(arn).send().await.unwrap();
    assert_eq!(listed.service_deployments().len(), 1);
    let refused = stage.ask("ListServiceDeployments", &serde_json::json!({"service": "web"})).unwrap_err();
    assert_eq!(refused, "ClusterNotFoundException: Cluster not found.", "a name alone is one of cluster default");
}
