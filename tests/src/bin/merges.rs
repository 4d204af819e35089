//! `cargo merges`: a day with a merge every ten minutes, in each mode of concurrency.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use launchway_tests::docs::Part;
use launchway_tests::merges::table::table;
use launchway_tests::merges::{COMMITS, Day, Row, rows};
use launchway_tests::shape::repository;
use launchway_tests::threads;

/// Plays a day with a merge every ten minutes in each mode of concurrency, with builds of 4, 9 and 25 minutes, and prints
/// what was built and left out, how old what runs is, and what it costs.
#[derive(Parser)]
#[command(name = "cargo merges", bin_name = "cargo merges")]
struct Options {
    /// Only so many commits.
    #[arg(long, default_value_t = COMMITS)]
    commits: usize,
    /// Only this mode.
    #[arg(long)]
    mode: Option<String>,
    /// Writes the table into docs/reliability.md.
    #[arg(long, conflicts_with_all = ["commits", "mode"])]
    write: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let mut days: Vec<Day> =
        Day::all().into_iter().map(|day| Day { commits: options.commits.min(COMMITS), ..day }).collect();
    days.retain(|day| options.mode.as_ref().is_none_or(|mode| mode == day.mode));
    let began = Instant::now();
    let rows = rows(&days, threads::all());
    eprintln!("{} days in {:.1} s", rows.len(), began.elapsed().as_secs_f64());
    let table = table(&rows);
    println!("{table}");
    if options.write {
        Part { document: "docs/reliability.md", name: "merges", text: format!("{table}\n") }.write(&repository())?;
    }
    let wrong: Vec<String> = rows.iter().flat_map(Row::wrong).collect();
    wrong.iter().for_each(|line| println!("{line}"));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
