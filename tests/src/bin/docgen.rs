//! `cargo docgen`: writes the parts of the documents that come from the code. What they say is in the library.

use anyhow::bail;
use clap::Parser;
use launchway_tests::{docs, shape};

/// Writes the parts of the documents that come from the code: conditions, reasons, what is believed of AWS.
#[derive(Parser)]
#[command(name = "cargo docgen", bin_name = "cargo docgen")]
struct Arguments {
    /// Change nothing, and fail when a part is not as it would be written.
    #[arg(long)]
    check: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let root = shape::repository();
    for (file, text) in docs::files() {
        let path = root.join(file);
        if !arguments.check {
            std::fs::write(&path, text)?;
        } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            bail!("{file} differs from the code: run `cargo docgen` and commit it");
        }
    }
    for part in docs::parts() {
        if !arguments.check {
            part.write(&root)?;
        } else if !part.is_there(&root)? {
            bail!("{} of {} differs from the code: run `cargo docgen` and commit it", part.name, part.document);
        }
    }
    Ok(())
}
