//! Capacity providers: how a service comes to them and back.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder;
use aws_sdk_ecs::types::{CapacityProviderStrategyItem, DesiredStatus, LaunchType, Service};

use crate::stage::{Stage, network};

const MUST_FORCE: &str = "When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.";

fn on(provider: &str) -> Vec<CapacityProviderStrategyItem> {
    vec![CapacityProviderStrategyItem::builder().capacity_provider(provider).weight(1).build().unwrap()]
}

/// UpdateService to this strategy, not forced.
fn to(stage: &Stage, strategy: Vec<CapacityProviderStrategyItem>) -> UpdateServiceFluentBuilder {
    let update = stage.ecs().update_service().cluster("prod").service("web");
    update.set_capacity_provider_strategy(Some(strategy))
}

async fn forced(update: UpdateServiceFluentBuilder) -> Service {
    update.force_new_deployment(true).send().await.unwrap().service().unwrap().clone()
}

async fn refusal(update: UpdateServiceFluentBuilder) -> String {
    let refused = update.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterException"));
    refused.message().unwrap().to_owned()
}

#[tokio::test]
async fn a_service_goes_to_a_strategy_by_force_alone_and_back_with_an_empty_one() {
    let stage = Stage::new();
    stage.steady("app").await;
    assert_eq!(refusal(to(&stage, on("FARGATE_SPOT"))).await, MUST_FORCE);
    assert_eq!(stage.service().await.launch_type(), Some(&LaunchType::Fargate));
    let service = forced(to(&stage, on("FARGATE_SPOT"))).await;
    assert_eq!((service.launch_type(), service.platform_version()), (None, Some("LATEST")));
    assert_eq!(service.capacity_provider_strategy()[0].capacity_provider(), "FARGATE_SPOT");
    stage.wait(180);
    let tasks = stage.tasks(DesiredStatus::Running).await;
    assert!(tasks.iter().all(|task| task.launch_type() == Some(&LaunchType::Fargate)));
    assert_eq!(refusal(to(&stage, vec![])).await, MUST_FORCE);
    let service = forced(to(&stage, vec![])).await;
    assert_eq!(service.launch_type(), Some(&LaunchType::Fargate));
    assert!(service.capacity_provider_strategy().is_empty());
}

#[tokio::test]
async fn a_service_that_leaves_fargate_leaves_its_platform_version() {
    let stage = Stage::new();
    stage.steady("app").await;
    let service = forced(to(&stage, on("my-instances"))).await;
    assert_eq!(service.platform_version(), None);
    stage.wait(180);
    let tasks = stage.tasks(DesiredStatus::Running).await;
    assert_eq!((tasks.len(), tasks[0].launch_type(), tasks[0].platform_version()), (2, Some(&LaunchType::Ec2), None));
}

#[tokio::test]
async fn a_service_that_never_had_a_launch_type_has_none_to_fall_back_to() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let request = stage.ecs().create_service().cluster("prod").service_name("web").task_definition(definition);
    let request = request.desired_count(1).network_configuration(network());
    request.set_capacity_provider_strategy(Some(on("FARGATE"))).send().await.unwrap();
    assert_eq!(
        refusal(to(&stage, vec![]).force_new_deployment(true)).await,
        "No launch type to fall back to for empty capacity provider strategy. Your service was not created with a launch type."
    );
    to(&stage, on("FARGATE")).send().await.unwrap();
    assert_eq!(refusal(to(&stage, on("FARGATE_SPOT"))).await, MUST_FORCE);
}

#[tokio::test]
async fn a_launch_type_and_a_strategy_exclude_each_other_and_ec2_has_no_platform_version() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let create = || {
        let request = stage.ecs().create_service().cluster("prod").service_name("web").task_definition(&definition);
        request.desired_count(1).network_configuration(network())
    };
    let both = create().launch_type(LaunchType::Fargate).set_capacity_provider_strategy(Some(on("FARGATE")));
    assert!(both.send().await.unwrap_err().message().unwrap().starts_with("Specifying both a launch type"));
    let platform = create().launch_type(LaunchType::Ec2).platform_version("1.4.0").send().await.unwrap_err();
    assert_eq!(platform.message(), Some("The platform version must be null when specifying an EC2 launch type."));
}
