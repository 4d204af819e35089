//! Where progress is told. Decides nothing about what is told.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// Takes lines of progress, such as "kube-apiserver: building …".
#[derive(Clone)]
pub struct Say(Arc<dyn Fn(&str) + Send + Sync>);

impl Say {
    /// Gives each line, without its end, to `listener`.
    pub fn to(listener: impl Fn(&str) + Send + Sync + 'static) -> Say {
        Say(Arc::new(listener))
    }

    /// Tells one line.
    pub fn line(&self, text: impl AsRef<str>) {
        (self.0)(text.as_ref());
    }
}

impl Default for Say {
    /// Standard error itself, not `eprintln!`: the test harness captures the latter, and a build of minutes must be seen.
    fn default() -> Say {
        Say::to(|line| {
            // A closed terminal is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{line}");
        })
    }
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Say")
    }
}
