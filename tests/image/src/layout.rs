//! An OCI image layout: blobs by their digests, and who points to whom. What is in the image is given.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, ensure};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::arch::Arch;
use crate::commit::Commit;
use crate::recipe::{DESCRIPTION, ENTRYPOINT, LICENCE, TITLE, USER};
use crate::tar::{Entries, Entry, tar};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The media type of the manifest of an image.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a list of manifests, one a processor.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What an image says of itself.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The commit that it is made of.
    pub commit: &'a Commit,
    /// The controller's version.
    pub version: &'a str,
    /// Where its source is, if that is to be said.
    pub source: Option<&'a str>,
}

/// An image for one processor.
#[derive(Clone, Debug)]
pub struct Image {
    /// The processor.
    pub arch: Arch,
    /// What an index says of its manifest.
    pub manifest: Value,
    /// The size of its only layer, packed and unpacked.
    pub layer: (usize, usize),
    config: Value,
    blobs: BTreeMap<String, Vec<u8>>,
}

/// The files of a layout by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Image {
    /// The image of these files.
    ///
    /// # Errors
    /// The files have names that no archive takes.
    pub fn of(files: &Entries, arch: Arch, about: &About<'_>) -> anyhow::Result<Image> {
        let mut blobs = BTreeMap::new();
        let unpacked = tar(files, about.commit.seconds)?;
        let diff = digest(&unpacked);
        let packed = packed(&unpacked)?;
        let layer = (packed.len(), unpacked.len());
        let layers = [stored(&mut blobs, LAYER, packed)];
        let config = stored(&mut blobs, CONFIG, config(arch, about, &diff).to_string().into_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, "annotations": labels(about),
        });
        let mut manifest = stored(&mut blobs, MANIFEST, manifest.to_string().into_bytes());
        manifest["platform"] = json!({"os": "linux", "architecture": arch.name()});
        Ok(Image { arch, manifest, layer, config, blobs })
    }

    /// The digest by which it is pulled.
    pub fn digest(&self) -> &str {
        self.manifest["digest"].as_str().unwrap_or_default()
    }
}

/// The layout of one image, or of several behind one index, under one tag.
pub fn layout(images: &[Image], tag: &str) -> Files {
    let mut blobs: BTreeMap<String, Vec<u8>> = images.iter().flat_map(|image| image.blobs.clone()).collect();
    let mut top = match images {
        [one] => one.manifest.clone(),
        several => stored(&mut blobs, INDEX, index(several.iter().map(|image| &image.manifest)).into_bytes()),
    };
    top["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    let mut files: Files = blobs.into_iter().map(|(digest, blob)| (path(&digest), blob)).collect();
    files.insert("index.json".to_owned(), index([&top].into_iter()).into_bytes());
    files.insert("oci-layout".to_owned(), json!({"imageLayoutVersion": "1.0.0"}).to_string().into_bytes());
    files
}

/// One file for `skopeo`, `podman load` and `docker load`. A Docker without containerd's image store reads `manifest.json` alone.
///
/// # Errors
/// As [`tar`].
pub fn archive(image: &Image, tag: &str, seconds: u64) -> anyhow::Result<Vec<u8>> {
    let mut files = layout(std::slice::from_ref(image), tag);
    let manifest: Value = serde_json::from_slice(&image.blobs[image.digest()])?;
    let place = |descriptor: &Value| path(descriptor["digest"].as_str().unwrap_or_default());
    let docker = json!([{
        "Config": place(&image.config), "RepoTags": [format!("launchway:{tag}")], "Layers": [place(&manifest["layers"][0])],
    }]);
    files.insert("manifest.json".to_owned(), docker.to_string().into_bytes());
    let folders = ["blobs", "blobs/sha256"].map(|name| (name.to_owned(), Entry::Folder));
    let entries = files.into_iter().map(|(name, content)| (name, Entry::File(content)));
    tar(&entries.chain(folders).collect(), seconds)
}

/// Writes a layout in place of what the folder held before.
///
/// # Errors
/// It cannot be written, or the folder holds something that is no layout.
pub fn write(files: &Files, folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        ensure!(folder.join("oci-layout").is_file(), "{} is no OCI layout: not replaced", folder.display());
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder.join("blobs/sha256"))
        .with_context(|| format!("cannot write {}", folder.display()))?;
    for (name, content) in files {
        std::fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// `sha256:` and the hash in hex.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Where the layout keeps a blob.
pub fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn stored(blobs: &mut BTreeMap<String, Vec<u8>>, media_type: &str, blob: Vec<u8>) -> Value {
    let descriptor = json!({"mediaType": media_type, "digest": digest(&blob), "size": blob.len()});
    blobs.insert(digest(&blob), blob);
    descriptor
}

fn index<'a>(manifests: impl Iterator<Item = &'a Value>) -> String {
    let manifests: Vec<&Value> = manifests.collect();
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string()
}

/// Gzip without a time or a name in it.
fn packed(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

fn config(arch: Arch, about: &About<'_>, diff: &str) -> Value {
    json!({
        "created": about.commit.time,
        "architecture": arch.name(),
        "os": "linux",
        "config": {"User": USER, "Entrypoint": [ENTRYPOINT], "WorkingDir": "/", "Labels": labels(about)},
        "rootfs": {"type": "layers", "diff_ids": [diff]},
        "history": [{"created": about.commit.time, "created_by": "cargo image"}],
    })
}

/// OCI's own names for what people ask of an image.
pub fn labels(about: &About<'_>) -> Value {
    let mut labels = json!({
        "org.opencontainers.image.title": TITLE,
        "org.opencontainers.image.description": DESCRIPTION,
        "org.opencontainers.image.version": about.version,
        "org.opencontainers.image.revision": about.commit.id,
        "org.opencontainers.image.created": about.commit.time,
        "org.opencontainers.image.licenses": LICENCE,
    });
    if let Some(source) = about.source {
        labels["org.opencontainers.image.source"] = source.into();
    }
    labels
}
