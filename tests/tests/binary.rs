//! The binary as a person runs it outside a cluster: a kubeconfig, an AWS profile, logs, health and metrics, and an end
//! when it is asked for one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "binary/unreadable.rs"]
mod unreadable;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::runtime::wait::await_condition;
use kube::{Api, api::PostParams};
use launchway_crds::AwsAccount;
use launchway_test_aws::World;
use launchway_test_aws::door::{self, Open};
use launchway_test_kube::real::{self, Cluster};
use launchway_tests::quickstart::chart;
use launchway_tests::{build, shape};
use serde_json::{Value, json};
use tempfile::TempDir;

const IN_TIME: Duration = Duration::from_secs(120);
/// The key that the profile's process hands out.
const KEY: &str = "AKIAOFAPROFILE000000";

/// Of the AWS SDKs: a profile whose credentials come from a process, and whose Region from itself.
fn environment_of_aws(folder: &Path, url: &str) -> [(&'static str, String); 4] {
    let given = json!({"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": "never-leaves-this-machine"});
    let credentials = folder.join("credentials.json");
    std::fs::write(&credentials, given.to_string()).unwrap();
    let config = folder.join("config");
    let text = format!("[profile trial]\nregion = eu-west-1\ncredential_process = cat {}\n", credentials.display());
    std::fs::write(&config, text).unwrap();
    [
        ("AWS_CONFIG_FILE", config.display().to_string()),
        ("AWS_PROFILE", "trial".to_owned()),
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// What the path answers: its status line, and its body.
fn answer(address: SocketAddr, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.lines().next()?.to_owned(), body.to_owned()))
}

/// Comes to an end when it says that it is ready: that is when all watches have listed, and the first to list may have been that
/// of the accounts.
async fn until_ready(address: SocketAddr) {
    while !answer(address, "/readyz").is_some_and(|(status, _)| status.ends_with("200 OK")) {
        tokio::task::yield_now().await;
    }
}

/// The metrics, once a pass is counted in them: that is a moment after its status is seen.
async fn metrics_with_a_pass(address: SocketAddr) -> String {
    loop {
        let metrics = answer(address, "/metrics").unwrap().1;
        if metrics.contains("launchway_passes_total{") {
            return metrics;
        }
        tokio::task::yield_now().await;
    }
}

/// An address of this machine that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The binary, started for this cluster.
async fn started(cluster: &Cluster, address: SocketAddr, environment: &[(&'static str, String)]) -> Child {
    let root = shape::repository();
    let target = build::target(&root);
    let program = build::program(&root, &target, &["--package", "launchway", "--bin", "launchway"]).await.unwrap();
    Command::new(program)
        .args(["--log-format", "json", "--http-address", &address.to_string()])
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
        .env("KUBECONFIG", cluster.kubeconfig())
        .envs(environment.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The account of the AWS.
const ID: &str = "123456789012";

/// A folder for AWS's files, a cluster with our kinds, and an AWS with a user.
async fn surroundings() -> (TempDir, Cluster, Open) {
    let options = real::Options { definitions: chart::definitions().unwrap(), ..real::Options::default() };
    let cluster = Cluster::start(options).await.unwrap();
    let mut world = World::new(1);
    world.add_user(ID, "somebody", KEY);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws = door::serve(listener, Arc::new(Mutex::new(world)), 1.0).unwrap();
    (tempfile::tempdir().unwrap(), cluster, aws)
}

/// Asked to end as a kubelet asks, and how it ended.
fn ended(mut child: Child) -> std::process::Output {
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    drop(child.stdin.take());
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_outside_a_cluster_with_a_profile_tells_its_health_and_ends_when_asked() {
    let (folder, cluster, aws) = surroundings().await;
    let address = free_address();
    let child = started(&cluster, address, &environment_of_aws(folder.path(), &aws.url())).await;

    let accounts: Api<AwsAccount> = Api::all(cluster.client());
    let account = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": "default"},
        "spec": {"regions": ["eu-west-1"], "namespaces": {"names": ["a"]}, "allow": {}}});
    accounts.create(&PostParams::default(), &serde_json::from_value(account).unwrap()).await.unwrap();
    let known = |account: Option<&AwsAccount>| {
        let status = account.and_then(|account| account.status.as_ref());
        status.and_then(|status| status.account_id.as_deref()) == Some(ID)
    };
    tokio::time::timeout(IN_TIME, await_condition(accounts, "default", known)).await.unwrap().unwrap();

    assert!(answer(address, "/healthz").unwrap().0.ends_with("200 OK"));
    tokio::time::timeout(IN_TIME, until_ready(address)).await.unwrap();
    let metrics = tokio::time::timeout(IN_TIME, metrics_with_a_pass(address)).await.unwrap();
    for name in ["launchway_pass_duration_seconds_bucket{", "launchway_build_info{version="] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    let output = ended(child);
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let told = |text: &str| lines.iter().any(|line| line["message"] == text);
    assert!(told("launchway starts") && told("launchway has stopped"), "{log}");
    assert!(!log.contains("never-leaves-this-machine"));
}
