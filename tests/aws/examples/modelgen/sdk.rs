//! Where the source of an SDK crate lies, as cargo knows it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The folder of the package in Cargo.lock.
pub fn source(package: &str) -> PathBuf {
    let reply = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(reply.status.success(), "{}", String::from_utf8_lossy(&reply.stderr));
    let metadata: Value = serde_json::from_slice(&reply.stdout).expect("cargo metadata writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let found = packages.iter().find(|found| found["name"] == package).expect("the package is a dependency");
    PathBuf::from(found["manifest_path"].as_str().expect("a path")).parent().expect("a folder").to_owned()
}

/// The platform that this runs on: packages of others need not have been downloaded.
fn host() -> String {
    let reply = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let said = String::from_utf8(reply.stdout).expect("rustc speaks UTF-8");
    said.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}
