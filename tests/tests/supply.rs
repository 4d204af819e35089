//! What goes into the controller: from where, under which licences, and how much. What needs the network, the advisories, is for
//! `cargo deny check`, which reads the same file.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use launchway_tests::shape::repository;
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

/// How many crates may go into the controller, ours included. Whoever adds one looks for one to take out, or says here why not:
/// gitoxide's two, which read git's commits and folders, bring twenty; S3's client and the reader of zip archives, ten.
const BUDGET: usize = 345;

/// What is compiled for Linux on amd64, as cargo tells it.
fn metadata() -> Value {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]);
    let output = command.current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The crates that the controller is made of, or that run while it is built.
fn shipped(metadata: &Value) -> Vec<&Value> {
    let ships = |dep: &&Value| items(&dep["dep_kinds"]).any(|kind| kind["kind"] != "dev");
    let needs: HashMap<&str, Vec<&str>> = items(&metadata["resolve"]["nodes"])
        .map(|node| {
            let needed = items(&node["deps"]).filter(ships).filter_map(|dep| dep["pkg"].as_str());
            (node["id"].as_str().unwrap(), needed.collect())
        })
        .collect();
    let root = items(&metadata["packages"]).find(|package| package["name"] == "launchway").unwrap();
    let (mut found, mut next) = (BTreeSet::new(), vec![root["id"].as_str().unwrap()]);
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(&needs[id]);
        }
    }
    items(&metadata["packages"]).filter(|package| found.contains(package["id"].as_str().unwrap())).collect()
}

/// The licences that deny.toml allows.
fn allowed() -> Vec<Licensee> {
    let text = std::fs::read_to_string(repository().join("deny.toml")).unwrap();
    let list = text.split("allow = [").nth(1).unwrap().split(']').next().unwrap();
    let names = list.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty());
    names.map(|name| Licensee::parse(name).unwrap()).collect()
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let (metadata, allowed) = (metadata(), allowed());
    let wrong: Vec<String> = shipped(&metadata)
        .into_iter()
        .filter(|package| !package["source"].is_null())
        .filter(|package| {
            let licence = package["license"].as_str().unwrap_or_default();
            let parsed = Expression::parse_mode(licence, ParseMode::LAX);
            !parsed.is_ok_and(|parsed| parsed.evaluate(|needed| allowed.iter().any(|one| one.satisfies(needed))))
        })
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert_eq!(wrong, Vec::<String>::new(), "crates under licences that deny.toml does not allow");
}

#[test]
fn every_crate_is_ours_or_comes_from_the_registry_that_the_lock_file_names() {
    let metadata = metadata();
    let registry = |source: &str| source.starts_with("registry+https://github.com/rust-lang/crates.io-index");
    let others: Vec<String> = items(&metadata["packages"])
        .filter(|package| package["source"].as_str().is_some_and(|source| !registry(source)))
        .map(|package| format!("{} from {}", package["name"], package["source"]))
        .collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn the_controller_is_made_of_no_more_crates_than_its_budget() {
    let metadata = metadata();
    let count = shipped(&metadata).len();
    println!("{count} crates, {BUDGET} allowed");
    assert!(count <= BUDGET, "{count} crates: see what `cargo tree -p launchway` shows that could go");
}
