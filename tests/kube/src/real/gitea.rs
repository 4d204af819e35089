//! A real git host: Gitea, built from its sources, on loopback. It is no part of a cluster, and is built and run like the programs that
//! are.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Say;
use super::golang::{Build, Cgo};
use super::running::Running;

/// The newest whose modules can all be had from Go's proxy.
const VERSION: &str = "v1.25.4";

const USER: &str = "ada";
const PASSWORD: &str = "only-on-loopback-1";

/// How long it may take to be ready: some seconds on an idle machine.
const TO_BE_READY: Duration = Duration::from_secs(60);

/// A Gitea that runs, and ends when it is dropped. It has one user, who owns every repository.
pub struct Gitea {
    url: String,
    client: reqwest::Client,
    _running: Running,
    /// Goes after it.
    _folder: TempDir,
}

/// A commit status as Gitea shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// What it is called.
    pub context: String,
    /// How it stands.
    pub status: String,
    /// The same for people.
    pub description: String,
    /// Where there is more to see.
    pub target_url: String,
}

impl Gitea {
    /// Starts one. The first call builds it.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub async fn start(say: &Say) -> anyhow::Result<Self> {
        let (sources, program) = built(say)?;
        let folder = tempfile::Builder::new().prefix("launchway-gitea-").tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?;
        let url = format!("http://{address}");
        let work = folder.path().display();
        let config = folder.path().join("app.ini");
        let (port, sources) = (address.port(), sources.display());
        std::fs::write(
            &config,
            format!(
                "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\nRUN_MODE = prod\nWORK_PATH = {work}\n\
                 [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nROOT_URL = {url}/\nSTATIC_ROOT_PATH = {sources}\nDISABLE_SSH = true\nOFFLINE_MODE = true\n\
                 [database]\nDB_TYPE = sqlite3\nPATH = {work}/gitea.db\n\
                 [security]\nINSTALL_LOCK = true\n\
                 [webhook]\nALLOWED_HOST_LIST = loopback\n\
                 [cron]\nENABLED = false\n[actions]\nENABLED = false\n[indexer]\nISSUE_INDEXER_TYPE = db\n"
            ),
        )?;
        let config = format!("--config={}", config.display());
        let run = |args: &[&str]| {
            let output = Command::new(&program).arg(&config).args(args).current_dir(folder.path()).output()?;
            ensure!(output.status.success(), "gitea {args:?}: {}", String::from_utf8_lossy(&output.stdout));
            Ok(())
        };
        run(&["migrate"])?;
        let user = ["admin", "user", "create", "--admin", "--must-change-password=false", "--email=ada@example.com"];
        run(&[&user[..], &["--username", USER, "--password", PASSWORD]].concat())?;
        let running = Running::start("gitea", &program, &[config, "web".to_owned()], folder.path())?;
        let gitea =
            Self { url, client: reqwest::Client::builder().no_proxy().build()?, _running: running, _folder: folder };
        let began = Instant::now();
        while gitea.client.get(format!("{}/api/v1/version", gitea.url)).send().await.is_err() {
            if began.elapsed() > TO_BE_READY {
                return Err(gitea._running.failure("was not ready in a minute"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(gitea)
    }

    /// `127.0.0.1:port`, as an administrator lists it.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The URL of the repository of that name.
    pub fn repository(&self, name: &str) -> String {
        format!("{}/{USER}/{name}.git", self.url)
    }

    /// Makes a private repository with a first commit on `main`.
    ///
    /// # Errors
    /// Gitea refuses.
    pub async fn create(&self, name: &str) -> anyhow::Result<()> {
        let body = json!({"name": name, "auto_init": true, "default_branch": "main", "private": true});
        self.post("user/repos", body).await.map(drop)
    }

    /// Commits a new file on `main`, and gives the commit's ID.
    ///
    /// # Errors
    /// Gitea refuses.
    pub async fn commit(&self, name: &str, path: &str, message: &str) -> anyhow::Result<String> {
        let body = json!({"branch": "main", "message": message, "content": STANDARD.encode(message)});
        let made = self.post(&format!("repos/{USER}/{name}/contents/{path}"), body).await?;
        made["commit"]["sha"].as_str().map(str::to_owned).context("Gitea says no commit")
    }

    /// Makes a tag of a commit.
    ///
    /// # Errors
    /// Gitea refuses.
    pub async fn tag(&self, name: &str, tag: &str, commit: &str) -> anyhow::Result<()> {
        let body = json!({"tag_name": tag, "target": commit, "message": tag});
        self.post(&format!("repos/{USER}/{name}/tags"), body).await.map(drop)
    }

    /// Makes an access token with these scopes.
    ///
    /// # Errors
    /// Gitea refuses.
    pub async fn token(&self, scopes: &[&str]) -> anyhow::Result<String> {
        let body = json!({"name": scopes.join(" "), "scopes": scopes});
        let made = self.post(&format!("users/{USER}/tokens"), body).await?;
        made["sha1"].as_str().map(str::to_owned).context("Gitea says no token")
    }

    /// Has pushes to a repository told to that URL, signed with that secret.
    ///
    /// # Errors
    /// Gitea refuses.
    pub async fn hook(&self, name: &str, url: &str, secret: &str) -> anyhow::Result<()> {
        let body = json!({"type": "gitea", "active": true, "events": ["push"],
            "config": {"url": url, "content_type": "json", "secret": secret}});
        self.post(&format!("repos/{USER}/{name}/hooks"), body).await.map(drop)
    }

    /// The commit statuses of a commit, the last one of each name.
    ///
    /// # Errors
    /// Gitea refuses.
    pub async fn statuses(&self, name: &str, commit: &str) -> anyhow::Result<Vec<Shown>> {
        let url = format!("{}/api/v1/repos/{USER}/{name}/commits/{commit}/status", self.url);
        let answer = self.client.get(url).basic_auth(USER, Some(PASSWORD)).send().await?.text().await?;
        let answer: Value = serde_json::from_str(&answer)?;
        serde_json::from_value(answer["statuses"].clone()).with_context(|| answer.to_string())
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}/api/v1/{path}", self.url)).basic_auth(USER, Some(PASSWORD));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("Gitea answers {status} to {path}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }
}

/// The folder of Gitea's sources, with its templates, and the program.
fn built(say: &Say) -> anyhow::Result<(PathBuf, PathBuf)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Module {
        dir: PathBuf,
    }
    let module = format!("code.gitea.io/gitea@{VERSION}");
    // Go compares it with its database of checksums.
    let output =
        Command::new("go").args(["mod", "download", "-json", &module]).output().context("go does not start")?;
    let found: Module = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("go mod download {module}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let build = Build {
        name: "gitea",
        module: &found.dir,
        package: ".",
        tags: "sqlite,sqlite_unlock_notify",
        link: "-s -w",
        cgo: Cgo::On,
        takes: "about 4 min on two cores",
    };
    let program = build.once(&[VERSION], say)?;
    Ok((found.dir, program))
}
