//! Where progress is told. Decides nothing about what is told.

use std::io::Write;

/// One line on standard error itself, not by `eprintln!`: the test harness captures that, and a build of minutes must be seen.
pub(crate) fn tell(line: &str) {
    // A closed terminal is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
