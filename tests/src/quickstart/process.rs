//! What Linux tells of a process. Nothing is done to it.

use std::path::PathBuf;

use anyhow::Context;

/// A process that runs.
#[derive(Clone, Debug)]
pub struct Process {
    /// The number of its user, as this machine counts.
    pub user: u32,
    /// The folder that it sees as `/`.
    pub root: PathBuf,
    /// Memory that it holds, in MiB.
    pub resident: u64,
}

impl Process {
    pub(super) fn of(pid: u32) -> anyhow::Result<Process> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
        let status = status.with_context(|| format!("no process {pid}"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse::<u64>().ok()).with_context(|| format!("process {pid} has no {name}"))
        };
        let root =
            std::fs::read_link(format!("/proc/{pid}/root")).with_context(|| format!("the root of process {pid}"))?;
        Ok(Process { user: u32::try_from(field("Uid:")?)?, root, resident: field("VmRSS:")? / 1024 })
    }
}
