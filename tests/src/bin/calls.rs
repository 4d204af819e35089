//! `cargo calls`: how often AWS is asked, beside the peers.

use clap::Parser;
use launchway_tests::calls::{of_a_fleet, of_a_pipeline, of_a_service, table};
use launchway_tests::docs::Part;
use launchway_tests::shape::repository;

/// Prints how often AWS is asked for a release, for nothing, and at rest, beside what the peers ask for the same.
#[derive(Parser)]
#[command(name = "cargo calls", bin_name = "cargo calls")]
struct Options {
    /// Writes the table into docs/reliability.md.
    #[arg(long)]
    write: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let table = table(&[of_a_service(), of_a_pipeline(), of_a_fleet()].concat());
    println!("{table}");
    if options.write {
        Part { document: "docs/reliability.md", name: "calls", text: format!("{table}\n") }.write(&repository())?;
    }
    Ok(())
}
