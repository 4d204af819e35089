//! Task definitions: what is filled in, refused, found and listed.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{SortOrder, Tag, TaskDefinitionField, TaskDefinitionStatus};

use crate::stage::{Fargate, Stage, container};

#[tokio::test]
async fn what_was_left_out_is_filled_in() {
    let stage = Stage::new();
    let arn = stage.register("app:1").await;
    assert_eq!(arn, "arn:aws:ecs:eu-central-1:111122223333:task-definition/web:1");
    let reply = stage.ecs().describe_task_definition().task_definition("web").send().await.unwrap();
    let definition = reply.task_definition().unwrap();
    let container = &definition.container_definitions()[0];
    assert_eq!(container.essential(), Some(true));
    assert_eq!(container.port_mappings()[0].host_port(), Some(8080));
    assert_eq!(container.port_mappings()[0].protocol().unwrap().as_str(), "tcp");
    assert_eq!(definition.status(), Some(&TaskDefinitionStatus::Active));
    assert_eq!(definition.registered_at().unwrap().secs(), stage.now().as_second());
}

#[tokio::test]
async fn equal_registrations_are_two_revisions() {
    let stage = Stage::new();
    assert_ne!(stage.register("app:1").await, stage.register("app:1").await);
    assert_eq!(stage.lock().ecs[&crate::stage::place()].revisions("web").len(), 2);
}

#[tokio::test]
async fn the_family_means_its_latest_active_revision_and_tags_come_on_request() {
    let stage = Stage::new();
    let tag = Tag::builder().key("launchway.dev/meaning").value("v1-1").build();
    stage
        .ecs()
        .register_task_definition()
        .family("web")
        .container_definitions(container("app:1"))
        .fargate()
        .tags(tag)
        .send()
        .await
        .unwrap();
    let second = stage.register("app:2").await;
    stage.ecs().deregister_task_definition().task_definition(&second).send().await.unwrap();
    let plain = stage.ecs().describe_task_definition().task_definition("web").send().await.unwrap();
    assert_eq!(plain.task_definition().unwrap().revision(), 1);
    assert!(plain.tags().is_empty());
    let tagged = stage
        .ecs()
        .describe_task_definition()
        .task_definition("web:1")
        .include(TaskDefinitionField::Tags)
        .send()
        .await
        .unwrap();
    assert_eq!(tagged.tags()[0].value(), Some("v1-1"));
    let inactive = stage.ecs().describe_task_definition().task_definition(second).send().await.unwrap();
    assert_eq!(inactive.task_definition().unwrap().status(), Some(&TaskDefinitionStatus::Inactive));
}

#[tokio::test]
async fn revisions_are_listed_in_pages() {
    let stage = Stage::new();
    for image in ["a", "b", "c"] {
        stage.register(image).await;
    }
    let list = || stage.ecs().list_task_definitions().family_prefix("web").sort(SortOrder::Desc).max_results(2);
    let first = list().send().await.unwrap();
    let rest = list().next_token(first.next_token().unwrap()).send().await.unwrap();
    let revisions: Vec<&str> = first
        .task_definition_arns()
        .iter()
        .chain(rest.task_definition_arns())
        .map(|arn| arn.rsplit(':').next().unwrap())
        .collect();
    assert_eq!(revisions, ["3", "2", "1"]);
    assert_eq!(rest.next_token(), None);
}

#[tokio::test]
async fn sizes_that_fargate_does_not_offer_are_refused() {
    let stage = Stage::new();
    let request = stage
        .ecs()
        .register_task_definition()
        .family("web")
        .container_definitions(container("a"))
        .fargate()
        .memory("4096");
    let refused = request.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ClientException"));
    assert!(refused.message().unwrap().starts_with("No Fargate configuration exists for given values"));
    assert!(stage.lock().ecs[&crate::stage::place()].revisions("web").is_empty());
}

#[tokio::test]
async fn an_ecr_image_on_fargate_needs_an_execution_role_that_exists() {
    let stage = Stage::new();
    let image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/web:1";
    let request =
        || stage.ecs().register_task_definition().family("web").container_definitions(container(image)).fargate();
    let none = request().send().await.unwrap_err();
    assert_eq!(
        none.message(),
        Some("Fargate requires task definition to have execution role ARN to support ECR images.")
    );
    let unknown = request().execution_role_arn("arn:aws:iam::111122223333:role/nobody").send().await.unwrap_err();
    assert_eq!(unknown.message(), Some("Role is not valid"));
    request().execution_role_arn("arn:aws:iam::111122223333:role/exec").send().await.unwrap();
}

#[tokio::test]
async fn an_unknown_family_cannot_be_described() {
    let refused = Stage::new().ecs().describe_task_definition().task_definition("web").send().await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Some("ClientException"), Some("Unable to describe task definition."))
    );
}
