//! What a person does at a terminal: kubectl, applying YAML, a namespace to work in.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Cluster;

/// Half a second on an idle machine.
const TO_BE_SERVED: Duration = Duration::from_secs(60);

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The answer that kubectl reads in order to learn which kinds there are.
const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

impl Cluster {
    /// kubectl, for a person to type.
    pub fn kubectl_path(&self) -> &Path {
        &self.kubectl
    }

    /// Runs kubectl as the administrator. A code other than 0 is for the caller to judge.
    ///
    /// # Errors
    /// kubectl does not start.
    pub async fn kubectl(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.kubectl_with("", args).await
    }

    /// Applies YAML of one or more documents, server-side, and returns when every CustomResourceDefinition in it is
    /// served. Objects of a kind that the same YAML defines have to come in a second call; those that name no namespace go
    /// into `default`.
    ///
    /// # Errors
    /// kubectl's own words; or a definition that was not established in a minute.
    pub async fn apply(&self, yaml: &str) -> anyhow::Result<()> {
        self.apply_with(&[], yaml).await
    }

    /// [`Cluster::apply`], for objects that name no other namespace.
    ///
    /// # Errors
    /// As [`Cluster::apply`].
    pub async fn apply_in(&self, namespace: &str, yaml: &str) -> anyhow::Result<()> {
        self.apply_with(&["-n", namespace], yaml).await
    }

    async fn apply_with(&self, more: &[&str], yaml: &str) -> anyhow::Result<()> {
        let args = ["apply", "--server-side", "--force-conflicts", "-o", "name", "-f", "-"];
        let output = self.kubectl_with(yaml, &[&args, more].concat()).await?;
        if !output.status.success() {
            bail!("kubectl apply: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let applied = String::from_utf8_lossy(&output.stdout);
        let definitions =
            applied.lines().filter_map(|line| line.split_once("customresourcedefinition.apiextensions.k8s.io/"));
        for (_, name) in definitions {
            let served = tokio::time::timeout(TO_BE_SERVED, self.until_served(name)).await;
            served.with_context(|| format!("CRD {name} was not served in {} s", TO_BE_SERVED.as_secs()))??;
        }
        Ok(())
    }

    /// A new namespace, `<prefix>-<random>`.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn namespace(&self, prefix: &str) -> anyhow::Result<String> {
        let metadata = ObjectMeta { generate_name: Some(format!("{prefix}-")), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let made = Api::<Namespace>::all(self.client()).create(&PostParams::default(), &namespace).await?;
        made.metadata.name.context("a namespace without a name")
    }

    async fn kubectl_with(&self, input: &str, args: &[&str]) -> anyhow::Result<Output> {
        // Not in the person's home: every cluster has other kinds. Nor shared: of two that run side by side, one may write
        // down the kinds of before the other's were there.
        let cache = tempfile::tempdir_in(self.folder())?;
        let mut child = Command::new(&self.kubectl)
            .args(args)
            .env("KUBECONFIG", self.kubeconfig())
            .env("KUBECACHEDIR", cache.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", self.kubectl.display()))?;
        let mut stdin = child.stdin.take().context("kubectl has no standard input")?;
        let feed = async {
            // Whoever does not read to the end says why on its standard error.
            let _ = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        Ok(output?)
    }

    /// Established alone is not enough: kubectl asks the discovery and, for `explain`, the published schema, and each
    /// follows a moment later.
    async fn until_served(&self, name: &str) -> anyhow::Result<()> {
        let client = self.client();
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        loop {
            let definition = definitions.get(name).await?;
            if is_established(&definition)
                && is_discovered(&client, &definition).await?
                && is_explained(&client, &definition).await
            {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
}

/// Whether kubectl would find every version that is to be served.
async fn is_discovered(client: &Client, definition: &CustomResourceDefinition) -> anyhow::Result<bool> {
    let request = http::Request::get("/apis").header(http::header::ACCEPT, DISCOVERY).body(Vec::new())?;
    let groups: Value = client.request(request).await?;
    let spec = &definition.spec;
    let is_group = |group: &&Value| group["metadata"]["name"] == spec.group.as_str();
    let found = list(&groups["items"]).iter().find(is_group).map_or(&[][..], |group| list(&group["versions"]));
    let serves = |version: &Value, name: &str| {
        let is_kind = |kind: &Value| kind["resource"] == spec.names.plural.as_str();
        version["version"] == name && list(&version["resources"]).iter().any(is_kind)
    };
    let mut wanted = served(definition);
    Ok(wanted.all(|name| found.iter().any(|version| serves(version, name))))
}

/// Whether `kubectl explain` would find every version that is to be served.
async fn is_explained(client: &Client, definition: &CustomResourceDefinition) -> bool {
    let spec = &definition.spec;
    for version in served(definition) {
        let path = format!("/openapi/v3/apis/{}/{version}", spec.group);
        let Ok(request) = http::Request::get(path).body(Vec::new()) else { return false };
        let schema = client.request_text(request).await.unwrap_or_default();
        if !schema.contains(&format!("/{}\"", spec.names.plural)) {
            return false;
        }
    }
    true
}

fn served(definition: &CustomResourceDefinition) -> impl Iterator<Item = &str> {
    definition.spec.versions.iter().filter(|version| version.served).map(|version| version.name.as_str())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
