//! What the quick start is made of while it runs, and what a person would do with it. Everything ends when it is dropped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use launchway_test_kube::real::Cluster;
use tempfile::TempDir;

use super::aws::Aws;
use super::chart::Installed;
use super::clone::Clone;
use super::controller::Controller;
use super::health::Health;
use super::place::Place;
use super::process::Process;
use super::{NAME, NAMESPACE, PACE, SPEED, Screen, manifests};
use crate::git::{Repository, Server};

/// How often it is looked whether the controller still runs.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Enough to see what went on in the end.
const LAST_CALLS: usize = 25;

/// What kind of quick start is wanted.
pub struct Options {
    /// Which controller.
    pub program: Program,
    /// How it was installed; absent: as without Helm.
    pub installed: Option<Installed>,
    /// Where it is told.
    pub screen: Screen,
    /// How many times as fast as AWS's the builds and tasks are.
    pub speed: u32,
    /// The controller's polling speed-up factor.
    pub pace: u32,
}

/// The controller of this source, as without Helm, in the quick start's own times.
impl Default for Options {
    fn default() -> Options {
        Options { program: Program::Built, installed: None, screen: Screen::of_terminal(), speed: SPEED, pace: PACE }
    }
}

/// Which controller runs.
#[derive(Clone, Debug)]
pub enum Program {
    /// The one of this source, for development.
    Built,
    /// That of an image in an OCI layout, in the image's file system and as its user.
    Image(PathBuf),
}

/// The parts, in the order in which they end: nothing is taken from under another.
pub struct Parts {
    pub(super) controller: Controller,
    /// Further replicas.
    pub(super) others: Vec<Controller>,
    pub(super) health: Health,
    /// The git server.
    pub git: Server,
    /// The sample's repository there.
    pub repository: Repository,
    /// The AWS in memory.
    pub aws: Aws,
    /// The API server.
    pub cluster: Cluster,
    pub(super) folder: TempDir,
    pub(super) place: Place,
    pub(super) installed: Installed,
    pub(super) pace: u32,
    /// Where all is told.
    pub screen: Screen,
}

impl Parts {
    /// Applies the sample's account, Pipeline and Services, as a person would.
    ///
    /// # Errors
    /// kubectl's own words.
    pub async fn apply_sample(&self) -> anyhow::Result<()> {
        self.apply(&self.written()?).await
    }

    /// Applies the sample's account alone.
    pub(super) async fn apply_account(&self) -> anyhow::Result<()> {
        let files = self.written()?;
        self.apply(files.get(..1).context("the sample has no manifests")?).await
    }

    fn written(&self) -> anyhow::Result<Vec<PathBuf>> {
        manifests::write_into(&self.manifests(), &self.git.url(NAME), &self.health.url())
    }

    async fn apply(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        let mut args = vec!["apply".to_owned()];
        args.extend(files.iter().flat_map(|file| ["-f".to_owned(), file.display().to_string()]));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = self.cluster.kubectl(&args).await?;
        if !output.status.success() {
            bail!("kubectl apply: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        self.screen.verbatim(&String::from_utf8_lossy(&output.stdout));
        Ok(())
    }

    /// Types a kubectl command in the sample's namespace, shows what it says, and returns that.
    ///
    /// # Errors
    /// kubectl's own words.
    pub async fn kubectl(&self, command: &str) -> anyhow::Result<String> {
        let everywhere = command.ends_with(" -A");
        let command = if everywhere { command.to_owned() } else { format!("-n {NAMESPACE} {command}") };
        self.screen.typed(&format!("kubectl {command}"));
        let args: Vec<&str> = command.split(' ').collect();
        let output = self.cluster.kubectl(&args).await?;
        if !output.status.success() {
            bail!("kubectl {command}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        self.screen.verbatim(&said);
        Ok(said)
    }

    /// Kills the controller that was started first, as a node that is lost.
    ///
    /// # Errors
    /// It had ended.
    pub fn lose_first(&self) -> anyhow::Result<()> {
        let pid = self.controller.pid().context("the first controller has ended")?;
        let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        ensure!(killed.context("kill does not run")?.success(), "the first controller has ended");
        Ok(())
    }

    /// The newest commit of the sample.
    ///
    /// # Errors
    /// The repository has none.
    pub fn head(&self) -> anyhow::Result<String> {
        self.repository.head("main").context("the sample has no commit")
    }

    /// A clone of the sample, as a person makes it.
    ///
    /// # Errors
    /// git's own words.
    pub async fn clone_sample(&self) -> anyhow::Result<Clone> {
        Clone::of(&self.git.url(NAME), &self.folder.path().join("clone")).await
    }

    /// The result of `work`, unless the controller ends before.
    ///
    /// # Errors
    /// Those of `work`, with the end of the controller's log; or that the controller ended.
    pub async fn unless_ended<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            done = work => done.map_err(|error| anyhow::anyhow!("{error:#}\n\n{}", self.remains())),
            ended = self.ended() => Err(ended),
        }
    }

    /// Waits for the end of the controller, which is a failure.
    ///
    /// # Errors
    /// Always, in the end.
    pub async fn until_ended(&self) -> anyhow::Result<()> {
        Err(self.ended().await)
    }

    /// What helps to find out what went wrong.
    fn remains(&self) -> String {
        let calls = self.aws.last_calls(LAST_CALLS);
        format!("{}\n\nthe last calls to AWS:\n{calls}", self.controller.tail())
    }

    async fn ended(&self) -> anyhow::Error {
        loop {
            if let Some(status) = self.controller.ended() {
                return anyhow::anyhow!("the controller ended ({status})\n{}", self.controller.tail());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// The controller's process, as Linux tells of it.
    ///
    /// # Errors
    /// It does not run, or this is no Linux.
    pub fn process(&self) -> anyhow::Result<Process> {
        let pid = self.controller.pid().context("the controller does not run")?;
        Process::of(pid)
    }

    /// Where the sample's manifests are written.
    pub(super) fn manifests(&self) -> PathBuf {
        self.folder.path().join("manifests")
    }

    /// The folder of this run; it goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
