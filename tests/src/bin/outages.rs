//! `cargo outages`: AWS out of reach at each StartBuild of every story.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use launchway_tests::docs::Part;
use launchway_tests::outages::table::table;
use launchway_tests::outages::{rows, undisturbed};
use launchway_tests::shape::repository;
use launchway_tests::story::{STORIES, Story};
use launchway_tests::threads;

/// Puts AWS, or CodeBuild alone, out of reach at each StartBuild of every story, for a second up to 25 hours, and counts
/// builds that were made twice, commits that were lost, any other harm, and how long each story took after the outage.
#[derive(Parser)]
#[command(name = "cargo outages", bin_name = "cargo outages")]
struct Options {
    /// Only this story; may be repeated.
    #[arg(long, value_parser = PossibleValuesParser::new(STORIES.iter().map(|story| story.name)))]
    story: Vec<String>,
    /// Only each n-th outage.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Writes the table into docs/reliability.md.
    #[arg(long, conflicts_with_all = ["story", "every"])]
    write: bool,
    /// How many are played at the same time. Default: as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let threads = options.threads.unwrap_or_else(threads::all);
    let wanted: Vec<&'static Story> = match options.story.is_empty() {
        true => STORIES.to_vec(),
        false => options.story.iter().filter_map(|name| Story::named(name)).collect(),
    };
    let stories = undisturbed(&wanted, threads);
    let began = Instant::now();
    let rows = rows(&stories, options.every, threads);
    eprintln!("{} outages in {:.1} s", rows.len(), began.elapsed().as_secs_f64());
    let table = table(&stories, &rows);
    println!("{table}");
    if options.write {
        Part { document: "docs/reliability.md", name: "outages", text: format!("{table}\n") }.write(&repository())?;
    }
    let wrong: Vec<String> = rows.iter().flat_map(|row| row.wrong()).collect();
    wrong.iter().for_each(|line| println!("{line}"));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
