//! Prometheus's own programs: built once, without the discovery of services in clouds, which takes most of the time.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use super::Say;
use super::golang::{Build, Cgo};
use super::running::Running;

/// The file of `promtool`. The first call builds it.
///
/// # Errors
/// It cannot be built: the message says why.
pub fn promtool(say: &Say) -> anyhow::Result<PathBuf> {
    built("promtool", "about 1 min 30 s on two cores", say)
}

/// The file of the server, `prometheus`. The first call builds it.
///
/// # Errors
/// It cannot be built: the message says why.
pub fn server(say: &Say) -> anyhow::Result<PathBuf> {
    built("prometheus", "about 2 min on two cores", say)
}

/// What `promtool` says to that, given that text on standard input.
///
/// # Errors
/// It finds a fault, in its own words; or it cannot be built.
pub fn checked(args: &[&str], input: &str) -> anyhow::Result<String> {
    let mut child = Command::new(promtool(&Say::default())?)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool does not start")?;
    // It reads all before it writes anything. One that did not read says why.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(said) } else { bail!("promtool {}: {}", args.join(" "), said.trim()) }
}

fn built(name: &str, takes: &str, say: &Say) -> anyhow::Result<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/prometheus");
    let package = format!("github.com/prometheus/prometheus/cmd/{name}");
    let build =
        Build { name, module: &module, package: &package, tags: "remove_all_sd", link: "-s -w", cgo: Cgo::Off, takes };
    build.once(&[include_str!("../../go/prometheus/go.mod"), include_str!("../../go/prometheus/go.sum")], say)
}

/// A Prometheus that runs, and ends when it is dropped.
pub struct Server {
    url: String,
    _running: Running,
    /// Goes after it.
    _folder: TempDir,
}

/// One answer to a question: its labels, and its values, each with the second that it is of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Answer {
    /// The labels.
    pub metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

impl Answer {
    /// The values that are numbers.
    pub fn points(&self) -> Vec<(f64, f64)> {
        let read =
            |(at, value): &(f64, String)| Some((*at, value.parse().ok().filter(|value: &f64| value.is_finite())?));
        self.values.iter().filter_map(read).collect()
    }
}

/// How long it may take to be ready: a second on an idle machine.
const TO_BE_READY: Duration = Duration::from_secs(60);

impl Server {
    /// Starts one that asks that address each second, and gives what it answers these labels.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub async fn start(target: &str, labels: &BTreeMap<&str, &str>, say: &Say) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("launchway-prometheus-").tempdir()?;
        let asked = json!([{"job_name": "launchway", "scrape_interval": "1s", "static_configs": [{"targets": [target], "labels": labels}]}]);
        let config = folder.path().join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&config, json!({"scrape_configs": asked}).to_string())?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?;
        let args = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let running = Running::start("prometheus", &server(say)?, &args, folder.path())?;
        let (url, began) = (format!("http://{address}"), Instant::now());
        while checked(&["check", "ready", &format!("--url={url}")], "").is_err() {
            if began.elapsed() > TO_BE_READY {
                return Err(running.failure("was not ready in a minute"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Self { url, _running: running, _folder: folder })
    }

    /// What it answers to a question for each so many seconds between two times.
    ///
    /// # Errors
    /// It does not understand the question.
    pub fn range(&self, query: &str, (from, to): (f64, f64), step: f64) -> anyhow::Result<Vec<Answer>> {
        let (from, to) = (format!("--start={from}"), format!("--end={to}"));
        let step = format!("--step={step}s");
        let said = checked(&["query", "range", "--format=json", &from, &to, &step, &self.url, query], "")?;
        serde_json::from_str(&said).with_context(|| format!("{query}: {said}"))
    }
}
