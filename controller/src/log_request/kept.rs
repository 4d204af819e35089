//! The LogRequests of each namespace, as their watch shows them: which of them goes because newer ones are there.

use crate::item::Item;
use crate::key::{Key, Kind};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use launchway_crds::LogRequest;
use launchway_plan::log::KEPT_OF_NAMESPACE;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// When each was made, by namespace and name.
#[derive(Debug, Default)]
pub struct LogRequests(Mutex<BTreeMap<String, BTreeMap<String, Timestamp>>>);

impl LogRequests {
    /// Follows the watch. One that is being deleted does not count.
    pub fn follow(&self, event: &Event<Item<LogRequest>>) {
        let (Event::InitApply(item) | Event::Apply(item)) = event else { return };
        let key = Key::named(Kind::LogRequest, kube::Resource::meta(item));
        if kube::Resource::meta(item).deletion_timestamp.is_some() {
            return self.gone(&key);
        }
        let made = item.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        self.all().entry(key.namespace).or_default().insert(key.name, made);
    }

    /// Notes that one is gone.
    pub fn gone(&self, key: &Key) {
        let mut all = self.all();
        let Some(own) = all.get_mut(&key.namespace) else { return };
        own.remove(&key.name);
        if own.is_empty() {
            all.remove(&key.namespace);
        }
    }

    /// The oldest of the namespace, if more are there than are kept.
    pub fn surplus(&self, namespace: &str) -> Option<String> {
        let all = self.all();
        let own = all.get(namespace).filter(|own| own.len() > KEPT_OF_NAMESPACE)?;
        own.iter().min_by_key(|(name, made)| (**made, *name)).map(|(name, _)| name.clone())
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Timestamp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(name: &str, second: i64, deleted: Value) -> Item<LogRequest> {
        let at = |second| Timestamp::from_second(second).expect("a time").to_string();
        let meta =
            json!({"name": name, "namespace": "shop", "creationTimestamp": at(second), "deletionTimestamp": deleted});
        serde_json::from_value(json!({"metadata": meta, "spec": {"release": "web-1"}})).expect("a request")
    }

    #[test]
    fn the_oldest_goes_once_more_are_there_than_are_kept_and_what_is_being_deleted_does_not_count() {
        let all = LogRequests::default();
        for n in 0..KEPT_OF_NAMESPACE {
            all.follow(&Event::InitApply(request(&format!("r-{n}"), 100 - n as i64, Value::Null)));
        }
        assert_eq!(all.surplus("shop"), None);
        all.follow(&Event::Apply(request("newest", 200, Value::Null)));
        let oldest = format!("r-{}", KEPT_OF_NAMESPACE - 1);
        assert_eq!((all.surplus("shop"), all.surplus("other")), (Some(oldest.clone()), None));
        all.follow(&Event::Apply(request(&oldest, 0, json!("2026-11-29T00:00:00Z"))));
        assert_eq!(all.surplus("shop"), None);
        all.follow(&Event::Apply(request("newer", 201, Value::Null)));
        all.gone(&Key { kind: Kind::LogRequest, namespace: "shop".into(), name: "r-0".into() });
        assert_eq!(all.surplus("shop"), None);
    }
}
