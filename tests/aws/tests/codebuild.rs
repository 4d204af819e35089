//! CodeBuild as its SDK client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{ACCOUNT, Account, COMMIT, ROLE, context, course, refusal, variable};
use aws_sdk_codebuild::types::{
    ArtifactsType, EnvironmentVariable, EnvironmentVariableType, ProjectArtifacts, SortOrderType, SourceType,
};
use launchway_test_aws::TaskStory;
use launchway_test_aws::codebuild::{
    AccountLimits, BuildStory, Outcome, Phase, PhaseSeconds, Project, Stories, Variable, VariableKind, Vpc,
};
use launchway_test_aws::ecr::Mutability;
use serde_json::json;

const TEN_MINUTES: i64 = 600;

fn secret(name: &str, value: &str, kind: EnvironmentVariableType) -> EnvironmentVariable {
    EnvironmentVariable::builder().name(name).value(value).r#type(kind).build().unwrap()
}

#[tokio::test]
async fn a_started_build_is_queued_and_has_an_id_of_project_and_uuid() {
    let account = Account::new();
    let build = account
        .codebuild()
        .start_build()
        .project_name("web")
        .source_version(COMMIT)
        .send()
        .await
        .unwrap()
        .build_value
        .unwrap();
    let id = build.id.as_deref().unwrap();
    let uuid = id.strip_prefix("web:").unwrap();
    assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!(build.arn.as_deref(), Some(format!("arn:aws:codebuild:eu-west-1:{ACCOUNT}:build/{id}").as_str()));
    assert_eq!(build.build_number, Some(1));
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "IN_PROGRESS");
    assert_eq!(build.current_phase.as_deref(), Some("QUEUED"));
    assert_eq!(course(&build), ["SUBMITTED SUCCEEDED", "QUEUED"]);
    assert!(!build.build_complete);
    assert_eq!(build.source_version.as_deref(), Some(COMMIT));
    assert_eq!(build.resolved_source_version, None);
    assert_eq!(build.initiator.as_deref(), Some("alice"));
    assert_eq!(build.service_role.as_deref(), Some(ROLE));
    assert_eq!((build.timeout_in_minutes, build.queued_timeout_in_minutes), (Some(60), Some(480)));
    assert_eq!(build.start_time.unwrap().secs(), account.now().as_second());
    assert!(build.end_time.is_none());
}

#[tokio::test]
async fn a_build_that_succeeds_goes_through_every_phase_and_keeps_the_times() {
    let account = Account::new();
    let id = account.start("v1").await;
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    let phases = [
        "SUBMITTED SUCCEEDED",
        "QUEUED SUCCEEDED",
        "PROVISIONING SUCCEEDED",
        "DOWNLOAD_SOURCE SUCCEEDED",
        "INSTALL SUCCEEDED",
        "PRE_BUILD SUCCEEDED",
        "BUILD SUCCEEDED",
        "POST_BUILD SUCCEEDED",
        "UPLOAD_ARTIFACTS SUCCEEDED",
        "FINALIZING SUCCEEDED",
        "COMPLETED",
    ];
    assert_eq!(course(&build), phases);
    assert!(build.build_complete);
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "SUCCEEDED");
    assert_eq!(build.current_phase.as_deref(), Some("COMPLETED"));
    assert_eq!(build.resolved_source_version.as_deref(), Some(COMMIT));
    assert_eq!(build.phases()[6].duration_in_seconds, Some(95));
    assert_eq!(build.end_time.unwrap().secs() - build.start_time.unwrap().secs(), 150);
    assert_eq!(context(&build, "BUILD"), ": ");
    assert!(build.phases()[1].contexts().is_empty());
}

#[tokio::test]
async fn a_build_is_seen_in_the_phase_that_it_is_in() {
    let account = Account::new();
    let id = account.start("v1").await;
    account.pass(10);
    assert_eq!(account.build(&id).await.current_phase.as_deref(), Some("PROVISIONING"));
    account.pass(40);
    let build = account.build(&id).await;
    assert_eq!(build.current_phase.as_deref(), Some("BUILD"));
    assert_eq!(course(&build).last().unwrap(), "BUILD");
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "IN_PROGRESS");
}

#[tokio::test]
async fn overrides_go_over_the_project_and_variables_are_merged_by_name() {
    let account = Account::new();
    let mut project = Project::new("shared", ROLE, "https://github.com/team/shared.git");
    project.environment.variables = vec![Variable::plain("KEPT", "1"), Variable::plain("CHANGED", "old")];
    account.builds(|builds| builds.add_project(project));
    let start = account.codebuild().start_build().project_name("shared").buildspec_override("ci/build.yml");
    let start = start
        .source_location_override("https://github.com/team/other.git")
        .image_override("alpine")
        .privileged_mode_override(false);
    let start = start
        .timeout_in_minutes_override(7)
        .queued_timeout_in_minutes_override(9)
        .service_role_override("arn:aws:iam::123456789012:role/other");
    let start = start
        .environment_variables_override(variable("CHANGED", "new"))
        .environment_variables_override(variable("ADDED", "2"));
    let build = start.send().await.unwrap().build_value.unwrap();
    let source = build.source.as_ref().unwrap();
    assert_eq!(
        (source.r#type.clone(), source.location.as_deref()),
        (SourceType::Github, Some("https://github.com/team/other.git"))
    );
    assert_eq!(source.buildspec.as_deref(), Some("ci/build.yml"));
    let environment = build.environment.as_ref().unwrap();
    assert_eq!((environment.image.as_str(), environment.privileged_mode), ("alpine", Some(false)));
    let variables: Vec<_> =
        environment.environment_variables().iter().map(|v| (v.name.as_str(), v.value.as_str())).collect();
    assert_eq!(variables, [("KEPT", "1"), ("CHANGED", "new"), ("ADDED", "2")]);
    assert_eq!((build.timeout_in_minutes, build.queued_timeout_in_minutes), (Some(7), Some(9)));
    assert_eq!(build.service_role.as_deref(), Some("arn:aws:iam::123456789012:role/other"));
}

#[tokio::test]
async fn an_unknown_project_is_not_found() {
    let account = Account::new();
    let refused = refusal(account.codebuild().start_build().project_name("nobody").send().await);
    assert_eq!(refused.0, "ResourceNotFoundException");
    assert_eq!(refused.1, format!("Project cannot be found: arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/nobody"));
}

#[tokio::test]
async fn values_out_of_range_are_invalid_input_and_start_nothing() {
    let account = Account::new();
    let start = || account.codebuild().start_build().project_name("web");
    for timeout in [4, 2161] {
        assert_eq!(refusal(start().timeout_in_minutes_override(timeout).send().await).0, "InvalidInputException");
    }
    for timeout in [4, 481] {
        assert_eq!(
            refusal(start().queued_timeout_in_minutes_override(timeout).send().await).0,
            "InvalidInputException"
        );
    }
    assert_eq!(refusal(start().auto_retry_limit_override(-1).send().await).0, "InvalidInputException");
    let kind = EnvironmentVariableType::from("VAULT");
    assert_eq!(
        refusal(start().environment_variables_override(secret("A", "b", kind)).send().await).0,
        "InvalidInputException"
    );
    for kind in [SourceType::Codecommit, SourceType::Codepipeline, SourceType::S3, SourceType::NoSource] {
        let status = start().source_type_override(kind).report_build_status_override(true);
        assert_eq!(refusal(status.send().await).0, "InvalidInputException");
    }
    let artifacts = ProjectArtifacts::builder().r#type(ArtifactsType::S3).build().unwrap();
    assert_eq!(refusal(start().artifacts_override(artifacts).send().await).0, "InvalidInputException");
    assert_eq!(account.builds(|builds| builds.builds().count()), 0);
}

#[tokio::test]
async fn a_token_starts_one_build_for_five_minutes_and_a_second_one_after_that() {
    let account = Account::new();
    let start =
        || account.codebuild().start_build().project_name("web").source_version(COMMIT).idempotency_token("t-1");
    let first = start().send().await.unwrap().build_value.unwrap();
    account.pass(299);
    let again = start().send().await.unwrap().build_value.unwrap();
    assert_eq!(again.id, first.id);
    assert_eq!(again.current_phase.as_deref(), Some("COMPLETED"));
    account.pass(1);
    let later = start().send().await.unwrap().build_value.unwrap();
    assert_ne!(later.id, first.id);
    assert_eq!(account.builds(|builds| builds.builds().count()), 2);
}

#[tokio::test]
async fn a_token_with_other_parameters_is_a_mismatch() {
    let account = Account::new();
    let start = || account.codebuild().start_build().project_name("web").idempotency_token("t-1");
    start().source_version(COMMIT).send().await.unwrap();
    let (code, message) = refusal(start().source_version("main").send().await);
    assert_eq!(code, "InvalidInputException");
    assert!(message.contains("mismatch"), "{message}");
    assert_eq!(account.builds(|builds| builds.builds().count()), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_one_more_and_takes_it_when_there_is_room() {
    let account = Account::new();
    account.builds(|builds| builds.limits = AccountLimits { running: 1, queued: 1 });
    let first = account.start("v1").await;
    let refused = refusal(account.codebuild().start_build().project_name("web").send().await);
    assert_eq!(refused.0, "AccountLimitExceededException");
    assert_eq!(refused.1, "Cannot have more than 1 builds in queue for the account");
    account.pass(2);
    let second = account.start("v2").await;
    account.pass(140);
    assert_eq!(account.build(&second).await.current_phase.as_deref(), Some("QUEUED"));
    account.pass(TEN_MINUTES);
    let (first, second) = (account.build(&first).await, account.build(&second).await);
    assert_eq!(second.build_status.as_ref().unwrap().as_str(), "SUCCEEDED");
    assert_eq!(second.phases()[2].start_time, first.end_time);
}

#[tokio::test]
async fn an_account_with_a_quota_of_zero_starts_nothing() {
    let account = Account::new();
    account.builds(|builds| builds.limits.queued = 0);
    let refused = refusal(account.codebuild().start_build().project_name("web").send().await);
    assert_eq!(refused.1, "Cannot have more than 0 builds in queue for the account");
}

#[tokio::test]
async fn a_project_with_a_limit_of_its_own_refuses_one_more() {
    let account = Account::new();
    let project =
        Project { concurrent_build_limit: Some(1), ..Project::new("one", ROLE, "https://github.com/team/one.git") };
    account.builds(|builds| builds.add_project(project));
    account.codebuild().start_build().project_name("one").send().await.unwrap();
    assert_eq!(
        refusal(account.codebuild().start_build().project_name("one").send().await).0,
        "AccountLimitExceededException"
    );
    account.pass(TEN_MINUTES);
    account.codebuild().start_build().project_name("one").send().await.unwrap();
}

#[tokio::test]
async fn a_failing_command_fails_its_phase_with_its_exit_status_and_the_log_says_so() {
    let story = BuildStory::fails(Phase::Build, "make test", 2)
        .saying(Phase::Build, ["running 3 tests", "test adds ... FAILED"]);
    let account = Account::telling(story);
    let id = account.start("v1").await;
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "FAILED");
    let expected =
        ["BUILD FAILED", "POST_BUILD SUCCEEDED", "UPLOAD_ARTIFACTS SUCCEEDED", "FINALIZING SUCCEEDED", "COMPLETED"];
    assert_eq!(course(&build)[6..], expected);
    assert_eq!(
        context(&build, "BUILD"),
        "COMMAND_EXECUTION_ERROR: Error while executing command: make test. Reason: exit status 2"
    );
    let logs = build.logs.as_ref().unwrap();
    let lines = account.lines(logs.group_name.as_deref().unwrap(), logs.stream_name.as_deref().unwrap());
    let at =
        |text: &str| lines.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text} in {lines:?}"));
    assert!(at("test adds ... FAILED") < at("Command did not exit successfully make test exit status 2"));
    assert!(at("Command did not exit") < at("Phase complete: BUILD State: FAILED"));
    assert!(account.images(|images| images.image("team/web", "v1").is_none()));
}

#[tokio::test]
async fn a_failure_before_build_skips_the_later_commands() {
    let account = Account::telling(BuildStory::fails(Phase::PreBuild, "docker login", 1));
    let id = account.start("v1").await;
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    assert_eq!(course(&build)[5..], ["PRE_BUILD FAILED", "FINALIZING SUCCEEDED", "COMPLETED"]);
}

#[tokio::test]
async fn a_fault_is_awss_own() {
    let account = Account::telling(BuildStory::new(Outcome::Faults { phase: Phase::Provisioning }));
    let id = account.start("v1").await;
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "FAULT");
    assert_eq!(course(&build)[2..], ["PROVISIONING FAULT", "COMPLETED"]);
}

#[tokio::test]
async fn a_vpc_that_cannot_be_used_ends_the_queue_with_a_status_that_the_model_lacks() {
    let account = Account::telling(BuildStory::new(Outcome::VpcError));
    let vpc = Vpc { id: "vpc-1".into(), subnets: vec!["subnet-1".into()], security_groups: vec!["sg-1".into()] };
    let project = Project { vpc: Some(vpc), ..Project::new("web", ROLE, "https://github.com/team/web.git") };
    account.builds(|builds| builds.add_project(project));
    let id = account.start("v1").await;
    account.pass(5);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "FAILED");
    assert_eq!(course(&build)[1..], ["QUEUED CLIENT_ERROR", "COMPLETED"]);
    assert!(context(&build, "QUEUED").starts_with("VPC_CLIENT_ERROR: "));
    assert_eq!(build.vpc_config.as_ref().unwrap().vpc_id.as_deref(), Some("vpc-1"));
}

#[tokio::test]
async fn a_build_that_hangs_in_download_source_times_out_without_a_log() {
    let account = Account::telling(BuildStory::hangs(Phase::DownloadSource));
    let id = account
        .codebuild()
        .start_build()
        .project_name("web")
        .timeout_in_minutes_override(5)
        .send()
        .await
        .unwrap()
        .build_value
        .unwrap()
        .id
        .unwrap();
    account.pass(1 + 299);
    let build = account.build(&id).await;
    assert_eq!(build.current_phase.as_deref(), Some("DOWNLOAD_SOURCE"));
    let logs = build.logs.clone().unwrap();
    let read = account
        .logs()
        .get_log_events()
        .log_group_name(logs.group_name.unwrap())
        .log_stream_name(logs.stream_name.unwrap());
    assert_eq!(refusal(read.send().await).0, "ResourceNotFoundException");
    account.pass(1);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "TIMED_OUT");
    assert_eq!(course(&build)[3..], ["DOWNLOAD_SOURCE TIMED_OUT", "COMPLETED"]);
    assert_eq!(context(&build, "DOWNLOAD_SOURCE"), "BUILD_TIMED_OUT: Build has timed out. ");
}

#[tokio::test]
async fn a_build_that_waits_too_long_for_its_turn_times_out_in_the_queue() {
    let account = Account::new();
    account.builds(|builds| builds.limits.running = 0);
    let id = account
        .codebuild()
        .start_build()
        .project_name("web")
        .queued_timeout_in_minutes_override(5)
        .send()
        .await
        .unwrap()
        .build_value
        .unwrap()
        .id
        .unwrap();
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "TIMED_OUT");
    assert_eq!(course(&build)[1..], ["QUEUED TIMED_OUT", "COMPLETED"]);
    assert_eq!(build.end_time.unwrap().secs() - build.start_time.unwrap().secs(), 300);
}

#[tokio::test]
async fn a_stopped_build_is_over_at_once_and_stopping_it_again_changes_nothing() {
    let account = Account::new();
    let id = account.start("v1").await;
    account.pass(60);
    let stopped = account.codebuild().stop_build().id(&id).send().await.unwrap().build_value.unwrap();
    assert_eq!(stopped.build_status.as_ref().unwrap().as_str(), "STOPPED");
    assert!(stopped.build_complete);
    assert_eq!(course(&stopped)[6..], ["BUILD STOPPED", "COMPLETED"]);
    account.pass(60);
    let again = account.codebuild().stop_build().id(&id).send().await.unwrap().build_value.unwrap();
    assert_eq!(again, stopped);
    assert!(account.images(|images| images.image("team/web", "v1").is_none()));
}

#[tokio::test]
async fn stopping_a_build_that_is_not_there_is_not_found() {
    let account = Account::new();
    let stop = |id: &str| account.codebuild().stop_build().id(id).send();
    assert_eq!(refusal(stop("web:nothing").await).0, "ResourceNotFoundException");
    for malformed in ["web", "web:", ":nothing", ""] {
        assert_eq!(refusal(stop(malformed).await).0, "InvalidInputException", "{malformed}");
    }
}

#[tokio::test]
async fn builds_are_read_a_hundred_at_a_time_by_id_or_arn() {
    let account = Account::new();
    let id = account.start("v1").await;
    let arn = account.build(&id).await.arn.unwrap();
    let found = account.codebuild().batch_get_builds().ids(&arn).ids("web:gone").send().await.unwrap();
    assert_eq!(found.builds()[0].id.as_deref(), Some(id.as_str()));
    assert_eq!(found.builds_not_found(), ["web:gone"]);
    let many = (0..101).map(|n| format!("web:{n}")).collect();
    assert_eq!(
        refusal(account.codebuild().batch_get_builds().set_ids(Some(many)).send().await).0,
        "InvalidInputException"
    );
    assert_eq!(
        refusal(account.codebuild().batch_get_builds().set_ids(Some(vec![])).send().await).0,
        "InvalidInputException"
    );
}

#[tokio::test]
async fn builds_are_listed_newest_first_in_pages_that_new_builds_do_not_move() {
    let account = Account::telling(BuildStory::succeeds_without_image().taking(PhaseSeconds::only_build(0)));
    let mut ids = Vec::new();
    for n in 0..150 {
        ids.push(account.start(&format!("v{n}")).await);
    }
    ids.reverse();
    let list = || account.codebuild().list_builds_for_project().project_name("web");
    let first = list().send().await.unwrap();
    assert_eq!(first.ids(), &ids[..100]);
    account.start("late").await;
    let second = list().next_token(first.next_token.unwrap()).send().await.unwrap();
    assert_eq!(second.ids(), &ids[100..]);
    assert_eq!(second.next_token, None);
    assert_eq!(refusal(list().next_token("nonsense").send().await).0, "InvalidInputException");
    assert_eq!(refusal(list().sort_order(SortOrderType::Descending).send().await).0, "InvalidInputException");
}

#[tokio::test]
async fn a_short_list_may_be_sorted_and_an_unknown_project_has_none() {
    let account = Account::new();
    let (first, second) = (account.start("v1").await, account.start("v2").await);
    let list = |name: &str| account.codebuild().list_builds_for_project().project_name(name);
    let ascending = list("web").sort_order(SortOrderType::Ascending).send().await.unwrap();
    assert_eq!(ascending.ids(), [first, second]);
    assert_eq!(refusal(list("nobody").send().await).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn projects_are_read_by_name_and_missing_ones_named() {
    let account = Account::new();
    let found = account.codebuild().batch_get_projects().names("web").names("nobody").send().await.unwrap();
    let project = &found.projects()[0];
    assert_eq!((project.name.as_deref(), project.service_role.as_deref()), (Some("web"), Some(ROLE)));
    assert_eq!(project.source.as_ref().unwrap().location.as_deref(), Some("https://github.com/team/web.git"));
    assert_eq!(found.projects_not_found(), ["nobody"]);
}

#[tokio::test]
async fn before_provisioning_a_build_has_no_log_and_from_then_on_a_stream_named_as_its_uuid() {
    let account = Account::telling(
        BuildStory::succeeds_without_image().taking(PhaseSeconds { queued: 30, ..PhaseSeconds::default() }),
    );
    let id = account.start("v1").await;
    let logs = account.build(&id).await.logs.unwrap();
    assert_eq!((logs.group_name, logs.stream_name), (None, None));
    account.pass(31);
    let logs = account.build(&id).await.logs.unwrap();
    assert_eq!(logs.group_name.as_deref(), Some("/aws/codebuild/web"));
    assert_eq!(logs.stream_name.as_deref(), id.strip_prefix("web:"));
    let read = account.logs().get_log_events().log_group_name("/aws/codebuild/web").log_stream_name(&id[4..]);
    assert!(read.send().await.unwrap().events().is_empty());
}

#[tokio::test]
async fn lines_appear_while_the_phase_goes_on() {
    let account = Account::telling(
        BuildStory::succeeds_without_image().saying(Phase::Build, ["one", "two", "three"]).building_for(40),
    );
    let id = account.start("v1").await;
    account.pass(30 + 21);
    let lines = account.lines("/aws/codebuild/web", &id[4..]);
    assert_eq!(lines[lines.len() - 2..], ["one\n", "two\n"]);
    assert!(
        lines.iter().any(|line| line.starts_with("[Container] 2026/09/01 10:00:21.000000 Running on CodeBuild")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_build_with_a_missing_parameter_fails_in_download_source_and_names_it() {
    let account = Account::new();
    let start = || {
        account.codebuild().start_build().project_name("web").environment_variables_override(secret(
            "TOKEN",
            "/web/token",
            EnvironmentVariableType::ParameterStore,
        ))
    };
    let id = start().send().await.unwrap().build_value.unwrap().id.unwrap();
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    assert_eq!(course(&build)[3..], ["DOWNLOAD_SOURCE FAILED", "FINALIZING SUCCEEDED", "COMPLETED"]);
    assert_eq!(context(&build, "DOWNLOAD_SOURCE"), "Decrypted Variables Error: parameter does not exist: /web/token");
    account.parameters(|parameters| parameters.put_secure("/web/token", "s3cret"));
    let id = start().send().await.unwrap().build_value.unwrap().id.unwrap();
    account.pass(TEN_MINUTES);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().unwrap().as_str(), "SUCCEEDED");
    assert!(!format!("{build:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_build_with_a_missing_secret_fails_in_download_source() {
    let account = Account::new();
    let mut project = Project::new("web", ROLE, "https://github.com/team/web.git");
    project.environment.variables =
        vec![Variable { name: "KEY".into(), value: "web/keys:api".into(), kind: VariableKind::Secret }];
    account.builds(|builds| builds.add_project(project));
    let id = account.start("v1").await;
    account.pass(TEN_MINUTES);
    let expected = "Secrets Manager Error: ResourceNotFoundException: Secrets Manager can't find the specified secret.";
    assert_eq!(context(&account.build(&id).await, "DOWNLOAD_SOURCE"), expected);
    account.parameters(|parameters| parameters.put_secret("web/keys", r#"{"api":"x"}"#));
    let id = account.start("v2").await;
    account.pass(TEN_MINUTES);
    assert_eq!(account.build(&id).await.build_status.as_ref().unwrap().as_str(), "SUCCEEDED");
}

#[tokio::test]
async fn a_successful_build_pushes_its_image_when_post_build_ends() {
    let story = TaskStory::NeverHealthy;
    let account = Account::telling(BuildStory::succeeds(story.clone()));
    let id = account.start(COMMIT).await;
    account.pass(146);
    account.build(&id).await;
    assert!(account.images(|images| images.image("team/web", COMMIT).is_none()));
    account.pass(1);
    account.build(&id).await;
    let image = account.images(|images| images.image("team/web", COMMIT).cloned()).unwrap();
    assert_eq!(image.story, story);
    assert_eq!(image.digest, launchway_test_aws::ecr::digest(&image.manifest));
}

#[tokio::test]
async fn a_push_to_an_immutable_tag_fails_in_post_build_and_leaves_the_image() {
    let account = Account::new();
    account.images(|images| images.add_repository("team/web", Mutability::Immutable));
    let first = account.start("v1").await;
    account.pass(TEN_MINUTES);
    account.build(&first).await;
    let digest = account.images(|images| images.image("team/web", "v1").unwrap().digest.clone());
    let second = account.start("v1").await;
    account.pass(TEN_MINUTES);
    let build = account.build(&second).await;
    assert_eq!(
        course(&build)[7..],
        ["POST_BUILD FAILED", "UPLOAD_ARTIFACTS SUCCEEDED", "FINALIZING SUCCEEDED", "COMPLETED"]
    );
    let lines = account.lines("/aws/codebuild/web", &second[4..]);
    let refused = "tag invalid: The image tag 'v1' already exists in the 'team/web' repository and cannot be overwritten because the tag is immutable.\n";
    assert!(lines.iter().any(|line| line.ends_with(refused)), "{lines:?}");
    assert_eq!(account.images(|images| images.image("team/web", "v1").unwrap().digest.clone()), digest);
}

#[tokio::test]
async fn each_build_is_told_its_story_from_what_it_was_started_with() {
    let account = Account::new();
    account.builds(|builds| {
        builds.stories = Stories::new(|build| match build.environment.get("IMAGE_TAG").map(String::as_str) {
            Some("bad") => BuildStory::fails(Phase::Install, "npm ci", 1),
            _ => BuildStory::succeeds_without_image(),
        });
    });
    let (good, bad) = (account.start("good").await, account.start("bad").await);
    account.pass(TEN_MINUTES);
    assert_eq!(account.build(&good).await.build_status.as_ref().unwrap().as_str(), "SUCCEEDED");
    assert_eq!(account.build(&bad).await.build_status.as_ref().unwrap().as_str(), "FAILED");
}

#[tokio::test]
async fn codebuild_itself_starts_a_failed_build_again_unless_it_is_told_not_to() {
    let account = Account::telling(BuildStory::fails(Phase::Build, "make", 1));
    let project = Project { auto_retry_limit: 2, ..Project::new("web", ROLE, "https://github.com/team/web.git") };
    account.builds(|builds| builds.add_project(project));
    let start = || account.codebuild().start_build().project_name("web");
    let id = start().auto_retry_limit_override(0).send().await.unwrap().build_value.unwrap().id.unwrap();
    account.pass(10 * TEN_MINUTES);
    assert_eq!(account.build(&id).await.auto_retry_config, None);
    assert_eq!(account.builds(|builds| builds.builds().count()), 1);
    let id = start().send().await.unwrap().build_value.unwrap().id.unwrap();
    account.pass(10 * TEN_MINUTES);
    let first = account.build(&id).await;
    assert_eq!(account.builds(|builds| builds.builds().count()), 4);
    let next = first.auto_retry_config.unwrap().next_auto_retry.unwrap();
    assert_eq!(account.build(&next).await.auto_retry_config.unwrap().previous_auto_retry, first.arn);
}

#[tokio::test]
async fn rights_are_asked_for_on_the_project_and_the_role_that_is_passed() {
    let account = Account::new();
    let id = account.start("v1").await;
    let others = format!("arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/other");
    account.restrict(json!({ "Statement": [{ "Effect": "Allow", "Action": "codebuild:*", "Resource": others }] }));
    let client = account.codebuild();
    assert_eq!(refusal(client.start_build().project_name("web").send().await).0, "AccessDeniedException");
    assert_eq!(refusal(client.stop_build().id(&id).send().await).0, "AccessDeniedException");
    assert_eq!(refusal(client.batch_get_builds().ids(&id).send().await).0, "AccessDeniedException");
    assert_eq!(refusal(client.list_builds_for_project().project_name("web").send().await).0, "AccessDeniedException");
    assert_eq!(refusal(client.batch_get_projects().names("web").send().await).0, "AccessDeniedException");
    account.restrict(json!({ "Statement": [{ "Effect": "Allow", "Action": "codebuild:*", "Resource": "*" }] }));
    let (code, message) = refusal(client.start_build().project_name("web").service_role_override(ROLE).send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("iam:PassRole") && message.contains(ROLE), "{message}");
}

#[tokio::test]
async fn two_worlds_of_one_seed_build_the_same_to_the_byte() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let account = Account::new();
        let id = account.start("v1").await;
        account.pass(TEN_MINUTES);
        let build = account.build(&id).await;
        let image = account.images(|images| images.image("team/web", "v1").unwrap().digest.clone());
        seen.push((
            build,
            image,
            account.lines("/aws/codebuild/web", &id[4..]),
            account.world.lock().unwrap().log_hash(),
        ));
    }
    assert_eq!(seen[0], seen[1]);
}
