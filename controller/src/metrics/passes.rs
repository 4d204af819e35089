//! Passes, and the objects that wait for theirs.

use super::label::{KindLabel, whole};
use crate::key::Kind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PassLabels {
    kind: String,
    outcome: String,
}

/// An age in seconds.
type Age = Gauge<f64, AtomicU64>;

#[derive(Debug)]
pub(super) struct Passes {
    passes: Family<PassLabels, Counter>,
    seconds: Histogram,
    depth: Family<KindLabel, Gauge>,
    oldest: Family<KindLabel, Age>,
    waited: Histogram,
    /// By when they came.
    waiting: Mutex<BTreeSet<(Kind, Instant, u64)>>,
}

/// An object that waits for its pass.
pub struct Queued<'a> {
    passes: &'a Passes,
    place: (Kind, Instant, u64),
}

impl Passes {
    pub fn registered(registry: &mut Registry) -> Self {
        let times = || Histogram::new(exponential_buckets(0.005, 2.0, 14));
        let passes = Self {
            passes: Family::default(),
            seconds: times(),
            depth: Family::default(),
            oldest: Family::default(),
            waited: times(),
            waiting: Mutex::default(),
        };
        registry.register("passes", "Passes over objects, by kind and outcome", passes.passes.clone());
        registry.register_with_unit("pass_duration", "How long a pass takes", Unit::Seconds, passes.seconds.clone());
        registry.register("queue_depth", "Objects that are due and wait for a place", passes.depth.clone());
        let oldest = "For how long the object has waited that came first; 0: none waits";
        registry.register_with_unit("queue_oldest_age", oldest, Unit::Seconds, passes.oldest.clone());
        let waited = "How long objects that were due waited for a place";
        registry.register_with_unit("queue_wait", waited, Unit::Seconds, passes.waited.clone());
        passes
    }

    pub fn pass(&self, kind: Kind, outcome: &str, took: Duration) {
        let labels = PassLabels { kind: kind.name().into_owned(), outcome: outcome.to_owned() };
        self.passes.get_or_create(&labels).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    pub fn queued(&self, kind: Kind) -> Queued<'_> {
        let mut waiting = self.waiting();
        let came = Instant::now();
        let next = (0..).find(|number| !waiting.contains(&(kind, came, *number))).unwrap_or_default();
        let place = (kind, came, next);
        waiting.insert(place);
        Queued { passes: self, place }
    }

    /// Brings what is counted only when somebody looks up to date.
    pub fn refresh(&self) {
        let waiting = self.waiting();
        for kind in Kind::ALL {
            let mut those = waiting.iter().filter(|(of, ..)| of == kind).peekable();
            let oldest = those.peek().map_or(0.0, |(_, came, _)| came.elapsed().as_secs_f64());
            self.oldest.get_or_create(&(*kind).into()).set(oldest);
            self.depth.get_or_create(&(*kind).into()).set(whole(those.count()));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeSet<(Kind, Instant, u64)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queued<'_> {
    /// Its pass begins.
    pub fn begins(self) {
        self.passes.waited.observe(self.place.1.elapsed().as_secs_f64());
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.passes.waiting().remove(&self.place);
    }
}
