//! What a Release's plan says in place of its projects, because of what they are.

use crate::condition::find;
use crate::look::Looked;
use crate::reason::ConditionType;
use crate::release::state::Course;
use crate::samples::codebuild::World;
use crate::samples::fault;
use crate::world::LiveProject;
use crate::{fault::Remedy, release::assess};
use serde_json::{Value, json};

fn project(name: &str, source: &str, artifacts: &str) -> LiveProject {
    let namespace_type = "NONE".to_owned();
    LiveProject {
        name: name.into(),
        source: source.into(),
        artifacts: artifacts.into(),
        namespace_type,
        names_artifact: false,
    }
}

/// A Release of a Pipeline with that source, whose build runs a project of these types and overrides that.
fn world(url: &str, source: &str, artifacts: &str, given: &Value) -> World {
    let mut world = World::new();
    world.changes = json!({"checks": [], "source": {"git": {"url": url, "branch": "main"}},
        "build": {"codeBuild": {"project": "web-build", "override": given}}});
    world.projects = vec![project("web-build", source, artifacts)];
    world
}

/// What its plan overrides in the build.
fn planned(mut world: World) -> Value {
    while world.status.plan.is_none() {
        world.pass();
    }
    serde_json::to_value(world.status.plan.unwrap().build.unwrap().code_build.unwrap().r#override).unwrap()
}

#[test]
fn a_project_of_codepipelines_is_told_the_pipelines_repository_and_to_leave_nothing() {
    let none = json!({"type": "NO_ARTIFACTS"});
    for (url, kind) in [
        ("https://github.com/shop/web.git", "GITHUB"),
        ("https://GitLab.com/shop/web", "GITLAB"),
        ("https://bitbucket.org/shop/web.git", "BITBUCKET"),
        ("https://git-codecommit.us-east-2.amazonaws.com/v1/repos/web", "CODECOMMIT"),
    ] {
        let decided = planned(world(url, "CODEPIPELINE", "CODEPIPELINE", &Value::Null));
        assert_eq!(decided, json!({"sourceType": kind, "sourceLocation": url, "artifacts": none}));
    }
    let s3 = json!({"type": "S3", "location": "shop-builds"});
    let given = json!({"sourceType": "GITHUB_ENTERPRISE", "artifacts": s3, "gitCloneDepth": 1});
    let decided = planned(world("https://git.example.com/web.git", "CODEPIPELINE", "CODEPIPELINE", &given));
    let url = "https://git.example.com/web.git";
    assert_eq!(
        decided,
        json!({"sourceType": "GITHUB_ENTERPRISE", "sourceLocation": url, "gitCloneDepth": 1, "artifacts": s3})
    );
}

#[test]
fn a_file_that_lists_images_has_to_be_left_where_no_other_build_leaves_its_own() {
    let url = "https://github.com/shop/web.git";
    let s3 = |more: Value| {
        let mut artifacts = json!({"type": "S3", "location": "shop-builds"});
        artifacts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"artifacts": artifacts})
    };
    for (kind, namespace_type, given, why) in [
        ("NO_ARTIFACTS", "", Value::Null, Some("leaves nothing in S3")),
        ("CODEPIPELINE", "", Value::Null, Some("leaves nothing in S3")),
        ("S3", "NONE", Value::Null, Some("where other builds overwrite it")),
        ("S3", "BUILD_ID", Value::Null, None),
        ("S3", "BUILD_ID", s3(json!({})), Some("where other builds overwrite it")),
        ("S3", "BUILD_ID", json!({"artifacts": {"type": "NO_ARTIFACTS"}}), Some("leaves nothing in S3")),
        ("CODEPIPELINE", "", s3(json!({"namespaceType": "BUILD_ID"})), None),
    ] {
        let mut world = world(url, if kind == "CODEPIPELINE" { kind } else { "GITHUB" }, kind, &given);
        world.changes["build"]["imageFrom"] = json!({"artifact": "imagedefinitions.json"});
        world.projects[0].namespace_type = namespace_type.to_owned();
        world.run(60);
        let told = find(&world.status.conditions, ConditionType::Ready).unwrap().message.clone();
        assert_eq!(world.builds.is_empty(), why.is_some(), "{kind} {namespace_type} {given}: {told}");
        assert!(told.contains(why.unwrap_or_default()), "{told}");
    }
}

#[test]
fn an_artifact_whose_name_the_buildspec_says_is_refused() {
    let mut world = world("https://github.com/shop/web.git", "GITHUB", "S3", &Value::Null);
    world.changes["build"]["imageFrom"] = json!({"artifact": "imagedefinitions.json"});
    (world.projects[0].namespace_type, world.projects[0].names_artifact) = ("BUILD_ID".to_owned(), true);
    world.run(10);
    let told = find(&world.status.conditions, ConditionType::Ready).unwrap();
    assert!(told.message.contains("overrideArtifactName") && world.builds.is_empty(), "{}", told.message);
}

#[test]
fn a_build_that_says_its_image_in_a_way_of_tomorrow_is_refused_and_not_started_over_and_over() {
    let mut world = world("https://github.com/shop/web.git", "GITHUB", "NO_ARTIFACTS", &Value::Null);
    world.changes["build"]["imageFrom"] = json!({});
    world.run(10);
    let ready = find(&world.status.conditions, ConditionType::Ready).unwrap();
    assert!(world.status.plan.is_none() && ready.message.contains("spec.build.imageFrom"), "{}", ready.message);
}

#[test]
fn a_project_with_a_source_of_its_own_is_left_as_it_is() {
    for source in ["GITHUB", "CODECOMMIT", "NO_SOURCE", "A_KIND_OF_TOMORROW"] {
        let decided = planned(world("https://github.com/shop/web.git", source, "NO_ARTIFACTS", &Value::Null));
        assert_eq!(decided, Value::Null, "{source}");
    }
    let mut gone = world("https://github.com/shop/web.git", "GITHUB", "S3", &Value::Null);
    gone.projects.clear();
    assert_eq!(planned(gone), Value::Null, "StartBuild says that there is none");
}

#[test]
fn what_cannot_build_a_commit_is_refused_before_anything_is_started() {
    let own = "https://git.example.com/web.git";
    for (url, source, parts) in [
        (own, "CODEPIPELINE", ["project web-build", "made for CodePipeline", "sourceType"]),
        ("https://github.com/web", "S3", ["project web-build", "takes its source from S3", "sourceType"]),
    ] {
        let mut world = world(url, source, source, &Value::Null);
        world.run(10);
        let ready = find(&world.status.conditions, ConditionType::Ready).unwrap();
        assert_eq!((world.builds.len(), &*ready.reason), (0, "InvalidSpec"));
        for part in parts {
            assert!(ready.message.contains(part), "{part}: {}", ready.message);
        }
    }
}

#[test]
fn what_is_decided_is_held_to_what_the_account_allows() {
    let world = world("https://github.com/shop/web.git", "CODEPIPELINE", "CODEPIPELINE", &Value::Null);
    let mut seen = world.observe();
    seen.account.spec.as_mut().unwrap().allow.sources = vec!["https://github.com/another/*".into()];
    let state = assess(&world.desired(), &world.record(), &seen);
    let Course::Refused(refusal) = state.course else { panic!("{:?}", state.course) };
    assert!(refusal.to_string().contains("sources: [\"https://github.com/shop/web.git\"]"), "{refusal}");
}

#[test]
fn nothing_starts_before_its_projects_were_seen_and_they_are_looked_at_once() {
    let mut world = world("https://github.com/shop/web.git", "CODEPIPELINE", "CODEPIPELINE", &Value::Null);
    let mut seen = world.observe();
    seen.projects = Looked::Blind(fault("AccessDeniedException", Remedy::AskOperator));
    world.pass_with(&seen);
    assert!(world.status.plan.is_none());
    let ready = find(&world.status.conditions, ConditionType::Ready).unwrap();
    assert!(ready.message.contains("is denied"), "{}", ready.message);
    world.run(60);
    assert_eq!((world.builds.len(), world.status.images.len()), (1, 1));
    assert_eq!(world.observe().projects, Looked::Seen(Vec::new()), "what a sight begins with: nobody asked");
}
