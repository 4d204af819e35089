//! What StartBuild is told beside source and environment, as the build shows it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{Account, refusal};
use aws_sdk_codebuild::types::{
    ArtifactNamespace, ArtifactsType, Build, CacheMode, CacheType, CloudWatchLogsConfig, LogsConfig,
    LogsConfigStatusType as Status, ProjectArtifacts, ProjectCache, S3LogsConfig,
};
use launchway_test_aws::codebuild::{BuildStory, Phase};

fn cloud_watch(status: Status, group: Option<&str>, prefix: Option<&str>) -> LogsConfig {
    let config = CloudWatchLogsConfig::builder().status(status);
    let config = config.set_group_name(group.map(str::to_owned)).set_stream_name(prefix.map(str::to_owned));
    LogsConfig::builder().cloud_watch_logs(config.build().unwrap()).build()
}

async fn logged(account: &Account, logs: LogsConfig) -> Build {
    let started =
        account.codebuild().start_build().project_name("web").logs_config_override(logs).send().await.unwrap();
    account.pass(600);
    account.build(started.build_value.unwrap().id.as_deref().unwrap()).await
}

#[tokio::test]
async fn a_build_shows_the_cache_the_key_and_the_artifacts_that_it_was_told() {
    let account = Account::new();
    let cache = ProjectCache::builder().r#type(CacheType::Local).modes(CacheMode::LocalSourceCache).build().unwrap();
    let artifacts = ProjectArtifacts::builder().r#type(ArtifactsType::S3).location("bucket").path("out");
    let artifacts = artifacts.namespace_type(ArtifactNamespace::BuildId).name("web.zip").encryption_disabled(true);
    let start = account.codebuild().start_build().project_name("web").cache_override(cache.clone());
    let start = start.encryption_key_override("alias/mine").artifacts_override(artifacts.build().unwrap());
    let build = start.send().await.unwrap().build_value.unwrap();
    assert_eq!(build.cache, Some(cache));
    assert_eq!(build.encryption_key.as_deref(), Some("alias/mine"));
    let uuid = build.id.as_deref().unwrap().strip_prefix("web:").unwrap();
    let shown = build.artifacts.as_ref().unwrap();
    assert_eq!(shown.location.as_deref(), Some(format!("arn:aws:s3:::bucket/out/{uuid}/web.zip").as_str()));
    assert_eq!(shown.encryption_disabled, Some(true));
}

#[tokio::test]
async fn a_build_that_is_told_nothing_has_no_cache_no_artifacts_and_awss_key() {
    let account = Account::new();
    let id = account.start("v1").await;
    let build = account.build(&id).await;
    assert_eq!(build.cache.unwrap().r#type, CacheType::NoCache);
    assert_eq!(build.artifacts.unwrap().location.as_deref(), Some(""));
    assert_eq!(build.encryption_key.as_deref(), Some("arn:aws:kms:eu-west-1:123456789012:alias/aws/s3"));
}

#[tokio::test]
async fn the_log_goes_to_the_group_and_the_stream_that_were_asked_for() {
    let account = Account::telling(BuildStory::succeeds_without_image().saying(Phase::Build, ["hello"]));
    let build = logged(&account, cloud_watch(Status::Enabled, Some("/team/builds"), Some("web"))).await;
    let logs = build.logs.unwrap();
    let stream = format!("web/{}", &build.id.unwrap()["web:".len()..]);
    assert_eq!(
        (logs.group_name.as_deref(), logs.stream_name.as_deref()),
        (Some("/team/builds"), Some(stream.as_str()))
    );
    assert_eq!(logs.cloud_watch_logs.unwrap().group_name.as_deref(), Some("/team/builds"));
    assert!(account.lines("/team/builds", &stream).iter().any(|line| line == "hello\n"));
}

#[tokio::test]
async fn a_build_without_a_log_has_no_stream() {
    let account = Account::new();
    let build = logged(&account, cloud_watch(Status::Disabled, None, None)).await;
    let logs = build.logs.unwrap();
    assert_eq!((logs.group_name, logs.stream_name), (None, None));
    let uuid = build.id.unwrap()["web:".len()..].to_owned();
    let read = account.logs().get_log_events().log_group_name("/aws/codebuild/web").log_stream_name(uuid);
    assert_eq!(refusal(read.send().await).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn logs_in_s3_are_shown_as_they_were_asked_for() {
    let account = Account::new();
    let s3 = S3LogsConfig::builder().status(Status::Enabled).location("bucket/logs").build().unwrap();
    let build = logged(&account, LogsConfig::builder().s3_logs(s3.clone()).build()).await;
    let logs = build.logs.unwrap();
    assert_eq!(logs.s3_logs, Some(s3));
    assert_eq!(logs.cloud_watch_logs.unwrap().status, Status::Enabled);
}
