//! What crdgen writes and checks, asked of the program itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

#[test]
fn the_committed_yaml_is_what_the_types_say() {
    let crdgen = Command::new(env!("CARGO_BIN_EXE_crdgen")).arg("--check").output().unwrap();
    assert!(crdgen.status.success(), "{}", String::from_utf8_lossy(&crdgen.stderr));
}

#[test]
fn a_stale_yaml_is_told_with_the_command_that_mends_it() {
    let folder = std::env::temp_dir().join(format!("launchway-crdgen-{}", std::process::id()));
    let crdgen = |args: &[&str]| {
        let all = args.iter().copied().chain(["--folder", folder.to_str().unwrap()]);
        Command::new(env!("CARGO_BIN_EXE_crdgen")).args(all).output().unwrap()
    };
    assert!(crdgen(&[]).status.success());
    assert!(crdgen(&["--check"]).status.success());
    std::fs::write(folder.join("pipelines.yaml"), "").unwrap();
    let stale = crdgen(&["--check"]);
    std::fs::remove_dir_all(&folder).unwrap();
    let told = String::from_utf8_lossy(&stale.stderr);
    assert!(!stale.status.success() && told.contains("pipelines.yaml") && told.contains("cargo crdgen"), "{told}");
    assert!(!told.contains("releases.yaml"), "{told}");
}
