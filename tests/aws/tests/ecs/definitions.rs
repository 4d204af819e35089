//! Task definitions: what is filled in, refused, found and listed.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{HealthCheck, SortOrder, Tag, TaskDefinitionField, TaskDefinitionStatus};

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
async fn an_image_may_be_255_characters_long_before_its_digest_which_is_a_sha256() {
    let stage = Stage::new();
    let hash = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
    let register = |image: String| {
        let request = stage.ecs().register_task_definition().family("web").container_definitions(container(&image));
        request.fargate().send()
    };
    let longest = "a".repeat(255);
    for good in [longest.clone(), format!("{longest}@sha256:{hash}"), format!("app:1@sha256:{hash}")] {
        register(good).await.unwrap();
    }
    let bad = [
        format!("{longest}a"),
        format!("{longest}a@sha256:{hash}"),
        format!("app@sha256:{hash}0"),
        format!("app@sha256:{}", &hash[1..]),
        format!("app@sha256:{}g", &hash[1..]),
        format!("app@sha512:{hash}"),
        format!("app@sha256:{hash}@sha256:{hash}"),
    ];
    for bad in bad {
        let refused = register(bad.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Some("ClientException"), "{bad}");
    }
    assert_eq!(stage.lock().ecs[&crate::stage::place()].revisions("web").len(), 3);
}

#[tokio::test]
async fn a_health_check_keeps_to_its_bounds() {
    let stage = Stage::new();
    let register = |member: &str, value: i32| {
        let check = HealthCheck::builder().command("CMD").command("true");
        let check = match member {
            "interval" => check.interval(value),
            "timeout" => check.timeout(value),
            "retries" => check.retries(value),
            _ => check.start_period(value),
        };
        let mut checked = container("app");
        checked.health_check = Some(check.build().unwrap());
        stage.ecs().register_task_definition().family("web").container_definitions(checked).fargate().send()
    };
    for (member, least, most) in [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)]
    {
        register(member, least).await.unwrap();
        register(member, most).await.unwrap();
        for value in [least - 1, most + 1] {
            let refused = register(member, value).await.unwrap_err();
            assert_eq!(refused.code(), Some("ClientException"), "{member} {value}");
        }
    }
    let reply = stage.ecs().describe_task_definition().task_definition("web").send().await.unwrap();
    let check = reply.task_definition().unwrap().container_definitions()[0].health_check().unwrap().clone();
    assert_eq!((check.interval(), check.timeout(), check.retries()), (Some(30), Some(5), Some(3)));
}

#[tokio::test]
async fn an_unknown_family_cannot_be_described() {
    let refused = Stage::new().ecs().describe_task_definition().task_definition("web").send().await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Some("ClientException"), Some("Unable to describe task definition."))
    );
}
