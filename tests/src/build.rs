//! Builds programs of the workspace with cargo, whose own progress is seen. What they are for is not known here.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use launchway_image::named;
use tokio::process::Command;

pub use launchway_image::target;

/// The program that `cargo build` makes of `selection` in `workspace`, built into `target` if it must be. The package of
/// the tests is selected in any case, so that the dependencies have the features that they were built with before.
///
/// # Errors
/// Cargo does not start, or does not succeed; what it said was seen.
pub async fn program(workspace: &Path, target: &Path, selection: &[&str]) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--message-format", "json-render-diagnostics", "--package", env!("CARGO_PKG_NAME")])
        .args(["--profile", &profile()])
        .args(selection)
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cargo does not start")?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        bail!("`cargo build {}` failed in {}: see above", selection.join(" "), workspace.display());
    }
    named(&output.stdout)
}

/// The profile that this program was built with, so that what is compiled for it is not compiled twice: cargo's folder says it.
fn profile() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let mut folders = program.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    match folders.find(|name| *name != "deps") {
        Some(name) if name != "debug" => name.to_owned(),
        Some(_) | None => "dev".to_owned(),
    }
}
