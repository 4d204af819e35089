//! What was asked of the world: every operation with its input, its time and its end.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and the caller knows.
    Done,
    /// Refused with this code, and the caller knows.
    Refused(String),
    /// Done or refused (the code, if so), and the caller sees a reset.
    Lost(Option<String>),
    /// Nothing happened, and the caller sees a reset.
    Cut,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Its number, from 1.
    pub n: u64,
    /// When it came in.
    pub at: Timestamp,
    /// `ecs`, `ecr`, `codebuild`, `logs`, `ssm`, `sts`; empty if none was named.
    pub service: &'static str,
    /// The operation.
    pub operation: String,
    /// Its input.
    pub input: Arc<Value>,
    /// How it ended.
    pub outcome: Outcome,
    /// The caller's ARN; empty for keys that nobody knows.
    pub caller: String,
    /// The caller's user agent, as CloudTrail shows it. It does not count for the hash.
    pub agent: String,
}

impl LogEntry {
    /// Whether the world did what was asked, told or not.
    pub fn effective(&self) -> bool {
        matches!(self.outcome, Outcome::Done | Outcome::Lost(None))
    }

    /// The entry as one line: what the hash is made of.
    pub fn line(&self) -> String {
        format!(
            "{} {} {}:{} {} {:?} {}",
            self.n, self.at, self.service, self.operation, self.input, self.outcome, self.caller
        )
    }
}

/// SHA-256 over all lines, in hex: equal for two runs that asked the same at the same times and were answered alike.
pub fn hash(entries: &[LogEntry]) -> String {
    let mut hasher = Sha256::new();
    for entry in entries {
        hasher.update(entry.line().as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
