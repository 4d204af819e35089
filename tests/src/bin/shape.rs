//! `cargo shape`: how long our functions and files are. How that is measured is in the library.

use anyhow::bail;
use clap::Parser;
use launchway_tests::{docs, shape};

/// Prints how long the functions and files of this repository are, beside what is asked of them.
#[derive(Parser)]
#[command(name = "cargo shape", bin_name = "cargo shape")]
struct Arguments {
    /// Fail when a function or a file is longer than it may be.
    #[arg(long)]
    check: bool,

    /// Write the table into docs/architecture.md.
    #[arg(long)]
    write: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let root = shape::repository();
    let all = shape::measure(&root)?;
    let structure = shape::Structure::read(&root, &all)?;
    let table = shape::table(&all) + &structure.lines();
    println!("{table}");
    if arguments.write {
        docs::Part { document: "docs/architecture.md", name: "shape", text: table }.write(&root)?;
    }
    let broken = [shape::broken(&all), structure.broken()].concat();
    if arguments.check && !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(())
}
