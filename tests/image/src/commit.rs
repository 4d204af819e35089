//! The commit that an image is made of. Reads git and changes nothing there.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// A commit, and what the image says of it.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Its ID; with `-changed` behind it where files differ from it, because such an image is not that of the commit.
    pub id: String,
    /// When it was made, in seconds since 1970: the time of everything in the image.
    pub seconds: u64,
    /// The same as `2026-11-28T22:36:17Z`.
    pub time: String,
}

impl Commit {
    /// The one that is checked out in `workspace`.
    ///
    /// # Errors
    /// It is no git repository, or there is no git.
    pub fn of(workspace: &Path) -> anyhow::Result<Commit> {
        let told = git(workspace, &["log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H %ct %cd"])?;
        let mut words = told.split_whitespace();
        let mut word = || words.next().map(str::to_owned).context("git log said less than was asked");
        let (id, seconds, time) = (word()?, word()?, word()?);
        let changed = !git(workspace, &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
        let id = if changed { format!("{id}-changed") } else { id };
        Ok(Commit { id, seconds: seconds.parse().context("git's time of a commit")?, time })
    }
}

fn git(workspace: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(workspace).env("TZ", "UTC");
    let output = git.output().context("`git` does not start, and the image says which commit it is made of")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
