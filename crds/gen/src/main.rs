//! Writes the CustomResourceDefinitions as YAML to `crds/yaml` and to the chart, or checks that they are as they would be written.
//! What is in them is decided in `launchway-crds`.

use anyhow::{Context, bail};
use clap::Parser;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What stands before each file: nobody should edit it.
const HEADER: &str = "# Written by `cargo crdgen` from the types in crds/src. Do not edit.\n";

/// Helm leaves what carries it where it is when the chart is uninstalled: with a definition every object of its kind would go. Both
/// folders have it, so that whoever puts `crds/yaml` into a chart of their own is as safe.
const KEPT: (&str, &str) = ("helm.sh/resource-policy", "keep");

/// Writes the CustomResourceDefinitions of Launchway as YAML.
#[derive(Parser)]
struct Arguments {
    /// Change nothing, and fail when a file is not as it would be written.
    #[arg(long)]
    check: bool,

    /// The folders of the files: for people, and for Helm.
    #[arg(long = "folder", default_values = FOLDERS)]
    folders: Vec<PathBuf>,
}

const FOLDERS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../yaml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/launchway-crds/templates"),
];

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Without the backtrace that a returned error brings: it is a person's turn, not a fault of ours.
        Err(error) => {
            eprintln!("crdgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let files = files()?;
    let each = if arguments.check { check } else { write };
    arguments.folders.iter().try_for_each(|folder| each(folder, &files))
}

/// Name and content of each file.
fn files() -> anyhow::Result<Vec<(String, String)>> {
    launchway_crds::all().iter().map(|crd| Ok((format!("{}.yaml", crd.spec.names.plural), content(crd)?))).collect()
}

fn content(crd: &CustomResourceDefinition) -> anyhow::Result<String> {
    let mut crd = crd.clone();
    crd.metadata.annotations.get_or_insert_default().insert(KEPT.0.to_owned(), KEPT.1.to_owned());
    // Sorted, so that the file does not change with the order of fields in a type or with features of serde_json.
    let mut value = serde_json::to_value(crd)?;
    value.sort_all_objects();
    Ok(format!("{HEADER}{}", serde_saphyr::to_string(&value)?))
}

fn write(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, content) in files {
        fs::write(folder.join(name), content).with_context(|| format!("{name} cannot be written"))?;
    }
    Ok(())
}

fn check(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    let is_stale =
        |(name, content): &&(String, String)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(content);
    let stale: Vec<&str> = files.iter().filter(is_stale).map(|(name, _)| name.as_str()).collect();
    if !stale.is_empty() {
        bail!(
            "{} in {} differ from the types: run `cargo crdgen` and commit the files",
            stale.join(", "),
            folder.display()
        );
    }
    Ok(())
}
