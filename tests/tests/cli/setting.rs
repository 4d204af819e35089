//! A cluster with our kinds, a namespace with the sample's Pipeline and Services for each test, and the plugin. No controller: the
//! tests write the statuses.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Resource};
use launchway_crds::{Pipeline, Release, Service};
use launchway_test_kube::real::{self, Cluster};
use launchway_tests::quickstart::chart;
use launchway_tests::world::sample;
use launchway_tests::{build, shape};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// For whatever a test waits for.
pub const IN_TIME: Duration = Duration::from_secs(60);

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();

/// The cluster of this file.
pub async fn cluster() -> &'static Cluster {
    let start = || async {
        let options = real::Options { definitions: chart::definitions().unwrap(), ..real::Options::default() };
        Cluster::start(options).await.unwrap()
    };
    CLUSTER.get_or_init(start).await
}

/// The plugin, built.
pub async fn program() -> &'static PathBuf {
    let build = || async {
        let root = shape::repository();
        let selection = ["--package", "launchway-cli", "--bin", "kubectl-launchway"];
        build::program(&root, &build::target(&root), &selection).await.unwrap()
    };
    PROGRAM.get_or_init(build).await
}

/// The plugin with those arguments, and no environment but PATH and KUBECONFIG.
pub async fn command(kubeconfig: PathBuf, args: &[&str]) -> Command {
    let mut command = Command::new(program().await);
    command.args(args).env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    command.env("KUBECONFIG", kubeconfig).kill_on_drop(true);
    command
}

/// How it ended: its exit code, standard output and standard error.
pub type Ended = (i32, String, String);

/// How a command ended.
pub fn ended(output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A namespace.
pub struct Place {
    pub name: String,
}

/// A commit's ID: the digit, forty times.
pub fn commit(digit: char) -> String {
    digit.to_string().repeat(40)
}

impl Place {
    /// With the sample's Pipeline and Services, of which nothing is known yet.
    pub async fn new() -> Self {
        let place = Self { name: cluster().await.namespace("cli").await.unwrap() };
        place.make::<Pipeline>(sample::pipeline()).await;
        place.make::<Service>(sample::service(0)).await;
        place.make::<Service>(sample::service(1)).await;
        place
    }

    /// The objects of a kind.
    pub async fn api<K: Resource<DynamicType = ()>>(&self) -> Api<DynamicObject> {
        Api::namespaced_with(cluster().await.client(), &self.name, &ApiResource::erase::<K>(&()))
    }

    /// Makes an object here.
    pub async fn make<K: Resource<DynamicType = ()>>(&self, mut object: Value) {
        object["metadata"]["namespace"] = json!(self.name);
        let object = serde_json::from_value(object).unwrap();
        self.api::<K>().await.create(&PostParams::default(), &object).await.unwrap();
    }

    /// Makes a Release of a commit, as the Pipeline would.
    pub async fn release(&self, number: u32, digit: char) {
        self.make::<Release>(json!({
            "apiVersion": "launchway.dev/v1alpha1", "kind": "Release", "metadata": {"name": format!("greeter-{number}")},
            "spec": {"pipeline": "greeter", "number": number, "commit": commit(digit), "reason": "NewCommit"},
        })).await;
    }

    /// Writes members of an object's status.
    pub async fn write<K: Resource<DynamicType = ()>>(&self, name: &str, status: Value) {
        let patch = json!({"status": status});
        self.api::<K>().await.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// An object as it is now.
    pub async fn read<K: Resource<DynamicType = ()>>(&self, name: &str) -> Value {
        serde_json::to_value(self.api::<K>().await.get(name).await.unwrap()).unwrap()
    }

    /// The plugin with those arguments, in this namespace.
    pub async fn command(&self, args: &[&str]) -> Command {
        command(cluster().await.kubeconfig(), &[args, &["-n", &self.name]].concat()).await
    }

    /// Runs the plugin here until it ends.
    pub async fn run(&self, args: &[&str]) -> Ended {
        let output = self.command(args).await.output();
        ended(tokio::time::timeout(IN_TIME, output).await.unwrap().unwrap())
    }
}

/// A status' conditions and columns: what turned, and stage, reason and message.
pub fn told(turned: &[(&str, &str)], [stage, reason, message]: [&str; 3]) -> Value {
    let condition = |(kind, status): &(&str, &str)| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-11-23T08:00:00Z"});
    let conditions: Vec<Value> = turned.iter().map(condition).collect();
    json!({"observedGeneration": 1, "conditions": conditions, "summary": {"stage": stage, "reason": reason, "message": message}})
}

/// `one` with the members of `other`.
pub fn with(mut one: Value, other: Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

/// A stage that a Release holds, and that was verified with its commit or with none.
pub fn stage(name: &str, release: &str, digit: char, grant: i64, verified: Option<(i64, char)>) -> Value {
    let at = "2026-11-23T08:00:00Z";
    let given = json!({"number": grant, "reason": "Release", "release": release, "commit": commit(digit), "images": [], "since": at});
    let mut stage = json!({"name": name, "grant": given});
    if let Some((grant, digit)) = verified {
        stage["verified"] =
            json!({"release": release, "grant": grant, "commit": commit(digit), "images": [], "at": at});
    }
    stage
}
