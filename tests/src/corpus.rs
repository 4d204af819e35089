//! Files that people have: task definitions and services in AWS's JSON. Each is put into a Service as it stands, shown to an
//! API server, and followed to the wire, where nothing of it may be missing.

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, bail};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use launchway_cloud::{Clouds, Settings};
use launchway_crds::Service;
use launchway_plan::account::AccountSeen;
use launchway_plan::allow::LISTS;
use launchway_plan::rank::Rank;
use launchway_plan::refusal::Refusal;
use launchway_plan::service::change::{create, register};
use launchway_plan::service::{Desired, Observed, Unresolved, resolve};
use launchway_test_kube::real::Cluster;
use serde_json::{Map, Value, json};

use crate::members::Request;

/// What CreateService is asked and a Service says elsewhere, or Launchway by itself.
const DERIVED: [&str; 4] = ["cluster", "serviceName", "taskDefinition", "clientToken"];

/// A file of somebody's.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called.
    pub id: String,
    /// Of which request it is.
    pub request: Request,
    /// It.
    pub body: Value,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every member of it reached the wire.
    Intact,
    /// It is refused by name, before anything is called: this version does not drive it.
    NotDriven(String),
    /// Something is wrong.
    Wrong(String),
}

/// The entries of a folder: `taskdefs.json` and `services.json`, each a list of `{id, body}`.
///
/// # Errors
/// A file cannot be read, or has another form.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut all = Vec::new();
    for (file, request) in
        [("taskdefs.json", Request::RegisterTaskDefinition), ("services.json", Request::CreateService)]
    {
        let path = folder.join(file);
        let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let entries: Vec<Value> =
            serde_json::from_slice(&text).with_context(|| format!("{} is no list", path.display()))?;
        for entry in entries {
            let id = entry["id"].as_str().with_context(|| format!("an entry of {file} has no id"))?.to_owned();
            all.push(Entry { id, request, body: entry["body"].clone() });
        }
    }
    Ok(all)
}

impl Entry {
    /// What is to reach the wire: the file with its images named by a tag, without what a Service says elsewhere.
    pub fn said(&self) -> Map<String, Value> {
        self.prepared().0
    }

    /// What of the file is changed before it is applied, in words.
    pub fn changes(&self) -> Vec<String> {
        self.prepared().1
    }

    fn prepared(&self) -> (Map<String, Value>, Vec<String>) {
        let (mut body, mut changes) = (Map::new(), Vec::new());
        for (name, value) in self.body.as_object().into_iter().flatten() {
            if value.is_null() {
                changes.push(format!("{name}, which is null, is left out"));
            } else if DERIVED.contains(&name.as_str()) {
                changes.push(format!("{name} is left out: a Service says it elsewhere"));
            } else {
                body.insert(name.clone(), value.clone());
            }
        }
        let containers = body.get_mut("containerDefinitions").and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            // Some files leave the image to the tool that registers them.
            let given = container["image"].as_str().unwrap_or_default().to_owned();
            let image = tagged(if given.is_empty() { "app" } else { &given });
            if image != given {
                changes.push(format!("the image {given:?} becomes {image:?}"));
            }
            container["image"] = json!(image);
        }
        if self.request == Request::CreateService {
            changes.push("a task definition with the containers that it names is made up".to_owned());
        }
        (body, changes)
    }

    /// A Service that says it.
    pub fn manifest(&self) -> Value {
        let spec = match self.request {
            Request::RegisterTaskDefinition => json!({"cluster": "main", "taskDefinition": self.said()}),
            Request::CreateService => {
                json!({"cluster": "main", "taskDefinition": self.task_definition(), "service": self.said()})
            }
        };
        json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Service", "metadata": {"name": self.id}, "spec": spec})
    }

    /// A task definition that has what a service names: the containers and ports of its load balancers and registries.
    fn task_definition(&self) -> Value {
        let mut containers: Vec<(String, Vec<Value>)> = Vec::new();
        for list in ["loadBalancers", "serviceRegistries"] {
            for one in self.body[list].as_array().into_iter().flatten() {
                let Some(name) = one["containerName"].as_str() else { continue };
                let port = json!({"containerPort": one["containerPort"]});
                match containers.iter_mut().find(|(known, _)| known == name) {
                    Some((_, ports)) if !ports.contains(&port) => ports.push(port),
                    Some(_) => {}
                    None => containers.push((name.to_owned(), vec![port])),
                }
            }
        }
        if containers.is_empty() {
            containers.push(("app".to_owned(), Vec::new()));
        }
        let of =
            |(name, ports): &(String, Vec<Value>)| json!({"name": name, "image": "app:1.0", "portMappings": ports});
        let mut task = json!({"cpu": "256", "memory": "512", "containerDefinitions": containers.iter().map(of).collect::<Vec<_>>()});
        if self.body["networkConfiguration"].is_object() || self.body["launchType"] == "FARGATE" {
            task["networkMode"] = json!("awsvpc");
        }
        task
    }

    /// What becomes of it once an API server has admitted it, and has given this back.
    pub async fn followed(&self, admitted: Value) -> Verdict {
        match self.sent(admitted).await {
            Ok(Ok(sent)) => {
                let mut missing = Vec::new();
                lacks("", &Value::Object(sent), &Value::Object(self.said()), &mut missing);
                if missing.is_empty() {
                    Verdict::Intact
                } else {
                    Verdict::Wrong(format!("not at the wire: {}", missing.join(", ")))
                }
            }
            Ok(Err(refusal @ Refusal::NotDriven { .. })) => Verdict::NotDriven(refusal.to_string()),
            Ok(Err(refusal)) => Verdict::Wrong(refusal.to_string()),
            Err(error) => Verdict::Wrong(format!("{error:#}")),
        }
    }

    /// The body that the SDK sends for it, or why none is sent.
    async fn sent(&self, admitted: Value) -> anyhow::Result<Result<Map<String, Value>, Refusal>> {
        let service: Service = serde_json::from_value(admitted).context("reading the Service back")?;
        let desired = Desired::parse(&service);
        let observed = Observed::at(jiff::Timestamp::UNIX_EPOCH, everything_is_allowed(), None);
        let wanted = match resolve(&desired, &[], &observed, "corpus") {
            Ok(wanted) => wanted,
            Err(Unresolved::Refused(refusal)) => return Ok(Err(refusal)),
            Err(why @ Unresolved::NoImage(_)) => bail!("{why:?}"),
        };
        let wire = Wire::default();
        let cloud = wire.clouds().at(&wanted.scope.place, "corpus", Rank::Rollout);
        // AWS's answer is of no interest: what was asked is.
        match self.request {
            Request::RegisterTaskDefinition => drop(cloud.register(&register(&wanted, &wanted.tags)).await),
            Request::CreateService => drop(cloud.create_service(&create(&desired, &wanted, "app:1", 0)).await),
        }
        let sent = wire.0.lock().map_err(|_| anyhow::anyhow!("the wire broke"))?.pop();
        Ok(Ok(sent.context("nothing was sent")?))
    }
}

/// An API server with the definitions, which is only asked.
struct Door {
    client: kube::Client,
    path: String,
}

impl Door {
    async fn open(cluster: &Cluster) -> anyhow::Result<Self> {
        let all = launchway_crds::all();
        let definitions: Vec<String> = all.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        cluster.apply(&definitions.join("\n---\n")).await?;
        let namespace = cluster.namespace("corpus").await?;
        let path = format!(
            "/apis/launchway.dev/v1alpha1/namespaces/{namespace}/ecsservices?fieldValidation=Strict&dryRun=All"
        );
        Ok(Self { client: cluster.client(), path })
    }

    /// What it makes of a manifest, or why it refuses it.
    async fn shown(&self, manifest: &Value) -> anyhow::Result<Result<Value, kube::Error>> {
        let request = http::Request::post(&self.path).header("content-type", "application/json");
        Ok(self.client.request(request.body(serde_json::to_vec(manifest)?)?).await)
    }
}

/// What an API server makes of a Service in a strict dry run, or why it refuses it.
///
/// # Errors
/// The definitions or the namespace cannot be made.
pub async fn admitted(cluster: &Cluster, manifest: &Value) -> anyhow::Result<Result<Value, kube::Error>> {
    Door::open(cluster).await?.shown(manifest).await
}

/// What becomes of each entry: the API server, in a strict dry run, then the wire.
///
/// # Errors
/// The definitions or the namespace cannot be made.
pub async fn judged(cluster: &Cluster, entries: &[Entry]) -> anyhow::Result<Vec<(String, Verdict)>> {
    let door = Door::open(cluster).await?;
    let mut outcomes = Vec::new();
    for entry in entries {
        let verdict = match door.shown(&entry.manifest()).await? {
            Ok(mut admitted) => {
                admitted["metadata"]["namespace"] = json!("corpus");
                entry.followed(admitted).await
            }
            Err(error) => Verdict::Wrong(format!("not admitted: {error}")),
        };
        outcomes.push((entry.id.clone(), verdict));
    }
    Ok(outcomes)
}

/// An image with a tag other than `latest`, as a person would name it.
fn tagged(image: &str) -> String {
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    if image.contains('@') || tag != "latest" { image.to_owned() } else { format!("{name}:1.0") }
}

/// What of the given value the sent one lacks. Sizes of a task are sent as texts; to its tags ours are added.
fn lacks(path: &str, sent: &Value, given: &Value, missing: &mut Vec<String>) {
    match (sent, given) {
        (Value::Object(sent), Value::Object(given)) => {
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match sent.get(name) {
                    Some(sent) => lacks(&path, sent, value, missing),
                    None => missing.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(given)) if path == "tags" => {
            missing.extend(given.iter().filter(|tag| !sent.contains(tag)).map(|tag| format!("tags {tag}")));
        }
        (Value::Array(sent), Value::Array(given)) if sent.len() == given.len() => {
            sent.iter().zip(given).for_each(|(sent, given)| lacks(&format!("{path}[]"), sent, given, missing));
        }
        (Value::String(sent), Value::Number(given)) if *sent == given.to_string() => {}
        (sent, given) if sent == given => {}
        (sent, given) => missing.push(format!("{path}: {given}, but {sent} was sent")),
    }
}

fn everything_is_allowed() -> AccountSeen {
    let host =
        ["NetworkMode", "Privileged", "PidMode", "IpcMode", "Volumes", "Devices", "Capabilities", "SecurityOptions"];
    let mut spec =
        json!({"regions": ["eu-west-1"], "namespaces": {"names": ["corpus"]}, "allow": {"hostAccess": host}});
    for list in LISTS {
        spec["allow"][list.name] = json!(["*"]);
    }
    AccountSeen {
        name: "default".to_owned(),
        id: None,
        spec: serde_json::from_value(spec).ok(),
        namespace: "corpus".to_owned(),
        namespace_labels: std::collections::BTreeMap::new(),
    }
}

/// A wire on which everything that is sent is written down, and refused.
#[derive(Clone, Debug, Default)]
struct Wire(Arc<Mutex<Vec<Map<String, Value>>>>);

impl Wire {
    fn clouds(&self) -> Clouds {
        let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "corpus");
        let base = SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        let mut settings = Settings::new(base);
        let wire = self.clone();
        settings.http_client = Some(http_client_fn(move |_, _| SharedHttpConnector::new(wire.clone())));
        Clouds::new(settings)
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
        if let (Some(body), Ok(mut seen)) = (body, self.0.lock()) {
            seen.push(body);
        }
        let refusal = r#"{"__type": "ClientException", "message": "only written down"}"#;
        let status = 400u16.try_into();
        HttpConnectorFuture::ready(match status {
            Ok(status) => Ok(HttpResponse::new(status, SdkBody::from(refusal))),
            Err(_) => unreachable!("400 is a status"),
        })
    }
}
