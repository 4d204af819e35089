//! A world with a cluster, roles and images, a clock that tests move, and SDK clients on it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, Compatibility, ContainerDefinition, DeploymentCircuitBreaker, DeploymentConfiguration,
    DesiredStatus, HealthCheck, LaunchType, LoadBalancer, NetworkConfiguration, NetworkMode, PortMapping, Service,
    ServiceDeployment, Task,
};
use jiff::{SignedDuration, Timestamp};
use launchway_test_aws::door::Connector;
use launchway_test_aws::{Answers, Place, TaskStory, WireRequest, World};
use serde_json::{Value, json};

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-central-1";
pub const KEY: &str = "AKIAOPERATOR00000000";
pub const TARGET_GROUP: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123456789abcdef";

/// The world and its clock.
#[derive(Clone)]
pub struct Stage {
    pub world: Arc<Mutex<World>>,
    pub clock: Arc<Mutex<Timestamp>>,
}

pub fn place() -> Place {
    (ACCOUNT.to_owned(), REGION.to_owned())
}

impl Stage {
    pub fn new() -> Self {
        let mut world = World::new(7);
        world.answers = Answers::HeldToModel;
        world.add_user(ACCOUNT, "operator", KEY);
        world.add_role(ACCOUNT, "exec");
        let ecs = world.ecs.entry(place()).or_default();
        ecs.add_cluster("prod");
        ecs.add_target_group(TARGET_GROUP);
        let crash = TaskStory::Crashes {
            after: Duration::from_millis(200),
            exit_code: 1,
            reason: String::new(),
            output: vec![],
        };
        world.image_story.insert("crash".to_owned(), crash);
        world.image_story.insert("unhealthy".to_owned(), TaskStory::NeverHealthy);
        world.image_story.insert("slow".to_owned(), TaskStory::Healthy { after: Duration::from_secs(300) });
        let start = "2026-03-01T12:00:00Z".parse().unwrap();
        Self { world: Arc::new(Mutex::new(world)), clock: Arc::new(Mutex::new(start)) }
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
        self.lock().advance(self.now());
    }

    pub fn connector(&self) -> Connector {
        let clock = self.clock.clone();
        Connector::new(self.world.clone(), Arc::new(move || *clock.lock().unwrap()))
    }

    pub fn ecs(&self) -> Client {
        self.ecs_as(Credentials::new(KEY, "secret", None, None, "test"))
    }

    pub fn ecs_as(&self, credentials: Credentials) -> Client {
        let config = aws_sdk_ecs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled())
            .http_client(self.connector())
            .build();
        Client::from_conf(config)
    }

    /// Registers a revision of family `web` whose one container runs `image`; returns its ARN.
    pub async fn register(&self, image: &str) -> String {
        let reply = self
            .ecs()
            .register_task_definition()
            .family("web")
            .container_definitions(container(image))
            .fargate()
            .send()
            .await
            .unwrap();
        reply.task_definition().unwrap().task_definition_arn().unwrap().to_owned()
    }

    /// Registers a revision of family `web` with these containers; returns its ARN.
    pub async fn register_all(&self, containers: Vec<ContainerDefinition>) -> String {
        let request = self.ecs().register_task_definition().family("web").set_container_definitions(Some(containers));
        let reply = request.fargate().send().await.unwrap();
        reply.task_definition().unwrap().task_definition_arn().unwrap().to_owned()
    }

    /// The tasks of service `web` that are wanted, or those that are not, as DescribeTasks shows them.
    pub async fn tasks(&self, desired: DesiredStatus) -> Vec<Task> {
        let list = self.ecs().list_tasks().cluster("prod").service_name("web").desired_status(desired);
        let arns = list.send().await.unwrap().task_arns().to_vec();
        if arns.is_empty() {
            return Vec::new();
        }
        let reply = self.ecs().describe_tasks().cluster("prod").set_tasks(Some(arns)).send().await.unwrap();
        reply.tasks().to_vec()
    }

    /// Creates service `web` with two tasks and a circuit breaker that rolls back, and waits until it is steady.
    pub async fn steady(&self, image: &str) -> String {
        let definition = self.register(image).await;
        self.create(&definition).await;
        self.wait(120);
        definition
    }

    pub async fn create(&self, definition: &str) -> Service {
        let request = self
            .ecs()
            .create_service()
            .cluster("prod")
            .service_name("web")
            .task_definition(definition)
            .desired_count(2);
        let reply = request
            .launch_type(LaunchType::Fargate)
            .network_configuration(network())
            .deployment_configuration(breaker())
            .send()
            .await;
        reply.unwrap().service().unwrap().clone()
    }

    pub async fn roll(&self, definition: &str) -> Service {
        let reply = self
            .ecs()
            .update_service()
            .cluster("prod")
            .service("web")
            .task_definition(definition)
            .send()
            .await
            .unwrap();
        reply.service().unwrap().clone()
    }

    pub async fn service(&self) -> Service {
        let reply = self.ecs().describe_services().cluster("prod").services("web").send().await.unwrap();
        reply.services()[0].clone()
    }

    /// A service as it stands on the wire, with whatever the SDK does not know.
    pub fn described(&self, service: &str) -> Value {
        let reply = self.ask("DescribeServices", &json!({"cluster": "prod", "services": [service]}));
        reply.unwrap()["services"][0].clone()
    }

    /// An operation of ECS as it goes over the wire; of a refusal, `CODE: MESSAGE`.
    pub fn ask(&self, operation: &str, input: &Value) -> Result<Value, String> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        let scope = format!("AWS4-HMAC-SHA256 Credential={KEY}/20260301/{REGION}/ecs/aws4_request, SignedHeaders=host");
        let headers = vec![("x-amz-target".to_owned(), target), ("authorization".to_owned(), scope)];
        let reply = self
            .lock()
            .answer(self.now(), &WireRequest { headers, body: input.to_string().into(), ..WireRequest::default() });
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        if reply.status == 200 { Ok(body) } else { Err(format!("{}: {}", text("__type"), text("message"))) }
    }

    /// All service deployments, newest first.
    pub async fn rollouts(&self) -> Vec<ServiceDeployment> {
        let listed = self.ecs().list_service_deployments().cluster("prod").service("web").send().await.unwrap();
        let arns =
            listed.service_deployments().iter().filter_map(|brief| brief.service_deployment_arn().map(str::to_owned));
        let reply = self
            .ecs()
            .describe_service_deployments()
            .set_service_deployment_arns(Some(arns.collect()))
            .send()
            .await
            .unwrap();
        reply.service_deployments().to_vec()
    }
}

/// What makes a request one for Fargate.
pub trait Fargate {
    fn fargate(self) -> Self;
}

impl Fargate for aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder {
    fn fargate(self) -> Self {
        self.requires_compatibilities(Compatibility::Fargate).network_mode(NetworkMode::Awsvpc).cpu("256").memory("512")
    }
}

pub fn container(image: &str) -> ContainerDefinition {
    ContainerDefinition::builder()
        .name("app")
        .image(image)
        .port_mappings(PortMapping::builder().container_port(8080).build())
        .build()
}

/// A container whose health is checked.
pub fn checked(name: &str, image: &str) -> ContainerDefinition {
    let check = HealthCheck::builder().command("CMD").command("true").build().unwrap();
    ContainerDefinition::builder()
        .name(name)
        .image(image)
        .port_mappings(PortMapping::builder().container_port(8080).build())
        .health_check(check)
        .build()
}

/// The target group in front of container `app`.
pub fn balancer() -> LoadBalancer {
    LoadBalancer::builder().container_name("app").container_port(8080).target_group_arn(TARGET_GROUP).build()
}

pub fn network() -> NetworkConfiguration {
    let vpc = AwsVpcConfiguration::builder().subnets("subnet-1").build().unwrap();
    NetworkConfiguration::builder().awsvpc_configuration(vpc).build()
}

pub fn breaker() -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(true).build();
    DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build()
}
