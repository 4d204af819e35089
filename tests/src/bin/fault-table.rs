//! `cargo fault-table`: every story under every kind of fault.

use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use launchway_tests::docs::Part;
use launchway_tests::faults::{rows, table};
use launchway_tests::shape::repository;
use launchway_tests::story::{STORIES, Story};

/// Plays every story under throttling, lost replies, old reads, denied reads and outages, and prints how long it took,
/// what it asked of AWS, what harm was done, and what was made unready.
#[derive(Parser)]
#[command(name = "cargo fault-table", bin_name = "cargo fault-table")]
struct Options {
    /// Only this story; may be repeated.
    #[arg(long, value_parser = PossibleValuesParser::new(STORIES.iter().map(|story| story.name)))]
    story: Vec<String>,
    /// Writes the table into docs/reliability.md.
    #[arg(long, conflicts_with = "story")]
    write: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let stories: Vec<&'static Story> = match options.story.is_empty() {
        true => STORIES.to_vec(),
        false => options.story.iter().filter_map(|name| Story::named(name)).collect(),
    };
    let rows = rows(&stories);
    let table = table(&rows);
    println!("{table}");
    if options.write {
        Part { document: "docs/reliability.md", name: "fault-table", text: format!("{table}\n") }
            .write(&repository())?;
    }
    let wrong: Vec<String> = rows.iter().flat_map(|row| row.wrong(&rows)).collect();
    wrong.iter().for_each(|line| println!("{line}"));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
