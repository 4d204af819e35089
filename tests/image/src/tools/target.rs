//! Rust's standard library for the image's target, which brings musl and the linker's start files with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::fetched;
use crate::arch::Arch;

/// Adds it to the toolchain of the workspace where it is missing. It is not in rust-toolchain.toml: everybody who compiles
/// anything here would download it.
pub(super) fn ready(workspace: &Path, arch: Arch) -> anyhow::Result<()> {
    let target = arch.target();
    if library(workspace, &target)?.is_dir() {
        return Ok(());
    }
    let what = format!("Rust's standard library for {target}: fetching with rustup, once (some seconds)");
    let mut rustup = Command::new("rustup");
    fetched(&what, rustup.args(["target", "add", &target]).current_dir(workspace))
        .with_context(|| format!("Rust's standard library for {target} is missing: `rustup target add {target}`"))
}

fn library(workspace: &Path, target: &str) -> anyhow::Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]).current_dir(workspace);
    let output = rustc.output().context("`rustc` does not start")?;
    ensure!(output.status.success(), "rustc: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
