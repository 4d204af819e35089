//! The layout of an image, of a made-up program: always the same, true to its digests, and read by the system's tar.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use launchway_image::arch::Arch;
use launchway_image::commit::Commit;
use launchway_image::layout::{self, About, Files, Image};
use launchway_image::{digest_of, files, recipe, unpack};
use serde_json::{Value, json};

/// What stands for the controller.
const PROGRAM: &[u8] = b"#!/bin/sh\necho made up\n";

fn commit() -> Commit {
    Commit { id: "0123456789abcdef".repeat(2), seconds: 1_790_000_000, time: "2026-09-21T14:13:20Z".to_owned() }
}

fn image(arch: Arch) -> Image {
    let about = About { commit: &commit(), version: "1.2.3", source: Some("https://git.example.com/launchway") };
    Image::of(&files::files(PROGRAM.to_vec()), arch, &about).unwrap()
}

fn both() -> Files {
    layout::layout(&Arch::ALL.map(image), "1.2.3")
}

fn json_of(files: &Files, descriptor: &Value) -> Value {
    let path = layout::path(descriptor["digest"].as_str().unwrap());
    serde_json::from_slice(&files[&path]).unwrap()
}

/// Every descriptor in there, however deep.
fn descriptors(value: &Value) -> Vec<&Value> {
    let inner: Vec<&Value> = match value {
        Value::Array(all) => all.iter().flat_map(descriptors).collect(),
        Value::Object(all) => all.values().flat_map(descriptors).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let own = value.get("digest").is_some().then_some(value);
    own.into_iter().chain(inner).collect()
}

#[test]
fn the_same_files_of_the_same_commit_give_the_same_bytes() {
    assert_eq!(both(), both());
    let archive = || layout::archive(&image(Arch::Arm64), "1.2.3", commit().seconds).unwrap();
    assert_eq!(archive(), archive());
    let mut later = commit();
    later.seconds += 1;
    let about = About { commit: &later, version: "1.2.3", source: None };
    let other = Image::of(&files::files(PROGRAM.to_vec()), Arch::Amd64, &about).unwrap();
    assert_ne!(other.digest(), image(Arch::Amd64).digest());
}

#[test]
fn every_blob_is_named_by_its_digest_and_every_descriptor_points_to_one_of_its_size() {
    let files = both();
    let blobs = files.iter().filter(|(path, _)| path.starts_with("blobs/"));
    for (path, blob) in blobs.clone() {
        assert_eq!(*path, layout::path(&layout::digest(blob)));
    }
    let texts = files.values().filter_map(|file| serde_json::from_slice::<Value>(file).ok());
    let mut pointed = 0;
    for text in texts {
        for descriptor in descriptors(&text) {
            let blob = &files[&layout::path(descriptor["digest"].as_str().unwrap())];
            assert_eq!(descriptor["size"], blob.len());
            pointed += 1;
        }
    }
    // The index of both, their two manifests, and a config and the layer for each.
    assert_eq!(pointed, 7);
    // Both have one layer, for their files are the same here.
    assert_eq!(blobs.count(), 6);
}

#[test]
fn it_says_who_it_runs_as_what_it_runs_and_which_commit_it_is_of() {
    let files = layout::layout(&[image(Arch::Arm64)], "1.2.3");
    let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    let top = &index["manifests"][0];
    assert_eq!(top["platform"], json!({"os": "linux", "architecture": "arm64"}));
    assert_eq!(top["annotations"]["org.opencontainers.image.ref.name"], "1.2.3");
    let manifest = json_of(&files, top);
    let config = json_of(&files, &manifest["config"]);
    assert_eq!(config["config"]["User"], recipe::USER);
    assert_eq!(config["config"]["Entrypoint"], json!([recipe::ENTRYPOINT]));
    assert_eq!(config["created"], commit().time);
    let labels = &config["config"]["Labels"];
    for (name, value) in [("revision", &*commit().id), ("version", "1.2.3"), ("licenses", "Apache-2.0")] {
        assert_eq!(labels[format!("org.opencontainers.image.{name}")], value);
    }
    assert_eq!(labels["org.opencontainers.image.source"], "https://git.example.com/launchway");
    assert_eq!(&manifest["annotations"], labels);
}

#[test]
fn each_processor_finds_its_image_behind_the_index_and_unpacks_it() {
    let folder = tempfile::tempdir().unwrap();
    let oci = folder.path().join("oci");
    layout::write(&both(), &oci).unwrap();
    for arch in Arch::ALL {
        let root = tempfile::tempdir().unwrap();
        let config = unpack(&oci, arch, root.path()).unwrap();
        assert_eq!(config["architecture"], arch.name());
        assert_eq!(std::fs::read(root.path().join(recipe::PROGRAM)).unwrap(), PROGRAM);
        assert!(root.path().join(recipe::ROOTS).is_file());
        assert!(unpack(&oci, arch, root.path()).unwrap_err().to_string().contains("is not empty"));
    }
    // Written again, it replaces what was there; what is no layout it leaves alone.
    layout::write(&layout::layout(&[image(Arch::Amd64)], "1.2.3"), &oci).unwrap();
    assert_eq!(digest_of(&oci).unwrap(), image(Arch::Amd64).digest());
    assert!(layout::write(&both(), folder.path()).is_err());
}

#[test]
fn a_blob_that_is_not_what_its_digest_says_is_refused() {
    let mut files = both();
    let layer = files.keys().find(|path| files[*path].starts_with(&[0x1f, 0x8b])).unwrap().clone();
    files.get_mut(&layer).unwrap().push(0);
    let (oci, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    layout::write(&files, &oci.path().join("oci")).unwrap();
    let refusal = unpack(&oci.path().join("oci"), Arch::Amd64, root.path()).unwrap_err().to_string();
    assert!(refusal.contains("has the digest"), "{refusal}");
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn docker_without_containerds_store_finds_config_and_layer_in_the_archive() {
    let image = image(Arch::Amd64);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    std::fs::write(&file, layout::archive(&image, "1.2.3", 0).unwrap()).unwrap();
    let tar = std::process::Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(folder.path()).status();
    assert!(tar.unwrap().success());
    let manifest = std::fs::read(folder.path().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest[0]["RepoTags"], json!(["launchway:1.2.3"]));
    let is_there = |path: &Value| folder.path().join(path.as_str().unwrap()).is_file();
    assert!(is_there(&manifest[0]["Config"]) && is_there(&manifest[0]["Layers"][0]));
    assert_eq!(digest_of(folder.path()).unwrap(), image.digest());
}

/// No Docker runs here, so the file is read: it makes the files by `cargo image` itself, and what it says of its own is the same.
#[test]
fn the_dockerfile_runs_the_same_recipe_and_says_the_same_facts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    assert_eq!(lines[last], "FROM scratch");
    let toolchain = std::fs::read_to_string(root.join("rust-toolchain.toml")).unwrap();
    let channel = toolchain.split("channel = \"").nth(1).unwrap().split('"').next().unwrap();
    for fact in [
        format!("FROM --platform=$BUILDPLATFORM rust:{channel}-bookworm AS build"),
        "RUN cargo image --arch \"${TARGETARCH:-amd64}\" --files /image".to_owned(),
        "COPY --from=build /image/ /".to_owned(),
        "WORKDIR /".to_owned(),
        format!("USER {}", recipe::USER),
        format!("ENTRYPOINT [\"{}\"]", recipe::ENTRYPOINT),
    ] {
        assert!(lines.contains(&fact.as_str()), "the Dockerfile has no line {fact}");
    }
    for (name, value) in [("title", recipe::TITLE), ("description", recipe::DESCRIPTION), ("licenses", recipe::LICENCE)]
    {
        assert!(text.contains(&format!("org.opencontainers.image.{name}=\"{value}\"")), "{name}");
    }
    let ignored = std::fs::read_to_string(root.join(".dockerignore")).unwrap();
    let ignored: Vec<&str> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(ignored, ["/target", "/.git"], "every file of the workspace is needed");
}
