//! Builds the controller, with cargo's own progress. What it is built from is not known here.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::process::Command;

/// The controller's program, built if it must be.
pub(super) async fn controller() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--package", "launchway", "--bin", "launchway", "--message-format", "json-render-diagnostics"])
        // Selected too, so that the dependencies have the features that they were built with a moment ago.
        .args(["--package", env!("CARGO_PKG_NAME")])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cargo does not start")?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        bail!("`cargo build --package launchway` failed: see above");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut executables = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable);
    executables.next_back().context("cargo names no program of the package launchway")
}

#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}
