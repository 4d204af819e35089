//! The real API server with the definitions applied, and what it says to a manifest.

use super::table::{definition, definitions};
use http::{Method, Request};
use kube::core::response::StatusCause;
use kube::{Client, Error};
use launchway_test_kube::real::{self, Cluster};
use serde_json::Value;
use tokio::sync::OnceCell;

static SERVED: OnceCell<()> = OnceCell::const_new();

/// The cluster of this process, with the definitions.
pub async fn cluster() -> &'static Cluster {
    let cluster = real::shared().await.unwrap();
    SERVED.get_or_init(|| async { cluster.apply(&definitions().join("---\n")).await.unwrap() }).await;
    cluster
}

/// Somebody who sends manifests to a namespace of their own.
pub struct Sender {
    client: Client,
    namespace: String,
}

/// Whether what is sent is to be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It is stored.
    Stored,
    /// It is only judged.
    Judged,
}

/// Why a manifest was refused.
#[derive(Debug)]
pub struct Refused {
    /// The whole message.
    pub message: String,
    /// Its parts.
    pub causes: Vec<StatusCause>,
}

impl Refused {
    /// The causes, each as `field: message`.
    pub fn told(&self) -> Vec<String> {
        self.causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
    }
}

impl Sender {
    /// Somebody with a new namespace.
    pub async fn new(name: &str) -> Sender {
        let cluster = cluster().await;
        Sender { client: cluster.client(), namespace: cluster.namespace(name).await.unwrap() }
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Creates an object. Unknown fields are refused.
    pub async fn create(&self, manifest: &Value, keep: Keep) -> Result<Value, Refused> {
        self.send(Method::POST, self.collection(manifest), manifest, keep).await
    }

    /// Replaces an object.
    pub async fn replace(&self, manifest: &Value, keep: Keep) -> Result<Value, Refused> {
        let path = format!("{}/{}", self.collection(manifest), name(manifest));
        self.send(Method::PUT, path, manifest, keep).await
    }

    /// Replaces the status of an object.
    pub async fn replace_status(&self, manifest: &Value) -> Result<Value, Refused> {
        let path = format!("{}/{}/status", self.collection(manifest), name(manifest));
        self.send(Method::PUT, path, manifest, Keep::Stored).await
    }

    async fn send(&self, method: Method, path: String, manifest: &Value, keep: Keep) -> Result<Value, Refused> {
        let judged = match keep {
            Keep::Stored => "",
            Keep::Judged => "&dryRun=All",
        };
        let request = Request::builder().method(method).uri(format!("{path}?fieldValidation=Strict{judged}"));
        let request =
            request.header("content-type", "application/json").body(serde_json::to_vec(manifest).unwrap()).unwrap();
        match self.client.request(request).await {
            Ok(answer) => Ok(answer),
            Err(Error::Api(status)) => {
                let causes = status.details.map(|details| details.causes).unwrap_or_default();
                Err(Refused { message: status.message, causes })
            }
            Err(other) => panic!("{path}: {other}"),
        }
    }

    fn collection(&self, manifest: &Value) -> String {
        let spec = &definition(manifest["kind"].as_str().unwrap())["spec"];
        let within = match spec["scope"].as_str().unwrap() {
            "Namespaced" => format!("namespaces/{}/", self.namespace),
            _ => String::new(),
        };
        let plural = spec["names"]["plural"].as_str().unwrap();
        format!("/apis/launchway.dev/v1alpha1/{within}{plural}")
    }
}

fn name(manifest: &Value) -> &str {
    manifest["metadata"]["name"].as_str().unwrap()
}
