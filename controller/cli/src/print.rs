//! Standard output. A reader that went away (`| head`) ends the command without a word.

use crate::failure::{Failure, Lasting};
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

/// What keeps a command that goes on from looking, as it was told last; empty: nothing does.
#[derive(Debug, Default)]
pub struct Trouble(String);

impl Trouble {
    /// Tells what may pass by itself, once. What lasts ends the command.
    pub fn met(&mut self, failure: Failure) -> Result<(), Failure> {
        match failure.lasting {
            Lasting::Lasting => return Err(failure),
            Lasting::Passing if self.0 != failure.message => aside(&failure.message),
            Lasting::Passing => {}
        }
        self.0 = failure.message;
        Ok(())
    }

    /// Notes that it is over: if it comes back, it is told again.
    pub fn passed(&mut self) {
        self.0.clear();
    }
}
