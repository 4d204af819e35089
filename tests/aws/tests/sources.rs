//! What a build is made of and when it comes to it: pipelines' projects, source that is not there, secondary sources, the queue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{Account, COMMIT, ROLE, context, refusal};
use aws_sdk_codebuild::types::{ArtifactsType, ProjectArtifacts, ProjectSource, ProjectSourceVersion};
use launchway_test_aws::codebuild::{AccountLimits, Lack, Project, Queue, Source};

/// Makes `web` a project that a pipeline builds.
fn of_a_pipeline(account: &Account) {
    account.builds(|builds| {
        let mut project = Project::new("web", ROLE, "");
        project.source = Source { kind: "CODEPIPELINE".to_owned(), location: None, buildspec: None };
        builds.add_project(project);
    });
}

#[tokio::test]
async fn a_project_of_a_pipeline_is_built_alone_if_its_source_and_artifacts_are_overridden() {
    let account = Account::new();
    of_a_pipeline(&account);
    let project = account.codebuild().batch_get_projects().names("web").send().await.unwrap();
    assert_eq!(project.projects()[0].artifacts.as_ref().unwrap().r#type().as_str(), "CODEPIPELINE");
    let start = || account.codebuild().start_build().project_name("web");
    let none = ProjectArtifacts::builder().r#type(ArtifactsType::NoArtifacts).build().unwrap();
    let of_pipeline = ProjectArtifacts::builder().r#type(ArtifactsType::Codepipeline).build().unwrap();
    let source =
        || start().source_type_override("GITHUB".into()).source_location_override("https://github.com/team/web.git");
    let artifacts = "ArtifactsOverride must be set when using artifacts type CodePipelines";
    for (request, message) in [
        (start(), "SourceTypeOverride must be set when using source type CodePipeline"),
        (
            start().artifacts_override(none.clone()),
            "SourceTypeOverride must be set when using source type CodePipeline",
        ),
        (source(), artifacts),
        (source().artifacts_override(of_pipeline), artifacts),
    ] {
        assert_eq!(refusal(request.send().await), ("InvalidInputException".to_owned(), message.to_owned()));
    }
    source().artifacts_override(none).send().await.unwrap();
}

#[tokio::test]
async fn source_that_is_not_there_fails_the_download() {
    for (lack, message) in [
        (
            Lack::Version(COMMIT.to_owned()),
            format!("CLIENT_ERROR: reference not found for primary source and source version {COMMIT}"),
        ),
        (
            Lack::Repository("https://github.com/*".to_owned()),
            format!("CLIENT_ERROR: repository not found for primary source and source version {COMMIT}"),
        ),
    ] {
        let account = Account::new();
        account.builds(|builds| builds.lacks.push(lack));
        let id = account.start("v1").await;
        account.pass(600);
        let build = account.build(&id).await;
        assert_eq!(build.build_status.as_ref().unwrap().as_str(), "FAILED");
        assert_eq!(context(&build, "DOWNLOAD_SOURCE"), message);
        assert_eq!(build.resolved_source_version, None);
        assert!(account.images(|images| images.image("team/web", "v1").is_none()));
    }
}

#[tokio::test]
async fn what_a_build_is_told_beside_its_source_is_shown() {
    let account = Account::new();
    let second = || ProjectSource::builder().r#type("GITHUB".into()).location("https://github.com/team/lib.git");
    let version = ProjectSourceVersion::builder().source_identifier("lib").source_version("main").build().unwrap();
    let start = || account.codebuild().start_build().project_name("web");
    let request = start().secondary_sources_override(second().source_identifier("lib").build().unwrap());
    let request = request.secondary_sources_version_override(version).debug_session_enabled(true);
    let build = request.host_kernel_override("LINUX_KERNEL_6".into()).send().await.unwrap().build_value.unwrap();
    assert_eq!(build.secondary_sources()[0].source_identifier.as_deref(), Some("lib"));
    assert_eq!(build.secondary_source_versions()[0].source_version, "main");
    assert_eq!(build.debug_session.unwrap().session_enabled, Some(true));
    assert_eq!(build.environment.unwrap().host_kernel.unwrap().as_str(), "LINUX_KERNEL_6");
    let nameless = start().secondary_sources_override(second().build().unwrap());
    assert!(refusal(nameless.send().await).1.contains("must have a sourceIdentifier of its own"));
}

/// The tags of ten builds of which one may run at a time, in the order in which they left the queue.
async fn order(queue: Queue) -> Vec<usize> {
    let account = Account::new();
    account.builds(|builds| {
        builds.queue = queue;
        builds.limits = AccountLimits { running: 1, queued: 100 };
    });
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(account.start(&format!("v{number}")).await);
    }
    account.pass(3600);
    let mut begun = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        let build = account.build(id).await;
        let phase = build.phases().iter().find(|run| run.phase_type.as_ref().unwrap().as_str() == "PROVISIONING");
        begun.push((phase.unwrap().start_time.unwrap().secs(), number));
    }
    begun.sort_unstable();
    begun.into_iter().map(|(_, number)| number).collect()
}

#[tokio::test]
async fn builds_leave_the_queue_oldest_first_or_in_any_order() {
    let in_order: Vec<usize> = (0..10).collect();
    assert_eq!(order(Queue::OldestFirst).await, in_order);
    let (one, again) = (order(Queue::Unpredictable { seed: 1 }).await, order(Queue::Unpredictable { seed: 1 }).await);
    assert_ne!(one, in_order);
    assert_eq!(one, again, "the seed decides");
    assert_ne!(one, order(Queue::Unpredictable { seed: 2 }).await);
}
