//! cargo-auditable, which writes the list of crates into the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{fetched, script};

/// It decides what stands in the section, and with it the digest.
const VERSION: &str = "0.7.7";

/// Where it is; installed from crates.io if it is not there.
pub(super) fn ready(tools: &Path) -> anyhow::Result<PathBuf> {
    let root = tools.join(format!("cargo-auditable-{VERSION}"));
    let program = root.join("bin/cargo-auditable");
    if program.is_file() {
        return Ok(program);
    }
    let what = format!("cargo-auditable {VERSION}: installing from crates.io, once (half a minute)");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["install", "--quiet", "--locked", "--version", VERSION, "cargo-auditable", "--root"]).arg(&root);
    // Where a build for tests goes is no matter of its own.
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    fetched(&what, &mut cargo).with_context(|| format!("cargo-auditable {VERSION} is needed, from crates.io"))?;
    Ok(program)
}

/// A cargo that hears of cargo-auditable by its name alone. The wrapper's path goes into the names of all symbols of a workspace, so
/// by the full path another folder would give another program.
pub(super) fn cargo(tools: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // What cargo starts is to find cargo itself again, and not this.
    let text =
        format!("#!/bin/sh\nexport RUSTC_WORKSPACE_WRAPPER=cargo-auditable CARGO='{cargo}'\nexec '{cargo}' \"$@\"\n");
    script(tools, "cargo", &text)
}
