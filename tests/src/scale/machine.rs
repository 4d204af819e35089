//! The machine and its processes, as Linux tells of them.

use std::time::Duration;

/// Clock ticks a second in `/proc/<pid>/stat`: the same on every Linux.
const TICKS: f64 = 100.0;

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// Time on a processor.
    pub(super) cpu: Duration,
    /// Memory that it holds, in MiB.
    pub(super) rss: u64,
}

/// What a process has used so far; none if there is none of that number.
pub(super) fn used(pid: u32) -> Option<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: f64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Some(Used { cpu: Duration::from_secs_f64(ticks / TICKS), rss: rss(pid)? })
}

fn rss(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kib.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// The machine, in a sentence.
pub(super) fn words() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = kib.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default();
    format!(
        "{cores} cores and {} GiB of memory, shared by etcd, the API server with an audit log, the AWS in memory, the bench and \
         the controller (a development build).",
        kib / 1024 / 1024
    )
}
