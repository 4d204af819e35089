//! Tasks that belong to no service.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use launchway_test_aws::TaskStory;

use crate::stage::{Stage, network};

#[tokio::test]
async fn a_run_ends_with_its_exit_code_and_is_found_by_who_started_it() {
    let stage = Stage::new();
    let done = TaskStory::Crashes { after: std::time::Duration::from_secs(5), exit_code: 0, reason: String::new() };
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
