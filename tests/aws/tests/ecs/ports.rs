//! The same world behind a port, in real time made faster.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use launchway_test_aws::door::{Open, serve};
use launchway_test_aws::{Fault, When};

use crate::stage::{KEY, REGION, Stage, network};

async fn opened(stage: &Stage, speed: f64) -> (Open, Client) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = serve(listener, stage.world.clone(), speed).unwrap();
    let config = aws_sdk_ecs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(KEY, "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(open.url())
        .build();
    (open, Client::from_conf(config))
}

#[tokio::test]
async fn a_rollout_succeeds_behind_the_port() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let (_open, client) = opened(&stage, 10_000.0).await;
    let request =
        client.create_service().cluster("prod").service_name("web").task_definition(&definition).desired_count(1);
    request.launch_type("FARGATE".into()).network_configuration(network()).send().await.unwrap();
    for _ in 0..10_000 {
        let reply = client.describe_services().cluster("prod").services("web").send().await.unwrap();
        if reply.services()[0].deployments()[0].rollout_state().unwrap().as_str() == "COMPLETED" {
            return;
        }
    }
    panic!("the rollout did not complete");
}

#[tokio::test]
async fn errors_and_lost_replies_look_the_same_as_on_the_wire() {
    let stage = Stage::new();
    let (_open, client) = opened(&stage, 1.0).await;
    let refused = client.list_services().cluster("nowhere").send().await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.raw_response().unwrap().headers().get("x-amzn-requestid").is_some()),
        (Some("ClusterNotFoundException"), true)
    );
    stage.lock().faults.add("ecs:DeregisterTaskDefinition", When::Always, Fault::LoseReply);
    let definition = stage.register("app").await;
    let lost = client.deregister_task_definition().task_definition(definition).send().await.unwrap_err();
    assert!(matches!(lost, SdkError::DispatchFailure(_)), "{lost:?}");
    let stopped = stage.lock().ecs[&crate::stage::place()].revisions("web")[0].deregistered_at;
    assert!(stopped.is_some());
}
