//! `cargo image`: what is asked for on the command line. What is done is in the library.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use launchway_image::arch::Arch;
use launchway_image::{Make, files, recipe, table};

/// Makes an OCI image of the controller, without a container engine: static, without a shell, for a user who is not root. The same
/// commit gives the same digest.
#[derive(Parser)]
#[command(name = "cargo image", bin_name = "cargo image")]
struct Arguments {
    /// For which processor. Default: that of this machine.
    #[arg(long, value_enum)]
    arch: Option<Wanted>,

    /// Where the image goes: a layout in `oci`, an archive and a bill of materials for each processor. Default: target/image.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,

    /// Where the source is, for the label org.opencontainers.image.source.
    #[arg(long, value_name = "URL")]
    source: Option<String>,

    /// Only the files that are in the image, into this folder: for the Dockerfile.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["output", "source"])]
    files: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Wanted {
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
    /// Both, in one image.
    All,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nNo image was made: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = launchway_image::workspace()?;
    let target = launchway_image::target(&workspace);
    let arches = arches(arguments.arch)?;
    let source = arguments.source.as_deref();
    let make = Make { workspace: &workspace, target: &target, arches: &arches, profile: recipe::PROFILE, source };
    match &arguments.files {
        Some(folder) => write_files(&make, folder),
        None => write_image(&make, &arguments.output.clone().unwrap_or_else(|| target.join("image"))),
    }
}

fn arches(wanted: Option<Wanted>) -> anyhow::Result<Vec<Arch>> {
    Ok(match wanted {
        None => vec![Arch::of_this_machine()?],
        Some(Wanted::Amd64) => vec![Arch::Amd64],
        Some(Wanted::Arm64) => vec![Arch::Arm64],
        Some(Wanted::All) => Arch::ALL.to_vec(),
    })
}

fn write_files(make: &Make<'_>, folder: &Path) -> anyhow::Result<()> {
    let [arch] = make.arches else { anyhow::bail!("--files is for one processor") };
    let program = make.program(*arch)?;
    std::fs::create_dir_all(folder)?;
    files::write(&files::files(program), folder)
}

fn write_image(make: &Make<'_>, output: &Path) -> anyhow::Result<()> {
    let made = make.write_into(output)?;
    println!(
        "\n{}\nIn {}: the layout `oci`, and for each processor an archive (.tar) and an SBOM (.cdx.json).",
        table(&made),
        output.display()
    );
    if made.len() > 1 {
        println!("The digest of both together is {}.", launchway_image::digest_of(&Make::layout(output))?);
    }
    Ok(())
}
