//! The sample: a greeter with a check, a build and two stages, in an account of its own. What happens to it is told in stories.

pub mod services;

use std::time::Duration;

use launchway_test_aws::codebuild::{
    BuildStory, Export, FileText, PhaseSeconds, Project, StartedBuild, Stories, Tests,
};
use launchway_test_aws::ecr::{Mutability, Scan, Scanner};
use launchway_test_aws::iam::Role;
use launchway_test_aws::s3::Versioning;
use launchway_test_aws::{Place, TaskStory};
use serde_json::{Value, json};

use super::World;
use crate::git::{Access, commit_id};

/// When every story begins.
pub const START: &str = "2026-11-23T08:00:00Z";
/// The account.
pub const ACCOUNT: &str = "123456789012";
/// The Region.
pub const REGION: &str = "eu-central-1";
/// The controller's own access key.
pub const KEY: &str = "AKIALAUNCHWAY0000000";
/// The role that the controller assumes.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/launchway";
/// The external ID that the role asks for.
pub const EXTERNAL_ID: &str = "team-greeter";
/// The cluster.
pub const CLUSTER: &str = "shop";
/// The image's repository.
pub const REPOSITORY: &str = "shop-greeter";
/// The repository of a second image, which the build of `double-N` pushes too.
pub const SECOND: &str = "shop-proxy";
/// The project that checks.
pub const CHECK: &str = "shop-greeter-check";
/// What the check exports as VERSION.
const VERSION: &str = "1.4.0";
/// The project that builds.
pub const BUILD: &str = "shop-greeter-build";
/// The bucket for what builds leave.
pub const BUCKET: &str = "shop-artifacts";
/// The installation's name.
pub const INSTALLATION: &str = "lw";
/// The namespace.
pub const NAMESPACE: &str = "shop";
/// The Pipeline.
pub const PIPELINE: &str = "greeter";
/// The Services, in the order of their stages.
pub const SERVICES: [&str; 2] = ["greeter-staging", "greeter"];
/// The repository's URL.
pub const URL: &str = "https://git.example.com/shop/greeter";
/// What the first stage's verification asks.
pub const HEALTH: &str = "https://staging.example.com/healthz";

/// The account and Region that everything is in.
pub fn place() -> Place {
    (ACCOUNT.to_owned(), REGION.to_owned())
}

/// A commit's ID, by the name that a story gives it: `good-1`, `broken-2`, `crashing-2`.
pub fn commit(name: &str) -> String {
    commit_id(name)
}

/// The world of the sample before anything was applied: AWS with its projects, a repository without commits, a namespace.
pub fn world(seed: u64) -> World {
    let world = World::empty(seed);
    account(&world);
    services::add_named(&world);
    world.git.create(URL, Access::Open);
    world.store.create_namespace(NAMESPACE);
    world
}

/// Applies the four manifests.
pub fn apply(world: &World) {
    for manifest in [aws_account(), pipeline(), service(0), service(1)] {
        world.store.apply_json(&manifest).expect("a manifest that is admitted");
    }
}

/// Moves the branch to a commit.
pub fn push(world: &World, name: &str) {
    world.git.push(URL, "main", &commit(name));
}

/// Somebody else's CI builds a commit, and pushes its image under the commit's tag.
pub fn push_image(world: &World, name: &str) {
    let commit = commit(name);
    push_content(world, &commit, &commit);
}

/// The same with an image of that content.
pub fn push_content(world: &World, commit: &str, content: &str) {
    push_into(world, REPOSITORY, commit, content);
}

/// The same into that repository.
pub fn push_into(world: &World, repository: &str, commit: &str, content: &str) {
    let now = world.now();
    let mut aws = world.aws();
    let state = aws.ecr.entry(place()).or_default();
    state.push(repository, commit, content, tasks(commit), now).expect("a tag that is free");
    aws.keep_snapshots();
}

/// Gives the Pipeline a second image, and each Service that is there a container that runs it.
pub fn double(world: &World) {
    world.edit("Pipeline", PIPELINE, |spec| {
        spec["images"] =
            json!([{"name": "greeter", "repository": REPOSITORY}, {"name": "proxy", "repository": SECOND}]);
    });
    for (name, stage) in SERVICES.into_iter().zip(["staging", "prod"]) {
        let from = json!({"pipeline": PIPELINE, "stage": stage, "image": "proxy"});
        world.edit("Service", name, |spec| {
            let containers = spec["taskDefinition"]["containerDefinitions"].as_array_mut();
            containers.expect("a list").push(json!({"name": "proxy", "imageFrom": from}));
        });
    }
}

/// Has the project leave what it builds in S3, apart for each build, in that packaging, and lets the Pipeline find its images in a file there.
pub fn list_in(world: &World, packaging: &str, file: &str) {
    let mut aws = world.aws();
    let builds = aws.codebuild.entry(place()).or_default();
    if let Some(mut project) = builds.project(BUILD).cloned() {
        project.artifacts =
            Some(json!({"type": "S3", "location": BUCKET, "namespaceType": "BUILD_ID", "packaging": packaging}));
        builds.add_project(project);
    }
    aws.keep_snapshots();
    drop(aws);
    world.edit("Pipeline", PIPELINE, |spec| spec["build"]["imageFrom"] = json!({"artifact": file}));
}

/// Has images scanned on push, and the Pipeline ask that nothing is HIGH or worse.
pub fn scanned(world: &World, findings: &[(&str, &str)]) {
    scan(world, findings);
    world.edit("Pipeline", PIPELINE, |spec| spec["imageScan"] = json!({"failOn": "HIGH", "timeout": "10m"}));
}

/// Has images scanned on push, which takes 45 seconds and finds that in each; without a finding they are not scanned.
pub fn scan(world: &World, findings: &[(&str, &str)]) {
    let is_empty = findings.is_empty();
    let findings = findings.iter().map(|(name, severity)| ((*name).to_owned(), (*severity).to_owned())).collect();
    let mut aws = world.aws();
    let scan = (!is_empty).then_some(Scan { by: Scanner::Ecr, seconds: 45, findings, settles: 0, ends: None });
    aws.ecr.entry(place()).or_default().scan(REPOSITORY, scan);
    aws.keep_snapshots();
}

/// How tasks behave that run a commit's image: `crashing-N` crashes.
fn tasks(commit: &str) -> TaskStory {
    let crashes = (1..=9).any(|number| commit_id(&format!("crashing-{number}")) == commit);
    match crashes {
        true => TaskStory::Crashes {
            after: Duration::from_millis(500),
            exit_code: 1,
            reason: String::new(),
            output: vec![],
        },
        false => TaskStory::default(),
    }
}

fn account(world: &World) {
    let mut aws = world.aws();
    aws.keep_snapshots();
    let user = aws.add_user(ACCOUNT, "launchway", KEY);
    let role = Role { trusts: vec![user], external_id: Some(EXTERNAL_ID.to_owned()), policy: None };
    aws.iam.roles.insert(ROLE.to_owned(), role);
    aws.set_policy(ROLE, &policy()).expect("a policy that the simulator understands");
    for name in ["shop-task-greeter", "shop-exec-greeter"] {
        aws.add_role(ACCOUNT, name);
    }
    aws.ecs.entry(place()).or_default().add_cluster(CLUSTER);
    aws.s3.add_bucket(BUCKET, REGION, Versioning::Enabled);
    for repository in [REPOSITORY, SECOND] {
        aws.ecr.entry(place()).or_default().add_repository(repository, Mutability::Immutable);
    }
    let builds = aws.codebuild.entry(place()).or_default();
    for project in [CHECK, BUILD] {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/shop-codebuild");
        builds.add_project(Project::new(project, &role, "https://git.example.com/shop/greeter.git"));
    }
    builds.stories = Stories::new(fate);
}

/// What becomes of a build is told by its commit's name. Each exports the image that it pushes, and lists all in `imagedefinitions.json`, which
/// is left in S3 if artifacts go there.
pub fn fate(build: &StartedBuild) -> BuildStory {
    let listed = FileText::Definitions(Export::WithTag);
    outcome(build).exporting("IMAGE_URI", Export::WithDigest).with_file("imagedefinitions.json", listed)
}

fn outcome(build: &StartedBuild) -> BuildStory {
    let commit = build.source_version.as_deref().unwrap_or_default();
    let is = |kind: &str| (1..=9).any(|number| commit_id(&format!("{kind}-{number}")) == commit);
    if build.project == CHECK {
        let version = Export::Text(VERSION.to_owned());
        let checked = BuildStory::succeeds_without_image();
        let checked = checked.exporting("VERSION", version).taking(PhaseSeconds::only_build(25));
        let tests = Tests { passed: 338, failed: 0, errors: 0, skipped: 2 };
        return if is("tested") { checked.testing(tests) } else { checked };
    }
    let phase = launchway_test_aws::codebuild::Phase::Build;
    match () {
        () if is("broken") => BuildStory::fails(phase, "make image", 2).taking(PhaseSeconds::only_build(40)),
        () if is("leaving") && build.number == 1 => BuildStory::fails(phase, "make test", 2)
            .taking(PhaseSeconds::only_build(40))
            .leaving(launchway_test_aws::codebuild::Phase::PostBuild, TaskStory::default()),
        () if is("crashing") => BuildStory::succeeds(tasks(commit)).taking(PhaseSeconds::only_build(40)),
        () if is("double") => {
            BuildStory::succeeds(TaskStory::default()).also(SECOND).taking(PhaseSeconds::only_build(40))
        }
        () if is("slow") => BuildStory::succeeds(TaskStory::default()).taking(PhaseSeconds::only_build(900)),
        () if is("long") => BuildStory::succeeds(TaskStory::default()).taking(PhaseSeconds::only_build(240)),
        () if is("faulty") && build.number == 1 => {
            BuildStory::new(launchway_test_aws::codebuild::Outcome::Faults { phase })
                .taking(PhaseSeconds::only_build(40))
        }
        () => BuildStory::succeeds(TaskStory::default()).taking(PhaseSeconds::only_build(40)),
    }
}

/// `docs/iam-policy.json` with its placeholders filled in for the sample.
pub fn policy() -> Value {
    let text = include_str!("../../../docs/iam-policy.json");
    let filled = text.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT).replace("CLUSTER", CLUSTER);
    let filled = filled.replace("INSTALLATION", INSTALLATION).replace("PREFIX", "shop");
    serde_json::from_str(&filled).expect("docs/iam-policy.json is JSON")
}

/// The build gets as VERSION what the check exports, the commit and the branch.
pub fn version(spec: &mut Value) {
    spec["build"]["codeBuild"]["environment"] =
        json!([{"name": "VERSION", "value": "v$(steps.lint.VERSION)-$(shortCommit)-$(branch)"}]);
}

/// What that comes to.
pub fn versioned(commit: &str) -> String {
    format!("v{VERSION}-{}-main", &commit_id(commit)[..7])
}

/// The AwsAccount.
pub fn aws_account() -> Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": "default"},
        "spec": {
            "regions": [REGION],
            "assumeRole": {"arn": ROLE, "externalId": EXTERNAL_ID},
            "namespaces": {"names": [NAMESPACE]},
            "allow": {
                "clusters": [CLUSTER], "projects": ["shop-*"], "repositories": ["shop-*"],
                "roles": [format!("arn:aws:iam::{ACCOUNT}:role/shop-*")],
                "subnets": ["subnet-*"], "securityGroups": ["sg-*"], "loadBalancers": ["targetgroup/*"],
                "cloudMap": ["*"], "capacity": ["*"], "families": ["*"], "logGroups": ["*"],
                "codeCommitRepositories": ["shop-*"], "parameters": ["/shop/*"], "secrets": ["*"], "buckets": ["*"], "overrides": ["Buildspec", "Environment"],
            },
        },
    })
}

/// The Pipeline: one check, one build, staging with a verification, prod.
pub fn pipeline() -> Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": PIPELINE, "namespace": NAMESPACE},
        "spec": {
            "source": {"git": {"url": URL, "branch": "main", "interval": "2m"}},
            "checks": [{"name": "lint", "codeBuild": {"project": CHECK, "buildspec": {"path": "lint.yml"}, "timeout": "10m"}}],
            "build": {"codeBuild": {
                "project": BUILD, "timeout": "20m",
                "environment": [{"name": "FLAVOUR", "value": "plain"}],
            }},
            "images": [{"name": "greeter", "repository": REPOSITORY}],
            "stages": [
                {"name": "staging", "targets": [{"service": SERVICES[0]}],
                 "verify": [{"name": "health", "http": {"url": HEALTH, "expect": {"status": 200, "json": {"ok": true}}}}]},
                {"name": "prod", "targets": [{"service": SERVICES[1]}]},
            ],
        },
    })
}

/// The Secret with which the git host is told of commits.
pub fn report(world: &World) {
    use base64::Engine;
    let token = base64::engine::general_purpose::STANDARD.encode(crate::git::Repositories::STATUS_TOKEN);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "statuses", "namespace": NAMESPACE}, "data": {"token": token},
    });
    world.store.apply_json(&secret).expect("a Secret that is admitted");
}

/// What a Pipeline says of it.
pub fn reported() -> Value {
    json!({"commitStatus": {"provider": "Gitea", "secretRef": {"name": "statuses"}}})
}

/// The Service of a stage.
pub fn service(stage: usize) -> Value {
    let (name, stage) = (SERVICES[stage], ["staging", "prod"][stage]);
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "cluster": CLUSTER,
            "taskDefinition": {
                "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                "executionRoleArn": "shop-exec-greeter", "taskRoleArn": "shop-task-greeter",
                "containerDefinitions": [{
                    "name": "greeter", "imageFrom": {"pipeline": PIPELINE, "stage": stage, "image": "greeter"},
                    "portMappings": [{"containerPort": 5000}],
                    "environment": [{"name": "STAGE", "value": stage}],
                }],
            },
            "service": on_fargate(1),
        },
    })
}

/// A service on Fargate as the sample has it: its network, and how it rolls.
pub fn on_fargate(desired_count: i32) -> Value {
    json!({
        "desiredCount": desired_count, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration":
            {"subnets": ["subnet-1a"], "securityGroups": ["sg-1a"], "assignPublicIp": "DISABLED"}},
        "deploymentConfiguration": {
            "minimumHealthyPercent": 100, "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
        },
    })
}
