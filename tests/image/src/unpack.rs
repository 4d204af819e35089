//! Unpacks an image from a layout into a folder, as a node does: every digest is compared on the way.

use std::io::Seek;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::arch::Arch;
use crate::layout::{INDEX, digest, path};

/// Puts the files of the image for `arch` into `folder`, which must be there and empty; and returns its config.
///
/// # Errors
/// The layout has no image for it, a blob is not what its digest says, or the files cannot be written.
pub fn unpack(layout: &Path, arch: Arch, folder: &Path) -> anyhow::Result<Value> {
    let left = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?.count();
    ensure!(left == 0, "{} is not empty", folder.display());
    let file = layout.join("index.json");
    let text =
        std::fs::read(&file).with_context(|| format!("cannot read {}: `cargo image` makes one", file.display()))?;
    let manifest = manifest(layout, &serde_json::from_slice(&text)?, arch)?;
    for layer in manifest["layers"].as_array().into_iter().flatten() {
        spread(&blob(layout, layer)?, folder)?;
    }
    Ok(serde_json::from_slice(&blob(layout, &manifest["config"])?)?)
}

/// The digest by which what a layout holds is pulled.
///
/// # Errors
/// There is no layout.
pub fn digest_of(layout: &Path) -> anyhow::Result<String> {
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json"))?)?;
    Ok(index["manifests"][0]["digest"].as_str().context("an index that points to nothing")?.to_owned())
}

/// The manifest for a processor, of an index or of one that it points to.
fn manifest(layout: &Path, index: &Value, arch: Arch) -> anyhow::Result<Value> {
    let all: Vec<&Value> = index["manifests"].as_array().into_iter().flatten().collect();
    if let Some(own) = all.iter().find(|one| one["platform"]["architecture"] == arch.name()) {
        return Ok(serde_json::from_slice(&blob(layout, own)?)?);
    }
    match all.iter().find(|one| one["mediaType"] == INDEX) {
        Some(inner) => manifest(layout, &serde_json::from_slice(&blob(layout, inner)?)?, arch),
        None => bail!("{} has no image for {}", layout.display(), arch.name()),
    }
}

fn blob(layout: &Path, descriptor: &Value) -> anyhow::Result<Vec<u8>> {
    let wanted = descriptor["digest"].as_str().context("a descriptor without a digest")?;
    let bytes = std::fs::read(layout.join(path(wanted))).with_context(|| format!("no blob {wanted}"))?;
    let found = digest(&bytes);
    ensure!(found == wanted, "the blob {wanted} has the digest {found}");
    Ok(bytes)
}

/// By the system's tar, so that what we write is read by somebody else.
fn spread(layer: &[u8], folder: &Path) -> anyhow::Result<()> {
    let mut archive = tempfile::tempfile()?;
    std::io::copy(&mut GzDecoder::new(layer), &mut archive)?;
    archive.rewind()?;
    let mut tar = Command::new("tar");
    tar.args(["-x", "-p", "-f", "-", "-C"]).arg(folder).stdin(archive).stderr(Stdio::piped());
    let output = tar.spawn().context("`tar` does not start")?.wait_with_output()?;
    ensure!(output.status.success(), "tar: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
