//! Services: creating, describing, listing, deleting, and what AWS refuses.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{
    DeploymentAlarms, DeploymentConfiguration, DeploymentEarlySuccessCriteria, DeploymentLifecycleHook, DesiredStatus,
    LaunchType, LoadBalancer, ServiceConnectConfiguration, ServiceField, Tag,
};

use crate::stage::{Stage, TARGET_GROUP, balancer, network};

#[tokio::test]
async fn a_new_service_shows_aws_defaults() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let service = stage.create(&definition).await;
    assert_eq!(service.service_arn(), Some("arn:aws:ecs:eu-central-1:111122223333:service/prod/web"));
    assert_eq!(service.platform_version(), Some("LATEST"));
    let configuration = service.deployment_configuration().unwrap();
    assert_eq!((configuration.minimum_healthy_percent(), configuration.maximum_percent()), (Some(100), Some(200)));
    assert_eq!(service.availability_zone_rebalancing().unwrap().as_str(), "ENABLED");
    assert_eq!(
        service.network_configuration().unwrap().awsvpc_configuration().unwrap().assign_public_ip().unwrap().as_str(),
        "DISABLED"
    );
    let deployment = &service.deployments()[0];
    assert_eq!((deployment.status(), deployment.platform_version()), (Some("PRIMARY"), Some("1.4.0")));
}

#[tokio::test]
async fn the_service_deployment_is_hidden_for_a_moment() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    assert_eq!(stage.create(&definition).await.current_service_deployment(), None);
    stage.wait(1);
    assert!(stage.service().await.current_service_deployment().is_some());
}

#[tokio::test]
async fn the_same_token_and_input_give_the_same_service_and_anything_else_is_not_idempotent() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let create = |token: &str, count| {
        let request = stage
            .ecs()
            .create_service()
            .cluster("prod")
            .service_name("web")
            .task_definition(&definition)
            .desired_count(count);
        request.launch_type(LaunchType::Fargate).network_configuration(network()).client_token(token).send()
    };
    let first = create("token", 1).await.unwrap();
    let second = create("token", 1).await.unwrap();
    assert_eq!(first.service().unwrap().deployments()[0].id(), second.service().unwrap().deployments()[0].id());
    for (token, count) in [("token", 2), ("other", 1)] {
        let refused = create(token, count).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (Some("InvalidParameterException"), Some("Creation of service was not idempotent."))
        );
    }
    assert_eq!(create(&"t".repeat(37), 1).await.unwrap_err().code(), Some("InvalidParameterException"));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_awss_words() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let create = || {
        stage
            .ecs()
            .create_service()
            .cluster("prod")
            .service_name("web")
            .task_definition(&definition)
            .desired_count(1)
            .launch_type(LaunchType::Fargate)
    };
    let refused = create().send().await.unwrap_err();
    assert_eq!(
        refused.message(),
        Some("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    );
    let balancer = |port, group: &str| {
        LoadBalancer::builder().container_name("app").container_port(port).target_group_arn(group).build()
    };
    let refused = create()
        .network_configuration(network())
        .load_balancers(balancer(9090, TARGET_GROUP))
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.message(), Some("The container app did not have a container port 9090 defined."));
    let refused = create()
        .network_configuration(network())
        .load_balancers(balancer(8080, "arn:nothing"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        refused.message(),
        Some("The target group with targetGroupArn arn:nothing does not have an associated load balancer.")
    );
    let refused = create().network_configuration(network()).cluster("nowhere").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ClusterNotFoundException"));
    stage.ecs().deregister_task_definition().task_definition(&definition).send().await.unwrap();
    let refused = create().network_configuration(network()).send().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Some("ClientException"), Some("TaskDefinition is inactive")));
    assert!(stage.lock().ecs[&crate::stage::place()].service("prod", "web").is_none());
}

#[tokio::test]
async fn at_most_ten_services_are_described_and_missing_ones_are_failures() {
    let stage = Stage::new();
    stage.steady("app").await;
    let describe = |names: Vec<String>| {
        stage.ecs().describe_services().cluster("prod").set_services(Some(names)).include(ServiceField::Tags).send()
    };
    let reply = describe(vec!["web".to_owned(), "none".to_owned()]).await.unwrap();
    assert_eq!(reply.services().len(), 1);
    assert_eq!(reply.failures()[0].reason(), Some("MISSING"));
    let many = (0..11).map(|n| format!("s{n}")).collect();
    assert_eq!(describe(many).await.unwrap_err().code(), Some("InvalidParameterException"));
}

#[tokio::test]
async fn a_deleted_service_drains_becomes_inactive_and_is_purged() {
    let stage = Stage::new();
    let definition = stage.steady("app").await;
    let delete = |force| stage.ecs().delete_service().cluster("prod").service("web").force(force).send();
    assert_eq!(
        delete(false).await.unwrap_err().message(),
        Some("The service cannot be stopped while it is scaled above 0.")
    );
    assert_eq!(delete(true).await.unwrap().service().unwrap().status(), Some("DRAINING"));
    let listed = stage.ecs().list_services().cluster("prod").send().await.unwrap();
    assert!(listed.service_arns().is_empty());
    let request =
        stage.ecs().create_service().cluster("prod").service_name("web").task_definition(&definition).desired_count(1);
    let refused = request.launch_type(LaunchType::Fargate).network_configuration(network()).send().await.unwrap_err();
    assert_eq!(refused.message(), Some("Unable to Start a service that is still Draining."));
    let refused =
        stage.ecs().update_service().cluster("prod").service("web").desired_count(3).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ServiceNotActiveException"));
    stage.wait(3);
    assert_eq!(stage.service().await.status(), Some("INACTIVE"));
    assert!(stage.tasks(DesiredStatus::Stopped).await.iter().all(|task| task.last_status() == Some("STOPPING")));
    assert_eq!(delete(true).await.unwrap_err().code(), Some("ServiceNotFoundException"));
    stage.wait(3600);
    let reply = stage.ecs().describe_services().cluster("prod").services("web").send().await.unwrap();
    assert_eq!(reply.failures()[0].reason(), Some("MISSING"));
    stage.create(&definition).await;
}

#[tokio::test]
async fn a_deleted_service_is_draining_while_its_targets_are() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let request = stage.ecs().create_service().cluster("prod").service_name("web").task_definition(&definition);
    let request = request.desired_count(1).launch_type(LaunchType::Fargate).network_configuration(network());
    request.load_balancers(balancer()).send().await.unwrap();
    stage.wait(120);
    stage.ecs().delete_service().cluster("prod").service("web").force(true).send().await.unwrap();
    stage.wait(59);
    assert_eq!(stage.service().await.status(), Some("DRAINING"));
    stage.wait(1);
    assert_eq!(stage.service().await.status(), Some("INACTIVE"));
    stage.create(&definition).await;
    let stopped = stage.tasks(DesiredStatus::Stopped).await;
    assert_eq!(stopped.iter().map(|task| task.last_status().unwrap()).collect::<Vec<_>>(), ["STOPPING"]);
    stage.wait(120);
    assert_eq!(stage.service().await.running_count(), 2);
}

#[tokio::test]
async fn service_connect_is_shown_of_deployments_and_revisions_not_of_services() {
    let stage = Stage::new();
    stage.steady("app").await;
    let connect = ServiceConnectConfiguration::builder().enabled(true).namespace("internal").build();
    let update = stage.ecs().update_service().cluster("prod").service("web").service_connect_configuration(connect);
    update.send().await.unwrap();
    stage.wait(5);
    let service = stage.service().await;
    let shown = service.deployments()[0].service_connect_configuration().unwrap();
    assert_eq!(shown.namespace(), Some("internal"));
    let rollouts = stage.rollouts().await;
    let arn = rollouts[0].target_service_revision().unwrap().arn().unwrap();
    let reply = stage.ecs().describe_service_revisions().service_revision_arns(arn).send().await.unwrap();
    assert!(reply.service_revisions()[0].service_connect_configuration().is_some());
    let raw = stage.described("web");
    for member in ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"] {
        assert!(raw.get(member).is_none(), "{member}");
    }
}

#[tokio::test]
async fn hooks_and_early_success_are_not_known_and_said_so_and_alarms_never_go_off() {
    let stage = Stage::new();
    stage.steady("app").await;
    let update = |configuration| {
        let update = stage.ecs().update_service().cluster("prod").service("web").force_new_deployment(true);
        update.deployment_configuration(configuration).send()
    };
    let configuration = DeploymentConfiguration::builder;
    let alarms = |enable| {
        let alarms = DeploymentAlarms::builder().alarm_names("errors").rollback(true).enable(enable);
        configuration().alarms(alarms.build().unwrap()).build()
    };
    let hook = DeploymentLifecycleHook::builder().hook_target_arn("arn:aws:lambda:::function").build();
    let early = DeploymentEarlySuccessCriteria::builder().enable(true).healthy_percent(50).build();
    let unknown =
        [configuration().lifecycle_hooks(hook).build(), configuration().early_success_criteria(early).build()];
    for configuration in unknown {
        assert_eq!(update(configuration).await.unwrap_err().code(), Some("UnsupportedFeatureException"));
    }
    update(alarms(false)).await.unwrap();
    stage.wait(5);
    let rollouts = stage.rollouts().await;
    assert_eq!(rollouts[0].alarms().unwrap().status().unwrap().as_str(), "DISABLED");
    assert_eq!(rollouts.len(), 2);
    update(alarms(true)).await.unwrap();
    stage.wait(5);
    let watched = stage.rollouts().await[0].alarms().unwrap().clone();
    assert_eq!((watched.status().unwrap().as_str(), watched.alarm_names()), ("MONITORING", &["errors".to_owned()][..]));
    stage.wait(300);
    let over = stage.rollouts().await[0].clone();
    assert_eq!(over.status().unwrap().as_str(), "SUCCESSFUL");
    assert_eq!(over.alarms().unwrap().status().unwrap().as_str(), "MONITORING_COMPLETE");
}

#[tokio::test]
async fn a_resource_has_fifty_tags_at_the_most_and_a_cluster_that_is_missing_is_named() {
    let stage = Stage::new();
    stage.steady("app").await;
    let arn = |path: &str| format!("arn:aws:ecs:eu-central-1:111122223333:{path}");
    let tag = |arn: String, key: usize| {
        stage.ecs().tag_resource().resource_arn(arn).tags(Tag::builder().key(key.to_string()).value("x").build()).send()
    };
    for key in 0..50 {
        tag(arn("service/prod/web"), key).await.unwrap();
    }
    let refused = tag(arn("service/prod/web"), 50).await.unwrap_err();
    assert_eq!(refused.code(), Some("LimitExceededException"));
    tag(arn("service/prod/web"), 7).await.unwrap();
    for path in ["service/nowhere/web", "cluster/nowhere"] {
        assert_eq!(tag(arn(path), 1).await.unwrap_err().code(), Some("ClusterNotFoundException"));
        let listed = stage.ecs().list_tags_for_resource().resource_arn(arn(path)).send().await;
        assert_eq!(listed.unwrap_err().code(), Some("ClusterNotFoundException"));
    }
    let listed = stage.ecs().list_tags_for_resource().resource_arn(arn("service/prod/web")).send().await.unwrap();
    assert_eq!(listed.tags().len(), 50);
}

#[tokio::test]
async fn tags_are_added_listed_and_taken_away() {
    let stage = Stage::new();
    stage.steady("app").await;
    let arn = "arn:aws:ecs:eu-central-1:111122223333:service/prod/web";
    let tag = |key: &str| Tag::builder().key(key).value("x").build();
    stage.ecs().tag_resource().resource_arn(arn).tags(tag("a")).tags(tag("b")).send().await.unwrap();
    stage.ecs().untag_resource().resource_arn(arn).tag_keys("a").send().await.unwrap();
    let listed = stage.ecs().list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(listed.tags().iter().map(|tag| tag.key().unwrap()).collect::<Vec<_>>(), ["b"]);
    let refused = stage.ecs().tag_resource().resource_arn(arn).tags(tag("aws:x")).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterException"));
    let missing = format!("{arn}2");
    assert_eq!(
        stage.ecs().tag_resource().resource_arn(missing).tags(tag("a")).send().await.unwrap_err().code(),
        Some("ResourceNotFoundException")
    );
}

#[tokio::test]
async fn a_service_behind_a_load_balancer_drains_its_targets() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    let balancer =
        LoadBalancer::builder().container_name("app").container_port(8080).target_group_arn(TARGET_GROUP).build();
    let request =
        stage.ecs().create_service().cluster("prod").service_name("web").task_definition(&definition).desired_count(1);
    request
        .launch_type(LaunchType::Fargate)
        .network_configuration(network())
        .load_balancers(balancer)
        .send()
        .await
        .unwrap();
    stage.wait(120);
    stage.ecs().update_service().cluster("prod").service("web").desired_count(0).send().await.unwrap();
    stage.wait(30);
    let tasks = stage.lock().ecs[&crate::stage::place()].service("prod", "web").unwrap().tasks.clone();
    assert_eq!(tasks[0].status(stage.now()).name(), "DEACTIVATING");
    assert!(
        stage
            .service()
            .await
            .events()
            .iter()
            .any(|event| event.message().unwrap().contains("has begun draining connections on 1 tasks."))
    );
}
