//! An AWS in memory, and Launchway's words for it on the same virtual clock.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use jiff::Timestamp;
use launchway_cloud::{Cloud, Clouds, Settings};
use launchway_plan::account::{Assumed, Place, Share};
use launchway_plan::rank::Rank;
use launchway_plan::world::{BuildRequest, CreateServiceRequest, Members, RegisterRequest, UpdateServiceRequest};
use launchway_test_aws::World;
use launchway_test_aws::codebuild::Project;
use launchway_test_aws::door::Connector;
use launchway_test_aws::ecr::Mutability;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// The account of everything here.
pub const ACCOUNT: &str = "123456789012";
/// The Region of everything here.
pub const REGION: &str = "us-east-2";
/// An access key that must not be seen anywhere.
pub const KEY: &str = "AKIAMARKERMARKER1234";
/// A secret key that must not be seen anywhere.
pub const SECRET: &str = "secretMarkerSecretMarkerSecretMarker0001";

/// When the world begins.
pub fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

/// The virtual clock: tokio's, paused.
#[derive(Clone, Copy, Debug)]
struct Ticking(Instant);

impl Ticking {
    fn now(self) -> Timestamp {
        start() + jiff::SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

impl TimeSource for Ticking {
    fn now(&self) -> SystemTime {
        SystemTime::from(Ticking::now(*self))
    }
}

/// A world and what sees it.
pub struct Site {
    world: Arc<Mutex<World>>,
    pub clouds: Clouds,
    pub share: Share,
}

impl Site {
    /// A cluster, a project, a repository and a role, all reached with a user's keys.
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// The same with another share of AWS's rates.
    pub fn sharing(percent: u8) -> Self {
        Self { share: Share(percent), ..Self::new() }
    }

    /// The same with other settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::at_speed(1, change)
    }

    /// The same with an AWS whose clock runs so many times as fast as ours.
    pub fn at_speed(speed: i32, change: impl FnOnce(&mut Settings)) -> Self {
        let world = Arc::new(Mutex::new(world()));
        let clock = Ticking(Instant::now());
        let connector =
            Connector::new(world.clone(), Arc::new(move || start() + clock.now().duration_since(start()) * speed));
        let base = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(KEY, SECRET, None, None, "test")))
            .build();
        let mut settings = Settings::new(base);
        settings.http_client = Some(SharedHttpClient::new(connector));
        settings.time_source = Some(SharedTimeSource::new(clock));
        (settings.linger, settings.sweep) = (Duration::ZERO, Duration::ZERO);
        change(&mut settings);
        Self { world, clouds: Clouds::new(settings), share: Share::default() }
    }

    /// AWS with the controller's own credentials.
    pub fn own(&self) -> Cloud {
        self.clouds.at(&Place { region: REGION.to_owned(), role: None, share: self.share }, "a", Rank::Rollout)
    }

    /// AWS through a role.
    pub fn through(&self, role: &str, external_id: Option<&str>) -> Cloud {
        let role = Assumed { arn: role.to_owned(), external_id: external_id.map(str::to_owned) };
        self.clouds.at(&Place { region: REGION.to_owned(), role: Some(role), share: self.share }, "a", Rank::Rollout)
    }

    /// The world itself.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// How often an operation was asked.
    pub fn asked(&self, operation: &str) -> usize {
        self.world().log.iter().filter(|entry| entry.operation == operation).count()
    }
}

/// A cluster, a project, a repository and two roles.
pub fn world() -> World {
    let mut world = World::new(1);
    world.add_user(ACCOUNT, "launchway", KEY);
    world.add_role(ACCOUNT, "execution");
    let place = (ACCOUNT.to_owned(), REGION.to_owned());
    world.ecs.entry(place.clone()).or_default().add_cluster("main");
    world.ecr.entry(place.clone()).or_default().add_repository("web", Mutability::Immutable);
    let project = Project::new("web", "arn:aws:iam::123456789012:role/build", "https://example.com/web.git");
    world.codebuild.entry(place).or_default().add_project(project);
    world
}

/// Lets virtual time pass.
pub async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// The members of a JSON object.
pub fn members(object: Value) -> Members {
    object.as_object().cloned().unwrap()
}

/// A task definition of one container, with tags.
pub fn definition(image: &str, tags: &BTreeMap<String, String>) -> RegisterRequest {
    let body = json!({
        "family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [{"name": "web", "image": image, "portMappings": [{"containerPort": 5000}],
            "environment": [{"name": "LOG_LEVEL", "value": "info"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "web", "awslogs-region": REGION,
                "awslogs-stream-prefix": "prod"}}}],
        "tags": tag_list(tags),
    });
    RegisterRequest { family: "web".to_owned(), body: members(body) }
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Tags of which one names an owner.
pub fn owner() -> BTreeMap<String, String> {
    BTreeMap::from([("launchway.dev/owner".to_owned(), "test/default/web".to_owned())])
}

/// How services roll here.
pub fn rolling() -> Value {
    json!({"deploymentCircuitBreaker": {"enable": true, "rollback": true}, "maximumPercent": 200, "minimumHealthyPercent": 100})
}

/// The network of services here.
pub fn network() -> Value {
    json!({"awsvpcConfiguration":
        {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}})
}

/// A service of one task.
pub fn creation(name: &str, task_definition: &str) -> CreateServiceRequest {
    let body = json!({
        "cluster": "main", "serviceName": name, "clientToken": format!("create-{name}"), "taskDefinition": task_definition,
        "launchType": "FARGATE", "desiredCount": 1, "availabilityZoneRebalancing": "DISABLED",
        "networkConfiguration": network(), "deploymentConfiguration": rolling(), "tags": tag_list(&owner()),
    });
    CreateServiceRequest { cluster: "main".to_owned(), name: name.to_owned(), body: members(body) }
}

/// A service of which these members are changed.
pub fn change(name: &str, body: Value) -> UpdateServiceRequest {
    UpdateServiceRequest { cluster: "main".to_owned(), name: name.to_owned(), body: members(body) }
}

/// A build of a commit.
pub fn build(marker: &str) -> BuildRequest {
    BuildRequest {
        project: "web".to_owned(),
        commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".into(),
        marker: marker.to_owned(),
        buildspec: None,
        overrides: serde_json::Map::new(),
        environment: Vec::new(),
        timeout_minutes: 20,
        queued_timeout_minutes: 30,
    }
}
