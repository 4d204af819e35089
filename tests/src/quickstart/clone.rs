//! A person's clone of the sample: changed, committed and pushed by git itself, over HTTP.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::git::File;

/// Who commits: a fresh machine has nobody set.
const WHO: [&str; 2] = ["user.name=Ada", "user.email=ada@example.com"];

/// A clone.
pub struct Clone {
    dir: PathBuf,
}

impl Clone {
    /// Clones `url` into `dir`.
    ///
    /// # Errors
    /// git's own words.
    pub async fn of(url: &str, dir: &Path) -> anyhow::Result<Clone> {
        let dir = dir.to_owned();
        let path = dir.to_str().context("the path is not UTF-8")?;
        let [name, email] = WHO;
        git(Path::new("/"), &["clone", "--quiet", "-c", name, "-c", email, url, path]).await?;
        Ok(Clone { dir })
    }

    /// Commits the files and pushes; returns the commit's ID.
    ///
    /// # Errors
    /// git's own words.
    pub async fn push(&self, message: &str, files: &[File]) -> anyhow::Result<String> {
        for file in files {
            let path = self.dir.join(&file.path);
            let text = file.text.as_deref().unwrap_or_default();
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        git(&self.dir, &["commit", "--quiet", "--all", "--message", message]).await?;
        git(&self.dir, &["push", "--quiet"]).await?;
        Ok(git(&self.dir, &["rev-parse", "HEAD"]).await?.trim().to_owned())
    }
}

/// Without the settings of who runs it, and without a proxy on the way to loopback.
async fn git(dir: &Path, args: &[&str]) -> anyhow::Result<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let quiet = [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0")];
    let mut command = Command::new("git");
    command.args(args).current_dir(dir).env_clear().env("PATH", path).env("HOME", "/nonexistent").envs(quiet);
    let output = command.kill_on_drop(true).output().await.context("git does not start")?;
    if !output.status.success() {
        bail!("git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
