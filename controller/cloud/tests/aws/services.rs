use super::site::{Site, change, creation, definition, members, network, owner, pass, rolling};
use launchway_plan::fault::Remedy;
use launchway_plan::world::{CreateServiceRequest, DeploymentStatus, ServiceLife};
use launchway_test_aws::TaskStory;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_service_is_created_seen_and_its_rollout_followed_to_the_end() {
    let site = Site::new();
    let cloud = site.own();
    assert_eq!(cloud.service("main", "web").await, Ok(None));
    assert_eq!(cloud.deployments("main", "web").await, Ok(Vec::new()));
    let definition = cloud.register(&definition("web:1", &owner())).await.unwrap();
    let created = cloud.create_service(&creation("web", &definition)).await.unwrap();
    assert_eq!((created.life, created.task_definition), (ServiceLife::Active, definition.clone()));
    pass(300).await;

    let live = cloud.service("main", "web").await.unwrap().unwrap();
    assert_eq!((live.desired, live.running, live.deployments), (1, 1, 1));
    assert_eq!(live.members["deploymentController"]["type"], "ECS");
    let configuration = &live.members["deploymentConfiguration"];
    for (name, value) in members(rolling()) {
        assert_eq!(configuration[&name], value);
    }
    assert_eq!(live.tags, owner());
    assert_eq!(live.members["networkConfiguration"], network());

    let deployments = cloud.deployments("main", "web").await.unwrap();
    let [deployment] = &deployments[..] else { panic!("{deployments:?}") };
    assert_eq!(deployment.status, DeploymentStatus::Successful);
    assert_eq!(cloud.deployment(&deployment.arn).await.unwrap().as_ref(), Some(deployment));
    let target = deployment.target.clone().unwrap();
    let revisions = cloud.revisions(std::slice::from_ref(&target)).await.unwrap();
    assert_eq!(
        (revisions[0].arn.as_str(), revisions[0].task_definition.as_str()),
        (target.as_str(), definition.as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_crashes_is_seen_to_be_rolled_back_with_its_stopped_tasks() {
    let site = Site::new();
    let cloud = site.own();
    let crash =
        TaskStory::Crashes { after: Duration::from_secs(2), exit_code: 3, reason: String::new(), output: vec![] };
    site.world().image_story.insert("web:2".to_owned(), crash);
    let good = cloud.register(&definition("web:1", &owner())).await.unwrap();
    let bad = cloud.register(&definition("web:2", &owner())).await.unwrap();
    cloud.create_service(&creation("web", &good)).await.unwrap();
    pass(300).await;
    cloud.update_service(&change("web", json!({"taskDefinition": bad}))).await.unwrap();
    pass(3000).await;

    let deployments = cloud.deployments("main", "web").await.unwrap();
    assert_eq!(deployments[0].status, DeploymentStatus::RollbackSuccessful);
    assert!(deployments[0].rollback_reason.is_some() && deployments[0].created_at > deployments[1].created_at);
    let stopped = cloud.stopped_tasks("main", "web").await.unwrap();
    assert!(stopped.is_sorted_by(|one, other| one.stopped_at >= other.stopped_at));
    assert_eq!(stopped[0].containers[0].exit_code, Some(3));
    assert_eq!(stopped[0].code.as_deref(), Some("EssentialContainerExited"));
    let live = cloud.service("main", "web").await.unwrap().unwrap();
    assert_eq!((live.task_definition, live.events.is_empty()), (good, false));
}

#[tokio::test(start_paused = true)]
async fn only_what_an_update_names_changes() {
    let site = Site::new();
    let cloud = site.own();
    let definition = cloud.register(&definition("web:1", &owner())).await.unwrap();
    let before = cloud.create_service(&creation("web", &definition)).await.unwrap();
    cloud.update_service(&change("web", json!({"desiredCount": 3}))).await.unwrap();
    let mut after = cloud.service("main", "web").await.unwrap().unwrap();
    assert_eq!(after.desired, 3);
    after.members.insert("desiredCount".to_owned(), before.members["desiredCount"].clone());
    assert_eq!(after.members, before.members);
}

#[tokio::test(start_paused = true)]
async fn what_differs_in_nothing_is_rolled_by_force_alone() {
    let site = Site::new();
    let cloud = site.own();
    let definition = cloud.register(&definition("web:1", &owner())).await.unwrap();
    cloud.create_service(&creation("web", &definition)).await.unwrap();
    pass(300).await;
    cloud.update_service(&change("web", json!({}))).await.unwrap();
    pass(300).await;
    assert_eq!(cloud.deployments("main", "web").await.unwrap().len(), 1);
    cloud.update_service(&change("web", json!({"forceNewDeployment": true}))).await.unwrap();
    pass(300).await;
    let deployments = cloud.deployments("main", "web").await.unwrap();
    assert_eq!((deployments.len(), &deployments[0].status), (2, &DeploymentStatus::Successful));
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_cluster_is_gone_is_gone() {
    let site = Site::new();
    assert_eq!(site.own().doomed_service("other", "web").await, Ok(None));
    assert_eq!(site.own().doomed_service("main", "web").await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn tags_are_added_and_a_service_is_deleted_twice_as_well_as_once() {
    let site = Site::new();
    let cloud = site.own();
    let definition = cloud.register(&definition("web:1", &owner())).await.unwrap();
    let service = cloud.create_service(&creation("web", &definition)).await.unwrap();
    let more = [("team".to_owned(), "iridium".to_owned())].into();
    cloud.tag_service(&service.arn, &more).await.unwrap();
    let tags = cloud.service("main", "web").await.unwrap().unwrap().tags;
    assert_eq!((tags.len(), tags["team"].as_str()), (2, "iridium"));

    cloud.delete_service("main", "web").await.unwrap();
    cloud.delete_service("main", "never").await.unwrap();
    pass(300).await;
    cloud.delete_service("main", "web").await.unwrap();
    assert_eq!(cloud.service("main", "web").await.unwrap().unwrap().life, ServiceLife::Inactive);
}

#[tokio::test(start_paused = true)]
async fn task_definitions_are_found_by_family_and_by_arn_newest_first() {
    let site = Site::new();
    let cloud = site.own();
    assert_eq!(cloud.task_definition("web").await, Ok(None));
    assert_eq!(cloud.task_definitions("web", 10).await, Ok(Vec::new()));
    let one = cloud.register(&definition("web:1", &owner())).await.unwrap();
    let two = cloud.register(&definition("web:2", &owner())).await.unwrap();
    assert_eq!(cloud.task_definitions("web", 10).await, Ok(vec![two.clone(), one.clone()]));
    assert_eq!(cloud.task_definitions("web", 1).await, Ok(vec![two.clone()]));
    let newest = cloud.task_definition("web").await.unwrap().unwrap();
    assert_eq!((newest.arn, newest.active, newest.tags), (two, true, owner()));
    assert_eq!(cloud.task_definition(&one).await.unwrap().unwrap().arn, one);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_there_already_is_looked_at_before_anybody_is_asked() {
    let site = Site::new();
    let cloud = site.own();
    let definition = cloud.register(&definition("web:1", &owner())).await.unwrap();
    cloud.create_service(&creation("web", &definition)).await.unwrap();
    let mut other: CreateServiceRequest = creation("web", &definition);
    other.body.insert("clientToken".to_owned(), Value::from("another"));
    let fault = cloud.create_service(&other).await.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.remedy), ("InvalidParameterException", Remedy::LookAgain));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_there_is_the_operators() {
    let site = Site::new();
    let fault = site.own().service("other", "web").await.unwrap_err();
    assert_eq!((fault.operation.as_str(), fault.remedy), ("ecs:DescribeServices", Remedy::AskOperator));
    assert_eq!(fault.resource, "arn:aws:ecs:us-east-2:*:service/other/web");
    site.own().account_id().await.unwrap();
    let fault = site.own().service("other", "web").await.unwrap_err();
    assert_eq!(fault.resource, "arn:aws:ecs:us-east-2:123456789012:service/other/web");
}
