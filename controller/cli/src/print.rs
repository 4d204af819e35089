//! Standard output. A reader that went away (`| head`) ends the command without a word.

use crate::failure::Failure;
use std::io::Write;

/// Writes a line.
pub fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Writes what is told beside the answer, on standard error.
pub fn aside(line: &str) {
    let _unheard = writeln!(std::io::stderr(), "{}", crate::text::clean(line));
}
