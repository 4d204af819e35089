//! What compiling needs besides this workspace's own toolchain: found, or fetched once from the registries at pinned versions.

mod auditable;
mod target;
mod zig;

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::arch::Arch;
use crate::told::tell;

/// The programs that compile for one processor.
pub(crate) struct Tools {
    /// cargo-auditable.
    pub(crate) auditable: PathBuf,
    /// What it takes for cargo.
    pub(crate) cargo: PathBuf,
    /// Compiles C for the processor and musl.
    pub(crate) cc: PathBuf,
    /// Puts the results into a library.
    pub(crate) ar: PathBuf,
    /// Where the C compiler keeps what it has compiled of its own.
    pub(crate) cache: PathBuf,
}

impl Tools {
    /// Finds or fetches them; they stay in the target folder.
    pub(crate) fn ready(workspace: &Path, target: &Path, arch: Arch) -> anyhow::Result<Tools> {
        target::ready(workspace, arch)?;
        let folder = target.join("tools");
        let auditable = auditable::ready(&folder)?;
        let cargo = auditable::cargo(&folder)?;
        let zig = zig::ready(&folder)?;
        let (cc, ar) = zig::compilers(&zig, &folder, arch)?;
        Ok(Tools { auditable, cargo, cc, ar, cache: folder.join("zig-cache") })
    }
}

/// Runs a tool that fetches something. What it says is shown when it fails.
fn fetched(what: &str, command: &mut Command) -> anyhow::Result<()> {
    tell(&format!("{what} …"));
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("`{program}` does not start"))?;
    if !output.status.success() {
        bail!("`{program}` failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// A small program. Written only where it says something else: what another process runs is not changed under it.
fn script(tools: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = tools.join(name);
    if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(path);
    }
    let mut part = tempfile::NamedTempFile::new_in(tools)?;
    part.write_all(text.as_bytes())?;
    let written = part.into_temp_path();
    std::fs::set_permissions(&written, Permissions::from_mode(0o755))?;
    written.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
