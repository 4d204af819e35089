//! What the charts install, for those who have no Helm: the kinds, and the controller's rights.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use launchway_test_kube::real::helm::Chart;
use launchway_test_kube::real::{self, Cluster, Say};
use serde_json::{Value, json};

/// The words of Helm's language that `rbac.yaml`, `lease.yaml` and the files of [`beside`] may use inside a line. Lines of
/// that language alone, which ask for values that are not the default, are left out.
const RELEASE_NAMESPACE: &str = "{{ .Release.Namespace }}";
const SERVICE_ACCOUNT: &str = "{{ .Values.serviceAccount.name }}";

/// What Helm is told of the cluster.
const KUBERNETES: &str = "v1.36.0";

/// The CustomResourceDefinitions of the chart launchway-crds.
///
/// # Errors
/// The chart cannot be read.
pub fn definitions() -> anyhow::Result<String> {
    let folder = charts().join("launchway-crds/templates");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    let texts: Vec<String> = files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    Ok(texts.join("---\n"))
}

/// The controller's rights, for a controller in `namespace` whose service account is called `account`.
///
/// # Errors
/// The chart cannot be read, or uses more of Helm's language than it may.
pub fn rights(namespace: &str, account: &str) -> anyhow::Result<String> {
    without_helm(&["rbac.yaml", "lease.yaml"], namespace, account)
}

/// What else the chart installs beside that controller: the policies for Releases and for sizes, and the roles of
/// tenants.
///
/// # Errors
/// As [`rights`].
pub fn beside(namespace: &str, account: &str) -> anyhow::Result<String> {
    without_helm(&["policy.yaml", "sizes.yaml", "tenants.yaml"], namespace, account)
}

fn without_helm(files: &[&str], namespace: &str, account: &str) -> anyhow::Result<String> {
    let mut texts = Vec::new();
    for file in files {
        let text = read(&charts().join("launchway/templates").join(file))?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("{{"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let text = text.replace(RELEASE_NAMESPACE, namespace).replace(SERVICE_ACCOUNT, account);
        if text.contains("{{") {
            bail!("{file} uses more of Helm's language than is known here: it could not be read without Helm");
        }
        texts.push(text);
    }
    Ok(texts.join("---\n"))
}

/// What was installed of the charts.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The CustomResourceDefinitions.
    pub definitions: String,
    /// What else.
    pub objects: String,
    /// What the controller is started with; empty: by nothing of the chart's.
    pub args: Vec<String>,
}

/// What is installed for a controller in `namespace`, whose service account is called `account`, where there is no Helm.
///
/// # Errors
/// As [`rights`].
pub fn plainly(namespace: &str, account: &str) -> anyhow::Result<Installed> {
    let objects = [rights(namespace, account)?, beside(namespace, account)?].join("---\n");
    Ok(Installed { definitions: definitions()?, objects, args: Vec::new() })
}

/// What Helm installs in that namespace with these values and an image, also as objects. The first call builds Helm's engine.
///
/// # Errors
/// Helm's own words.
pub fn by_helm(namespace: &str, values: &Value) -> anyhow::Result<(Installed, Vec<Value>)> {
    let folder = charts().join("launchway");
    let mut values = values.clone();
    values["image"] = json!({"repository": "registry.example.com/launchway", "tag": "0.1.0"});
    let chart = Chart { chart: &folder, release: "launchway", namespace, kube_version: KUBERNETES, values: &values };
    let objects = chart.render()?.objects;
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment").context("no Deployment")?;
    let args = deployment.pointer("/spec/template/spec/containers/0/args").context("a container without arguments")?;
    let text = objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n");
    let installed =
        Installed { definitions: definitions()?, objects: text, args: serde_json::from_value(args.clone())? };
    Ok((installed, objects))
}

/// The roles among these objects that are bound to somebody there.
pub fn bound(objects: &[Value]) -> Vec<&Value> {
    let is = |object: &Value, kinds: [&str; 2]| kinds.iter().any(|kind| object["kind"] == *kind);
    let bindings = objects.iter().filter(|object| is(object, ["RoleBinding", "ClusterRoleBinding"]));
    let names: Vec<&Value> = bindings.map(|binding| &binding["roleRef"]["name"]).collect();
    let roles = objects.iter().filter(|object| is(object, ["Role", "ClusterRole"]));
    roles.filter(|role| names.contains(&&role["metadata"]["name"])).collect()
}

/// Each right of a role's rule: group, resource (with its subresource) and verb.
pub fn rights_of(rule: &Value) -> Vec<(String, String, String)> {
    let words = |name: &str| -> Vec<String> {
        rule[name].as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let (groups, resources, verbs) = (words("apiGroups"), words("resources"), words("verbs"));
    let of = |group: &String, resource: &String| {
        verbs.iter().map(|verb| (group.clone(), resource.clone(), verb.clone())).collect::<Vec<_>>()
    };
    groups
        .iter()
        .flat_map(|group| resources.iter().flat_map(|resource| of(group, resource)).collect::<Vec<_>>())
        .collect()
}

/// A new API server with that installed for a controller in the namespace `system`, whose service account has that name; and
/// another, empty namespace.
///
/// # Errors
/// A program cannot be built or started, or a chart cannot be read or applied.
pub async fn cluster(
    say: Say,
    installed: &Installed,
    (system, account): (&str, &str),
    other: &str,
) -> anyhow::Result<Cluster> {
    let options = real::Options { definitions: installed.definitions.clone(), say, ..real::Options::default() };
    let cluster = Cluster::start(options).await?;
    let named = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    for name in [system, other] {
        let namespace = Namespace { metadata: named(name), ..Namespace::default() };
        Api::<Namespace>::all(cluster.client()).create(&PostParams::default(), &namespace).await?;
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client(), system);
    let made = ServiceAccount { metadata: named(account), ..ServiceAccount::default() };
    accounts.create(&PostParams::default(), &made).await.context("the controller's service account")?;
    cluster.apply(&installed.objects).await?;
    Ok(cluster)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn charts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts")
}
