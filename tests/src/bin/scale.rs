//! `cargo scale`: how many Services one controller can keep, and how fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use launchway_tests::docs::Part;
use launchway_tests::scale::{Options, columns, failovers, fairness, measured, table, webhooks};
use launchway_tests::shape::repository;

/// Measures the controller with many Services: on a real Kubernetes API server, with an AWS in memory on a port that
/// throttles as AWS does, in real time. A bench, and not a test: it takes minutes to hours, and judges nothing.
#[derive(Parser)]
#[command(name = "cargo scale", bin_name = "cargo scale")]
struct Arguments {
    /// How many Services there are; 0 for none.
    #[arg(default_values_t = [1000])]
    sizes: Vec<usize>,

    /// How much of AWS's rates the controller may use, in percent.
    #[arg(long, value_delimiter = ',', default_values_t = [60])]
    share: Vec<u8>,

    /// How many new Services are brought about at once; 0 for none. 1000 take half an hour with a share of 60.
    #[arg(long, value_delimiter = ',', default_values_t = [200])]
    converge: Vec<usize>,

    /// How often an image is changed, to see how long it takes.
    #[arg(long, default_value_t = 50)]
    edits: usize,

    /// How often the controller checks for drift, in seconds. As long as a check is watched.
    #[arg(long, default_value_t = 180)]
    resync: u64,

    /// Measures this controller instead of the one of the workspace.
    #[arg(long, value_name = "FILE")]
    controller: Option<PathBuf>,

    /// Measures instead how long one namespace's releases take while another one floods the controller: so many of them
    /// beside each flood.
    #[arg(long, value_name = "SAMPLES")]
    floods: Option<usize>,

    /// Measures instead how long it takes until a second replica goes on: so many failovers of each kind.
    #[arg(long, value_name = "EACH", conflicts_with = "floods")]
    failovers: Option<usize>,

    /// Measures instead what a signed webhook takes while others flood the port for a minute: so many bad ones a second.
    #[arg(long, value_name = "A SECOND", conflicts_with_all = ["floods", "failovers"])]
    webhooks: Option<u32>,

    /// Writes the table into docs/reliability.md.
    #[arg(long)]
    write: bool,
}

/// How long a leader is paused.
const PAUSE: Duration = Duration::from_secs(40);
/// How long bad webhooks come.
const FLOOD: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { sizes, share, converge, edits, resync, controller, floods, failovers: each, webhooks: rate, write } =
        Arguments::parse();
    let [sizes, converge] = [sizes, converge].map(|counts| counts.into_iter().filter(|count| *count > 0).collect());
    let options = Options { sizes, shares: share, converge, edits, resync, controller };
    let (name, columns) = match (floods, each, rate) {
        (Some(samples), _, _) => ("floods", fairness(&options, samples).await?),
        (None, Some(each), _) => ("failovers", columns(&failovers(&options, each, PAUSE).await?)),
        (None, None, Some(rate)) => ("webhooks", webhooks(&options, rate, FLOOD).await?),
        (None, None, None) => ("scale", measured(&options).await?),
    };
    let table = table(&columns);
    println!("{table}");
    if write {
        Part { document: "docs/reliability.md", name, text: format!("{table}\n") }.write(&repository())?;
    }
    Ok(())
}
