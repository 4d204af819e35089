use super::site::{Site, build, change, creation, definition, owner, pass, start};
use launchway_cloud::Cloud;
use launchway_plan::fault::{Fault, FaultKind, Remedy};
use launchway_plan::image::ImageId;
use launchway_plan::world::LogStream;
use launchway_test_aws::{Fault as Struck, When};
use serde_json::json;
use std::sync::Arc;

/// Everything that can be asked or done, with what came of it; each goes as far as it can without the others.
pub async fn everything(cloud: &Cloud) -> Vec<(&'static str, Option<Fault>)> {
    let mut done = looks(cloud).await;
    done.extend(effects(cloud).await);
    done
}

async fn looks(cloud: &Cloud) -> Vec<(&'static str, Option<Fault>)> {
    let deployment = "arn:aws:ecs:us-east-2:123456789012:service-deployment/main/web/a";
    let revision = "arn:aws:ecs:us-east-2:123456789012:service-revision/main/web/1".to_owned();
    let log = LogStream { group: "g".to_owned(), stream: "s".to_owned() };
    vec![
        ("DescribeServices", cloud.service("main", "web").await.err()),
        ("ListServiceDeployments", cloud.deployments("main", "web").await.err()),
        ("DescribeServiceDeployments", cloud.deployment(deployment).await.err()),
        ("DescribeServiceRevisions", cloud.revisions(&[revision]).await.err()),
        ("ListTasks", cloud.stopped_tasks("main", "web").await.err()),
        ("DescribeTaskDefinition", cloud.task_definition("web").await.err()),
        ("ListTaskDefinitions", cloud.task_definitions("web", 5).await.err()),
        ("BatchGetBuilds", cloud.build("web:00000000-0000-4000-8000-000000000000").await.err()),
        ("ListBuildsForProject", cloud.builds_since("web", start()).await.err()),
        ("DescribeImages", cloud.image("web", &ImageId::Tag("abc".into())).await.err()),
        ("GetLogEvents", cloud.log_tail(&log, 5).await.err()),
    ]
}

async fn effects(cloud: &Cloud) -> Vec<(&'static str, Option<Fault>)> {
    let registered = cloud.register(&definition("web:1", &owner())).await;
    let first = "arn:aws:ecs:us-east-2:123456789012:task-definition/web:1";
    let created = cloud.create_service(&creation("web", first)).await;
    let updated = cloud.update_service(&change("web", json!({"taskDefinition": first}))).await;
    let tagged = cloud.tag_service("arn:aws:ecs:us-east-2:123456789012:service/main/web", &owner()).await;
    let started = cloud.start_build(&build("uid/build/1"), "token").await;
    let id = started.as_ref().map_or("web:00000000-0000-4000-8000-000000000000", |build| build.id.as_str()).to_owned();
    vec![
        ("RegisterTaskDefinition", registered.err()),
        ("CreateService", created.err()),
        ("UpdateService", updated.err()),
        ("TagResource", tagged.err()),
        ("StartBuild", started.err()),
        ("StopBuild", cloud.stop_build(&id).await.err()),
        ("DeleteService", cloud.delete_service("main", "web").await.err()),
    ]
}

/// A world in which each effect succeeds.
async fn rolled() -> Site {
    let site = Site::new();
    for (operation, fault) in everything(&site.own()).await {
        assert_eq!(fault, None, "{operation}");
    }
    let site = Site::new();
    let arn = site.own().register(&definition("web:1", &owner())).await.unwrap();
    site.own().create_service(&creation("web", &arn)).await.unwrap();
    pass(60).await;
    site
}

#[tokio::test(start_paused = true)]
async fn an_effect_whose_reply_is_lost_is_in_doubt_and_happened_once() {
    let site = rolled().await;
    site.world().faults.add("*", When::Always, Struck::LoseReply);
    for (operation, fault) in effects(&site.own()).await {
        let fault = fault.unwrap_or_else(|| panic!("{operation} succeeded without a reply"));
        assert!(fault.is_doubt(), "{operation}: {fault:?}");
        assert_eq!(fault.operation.split_once(':').unwrap().1, operation);
    }
    assert_eq!(site.world().ecs.values().next().unwrap().revisions("web").len(), 2);
    assert_eq!(site.world().codebuild.values().next().unwrap().builds().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_aws_failed_at_is_in_doubt_and_a_throttled_one_did_not_happen() {
    for (struck, expected) in [(Struck::Error5xx, Remedy::LookAgain), (Struck::Throttle, Remedy::Retry)] {
        let site = rolled().await;
        site.world().faults.add("*", When::Always, struck);
        for (operation, fault) in effects(&site.own()).await {
            assert_eq!(fault.map(|fault| fault.remedy), Some(expected), "{operation}");
        }
        assert_eq!(site.world().ecs.values().next().unwrap().revisions("web").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_cut_once_is_answered_all_the_same_and_never_without_end() {
    let site = rolled().await;
    site.world().faults.add("*", When::EveryNth(2), Struck::ResetBeforeEffect);
    for (operation, fault) in looks(&site.own()).await {
        assert_eq!(fault, None, "{operation}");
    }
    site.world().faults.clear();
    site.world().faults.add("*", When::Always, Struck::ResetBeforeEffect);
    for (operation, fault) in looks(&site.own()).await {
        assert_eq!(fault.map(|fault| fault.remedy), Some(Remedy::Retry), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_denied_operation_names_its_action() {
    let site = rolled().await;
    site.world().faults.add("*", When::Always, Struck::Deny);
    for (operation, fault) in everything(&site.own()).await {
        let fault = fault.unwrap_or_else(|| panic!("{operation} was allowed"));
        assert!(fault.is_denied() && fault.remedy == Remedy::AskOperator, "{operation}: {fault:?}");
        assert_eq!(fault.operation.split_once(':').unwrap().1, operation);
        assert!(fault.to_string().contains(&fault.operation), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn futures_may_move_between_threads() {
    fn moves<F: Future + Send>(future: F) -> F {
        future
    }
    let site = Site::new();
    moves(everything(&site.own())).await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_looks_and_changes_nothing_and_none_of_it_is_in_doubt() {
    let site = Site::with(|settings| settings.may_change = Arc::new(|| false));
    let is_fenced = |fault: &Fault| fault.kind == FaultKind::NotLeading;
    for (operation, fault) in looks(&site.own()).await {
        assert!(!fault.as_ref().is_some_and(is_fenced), "{operation}: {fault:?}");
        assert!(site.asked(operation) > 0, "{operation}");
    }
    for (operation, fault) in effects(&site.own()).await {
        assert!(fault.as_ref().is_some_and(|fault| is_fenced(fault) && !fault.is_doubt()), "{operation}: {fault:?}");
        assert_eq!(site.asked(operation), 0, "{operation}");
    }
}
