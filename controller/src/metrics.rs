//! Prometheus metrics. Labels hold kinds, effects and outcomes, and nothing that a user wrote.

use crate::key::Kind;
use launchway_plan::fault::FaultKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeSet;
use std::time::Duration;

/// The labels of a pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PassLabels {
    kind: String,
    outcome: String,
}

/// The labels of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EffectLabels {
    effect: String,
    outcome: String,
}

/// The label of a kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

/// All metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    passes: Family<PassLabels, Counter>,
    effects: Family<EffectLabels, Counter>,
    seconds: Histogram,
    duplicates: Counter,
    dropped: Counter,
    unreadable: Family<KindLabel, Gauge>,
    broken: Family<KindLabel, Gauge>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("launchway");
        let passes = Family::<PassLabels, Counter>::default();
        let effects = Family::<EffectLabels, Counter>::default();
        let seconds = Histogram::new(exponential_buckets(0.005, 2.0, 12));
        let (duplicates, dropped) = (Counter::default(), Counter::default());
        registry.register("passes", "Passes over objects, by kind and outcome", passes.clone());
        registry.register("effects", "Calls that change AWS or another object, by effect and outcome", effects.clone());
        registry.register_with_unit("pass_duration", "How long a pass takes", Unit::Seconds, seconds.clone());
        registry.register(
            "surplus_builds",
            "Second builds that were found for one attempt and stopped",
            duplicates.clone(),
        );
        registry.register(
            "dropped_events",
            "Events that were not sent because too many waited already; statuses say the same",
            dropped.clone(),
        );
        let (unreadable, broken) = (Family::<KindLabel, Gauge>::default(), Family::<KindLabel, Gauge>::default());
        let told = "Objects that are there and cannot be read; an Event on each names the value that is not understood";
        registry.register("unreadable_objects", told, unreadable.clone());
        registry.register("broken_watches", "1 while the watch of this kind does not work, else 0", broken.clone());
        let leader = Gauge::default();
        registry.register("leader", "1 while this replica works, 0 while it stands by", leader.clone());
        Self { registry, passes, effects, seconds, duplicates, dropped, unreadable, broken, leader }
    }
}

impl Metrics {
    /// Counts a pass.
    pub fn pass(&self, kind: Kind, outcome: &str, took: Duration) {
        self.passes.get_or_create(&PassLabels { kind: kind.name().into_owned(), outcome: outcome.to_owned() }).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Counts an effect.
    pub fn effect<T>(&self, effect: &str, outcome: &launchway_plan::Outcome<T>) {
        let outcome = match outcome {
            launchway_plan::Outcome::Idle => return,
            launchway_plan::Outcome::Done(_) => "done",
            launchway_plan::Outcome::Failed(fault) if fault.is_doubt() => "doubt",
            // Not sent: our own budget has no token for it yet.
            launchway_plan::Outcome::Failed(fault) if fault.kind == FaultKind::NoToken => "waiting",
            launchway_plan::Outcome::Failed(fault) if fault.kind == FaultKind::NotLeading => "not_sent",
            launchway_plan::Outcome::Failed(_) => "refused",
        };
        self.effects.get_or_create(&EffectLabels { effect: effect.to_owned(), outcome: outcome.to_owned() }).inc();
    }

    /// Counts a second build that was found for one attempt.
    pub fn surplus_build(&self) {
        self.duplicates.inc();
    }

    /// Counts an event that was not sent.
    pub fn dropped_event(&self) {
        self.dropped.inc();
    }

    /// Says how many objects of a kind cannot be read.
    pub fn unreadable(&self, kind: Kind, objects: usize) {
        let objects = i64::try_from(objects).unwrap_or(i64::MAX);
        self.unreadable.get_or_create(&KindLabel { kind: kind.name().into_owned() }).set(objects);
    }

    /// Says whose watches do not work.
    pub fn broken(&self, kinds: &BTreeSet<Kind>) {
        for kind in Kind::ALL {
            let label = KindLabel { kind: kind.name().into_owned() };
            self.broken.get_or_create(&label).set(kinds.contains(kind).into());
        }
    }

    /// Says whether this replica leads.
    pub fn leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// All metrics as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
