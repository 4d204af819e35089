//! An account in a world of its own, on a clock that only the test moves, with the SDK's clients. What is in the account, each test says.
#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use aws_sdk_codebuild::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_codebuild::types::{Build, BuildPhase};
use jiff::{SignedDuration, Timestamp};
use launchway_test_aws::codebuild::{BuildStory, CodeBuildState, Project, Stories};
use launchway_test_aws::door::Connector;
use launchway_test_aws::ecr::{EcrState, Mutability};
use launchway_test_aws::logs::LogsState;
use launchway_test_aws::ssm::SsmState;
use launchway_test_aws::{Answers, Place, World};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-west-1";
pub const KEY: &str = "AKIAALICE";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/web-codebuild";

pub struct Account {
    pub world: Arc<Mutex<World>>,
    clock: Arc<Mutex<Timestamp>>,
}

pub fn place() -> Place {
    (ACCOUNT.to_owned(), REGION.to_owned())
}

/// A client of one SDK crate.
macro_rules! client {
    ($sdk:ident, $account:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(REGION))
                .credentials_provider(Credentials::new(KEY, "secret", None, None, "test"))
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .http_client($account.connector())
                .build(),
        )
    };
}

impl Account {
    /// One with the project `web`, the mutable repository `team/web`, and builds that succeed.
    pub fn new() -> Self {
        let start: Timestamp = "2026-09-01T10:00:00Z".parse().unwrap();
        let mut world = World::new(7);
        world.answers = Answers::HeldToModel;
        world.add_user(ACCOUNT, "alice", KEY);
        let account = Self { world: Arc::new(Mutex::new(world)), clock: Arc::new(Mutex::new(start)) };
        account.builds(|builds| builds.add_project(Project::new("web", ROLE, "https://github.com/team/web.git")));
        account.images(|images| images.add_repository("team/web", Mutability::Mutable));
        account
    }

    /// The same with builds that all do this.
    pub fn telling(story: BuildStory) -> Self {
        let account = Self::new();
        account.builds(|builds| builds.stories = Stories::always(story));
        account
    }

    fn connector(&self) -> Connector {
        let clock = self.clock.clone();
        Connector::new(self.world.clone(), Arc::new(move || *clock.lock().unwrap()))
    }

    pub fn pass(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    pub fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    pub fn builds<T>(&self, act: impl FnOnce(&mut CodeBuildState) -> T) -> T {
        act(self.world.lock().unwrap().codebuild.entry(place()).or_default())
    }

    pub fn images<T>(&self, act: impl FnOnce(&mut EcrState) -> T) -> T {
        act(self.world.lock().unwrap().ecr.entry(place()).or_default())
    }

    pub fn lines(&self, group: &str, stream: &str) -> Vec<String> {
        let mut world = self.world.lock().unwrap();
        world.advance(self.now());
        let state = world.logs.entry(place()).or_default();
        state.events(group, stream).unwrap_or_default().iter().map(|event| event.message.clone()).collect()
    }

    pub fn logs_state<T>(&self, act: impl FnOnce(&mut LogsState) -> T) -> T {
        act(self.world.lock().unwrap().logs.entry(place()).or_default())
    }

    pub fn parameters<T>(&self, act: impl FnOnce(&mut SsmState) -> T) -> T {
        act(self.world.lock().unwrap().ssm.entry(place()).or_default())
    }

    /// Lets alice do only what the document says.
    pub fn restrict(&self, document: serde_json::Value) {
        let policy = launchway_test_aws::policy::Policy::parse(&document).unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/alice");
        self.world.lock().unwrap().iam.users.insert(arn, policy);
    }

    pub fn codebuild(&self) -> aws_sdk_codebuild::Client {
        client!(aws_sdk_codebuild, self)
    }

    pub fn ecr(&self) -> aws_sdk_ecr::Client {
        client!(aws_sdk_ecr, self)
    }

    pub fn s3(&self) -> aws_sdk_s3::Client {
        client!(aws_sdk_s3, self)
    }

    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        client!(aws_sdk_cloudwatchlogs, self)
    }

    /// Starts a build of `web` with a repository and a tag, and returns its ID.
    pub async fn start(&self, tag: &str) -> String {
        let start = self.codebuild().start_build().project_name("web").source_version(COMMIT);
        let start = start.environment_variables_override(variable("IMAGE_REPO_NAME", "team/web"));
        let started = start.environment_variables_override(variable("IMAGE_TAG", tag)).send().await.unwrap();
        started.build_value.unwrap().id.unwrap()
    }

    pub async fn build(&self, id: &str) -> Build {
        let found = self.codebuild().batch_get_builds().ids(id).send().await.unwrap();
        found.builds.unwrap().remove(0)
    }
}

pub fn variable(name: &str, value: &str) -> aws_sdk_codebuild::types::EnvironmentVariable {
    aws_sdk_codebuild::types::EnvironmentVariable::builder().name(name).value(value).build().unwrap()
}

/// `PHASE STATUS` of each phase, `PHASE` alone of one that goes on or is COMPLETED.
pub fn course(build: &Build) -> Vec<String> {
    let said = |phase: &BuildPhase| match &phase.phase_status {
        Some(status) => format!("{} {}", phase.phase_type.as_ref().unwrap().as_str(), status.as_str()),
        None => phase.phase_type.as_ref().unwrap().as_str().to_owned(),
    };
    build.phases().iter().map(said).collect()
}

/// `statusCode: message` of a phase's context.
pub fn context(build: &Build, phase: &str) -> String {
    let phase = build.phases().iter().find(|run| run.phase_type.as_ref().unwrap().as_str() == phase).unwrap();
    let context = &phase.contexts()[0];
    format!("{}: {}", context.status_code.as_deref().unwrap(), context.message.as_deref().unwrap())
}

/// The code and message of a refusal.
pub fn refusal<T, E: aws_sdk_codebuild::error::ProvideErrorMetadata>(result: Result<T, E>) -> (String, String) {
    let error = result.err().expect("it was answered");
    (error.code().unwrap().to_owned(), error.message().unwrap().to_owned())
}
