//! Prometheus metrics. Labels hold words of our tables and of AWS's, and nothing that a user wrote.

mod aws;
mod label;
mod passes;
mod plain;
mod standing;
mod work;

use crate::key::{Key, Kind};
use aws::Calls;
use label::{KindLabel, whole};
use launchway_cloud::Told;
use passes::{Passes, Queued};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
pub use standing::Stand;
use standing::Standing;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use work::{OutcomeLabel, Work};
pub use work::{Reached, Run};

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Plain,
}

/// All metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    passes: Passes,
    work: Work,
    calls: Calls,
    standing: Standing,
    dropped: Counter,
    webhooks: Family<OutcomeLabel, Counter>,
    unreadable: Family<KindLabel, Gauge>,
    broken: Family<KindLabel, Gauge>,
    leader: Gauge,
    /// One scrape at a time: what is counted when somebody looks is cleared first.
    scraped: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("launchway");
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The version that runs", Info::new(version));
        let (passes, work) = (Passes::registered(&mut registry), Work::registered(&mut registry));
        let (calls, standing) = (Calls::registered(&mut registry), Standing::registered(&mut registry));
        let dropped = Counter::default();
        registry.register(
            "dropped_events",
            "Events that were not sent because too many waited already; statuses say the same",
            dropped.clone(),
        );
        let webhooks = Family::<OutcomeLabel, Counter>::default();
        registry.register("webhooks", "Webhooks that came, by what became of them", webhooks.clone());
        let (unreadable, broken) = (Family::<KindLabel, Gauge>::default(), Family::<KindLabel, Gauge>::default());
        let told = "Objects that are there and cannot be read; an Event on each names the value that is not understood";
        registry.register("unreadable_objects", told, unreadable.clone());
        registry.register("broken_watches", "1 while the watch of this kind does not work, else 0", broken.clone());
        let leader = Gauge::default();
        registry.register("leader", "1 while this replica works, 0 while it stands by", leader.clone());
        Self {
            registry,
            passes,
            work,
            calls,
            standing,
            dropped,
            webhooks,
            unreadable,
            broken,
            leader,
            scraped: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Counts a pass.
    pub fn pass(&self, kind: Kind, outcome: &str, took: Duration) {
        self.passes.pass(kind, outcome, took);
    }

    /// Notes that an object waits for its pass, until what is returned is told that it begins, or is dropped.
    pub fn queued(&self, kind: Kind) -> Queued<'_> {
        self.passes.queued(kind)
    }

    /// Counts an effect.
    pub fn effect<T>(&self, effect: &str, outcome: &launchway_plan::Outcome<T>) {
        self.work.effect(effect, outcome);
    }

    /// Counts a second build that was found for one attempt.
    pub fn surplus_build(&self) {
        self.work.surplus_build();
    }

    /// Counts a Release that ended.
    pub fn release(&self, outcome: &str) {
        self.work.release(outcome);
    }

    /// Notes how long a commit took from the moment that its Release was made.
    pub fn reached(&self, reached: Reached, took: Duration) {
        self.work.reached(reached, took);
    }

    /// Counts a build, a check or a rollout that ended.
    pub fn run(&self, run: Run, outcome: &str, took: Duration) {
        self.work.run(run, outcome, took);
    }

    /// Counts a call to AWS, or a wait for its token.
    pub fn told(&self, told: Told) {
        self.calls.told(told);
    }

    /// Notes how an object stands; none: it is gone.
    pub fn stands(&self, key: &Key, stand: Option<Stand>) {
        self.standing.note(key, stand);
    }

    /// Counts an event that was not sent.
    pub fn dropped_event(&self) {
        self.dropped.inc();
    }

    /// Counts a webhook.
    pub fn webhook(&self, outcome: &str) {
        self.webhooks.get_or_create(&OutcomeLabel { outcome: outcome.to_owned() }).inc();
    }

    /// Says how many objects of a kind cannot be read.
    pub fn unreadable(&self, kind: Kind, objects: usize) {
        self.unreadable.get_or_create(&kind.into()).set(whole(objects));
    }

    /// Says whose watches do not work.
    pub fn broken(&self, kinds: &BTreeSet<Kind>) {
        for kind in Kind::ALL {
            self.broken.get_or_create(&(*kind).into()).set(kinds.contains(kind).into());
        }
    }

    /// Says whether this replica leads.
    pub fn leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// All metrics at that time.
    pub fn text(&self, format: Format, now: jiff::Timestamp) -> String {
        let _one = self.scraped.lock().unwrap_or_else(PoisonError::into_inner);
        self.passes.refresh();
        self.standing.refresh(now);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        match format {
            Format::OpenMetrics => text,
            Format::Plain => plain::plain(&text),
        }
    }
}
