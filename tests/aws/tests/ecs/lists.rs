//! ListTasks and DescribeClusters: what they take, and what they count.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::operation::list_tasks::builders::ListTasksFluentBuilder;
use aws_sdk_ecs::types::{DesiredStatus, LaunchType};

use crate::stage::{Stage, network};

fn list(stage: &Stage) -> ListTasksFluentBuilder {
    stage.ecs().list_tasks().cluster("prod")
}

async fn count(request: ListTasksFluentBuilder) -> usize {
    request.send().await.unwrap().task_arns().len()
}

async fn refusal(request: ListTasksFluentBuilder) -> String {
    let refused = request.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterException"));
    refused.message().unwrap().to_owned()
}

async fn run(stage: &Stage) {
    let definition = stage.register("app").await;
    let run = stage.ecs().run_task().cluster("prod").task_definition(definition).launch_type(LaunchType::Fargate);
    run.network_configuration(network()).started_by("release-1").send().await.unwrap();
}

#[tokio::test]
async fn no_task_is_wanted_pending() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    stage.create(&definition).await;
    stage.wait(5);
    assert_eq!(count(list(&stage).desired_status(DesiredStatus::Pending)).await, 0);
    assert_eq!(count(list(&stage).desired_status(DesiredStatus::Running)).await, 2);
}

#[tokio::test]
async fn who_started_it_is_a_filter_that_stands_alone() {
    let stage = Stage::new();
    stage.steady("app").await;
    run(&stage).await;
    let by = || list(&stage).started_by("release-1");
    assert_eq!(count(by()).await, 1);
    for other in [by().service_name("web"), by().family("web"), by().launch_type(LaunchType::Fargate)] {
        assert_eq!(refusal(other).await, "cannot specify startedBy with other arguments");
    }
    refusal(list(&stage).service_name("web").container_instance("i")).await;
}

#[tokio::test]
async fn tasks_are_listed_by_their_launch_type() {
    let stage = Stage::new();
    stage.steady("app").await;
    assert_eq!(count(list(&stage).launch_type(LaunchType::Fargate)).await, 2);
    assert_eq!(count(list(&stage).launch_type(LaunchType::Ec2)).await, 0);
}

#[tokio::test]
async fn a_cluster_counts_the_tasks_that_were_run_by_hand_too() {
    let stage = Stage::new();
    stage.steady("app").await;
    run(&stage).await;
    let counts = || async {
        let reply = stage.ecs().describe_clusters().clusters("prod").send().await.unwrap();
        let cluster = &reply.clusters()[0];
        (cluster.running_tasks_count(), cluster.pending_tasks_count(), cluster.active_services_count())
    };
    assert_eq!(counts().await, (2, 1, 1));
    stage.wait(30);
    assert_eq!(counts().await, (3, 0, 1));
}
