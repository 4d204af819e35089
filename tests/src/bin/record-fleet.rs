//! `cargo record-fleet`: writes down the world of a released fleet for later versions to take over.

use launchway_tests::fleet;
use launchway_tests::story::{FLEET, HEAD};

fn main() -> anyhow::Result<()> {
    println!("{}", fleet::record(&FLEET, HEAD)?.display());
    Ok(())
}
