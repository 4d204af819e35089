//! What Flux and everyone else who uses kstatus would say of an object: asked of that library itself (a Go program of
//! ours around it), not imitated here.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::Say;
use super::cache::Cache;
use super::golang::Build;

/// kstatus's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "kstatus's own words, which its documentation explains")]
pub enum Status {
    Current,
    InProgress,
    Failed,
    Terminating,
    NotFound,
    Unknown,
}

/// What kstatus says of one object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kstatus {
    /// Its verdict.
    pub status: Status,
    /// Its reason, in words.
    pub message: String,
}

/// One answer for each object, in their order. Needs no cluster. The first call builds the program.
///
/// # Errors
/// The program cannot be built, or it refused an object (one without `apiVersion` and `kind`, for instance).
pub fn of(objects: &[serde_json::Value]) -> anyhow::Result<Vec<Kstatus>> {
    let output = asked(&program(&Say::default())?, objects)?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    answers.collect::<Result<Vec<Kstatus>, _>>().context("kstatus answers what is not understood")
}

fn asked(program: &Path, objects: &[serde_json::Value]) -> anyhow::Result<Output> {
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let input = child.stdin.take().context("kstatus has no standard input")?;
    std::thread::scope(|scope| {
        // Beside the reading: both pipes are small. A program that stopped reading tells why on its standard error.
        scope.spawn(move || {
            let mut input = input;
            let _ = input.write_all(lines.as_bytes());
        });
        Ok(child.wait_with_output()?)
    })
}

fn program(say: &Say) -> anyhow::Result<PathBuf> {
    let cache = Cache::of_workspace();
    let folder = cache.of(&format!("kstatus-{:016x}", sources()));
    let built = folder.join("kstatus");
    if built.is_file() {
        return Ok(built);
    }
    let _lock = cache.lock(say)?;
    if built.is_file() {
        return Ok(built);
    }
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/kstatus");
    let takes = "some seconds after the servers, a minute before them";
    Build { name: "kstatus", module: &module, package: ".", link: "-s -w", takes }.write_into(&folder, say)
}

/// A number that changes with the program's sources.
fn sources() -> u64 {
    let mut hasher = DefaultHasher::new();
    include_str!("../../go/kstatus/main.go").hash(&mut hasher);
    include_str!("../../go/kstatus/go.mod").hash(&mut hasher);
    include_str!("../../go/kstatus/go.sum").hash(&mut hasher);
    hasher.finish()
}
