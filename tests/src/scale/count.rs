//! What was asked of AWS and of Kubernetes, from the logs that both keep.

use std::collections::BTreeMap;

use launchway_test_aws::LogEntry;
use launchway_test_kube::real::AuditEvent;

/// What was asked of AWS, credentials left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(BTreeMap<String, usize>);

impl Asked {
    /// Counts the calls of a part of the log.
    pub(super) fn of<'a>(log: impl IntoIterator<Item = &'a LogEntry>) -> Asked {
        let mut all = BTreeMap::new();
        for entry in log.into_iter().filter(|entry| entry.service != "sts") {
            *all.entry(entry.operation.clone()).or_default() += 1;
        }
        Asked(all)
    }

    /// How many.
    pub(super) fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// By operation.
    pub(super) fn words(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|(name, times)| format!("{name} {times}")).collect();
        words.join(", ")
    }
}

/// What was written to Kubernetes by the controller.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wrote {
    /// Statuses.
    pub(super) statuses: usize,
    /// Events.
    pub(super) events: usize,
    /// Objects that were read, one by one.
    pub(super) reads: usize,
}

impl Wrote {
    /// Counts the requests of this user in a part of the audit log.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a AuditEvent>, user: &str) -> Wrote {
        let mut wrote = Wrote::default();
        for event in events.into_iter().filter(|event| event.user == user) {
            match (event.verb.as_str(), event.resource.as_str(), event.subresource.as_str()) {
                ("update", _, "status") => wrote.statuses += 1,
                ("create" | "patch", "events", _) => wrote.events += 1,
                ("get", _, _) => wrote.reads += 1,
                (_, _, _) => {}
            }
        }
        wrote
    }
}
