//! What becomes of commits: effects, builds, rollouts, Releases, and how long it takes.

use launchway_plan::Outcome;
use launchway_plan::fault::FaultKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EffectLabels {
    effect: String,
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabel {
    pub outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReachedLabel {
    reached: String,
}

/// How far a commit came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Its image is in ECR.
    Image,
    /// The stage of that number, from 1, is verified.
    Stage(usize),
    /// Every stage is verified.
    Released,
}

impl Reached {
    fn word(self) -> String {
        match self {
            Self::Image => "image".to_owned(),
            Self::Stage(number) => format!("stage_{number}"),
            Self::Released => "released".to_owned(),
        }
    }
}

/// What runs in AWS for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The build of an image.
    Build,
    /// A check.
    Check,
    /// A rollout of an ECS service.
    Rollout,
}

/// Times of one kind of runs, by how they ended.
type Times = Family<OutcomeLabel, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub(super) struct Work {
    effects: Family<EffectLabels, Counter>,
    surplus: Counter,
    releases: Family<OutcomeLabel, Counter>,
    reached: Family<ReachedLabel, Histogram, fn() -> Histogram>,
    builds: Times,
    checks: Times,
    rollouts: Times,
}

impl Work {
    pub fn registered(registry: &mut Registry) -> Self {
        let times = || Times::new_with_constructor(minutes);
        let work = Self {
            effects: Family::default(),
            surplus: Counter::default(),
            releases: Family::default(),
            reached: Family::new_with_constructor(minutes),
            builds: times(),
            checks: times(),
            rollouts: times(),
        };
        let effects = "Calls that change AWS, by operation and outcome";
        registry.register("effects", effects, work.effects.clone());
        let surplus = "Second builds that were found for one attempt and stopped";
        registry.register("surplus_builds", surplus, work.surplus.clone());
        registry.register("releases", "Releases that ended, by how", work.releases.clone());
        let reached = "From the moment that a commit's Release was made until it was that far";
        registry.register_with_unit("commit_duration", reached, Unit::Seconds, work.reached.clone());
        let builds = "Builds that ended, by how: CodeBuild's queue and its phases included";
        registry.register_with_unit("build_duration", builds, Unit::Seconds, work.builds.clone());
        registry.register_with_unit("check_duration", "Checks that ended, by how", Unit::Seconds, work.checks.clone());
        let rollouts = "Rollouts that ended, by how: from the intention until ECS's verdict was seen";
        registry.register_with_unit("rollout_duration", rollouts, Unit::Seconds, work.rollouts.clone());
        work.show_all();
        work
    }

    /// Shows every outcome from the start: of a series that comes with its first count, Prometheus sees no increase.
    fn show_all(&self) {
        let labels = |outcomes: &[&str]| -> Vec<OutcomeLabel> {
            outcomes.iter().map(|outcome| OutcomeLabel { outcome: (*outcome).to_owned() }).collect()
        };
        for ended in labels(&["succeeded", "failed", "superseded", "cancelled"]) {
            drop(self.releases.get_or_create(&ended));
        }
        for ended in labels(&["succeeded", "failed", "stopped"]) {
            drop((self.builds.get_or_create(&ended), self.checks.get_or_create(&ended)));
        }
        for ended in labels(&["succeeded", "rolled_back", "rollback_failed", "stopped", "never_came_up"]) {
            drop(self.rollouts.get_or_create(&ended));
        }
        for reached in [Reached::Image, Reached::Stage(1), Reached::Released] {
            drop(self.reached.get_or_create(&ReachedLabel { reached: reached.word() }));
        }
    }

    pub fn effect<T>(&self, effect: &str, outcome: &Outcome<T>) {
        let outcome = match outcome {
            Outcome::Idle => return,
            Outcome::Done(_) => "done",
            Outcome::Failed(fault) if fault.is_doubt() => "doubt",
            // Not sent: our own budget has no token for it yet.
            Outcome::Failed(fault) if fault.kind == FaultKind::NoToken => "waiting",
            Outcome::Failed(fault) if fault.kind == FaultKind::NotLeading => "not_sent",
            Outcome::Failed(fault) if fault.kind == FaultKind::Throttled => "throttled",
            Outcome::Failed(_) => "refused",
        };
        self.effects.get_or_create(&EffectLabels { effect: effect.to_owned(), outcome: outcome.to_owned() }).inc();
    }

    pub fn surplus_build(&self) {
        self.surplus.inc();
    }

    pub fn release(&self, outcome: &str) {
        self.releases.get_or_create(&OutcomeLabel { outcome: outcome.to_owned() }).inc();
    }

    pub fn reached(&self, reached: Reached, took: Duration) {
        self.reached.get_or_create(&ReachedLabel { reached: reached.word() }).observe(took.as_secs_f64());
    }

    pub fn run(&self, run: Run, outcome: &str, took: Duration) {
        let times = match run {
            Run::Build => &self.builds,
            Run::Check => &self.checks,
            Run::Rollout => &self.rollouts,
        };
        times.get_or_create(&OutcomeLabel { outcome: outcome.to_owned() }).observe(took.as_secs_f64());
    }
}

/// From 5 seconds to 2 hours 50 minutes.
fn minutes() -> Histogram {
    Histogram::new(exponential_buckets(5.0, 2.0, 12))
}
