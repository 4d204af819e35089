//! Everything that is logged, caught: as much as `RUST_LOG=trace` gives.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// What was logged in this process.
#[derive(Clone, Default)]
pub struct Captured {
    text: Arc<Mutex<Vec<u8>>>,
    lines: Arc<AtomicUsize>,
}

impl Captured {
    /// From now on everything is caught; once in a process.
    pub fn install() -> Captured {
        let captured = Captured::default();
        let filter = launchway::logs::filter(Some("trace"));
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(captured.clone()).init();
        captured
    }

    /// What was logged since the last time.
    pub fn taken(&self) -> String {
        let text = std::mem::take(&mut *self.text.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&text).into_owned()
    }

    /// How many lines there were in all.
    pub fn lines(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.fetch_add(bytes.iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
        self.text.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}
