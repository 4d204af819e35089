//! An outage of Kubernetes. Those whose passes failed of it are passed over at once when it is over; until then one of them
//! tries often, and the others seldom.

use crate::key::Key;
use crate::unreachable::{Cause, Unreachable};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often the one tries whose pass failed first.
const TRIES: Duration = Duration::from_secs(2);

/// The objects whose passes failed of an outage since they last succeeded.
#[derive(Debug, Default)]
pub struct Outage {
    first: Option<Key>,
    others: BTreeSet<Key>,
}

impl Outage {
    /// Notes that a pass failed; when its object tries again, if it is the one that tries often.
    pub fn failed(&mut self, key: &Key, error: &Unreachable) -> Option<Duration> {
        if !is_outage(error) {
            return None;
        }
        if self.first.get_or_insert_with(|| key.clone()) == key {
            return Some(TRIES);
        }
        self.others.insert(key.clone());
        None
    }

    /// Notes that a pass went well; whom it wakes: if it had failed of the outage, all others that have.
    pub fn passed(&mut self, key: &Key) -> BTreeSet<Key> {
        if self.first.as_ref() == Some(key) || self.others.remove(key) {
            self.first = None;
            return std::mem::take(&mut self.others);
        }
        BTreeSet::new()
    }
}

/// Whether the API server was not reached, or could not answer anybody: not whether it refused this request. A pass whose write
/// failed has asked AWS already, and is not made again every two seconds.
fn is_outage(error: &Unreachable) -> bool {
    if !error.operation.starts_with("reading") && !error.operation.starts_with("listing") {
        return false;
    }
    match &error.source {
        Cause::Kube(kube::Error::Api(status)) => status.code >= 500 || status.code == 429,
        Cause::Kube(_) => true,
        Cause::Garbled | Cause::NotLeading(_) | Cause::Unreadable(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Kind;

    fn key(name: &str) -> Key {
        Key { kind: Kind::Service, namespace: "a".into(), name: name.into() }
    }

    fn error(code: u16) -> Unreachable {
        let status = kube::core::Status { code, ..kube::core::Status::default() };
        Unreachable {
            operation: "reading",
            object: "b".into(),
            source: Cause::Kube(kube::Error::Api(Box::new(status))),
        }
    }

    #[test]
    fn one_tries_often_and_its_success_wakes_all_whose_passes_failed() {
        let mut outage = Outage::default();
        assert_eq!(outage.failed(&key("a"), &error(503)), Some(TRIES));
        assert_eq!(outage.failed(&key("b"), &error(503)), None);
        assert_eq!(outage.failed(&key("a"), &error(503)), Some(TRIES), "it still is the one");
        assert!(outage.passed(&key("c")).is_empty(), "who did not fail knows nothing of an outage");
        assert_eq!(outage.passed(&key("a")), BTreeSet::from([key("b")]));
        assert!(outage.passed(&key("b")).is_empty(), "it is over");
    }

    #[test]
    fn any_of_those_that_failed_wakes_the_others_and_a_refusal_is_no_outage() {
        let mut outage = Outage::default();
        outage.failed(&key("a"), &error(500));
        outage.failed(&key("b"), &error(429));
        outage.failed(&key("c"), &error(504));
        assert_eq!(outage.failed(&key("d"), &error(403)), None);
        let write = Unreachable { operation: "writing the status of", ..error(500) };
        assert_eq!(outage.failed(&key("e"), &write), None, "a pass whose write failed has asked AWS");
        // The first was deleted meanwhile, or fails of something else.
        assert_eq!(outage.passed(&key("b")), BTreeSet::from([key("c")]));
        assert_eq!(outage.failed(&key("a"), &error(500)), Some(TRIES), "another outage");
    }
}
