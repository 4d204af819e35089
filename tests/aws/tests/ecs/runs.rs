//! Tasks that belong to no service.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{LaunchType, PropagateTags, Tag};
use launchway_test_aws::TaskStory;
use serde_json::{Value, json};

use crate::stage::{Fargate, Stage, container, network, place};

#[tokio::test]
async fn a_run_ends_with_its_exit_code_and_is_found_by_who_started_it() {
    let stage = Stage::new();
    let done = TaskStory::Crashes {
        after: std::time::Duration::from_secs(5),
        exit_code: 0,
        reason: String::new(),
        output: vec![],
    };
    stage.lock().image_story.insert("migrate".to_owned(), done);
    let definition = stage.register("migrate").await;
    let run = |token: &str, by: &str| {
        let request =
            stage.ecs().run_task().cluster("prod").task_definition(&definition).client_token(token).started_by(by);
        request.launch_type("FARGATE".into()).network_configuration(network()).send()
    };
    let first = run("once", "release-1").await.unwrap();
    let again = run("once", "release-1").await.unwrap();
    assert_eq!(first.tasks()[0].task_arn(), again.tasks()[0].task_arn());
    assert_eq!(run("once", "release-2").await.unwrap_err().code(), Some("ConflictException"));
    stage.wait(60);
    let listed = stage
        .ecs()
        .list_tasks()
        .cluster("prod")
        .started_by("release-1")
        .desired_status("STOPPED".into())
        .send()
        .await
        .unwrap();
    let described = stage.ecs().describe_tasks().cluster("prod").tasks(&listed.task_arns()[0]).send().await.unwrap();
    assert_eq!(
        (described.tasks()[0].last_status(), described.tasks()[0].containers()[0].exit_code()),
        (Some("STOPPED"), Some(0))
    );
}

#[tokio::test]
async fn a_run_takes_on_the_tags_that_it_is_told_to() {
    let stage = Stage::new();
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let request = stage.ecs().register_task_definition().family("web").container_definitions(container("app"));
    request.fargate().tags(tag("a", "definition")).tags(tag("b", "definition")).send().await.unwrap();
    let tags = |propagate: Option<PropagateTags>, managed| {
        let run = stage.ecs().run_task().cluster("prod").task_definition("web").tags(tag("a", "run"));
        let run = run.launch_type(LaunchType::Fargate).network_configuration(network());
        let run = run.set_propagate_tags(propagate).enable_ecs_managed_tags(managed).send();
        async {
            let reply = run.await.map_err(|refused| refused.code().unwrap().to_owned())?;
            let said = |tag: &Tag| format!("{}={}", tag.key().unwrap(), tag.value().unwrap());
            Ok::<_, String>(reply.tasks()[0].tags().iter().map(said).collect::<Vec<_>>())
        }
    };
    assert_eq!(tags(None, false).await.unwrap(), ["a=run"]);
    let all = ["a=run", "aws:ecs:clusterName=prod", "b=definition"];
    assert_eq!(tags(Some(PropagateTags::TaskDefinition), true).await.unwrap(), all);
    assert_eq!(tags(Some(PropagateTags::Service), false).await.unwrap_err(), "InvalidParameterException");
}

#[tokio::test]
async fn a_run_on_fargate_has_a_platform_version_and_needs_a_definition_that_fits() {
    let stage = Stage::new();
    stage.register("app").await;
    let bridge = stage.ecs().register_task_definition().family("bridge").memory("512");
    bridge.container_definitions(container("app")).send().await.unwrap();
    let run = |family: &str| stage.ecs().run_task().cluster("prod").task_definition(family);
    let fargate = run("web").launch_type(LaunchType::Fargate).network_configuration(network()).send().await.unwrap();
    assert_eq!(fargate.tasks()[0].platform_version(), Some("1.4.0"));
    let ec2 = run("bridge").send().await.unwrap();
    assert_eq!((ec2.tasks()[0].launch_type(), ec2.tasks()[0].platform_version()), (Some(&LaunchType::Ec2), None));
    let refused = run("bridge").launch_type(LaunchType::Fargate).send().await.unwrap_err();
    assert_eq!(refused.message(), Some("Task definition does not support launch_type FARGATE."));
    let refused = run("bridge").platform_version("1.4.0").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterException"));
    let unknown = run("web").launch_type(LaunchType::Fargate).network_configuration(network()).platform_version("9");
    assert_eq!(unknown.send().await.unwrap_err().code(), Some("PlatformUnknownException"));
    assert_eq!(stage.lock().ecs[&place()].clusters["prod"].runs.len(), 2);
}

#[tokio::test]
async fn who_started_a_run_is_said_in_letters_numbers_hyphens_slashes_and_underscores() {
    let stage = Stage::new();
    stage.register("app").await;
    let run = |by: &str| {
        let run = stage.ecs().run_task().cluster("prod").task_definition("web").started_by(by);
        run.launch_type(LaunchType::Fargate).network_configuration(network()).send()
    };
    run("shop/web_1-2").await.unwrap();
    for by in ["shop.web", "shop=web", "shop web", &"x".repeat(129)] {
        assert_eq!(run(by).await.unwrap_err().code(), Some("InvalidParameterException"), "{by}");
    }
}

#[tokio::test]
async fn a_service_task_that_is_stopped_by_hand_is_replaced() {
    let stage = Stage::new();
    stage.steady("app").await;
    let listed = stage.ecs().list_tasks().cluster("prod").service_name("web").send().await.unwrap();
    let task = &listed.task_arns()[0];
    stage.ecs().stop_task().cluster("prod").task(task).reason("a test").send().await.unwrap();
    stage.wait(60);
    assert_eq!(stage.service().await.running_count(), 2);
    let described = stage.ecs().describe_tasks().cluster("prod").tasks(task).send().await.unwrap();
    assert_eq!(
        (described.tasks()[0].stop_code().unwrap().as_str(), described.tasks()[0].stopped_reason()),
        ("UserInitiated", Some("a test"))
    );
}

/// RunTask of `web` on Fargate with one more member.
fn run_with(stage: &Stage, member: &str, value: Value) -> Result<Value, String> {
    let mut request = json!({
        "cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    });
    request[member] = value;
    stage.ask("RunTask", &request)
}

#[tokio::test]
async fn what_a_run_can_not_have_is_refused() {
    let stage = Stage::new();
    stage.register("app").await;
    let refused = |member: &str, value: Value| {
        let refused = run_with(&stage, member, value).expect_err(member);
        refused.strip_prefix("InvalidParameterException: ").expect(&refused).to_owned()
    };
    assert_eq!(
        refused("overrides", json!({"containerOverrides": [{"name": "other", "command": ["x"]}]})),
        "Override for container named other is not a container in the TaskDefinition."
    );
    let subnets: Vec<String> = (0..17).map(|number| format!("subnet-{number}")).collect();
    assert_eq!(
        refused("networkConfiguration", json!({"awsvpcConfiguration": {"subnets": subnets}})),
        "subnets can have at most 16 items."
    );
    assert!(refused("placementStrategy", json!([{"type": "random"}])).contains("not supported with FARGATE"));
    let volume = json!([{"name": "data", "managedEBSVolume": {"roleArn": "arn:aws:iam::111122223333:role/ebs"}}]);
    assert!(refused("volumeConfigurations", volume).contains("no volume data"));
    stage.ask("DeregisterTaskDefinition", &json!({"taskDefinition": "web:1"})).unwrap();
    assert_eq!(refused("taskDefinition", json!("web:1")), "TaskDefinition is inactive");
}

#[tokio::test]
async fn a_run_takes_on_the_roles_that_it_is_given() {
    let stage = Stage::new();
    stage.register("app").await;
    let other = |role: &str| run_with(&stage, "overrides", json!({"taskRoleArn": role}));
    assert!(other("nobody").unwrap_err().starts_with("ClientException: ECS was unable to assume the role"));
    assert_eq!(other("exec").unwrap()["failures"], json!([]));
}

#[tokio::test]
async fn the_id_of_a_task_is_as_long_as_an_id() {
    let stage = Stage::new();
    for (operation, member) in [("DescribeTasks", "tasks"), ("StopTask", "task")] {
        let value = if member == "tasks" { json!(["short"]) } else { json!("short") };
        let refused = stage.ask(operation, &json!({"cluster": "prod", member: value})).unwrap_err();
        assert_eq!(refused, "InvalidParameterException: taskId length should be one of [32,36]");
    }
}
