//! `cargo corpus`: files in AWS's own JSON, as Services.

use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;
use launchway_test_kube::real;
use launchway_tests::corpus::{Verdict, judged, read};

/// Puts task definitions and services in AWS's JSON into Services, shows them to a real API server, and follows each to the
/// wire. Says of each what was changed before, and whether every member arrived.
#[derive(Parser)]
#[command(name = "cargo corpus", bin_name = "cargo corpus")]
struct Options {
    /// A folder with `taskdefs.json` and `services.json`, each a list of `{id, body}`.
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let entries = read(&options.folder)?;
    for entry in &entries {
        for change in entry.changes() {
            println!("{}: before it is applied: {change}", entry.id);
        }
    }
    let outcomes = judged(real::shared().await?, &entries).await?;
    let (mut intact, mut not_driven, mut wrong) = (0, 0, 0);
    for (id, verdict) in &outcomes {
        match verdict {
            Verdict::Intact => intact += 1,
            Verdict::NotDriven(why) => {
                not_driven += 1;
                println!("{id}: admitted, and Stalled: {why}");
            }
            Verdict::Wrong(why) => {
                wrong += 1;
                println!("{id}: {why}");
            }
        }
    }
    let all = outcomes.len();
    println!(
        "{} of {all} admitted; {intact} of {} intact at the wire, {not_driven} refused by name before any call",
        all - wrong,
        all - not_driven
    );
    if wrong > 0 {
        bail!("{wrong} of {all} are not as they should be")
    }
    Ok(())
}
