//! A world with a little of everything, and a way to ask any of its services.

use jiff::{SignedDuration, Timestamp};
use launchway_test_aws::codebuild::Project;
use launchway_test_aws::ecr::{Mutability, Scan, Scanner};
use launchway_test_aws::{TaskStory, WireRequest, World};
use serde_json::{Value, json};

use crate::members::{GROUP_OF_CLOUDS, on_fargate, on_instances};
use crate::stage::{ACCOUNT, KEY, REGION, Stage, place};

/// A world at a time. A clone of it goes on by itself.
#[derive(Clone)]
pub struct Scene {
    pub world: World,
    pub now: Timestamp,
}

impl Scene {
    /// Two services (one after a second rollout, one amidst it), a task that was run, a build, two images, two repositories, lines in a log, parameters.
    pub fn new() -> Self {
        let stage = Stage::new();
        let mut scene = Self { world: stage.lock().clone(), now: stage.now() };
        scene.world.add_role(ACCOUNT, "task");
        let assumed = scene.world.add_role(ACCOUNT, "assumed");
        scene.world.iam.roles.get_mut(&assumed).unwrap().external_id = Some("external".to_owned());
        scene.world.ecs.entry(place()).or_default().add_target_group(GROUP_OF_CLOUDS);
        let ecr = scene.world.ecr.entry(place()).or_default();
        for name in ["api", "web"] {
            ecr.add_repository(name, Mutability::Mutable);
            for tag in ["v1", "v2"] {
                ecr.push(name, tag, tag, TaskStory::default(), scene.now).ok().unwrap();
            }
        }
        let findings = [("CVE-1", "HIGH"), ("CVE-2", "LOW"), ("CVE-3", "LOW")];
        let findings = findings.map(|(name, severity)| (name.to_owned(), severity.to_owned())).to_vec();
        ecr.scan("web", Some(Scan { by: Scanner::Ecr, seconds: 0, findings, settles: 0, ends: None }));
        let role = format!("arn:aws:iam::{ACCOUNT}:role/task");
        let builds = scene.world.codebuild.entry(place()).or_default();
        builds.add_project(Project::new("web", &role, "https://github.com/team/web.git"));
        let ssm = scene.world.ssm.entry(place()).or_default();
        ssm.put_secure("/web/key", "secret");
        for line in 0..5 {
            let at = scene.now + SignedDuration::from_secs(line);
            scene.world.logs.entry(place()).or_default().append("group", "stream", at, line.to_string());
        }
        let prod = scene.world.ecs.get_mut(&place()).unwrap().clusters.get_mut("prod").unwrap();
        prod.tags.insert("team".to_owned(), "web".to_owned());
        scene.begin();
        scene
    }

    fn begin(&mut self) {
        let vpc = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
        self.take("RegisterTaskDefinition", &on_fargate());
        self.take("RegisterTaskDefinition", &on_instances());
        for _ in 0..2 {
            self.take("RegisterTaskDefinition", &plain());
        }
        for service in ["other", "plain"] {
            let request = json!({
                "cluster": "prod", "serviceName": service, "taskDefinition": "plain:1", "desiredCount": 1,
                "launchType": "FARGATE", "networkConfiguration": vpc, "tags": [{"key": "team", "value": "web"}],
            });
            self.take("CreateService", &request);
        }
        self.wait(300);
        self.take("UpdateService", &json!({"cluster": "prod", "service": "plain", "taskDefinition": "plain:2"}));
        let run = json!({"cluster": "prod", "taskDefinition": "plain:2", "launchType": "FARGATE", "networkConfiguration": vpc, "startedBy": "me", "tags": [{"key": "a", "value": "b"}]});
        self.take("RunTask", &run);
        self.wait(300);
        self.take("UpdateService", &json!({"cluster": "prod", "service": "other", "taskDefinition": "plain:2"}));
        for _ in 0..2 {
            self.ask("codebuild", "StartBuild", &json!({"projectName": "web"})).unwrap();
        }
        self.wait(10);
    }

    pub fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.world.advance(self.now);
    }

    /// An operation of ECS that is taken.
    pub fn take(&mut self, operation: &str, input: &Value) -> Value {
        self.ask("ecs", operation, input).unwrap()
    }

    /// What a service answers; of a refusal, `CODE: MESSAGE`.
    pub fn ask(&mut self, service: &str, operation: &str, input: &Value) -> Result<Value, String> {
        let scope = format!("AWS4-HMAC-SHA256 Credential={KEY}/20260301/{REGION}/{service}/aws4_request");
        let mut headers = vec![("authorization".to_owned(), scope)];
        let body = match target(service) {
            Some(target) => {
                headers.push(("x-amz-target".to_owned(), format!("{target}.{operation}")));
                input.to_string()
            }
            None => form(operation, input),
        };
        let reply = self.world.answer(self.now, &WireRequest { headers, body: body.into(), ..WireRequest::default() });
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        match (reply.status, serde_json::from_str::<Value>(&text)) {
            (200, body) => Ok(body.unwrap_or(Value::String(text))),
            (_, Ok(body)) => Err(format!("{}: {}", body["__type"].as_str().unwrap(), body["message"])),
            (_, Err(_)) => Err(between(&text, "<Code>", "</Code>") + ": " + &between(&text, "<Message>", "</Message>")),
        }
    }
}

/// A definition on Fargate that runs as the services are.
pub fn plain() -> Value {
    json!({
        "family": "plain", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "volumes": [{"name": "disk", "configuredAtLaunch": true}],
        "tags": [{"key": "team", "value": "web"}],
        "containerDefinitions": [{
            "name": "app", "image": "app",
            "portMappings": [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}],
        }],
    })
}

fn target(service: &str) -> Option<&'static str> {
    Some(match service {
        "ecs" => "AmazonEC2ContainerServiceV20141113",
        "ecr" => "AmazonEC2ContainerRegistry_V20150921",
        "codebuild" => "CodeBuild_20161006",
        "logs" => "Logs_20140328",
        "ssm" => "AmazonSSM",
        _ => return None,
    })
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split(before).nth(1).unwrap_or_default();
    rest.split(after).next().unwrap_or_default().to_owned()
}

/// A request of STS.
fn form(operation: &str, input: &Value) -> String {
    let mut fields = vec![("Action".to_owned(), operation.to_owned()), ("Version".to_owned(), "2011-06-15".to_owned())];
    fields_of(input, "", &mut fields);
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn fields_of(value: &Value, path: &str, fields: &mut Vec<(String, String)>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| fields_of(value, &under(name), fields)),
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(index, item)| fields_of(item, &under(&format!("member.{}", index + 1)), fields));
        }
        Value::String(text) => fields.push((path.to_owned(), text.clone())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => fields.push((path.to_owned(), value.to_string())),
    }
}
