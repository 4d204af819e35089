//! How the objects stand, as their watch shows them: ready or not, stalled or held and why, and the oldest Release at work.

use super::label::KindLabel;
use crate::key::{Key, Kind};
use jiff::Timestamp;
use launchway_crds::condition::Condition;
use launchway_plan::condition::{find, find_true};
use launchway_plan::reason::{ConditionType, Reason};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    ready: &'static str,
    stalled: Option<&'static str>,
    held: Option<&'static str>,
    /// Since when it is at work, where somebody waits for its end.
    at_work_since: Option<Timestamp>,
}

impl Stand {
    /// What the conditions say. Whoever may write statuses could write any word into them: only ours are labels.
    pub fn of(conditions: &[Condition], at_work_since: Option<Timestamp>) -> Self {
        let reason = |of| {
            let condition = find_true(conditions, of)?;
            Some(Reason::parse(&condition.reason).map_or("Other", Reason::as_str))
        };
        let ready = match find(conditions, ConditionType::Ready).map(|ready| ready.status.as_str()) {
            Some("True") => "True",
            Some("False") => "False",
            Some(_) | None => "Unknown",
        };
        Self { ready, stalled: reason(ConditionType::Stalled), held: reason(ConditionType::Held), at_work_since }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadyLabels {
    kind: String,
    ready: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    kind: String,
    reason: &'static str,
}

#[derive(Debug)]
pub(super) struct Standing {
    all: Mutex<BTreeMap<Key, Stand>>,
    objects: Family<ReadyLabels, Gauge>,
    stalled: Family<ReasonLabels, Gauge>,
    held: Family<ReasonLabels, Gauge>,
    oldest: Family<KindLabel, Gauge>,
}

impl Standing {
    pub fn registered(registry: &mut Registry) -> Self {
        let standing = Self {
            all: Mutex::default(),
            objects: Family::default(),
            stalled: Family::default(),
            held: Family::default(),
            oldest: Family::default(),
        };
        registry.register("objects", "Objects, by kind and what their Ready says", standing.objects.clone());
        let stalled = "Objects that cannot go on until somebody changes something, by reason";
        registry.register("stalled_objects", stalled, standing.stalled.clone());
        let held = "Objects that are kept out on purpose, by reason";
        registry.register("held_objects", held, standing.held.clone());
        let oldest = "For how long the oldest object has been at work that is neither held nor stalled; 0: none is";
        registry.register_with_unit("oldest_at_work_age", oldest, Unit::Seconds, standing.oldest.clone());
        standing
    }

    pub fn note(&self, key: &Key, stand: Option<Stand>) {
        let mut all = self.all();
        match stand {
            Some(stand) => all.insert(key.clone(), stand),
            None => all.remove(key),
        };
    }

    /// Counts.
    pub fn refresh(&self, now: Timestamp) {
        let all = self.all();
        self.objects.clear();
        self.stalled.clear();
        self.held.clear();
        for (key, stand) in &*all {
            let kind = || key.kind.name().into_owned();
            self.objects.get_or_create(&ReadyLabels { kind: kind(), ready: stand.ready }).inc();
            if let Some(reason) = stand.stalled {
                self.stalled.get_or_create(&ReasonLabels { kind: kind(), reason }).inc();
            }
            if let Some(reason) = stand.held {
                self.held.get_or_create(&ReasonLabels { kind: kind(), reason }).inc();
            }
        }
        let is_free = |stand: &&Stand| stand.stalled.is_none() && stand.held.is_none();
        let since = all.iter().filter(|(key, _)| key.kind == Kind::Release).map(|(_, stand)| stand);
        let oldest = since.filter(is_free).filter_map(|stand| stand.at_work_since).min();
        let age = oldest.map_or(0, |since| now.duration_since(since).as_secs().max(0));
        self.oldest.get_or_create(&Kind::Release.into()).set(age);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Stand>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
