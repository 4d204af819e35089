use super::site::{ACCOUNT, REGION, Site, build, pass, start};

use launchway_crds::pipeline::CodeBuild;
use launchway_plan::fault::Remedy;
use launchway_plan::image::ImageId;
use launchway_plan::start::Attempt;
use launchway_plan::start::build::{Inputs, Run, request};
use launchway_plan::world::TestCounts;
use launchway_plan::world::{BuildRequest, BuildStatus, LiveProject, LogStream, PhaseKind, PhaseStatus};
use launchway_test_aws::codebuild::{BuildStory, Phase, Stories, Tests};
use launchway_test_aws::logs::Pages;
use launchway_test_aws::{Fault, TaskStory, When};

fn place() -> (String, String) {
    (ACCOUNT.to_owned(), REGION.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_build_is_started_found_by_its_marker_and_followed_to_its_failure_and_log() {
    let site = Site::new();
    let cloud = site.own();
    let story = BuildStory::fails(Phase::Build, "make", 2).saying(Phase::Build, ["cc main.c", "error: no main"]);
    site.world().codebuild.entry(place()).or_default().stories = Stories::always(story);
    let started = cloud.start_build(&build("uid/build/1"), "token").await.unwrap();
    assert_eq!((started.status, started.marker.as_deref()), (BuildStatus::InProgress, Some("uid/build/1")));
    let found = cloud.builds_since("web", start()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [started.id.as_str()]);
    pass(1200).await;

    let ended = cloud.build(&started.id).await.unwrap().unwrap();
    assert_eq!(ended.status, BuildStatus::Failed);
    let failed = ended.phases.iter().find(|one| one.status == PhaseStatus::Failed).unwrap();
    assert_eq!((failed.phase.kind, failed.phase.name.as_str()), (PhaseKind::Commands, "BUILD"));
    assert!(!failed.contexts.is_empty());
    let lines = cloud.log_tail(&ended.log.unwrap(), 50).await.unwrap();
    assert!(lines.iter().any(|line| line.contains("error: no main")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_token_is_the_same_build_and_with_other_parameters_means_look_again() {
    let site = Site::new();
    let cloud = site.own();
    let first = cloud.start_build(&build("uid/build/1"), "token").await.unwrap();
    let again = cloud.start_build(&build("uid/build/1"), "token").await.unwrap();
    assert_eq!(first.id, again.id);
    let fault = cloud.start_build(&build("uid/build/2"), "token").await.unwrap_err();
    assert_eq!(fault.remedy, Remedy::LookAgain, "{fault:?}");
    assert_eq!(cloud.builds_since("web", start()).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn builds_that_began_long_before_are_left_out_and_pages_are_followed_until_then() {
    let site = Site::new();
    let cloud = site.own();
    site.world().codebuild.entry(place()).or_default().limits.queued = 1000;
    cloud.start_build(&build("old"), "old").await.unwrap();
    pass(3600).await;
    for n in 0..120 {
        pass(2).await;
        cloud.start_build(&build(&n.to_string()), &format!("token-{n}")).await.unwrap();
    }
    let found = cloud.builds_since("web", cloud.now()).await.unwrap();
    assert_eq!(found.len(), 120);
    assert_eq!((found[0].marker.as_deref(), found[119].marker.as_deref()), (Some("119"), Some("0")));
}

#[tokio::test(start_paused = true)]
async fn a_build_is_stopped_and_one_that_ended_or_never_was_is_stopped_too() {
    let site = Site::new();
    let cloud = site.own();
    let started = cloud.start_build(&build("uid/build/1"), "token").await.unwrap();
    cloud.stop_build(&started.id).await.unwrap();
    pass(60).await;
    assert_eq!(cloud.build(&started.id).await.unwrap().unwrap().status, BuildStatus::Stopped);
    cloud.stop_build(&started.id).await.unwrap();
    let never = "web:00000000-0000-4000-8000-000000000000";
    assert_eq!(cloud.build(never).await, Ok(None));
    cloud.stop_build(never).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_project_that_is_not_there_and_a_full_queue_are_told_apart() {
    let site = Site::new();
    let cloud = site.own();
    let lost = BuildRequest { project: "lost".to_owned(), ..build("1") };
    assert_eq!(cloud.start_build(&lost, "a").await.unwrap_err().remedy, Remedy::AskOperator);
    site.world().codebuild.entry(place()).or_default().limits.queued = 1;
    cloud.start_build(&build("1"), "b").await.unwrap();
    assert_eq!(cloud.start_build(&build("2"), "c").await.unwrap_err().remedy, Remedy::Retry);
}

#[tokio::test(start_paused = true)]
async fn an_image_is_there_or_not_and_a_repository_that_is_not_there_is_the_operators() {
    let site = Site::new();
    let cloud = site.own();
    assert_eq!(cloud.image("web", &ImageId::Tag("abc".into())).await, Ok(None));
    let pushed = {
        let mut world = site.world();
        let repositories = world.ecr.entry(place()).or_default();
        repositories.push("web", "abc", "content", TaskStory::default(), start()).unwrap()
    };
    assert_eq!(cloud.image("web", &ImageId::Tag("abc".into())).await.unwrap().unwrap().digest, pushed);
    let fault = cloud.image("lost", &ImageId::Tag("abc".into())).await.unwrap_err();
    assert_eq!((fault.operation.as_str(), fault.remedy), ("ecr:DescribeImages", Remedy::AskOperator));
    assert_eq!(fault.resource, "arn:aws:ecr:us-east-2:*:repository/lost");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_there_has_no_lines_and_keys_in_one_are_hidden() {
    let site = Site::new();
    let cloud = site.own();
    let log = LogStream { group: "/aws/codebuild/web".to_owned(), stream: "one".to_owned() };
    assert_eq!(cloud.log_tail(&log, 20).await, Ok(Vec::new()));
    {
        let mut world = site.world();
        let logs = world.logs.entry(place()).or_default();
        for n in 0..30 {
            logs.append(&log.group, &log.stream, start(), format!("line {n} AKIAIOSFODNN7EXAMPLE\n"));
        }
    }
    let lines = cloud.log_tail(&log, 20).await.unwrap();
    assert_eq!((lines.len(), lines[19].as_str()), (20, "line 29 [hidden]"));
}

/// Reads a log part by part, and says how often that took a part and what was read.
async fn read(cloud: &launchway_cloud::Cloud, log: &LogStream, most: usize) -> (usize, String) {
    let (mut parts, mut all, mut next) = (0, String::new(), None);
    loop {
        let part = cloud.log_part(log, next.as_deref(), most).await.unwrap().unwrap();
        assert!(part.text.len() <= most, "{}", part.text.len());
        all.push_str(&part.text);
        parts += 1;
        if !part.more {
            let after = cloud.log_part(log, part.next.as_deref(), most).await.unwrap().unwrap();
            assert_eq!((after.text.as_str(), after.more, after.next), ("", false, part.next));
            return (parts, all);
        }
        assert_ne!(next, part.next, "a part that does not lead on");
        next = part.next;
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_is_read_whole_in_parts_that_are_not_larger_than_asked_for() {
    let site = Site::new();
    let cloud = site.own();
    let log = LogStream { group: "/aws/codebuild/web".to_owned(), stream: "one".to_owned() };
    assert_eq!(cloud.log_part(&log, None, 1000).await, Ok(None));
    let mut expected = String::new();
    let mut add = |line: String, shown: &str| {
        site.world().logs.entry(place()).or_default().append(&log.group, &log.stream, start(), line);
        expected.push_str(shown);
    };
    for n in 0..3000 {
        add(format!("line {n} AKIAIOSFODNN7EXAMPLE\n"), &format!("line {n} [hidden]\n"));
    }
    add("x".repeat(2000), &format!("{}…\n", "x".repeat(996)));
    add("last".to_owned(), "last\n");
    for pages in [Pages::Full, Pages::EmptyBetween] {
        site.world().logs.entry(place()).or_default().pages = pages;
        let (parts, all) = read(&cloud, &log, 1000).await;
        assert!(all == expected, "{parts} parts");
        assert!(parts < 300, "{parts}");
        assert_eq!(
            read(&cloud, &log, 262_144).await,
            (1, expected.replace(&format!("{}…", "x".repeat(996)), &"x".repeat(2000)))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_override_of_a_pipeline_is_one_of_start_builds() {
    let s3 = serde_json::json!({"type": "S3", "location": "shop", "path": "a", "name": "b", "namespaceType": "BUILD_ID",
        "packaging": "ZIP", "encryptionDisabled": true});
    let mut second = s3.clone();
    second["artifactIdentifier"] = "reports".into();
    let all = serde_json::json!({
        "sourceType": "GITHUB", "sourceLocation": "https://github.com/shop/web.git", "sourceAuth": {"type": "OAUTH"},
        "gitCloneDepth": 1, "gitSubmodulesConfig": {"fetchSubmodules": true}, "artifacts": s3,
        "environmentType": "ARM_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_LARGE",
        "privilegedMode": true, "imagePullCredentialsType": "CODEBUILD",
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED"}, "s3Logs": {"status": "ENABLED", "location": "shop/logs"}},
        "serviceRole": "arn:aws:iam::123456789012:role/builds", "cache": {"type": "LOCAL", "modes": ["LOCAL_SOURCE_CACHE"]},
        "encryptionKey": "alias/shop", "fleet": {"fleetArn": "arn:aws:codebuild:eu-west-1:123456789012:fleet/a"},
        "registryCredential": {"credential": "shop", "credentialProvider": "SECRETS_MANAGER"}, "hostKernel": "LINUX_KERNEL_6",
        "certificate": "arn:aws:s3:::shop/git.pem", "insecureSsl": false, "reportBuildStatus": true,
        "buildStatusConfig": {"context": "builds", "targetUrl": "https://example.com"},
        "secondarySources": [{"sourceIdentifier": "lib", "type": "GITHUB", "location": "https://github.com/shop/lib.git"}],
        "secondarySourcesVersion": [{"sourceIdentifier": "lib", "sourceVersion": "main"}], "secondaryArtifacts": [second],
    });
    let run: CodeBuild = serde_json::from_value(serde_json::json!({"project": "web", "override": all})).unwrap();
    let shown = serde_json::to_value(run.r#override.as_ref().unwrap()).unwrap();
    assert_eq!(shown, all, "each is a member of the definition");
    let commit = "0123456789abcdef0123456789abcdef01234567".into();
    let inputs = Inputs { commit: &commit, tag: "v1", repository: "web", region: REGION, account_id: ACCOUNT };
    let request = request(&Run::parse(&run), Attempt { owner: "uid", step: "build", number: 1 }, &inputs);
    assert_eq!(request.overrides.len(), all.as_object().unwrap().len());
    let site = Site::new();
    let started = site.own().start_build(&request, "token").await.unwrap();
    assert_eq!(started.marker.as_deref(), Some("uid/build/1"));
}

#[tokio::test(start_paused = true)]
async fn the_reports_of_a_builds_tests_are_counted() {
    let tests = Tests { passed: 335, failed: 2, errors: 1, skipped: 2 };
    let site = Site::new();
    let cloud = site.own();
    let story = BuildStory::succeeds_without_image().testing(tests);
    site.world().codebuild.entry(place()).or_default().stories = Stories::always(story);
    let started = cloud.start_build(&build("uid/build/1"), "one").await.unwrap();
    assert!(started.reports.is_empty());
    pass(600).await;
    let ended = cloud.build(&started.id).await.unwrap().unwrap();
    assert_eq!(cloud.tests(&ended.reports).await.unwrap(), Some(TestCounts { total: 340, failed: 3, skipped: 2 }));
    let gone: Vec<String> = ended.reports.iter().map(|arn| format!("{arn}0")).collect();
    assert_eq!(cloud.tests(&gone).await.unwrap(), None);
    site.world().faults.add("codebuild:BatchGetReports", When::Always, Fault::Deny);
    let denied = cloud.tests(&ended.reports).await.unwrap_err();
    assert!(denied.to_string().contains("report-group/web-tests"), "{denied}");
}

#[tokio::test(start_paused = true)]
async fn a_project_that_codepipeline_made_is_seen_as_that_and_built_with_overrides() {
    let site = Site::new();
    let cloud = site.own();
    {
        let mut world = site.world();
        let state = world.codebuild.entry(place()).or_default();
        let mut project = state.project("web").unwrap().clone();
        project.source.kind = "CODEPIPELINE".to_owned();
        project.source.location = None;
        state.add_project(project);
    }
    let refused = cloud.start_build(&build("uid/build/1"), "one").await.unwrap_err();
    assert!(refused.is_terminal(), "{refused:?}");
    let seen = cloud.projects(&["web".to_owned(), "none".to_owned()]).await.unwrap();
    let made = LiveProject {
        name: "web".into(),
        source: "CODEPIPELINE".into(),
        artifacts: "CODEPIPELINE".into(),
        namespace_type: String::new(),
        names_artifact: false,
    };
    assert_eq!(seen, [made]);
    let given = serde_json::json!({
        "sourceTypeOverride": "GITHUB", "sourceLocationOverride": "https://github.com/shop/web.git",
        "artifactsOverride": {"type": "NO_ARTIFACTS"}, "computeTypeOverride": "BUILD_GENERAL1_LARGE",
        "projectName": "another", "idempotencyToken": "another",
    });
    let request = BuildRequest { overrides: given.as_object().unwrap().clone(), ..build("uid/build/1") };
    let started = cloud.start_build(&request, "two").await.unwrap();
    assert!(started.id.starts_with("web:"), "what is ours cannot be overridden: {}", started.id);
    assert_eq!(started.marker.as_deref(), Some("uid/build/1"));
}
