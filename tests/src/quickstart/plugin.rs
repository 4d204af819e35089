//! `kubectl launchway` beside the quick start: what it shows at each moment, and pictures of the moments that say the most.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use console::strip_ansi_codes;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::{NAME, NAMESPACE, Parts};
use crate::build;
use crate::shape::repository;

const BETWEEN_LOOKS: Duration = Duration::from_millis(300);

/// The plugin, built.
///
/// # Errors
/// It cannot be built.
pub async fn program() -> anyhow::Result<PathBuf> {
    let root = repository();
    build::program(&root, &build::target(&root), &["--package", "launchway-cli", "--bin", "kubectl-launchway"]).await
}

/// Runs the plugin in the sample's namespace, as it is run in a terminal with colours.
///
/// # Errors
/// It does not start.
pub async fn run(program: &Path, kubeconfig: &Path, args: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(program);
    command.args(["--namespace", NAMESPACE]).args(args).env("KUBECONFIG", kubeconfig).env("CLICOLOR_FORCE", "1");
    Ok(command.kill_on_drop(true).output().await?)
}

/// The logs that a person asks for after the stories: of the build that failed, and of the tasks that crashed.
pub const LOGS: [&[&str]; 2] = [&["logs", "release/greeter-3"], &["logs", "service/greeter-staging"]];

/// A picture of the logs, as a person reads them after the stories.
///
/// # Errors
/// One of them cannot be read.
pub async fn logs(parts: &Parts) -> anyhow::Result<String> {
    let program = program().await?;
    let mut text = String::new();
    for args in LOGS {
        let output = run(&program, &parts.cluster.kubeconfig(), args).await?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(output.status.success(), "kubectl launchway {}: {}", args.join(" "), said(&output.stderr));
        let told = wrapped(&said(&output.stdout));
        text += &format!(
            "\u{1b}[1m$ kubectl launchway {}\u{1b}[0m\n\u{1b}[2m{}\u{1b}[0m\n{told}\n\n",
            args.join(" "),
            said(&output.stderr).trim_end()
        );
    }
    Ok(anstyle_svg::Term::new().render_svg(&text))
}

/// Somebody who looks at the tree again and again, as `--watch` does.
pub struct Onlooker {
    /// What was shown, each time that it had changed.
    seen: Arc<Mutex<Vec<String>>>,
    looking: JoinHandle<()>,
}

impl Onlooker {
    /// Begins to look at the sample's Pipeline.
    ///
    /// # Errors
    /// The plugin cannot be built.
    pub async fn start(parts: &Parts) -> anyhow::Result<Self> {
        let program = program().await?;
        let (seen, kubeconfig) = (Arc::<Mutex<Vec<String>>>::default(), parts.cluster.kubeconfig());
        let kept = Arc::clone(&seen);
        let looking = tokio::spawn(async move {
            loop {
                if let Some(tree) = tree(&program, &kubeconfig).await {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    if kept.last() != Some(&tree) {
                        kept.push(tree);
                    }
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        });
        Ok(Self { seen, looking })
    }

    /// A picture of the second commit's way, as `status --watch` shows it.
    pub fn way(&self) -> String {
        let moments: [&[(&str, &str)]; 4] = [
            &[("release/greeter-2", "Building")],
            &[("release/greeter-2", "staging  Rolling"), ("service/greeter-staging", "Rolling")],
            &[("release/greeter-2", "prod  Rolling"), ("service/greeter-prod", "Rolling")],
            &[("release/greeter-2", "Succeeded"), ("pipeline/greeter", "Released=True")],
        ];
        self.picture("kubectl launchway status greeter --watch", &moments)
    }

    /// A picture of a commit that crash-loops.
    pub fn failure(&self) -> String {
        let moment: &[(&str, &str)] = &[("release/greeter-4", "RolledBack"), ("pipeline/greeter", "RolledBack")];
        self.picture("kubectl launchway status greeter", &[moment])
    }

    /// The first tree of each moment: one whose lines about those things say so.
    fn picture(&self, command: &str, moments: &[&[(&str, &str)]]) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |tree: &str, moment: &[(&str, &str)]| {
            let plain = strip_ansi_codes(tree).into_owned();
            let says = |(thing, word): &(&str, &str)| {
                plain.lines().any(|line| line.split_whitespace().any(|part| part == *thing) && line.contains(word))
            };
            moment.iter().all(says)
        };
        let shown = moments.iter().filter_map(|moment| seen.iter().find(|tree| is(tree, moment)));
        let trees: Vec<String> = shown.map(|tree| wrapped(tree.trim_end())).collect();
        let text = format!("\u{1b}[1m$ {command}\u{1b}[0m\n{}\n", trees.join("\n\n"));
        anstyle_svg::Term::new().render_svg(&text)
    }
}

/// How many characters fit into a line of the picture.
const COLUMNS: usize = 120;

/// Long lines go on in the next one, as a terminal has them. They are messages, which have no colours within.
fn wrapped(tree: &str) -> String {
    let line = |line: &str| {
        let plain: Vec<char> = strip_ansi_codes(line).chars().collect();
        if plain.len() <= COLUMNS {
            return line.to_owned();
        }
        plain.chunks(COLUMNS).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("\n")
    };
    tree.lines().map(line).collect::<Vec<_>>().join("\n")
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn tree(program: &Path, kubeconfig: &Path) -> Option<String> {
    let asked = run(program, kubeconfig, &["status", NAME]).await;
    let output = asked.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
