//! The bench: what many Services cost and how fast one of them is served, with the controller as a process of its own, a
//! real API server, and an AWS in memory on a port that throttles at AWS's documented rates. All in real time.

mod bench;
mod count;
mod failover;
mod fairness;
mod flood;
mod hooks;
mod machine;
mod measure;
mod seed;

use std::path::PathBuf;
use std::time::Duration;

use comfy_table::Table;

use crate::build;
use crate::shape::repository;
use bench::Bench;
pub use failover::{Blow, Failovers};

/// What is measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many Services there are.
    pub sizes: Vec<usize>,
    /// The shares of AWS's rates, in percent.
    pub shares: Vec<u8>,
    /// How many new Services are brought about at once.
    pub converge: Vec<usize>,
    /// How often an image is changed.
    pub edits: usize,
    /// How often the controller checks for drift, in seconds.
    pub resync: u64,
    /// The controller; absent: the workspace's.
    pub controller: Option<PathBuf>,
}

/// What was measured of so many Services with that share: a column of the table.
#[derive(Clone, Debug)]
pub struct Column {
    /// What stands above it.
    pub title: String,
    /// What was measured, what came out, and the goal where there is one.
    pub rows: Vec<Row>,
}

/// One thing that was measured.
#[derive(Clone, Debug)]
pub struct Row {
    /// What.
    pub what: &'static str,
    /// The goal.
    pub goal: &'static str,
    /// What came out.
    pub value: String,
}

impl Row {
    fn new(what: &'static str, goal: &'static str, value: String) -> Row {
        eprintln!("  {what}: {value}{}", if goal.is_empty() { String::new() } else { format!(" (goal {goal})") });
        Row { what, goal, value }
    }
}

/// Measures all of it, one world after the other, and tells on standard error as it goes.
///
/// # Errors
/// A part cannot be started, or something was not over in the time that it could take at the most.
pub async fn measured(options: &Options) -> anyhow::Result<Vec<Column>> {
    let program = program(options).await?;
    let mut columns = Vec::new();
    for share in &options.shares {
        for count in &options.converge {
            let title = format!("{count} new, {share} %");
            eprintln!("{title}");
            let bench = Bench::start(&program, *share, options.resync).await?;
            columns.push(Column { title, rows: measure::of_new_ones(bench, *count).await? });
        }
        for size in &options.sizes {
            let title = format!("{size} in sync, {share} %");
            eprintln!("{title}");
            let bench = Bench::start(&program, *share, options.resync).await?;
            columns.push(Column { title, rows: measure::of_a_fleet(bench, *size, options.edits).await? });
        }
    }
    Ok(columns)
}

/// Measures how long one namespace's releases take while another one floods the controller, so many of them beside each flood.
///
/// # Errors
/// As [`measured`].
pub async fn fairness(options: &Options, samples: usize) -> anyhow::Result<Vec<Column>> {
    let program = program(options).await?;
    let mut columns = Vec::new();
    for flood in flood::Flood::ALL {
        for share in &options.shares {
            let bench = Bench::start(&program, *share, options.resync).await?;
            columns.push(fairness::beside(bench, flood, samples).await?);
        }
    }
    Ok(columns)
}

/// Measures what a signed webhook takes before, during and after so many bad ones a second.
///
/// # Errors
/// As [`measured`].
pub async fn webhooks(options: &Options, rate: u32, long: Duration) -> anyhow::Result<Vec<Column>> {
    let program = program(options).await?;
    hooks::flooded(Bench::start(&program, 60, options.resync).await?, rate, long).await
}

/// Measures how long it takes until the second replica goes on: so many failovers of each kind, a leader that is paused for so
/// long.
///
/// # Errors
/// As [`measured`].
pub async fn failovers(options: &Options, each: usize, pause: Duration) -> anyhow::Result<Vec<Failovers>> {
    let program = program(options).await?;
    let mut pair = failover::Pair::start(Bench::start(&program, 60, options.resync).await?, pause).await?;
    let mut all = Vec::new();
    for blow in Blow::ALL {
        all.push(pair.failovers(blow, each).await?);
    }
    Ok(all)
}

/// The same as columns of a table.
pub fn columns(all: &[Failovers]) -> Vec<Column> {
    all.iter().map(Failovers::column).collect()
}

/// The controller that is measured.
async fn program(options: &Options) -> anyhow::Result<PathBuf> {
    let root = repository();
    match &options.controller {
        Some(program) => Ok(program.clone()),
        None => {
            let selection = ["--package", "launchway", "--bin", "launchway"];
            build::program(&root, &build::target(&root), &selection).await
        }
    }
}

/// What was measured as Markdown: a row each, a column for each world, and the machine below.
pub fn table(columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    let titles = columns.iter().map(|column| column.title.clone());
    table.set_header(["what", "goal"].map(str::to_owned).into_iter().chain(titles));
    let mut known: Vec<&Row> = Vec::new();
    for row in columns.iter().flat_map(|column| &column.rows) {
        if known.iter().all(|one| one.what != row.what) {
            known.push(row);
        }
    }
    for row in known {
        let value = |column: &Column| column.rows.iter().find(|one| one.what == row.what).map(|one| one.value.clone());
        let values = columns.iter().map(|column| value(column).unwrap_or_default());
        table.add_row([row.what, row.goal].map(str::to_owned).into_iter().chain(values));
    }
    format!("{table}\n\n{}", machine::words())
}
