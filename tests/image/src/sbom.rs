//! The bill of materials of an image, in CycloneDX: the crates that the program itself says it is made of, with what Cargo.lock and
//! the registry know of them, and the list of authorities. Rust's own library and musl, which are no crates, are not in it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::audit::{Crate, Kind};
use crate::commit::Commit;
use crate::layout::digest;
use crate::recipe::LICENCE;

/// The crate whose data is the image's file of authorities.
const ROOTS: &str = "webpki-root-certs";

/// What is known of a crate, by its name and version.
type Known = HashMap<(String, String), Fact>;

#[derive(Default)]
struct Fact {
    licence: Option<String>,
    /// SHA-256 of the file on crates.io.
    checksum: Option<String>,
}

/// The bill for a program of these crates.
pub(crate) fn bill(
    workspace: &Path,
    commit: &Commit,
    program: &[u8],
    crates: &[Crate],
) -> anyhow::Result<(Value, usize)> {
    let known = known(workspace)?;
    let root = crates.iter().find(|one| one.root).context("the program's list of crates has no root")?;
    let others = crates.iter().filter(|one| !one.root).map(|one| component(one, &known));
    let components: Vec<Value> = others.chain(roots(&known)).collect();
    let count = components.len();
    let needs = crates.iter().map(|one| {
        let needed = one.dependencies.iter().filter_map(|at| crates.get(*at)).map(reference);
        json!({"ref": reference(one), "dependsOn": needed.collect::<Vec<_>>()})
    });
    let hash = digest(program).replacen("sha256:", "", 1);
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": commit.time, "component": {
            "type": "application", "bom-ref": reference(root), "name": root.name, "version": root.version,
            "purl": reference(root), "licenses": [{"expression": LICENCE}],
            "hashes": [{"alg": "SHA-256", "content": hash}],
        }},
        "components": components,
        "dependencies": needs.collect::<Vec<_>>(),
    });
    Ok((bill, count))
}

/// A package URL, by which scanners look up advisories.
fn reference(one: &Crate) -> String {
    format!("pkg:cargo/{}@{}", one.name, one.version.replace('+', "%2B"))
}

fn component(one: &Crate, known: &Known) -> Value {
    let scope = match one.kind {
        Kind::Runtime => "required",
        // CycloneDX's word for what only helped to make it.
        Kind::Build => "excluded",
    };
    let mut component = json!({
        "type": "library", "bom-ref": reference(one), "name": one.name, "version": one.version, "purl": reference(one),
        "scope": scope,
    });
    let fact = known.get(&(one.name.clone(), one.version.clone()));
    if let Some(licence) = fact.and_then(|fact| fact.licence.as_ref()) {
        component["licenses"] = json!([{"expression": licence}]);
    }
    if let Some(checksum) = fact.and_then(|fact| fact.checksum.as_ref()) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}

/// The authorities, unless the program has their crate in it anyway.
fn roots(known: &Known) -> Option<Value> {
    let version = known.keys().find(|(name, _)| name == ROOTS).map(|(_, version)| version.clone())?;
    let one = Crate { name: ROOTS.to_owned(), version, kind: Kind::Runtime, dependencies: Vec::new(), root: false };
    Some(component(&one, known))
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Licences as cargo tells them, and checksums from Cargo.lock.
fn known(workspace: &Path) -> anyhow::Result<Known> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked"]).current_dir(workspace);
    let output = cargo.output().context("`cargo` does not start")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let lock = std::fs::read_to_string(workspace.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let mut known = Known::new();
    for package in metadata.packages {
        // Older crates write a slash, which SPDX does not know.
        let licence = package.license.map(|licence| licence.replace('/', " OR ").replace("  ", " "));
        let checksum = None;
        known.insert((package.name, package.version), Fact { licence, checksum });
    }
    for (name, version, checksum) in lock.split("[[package]]").filter_map(locked) {
        known.entry((name, version)).or_default().checksum = Some(checksum);
    }
    Ok(known)
}

/// Name, version and checksum of one entry of Cargo.lock.
fn locked(entry: &str) -> Option<(String, String, String)> {
    let field = |name: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")))?;
        line.strip_suffix('"').map(str::to_owned)
    };
    Some((field("name")?, field("version")?, field("checksum")?))
}
