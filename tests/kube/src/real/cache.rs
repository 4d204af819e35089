//! The folder where what was built or downloaded is kept, and the lock that lets one process at a time fill it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Say;

/// `kubernetes/` in the workspace's target folder.
#[derive(Clone, Debug)]
pub(super) struct Cache(PathBuf);

/// Held while the cache is filled; the system lets go of it when the process ends, however it ends.
pub(super) struct Lock {
    _file: File,
}

impl Cache {
    /// Honours `CARGO_TARGET_DIR`; a relative one counts from the workspace.
    pub(super) fn of_workspace() -> Cache {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = workspace.canonicalize().unwrap_or(workspace);
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        Cache(workspace.join(target).join("kubernetes"))
    }

    /// The folder of one version of something.
    pub(super) fn of(&self, version: &str) -> PathBuf {
        self.0.join(version)
    }

    /// Waits for its turn, and says so if that takes time.
    pub(super) fn lock(&self, say: &Say) -> anyhow::Result<Lock> {
        let path = self.0.join("lock");
        self.locked(&path, say).with_context(|| format!("cannot lock {}: is the folder writable?", path.display()))
    }

    fn locked(&self, path: &Path, say: &Say) -> io::Result<Lock> {
        std::fs::create_dir_all(&self.0)?;
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                say.line("another process is fetching or building the Kubernetes programs: waiting for it …");
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Lock { _file: file })
    }
}

/// The last lines of a log, for an error message, or why there are none.
pub(super) fn last_lines(log: &Path, count: usize) -> String {
    let bytes = match std::fs::read(log) {
        Ok(bytes) => bytes,
        Err(error) => return format!("{} cannot be read: {error}", log.display()),
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
