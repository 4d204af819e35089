//! What a namespace can do to the others: a git server that never answers, a thousand Releases at once, a thousand objects
//! that change all the time or are as large as they may be.

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use launchway_crds::{Pipeline, Release, Service};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::bench::AT_ONCE;
use super::seed;
use crate::git::commit_id;
use crate::world::sample::{BUILD, REPOSITORY};

/// The namespace that it comes from.
pub(super) const NAMESPACE: &str = "flood";
/// How many Pipelines look at the git server that never answers.
const SILENT: usize = 400;
/// How many Releases are made, and how many objects are changed.
const MANY: usize = 1000;

/// What the namespace does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flood {
    /// Nothing.
    None,
    /// Its Pipelines look at a git server that takes every connection and never answers.
    SilentGit,
    /// It makes Releases, all at once.
    Releases,
    /// It changes its objects, one after the other, for ever.
    Churn,
    /// It makes objects as large as they may be.
    Large,
}

impl Flood {
    pub(super) const ALL: [Flood; 5] = [Flood::None, Flood::SilentGit, Flood::Releases, Flood::Churn, Flood::Large];

    /// What it is called in the table.
    pub(super) fn words(self) -> String {
        match self {
            Flood::None => "quiet".to_owned(),
            Flood::SilentGit => format!("{SILENT} Pipelines on a git server that never answers"),
            Flood::Releases => format!("{MANY} Releases at once"),
            Flood::Churn => format!("{MANY} Services that change all the time"),
            Flood::Large => format!("{MANY} Services of 60 KiB each"),
        }
    }
}

/// A git server that takes connections and never answers.
pub(super) struct Silent {
    /// Where it listens.
    pub(super) host: String,
    task: JoinHandle<()>,
}

impl Silent {
    pub(super) async fn start() -> anyhow::Result<Silent> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port on loopback")?;
        let host = listener.local_addr()?.to_string();
        let task = tokio::spawn(async move {
            let mut held: Vec<TcpStream> = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        Ok(Silent { host, task })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins it. What is returned goes on as long as it is held, where it is something that goes on.
pub(super) async fn begin(
    flood: Flood,
    kube: kube::Client,
    git: &str,
    silent: &str,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let pipelines: Api<Pipeline> = Api::namespaced(kube.clone(), NAMESPACE);
    let releases: Api<Release> = Api::namespaced(kube.clone(), NAMESPACE);
    let services: Api<Service> = Api::namespaced(kube, NAMESPACE);
    match flood {
        Flood::None => Ok(None),
        Flood::SilentGit => {
            let all =
                (0..SILENT).map(|number| pipeline(&format!("silent-{number}"), &format!("http://{silent}/{number}")));
            create(&pipelines, all).await?;
            Ok(None)
        }
        Flood::Releases => {
            create(&pipelines, [pipeline("many", git)]).await?;
            create(&releases, (0..MANY).map(release)).await?;
            Ok(None)
        }
        Flood::Churn => {
            let all: Vec<Value> = (0..MANY).map(service).collect::<anyhow::Result<_>>()?;
            create(&services, all).await?;
            Ok(Some(tokio::spawn(churn(services))))
        }
        Flood::Large => {
            let all: Vec<Value> = (0..MANY).map(large).collect::<anyhow::Result<_>>()?;
            create(&services, all).await?;
            Ok(None)
        }
    }
}

/// Ends it, and takes away what it made.
pub(super) async fn end(flood: Option<JoinHandle<()>>, kube: kube::Client) -> anyhow::Result<()> {
    if let Some(flood) = flood {
        flood.abort();
    }
    let all = Default::default();
    Api::<Pipeline>::namespaced(kube.clone(), NAMESPACE).delete_collection(&Default::default(), &all).await?;
    Api::<Release>::namespaced(kube.clone(), NAMESPACE).delete_collection(&Default::default(), &all).await?;
    Api::<Service>::namespaced(kube, NAMESPACE).delete_collection(&Default::default(), &all).await?;
    Ok(())
}

/// Annotates all of them, one after the other, as fast as the API server takes it from a few at once.
async fn churn(services: Api<Service>) {
    for round in 0_u64.. {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/round": round.to_string()}}}));
        let change = |number| {
            let (services, patch) = (services.clone(), patch.clone());
            async move { services.patch(&name(number), &PatchParams::default(), &patch).await.is_ok() }
        };
        stream::iter(0..MANY).map(change).buffer_unordered(4).for_each(|_| async {}).await;
    }
}

async fn create<K>(api: &Api<K>, all: impl IntoIterator<Item = Value>) -> anyhow::Result<()>
where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let put = |value: Value| async move {
        api.create(&PostParams::default(), &serde_json::from_value(value)?).await.map_err(anyhow::Error::from)
    };
    stream::iter(all).map(put).buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await
}

fn pipeline(name: &str, url: &str) -> Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "source": {"git": {"url": url, "branch": "main", "interval": "30s"}},
            "build": {"codeBuild": {"project": BUILD}},
            "images": [{"name": "web", "repository": REPOSITORY}],
            "stages": [{"name": "prod", "targets": [{"service": "nothing"}]}],
        },
    })
}

fn release(number: usize) -> Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": format!("by-hand-{number}"), "namespace": NAMESPACE},
        "spec": {"pipeline": "many", "commit": commit_id(&format!("flood-{number}")), "reason": "Manual"},
    })
}

/// A Service that can never be rolled: what is asked of Kubernetes and of us is what counts here.
fn service(number: usize) -> anyhow::Result<Value> {
    let mut service = serde_json::to_value(seed::service(&name(number))?)?;
    service["metadata"]["namespace"] = json!(NAMESPACE);
    service["spec"]["cluster"] = json!("not-allowed");
    Ok(service)
}

/// The same with as much in it as is admitted (`sizes.yaml`), or nearly.
fn large(number: usize) -> anyhow::Result<Value> {
    let mut service = service(number)?;
    let filled: Vec<Value> = (0..60).map(|at| json!({"name": format!("V{at}"), "value": "x".repeat(990)})).collect();
    service["spec"]["taskDefinition"]["containerDefinitions"][0]["environment"] = json!(filled);
    Ok(service)
}

fn name(number: usize) -> String {
    format!("flood-{number:05}")
}
