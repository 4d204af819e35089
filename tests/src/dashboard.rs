//! The Grafana dashboard of the chart, as a table of panels; `cargo docgen` writes the JSON, and a run of the quick start draws
//! it without Grafana.

mod draw;
mod json;

pub use draw::{Series, svg};
pub use json::json;

/// Where it stands in the repository.
pub const FILE: &str = "charts/launchway/files/dashboard.json";

/// How the numbers of a panel are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The newest value, large.
    Newest,
    /// Lines over time.
    Lines,
    /// The same, one on top of the other.
    Stacked,
}

/// What the numbers of a panel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// How many a second.
    Rate,
    /// Seconds.
    Seconds,
}

/// A panel.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// What it shows, in a few words.
    pub title: &'static str,
    /// What it means, and when to look twice.
    pub about: &'static str,
    /// How.
    pub show: Show,
    /// Of what.
    pub unit: Unit,
    /// What is asked of Prometheus, and how each answer is called: labels stand in double braces.
    pub queries: &'static [(&'static str, &'static str)],
}

/// Panels that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What they are about.
    pub title: &'static str,
    /// How many stand side by side.
    pub columns: u32,
    /// The panels.
    pub panels: &'static [Panel],
}

macro_rules! panel {
    ($show:ident $unit:ident $title:literal, $about:literal, $([$query:literal, $name:literal]),+) => {
        Panel { title: $title, about: $about, show: Show::$show, unit: Unit::$unit, queries: &[$(($query, $name)),+] }
    };
}

/// The dashboard. Gauges of objects are the same on every replica, so the maximum counts; counters are added up.
pub const ROWS: &[Row] = &[
    Row {
        title: "Now",
        columns: 6,
        panels: &[
            panel!(Newest Count "Released", "Commits that run in every stage, verified, in the time that is shown.",
                [r#"sum(increase(launchway_releases_total{namespace="$namespace",outcome="succeeded"}[$__range]))"#, ""]),
            panel!(Newest Count "Failed", "Releases that failed in the time that is shown: their conditions say why.",
                [r#"sum(increase(launchway_releases_total{namespace="$namespace",outcome="failed"}[$__range])) or vector(0)"#, ""]),
            panel!(Newest Count "Stalled", "Objects that cannot go on until somebody changes something.",
                [r#"sum(max by (kind, reason) (launchway_stalled_objects{namespace="$namespace"})) or vector(0)"#, ""]),
            panel!(Newest Count "Held", "Objects that are kept out on purpose.",
                [r#"sum(max by (kind, reason) (launchway_held_objects{namespace="$namespace"})) or vector(0)"#, ""]),
            panel!(Newest Seconds "Oldest at work", "For how long the oldest Release has been at work that is neither held nor stalled.",
                [r#"max(launchway_oldest_at_work_age_seconds{namespace="$namespace"})"#, ""]),
            panel!(Newest Count "Leaders", "Replicas that work. One is right.",
                [r#"sum(launchway_leader{namespace="$namespace"})"#, ""]),
        ],
    },
    Row {
        title: "From a commit to a rolled service",
        columns: 3,
        panels: &[
            panel!(Stacked Count "Releases that ended", "By how they ended.",
                [r#"sum by (outcome) (increase(launchway_releases_total{namespace="$namespace"}[$__rate_interval]))"#, "{{outcome}}"]),
            panel!(Lines Seconds "From a commit until it is that far, median", "From the moment that its Release was made. Stages by their place in the Pipeline.",
                [r#"histogram_quantile(0.5, sum by (reached, le) (rate(launchway_commit_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "{{reached}}"]),
            panel!(Lines Count "Stalled, by reason", "docs/conditions.md says what helps.",
                [r#"max by (kind, reason) (launchway_stalled_objects{namespace="$namespace"})"#, "{{kind}} {{reason}}"],
                [r#"max by (kind, reason) (launchway_held_objects{namespace="$namespace"})"#, "{{kind}} {{reason}}, held"]),
            panel!(Stacked Count "Builds and checks that ended", "By how they ended.",
                [r#"sum by (outcome) (increase(launchway_build_duration_seconds_count{namespace="$namespace"}[$__rate_interval]))"#, "build {{outcome}}"],
                [r#"sum by (outcome) (increase(launchway_check_duration_seconds_count{namespace="$namespace"}[$__rate_interval]))"#, "check {{outcome}}"]),
            panel!(Stacked Count "Rollouts that ended", "By how they ended.",
                [r#"sum by (outcome) (increase(launchway_rollout_duration_seconds_count{namespace="$namespace"}[$__rate_interval]))"#, "{{outcome}}"]),
            panel!(Lines Seconds "How long builds and rollouts take, median", "Also of those that failed.",
                [r#"histogram_quantile(0.5, sum by (le) (rate(launchway_build_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "build"],
                [r#"histogram_quantile(0.5, sum by (le) (rate(launchway_check_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "check"],
                [r#"histogram_quantile(0.5, sum by (le) (rate(launchway_rollout_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "rollout"]),
        ],
    },
    Row {
        title: "Calls to AWS",
        columns: 3,
        panels: &[
            panel!(Stacked Rate "Calls, by operation", "The eight that are made most.",
                [r#"topk(8, sum by (operation) (rate(launchway_aws_calls_total{namespace="$namespace"}[$__rate_interval])))"#, "{{operation}}"]),
            panel!(Stacked Rate "Calls that AWS did not answer as asked", "refused is also the answer to a look for what is not there yet.",
                [r#"sum by (outcome) (rate(launchway_aws_calls_total{namespace="$namespace",outcome!="done"}[$__rate_interval]))"#, "{{outcome}}"]),
            panel!(Lines Seconds "How long AWS takes, 95th percentile", "By service.",
                [r#"histogram_quantile(0.95, sum by (service, le) (rate(launchway_aws_call_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "{{service}}"]),
            panel!(Stacked Rate "Changes, by what came of them", "doubt: the answer was lost, and what it did is looked for before anything is repeated.",
                [r#"sum by (effect, outcome) (rate(launchway_effects_total{namespace="$namespace"}[$__rate_interval]))"#, "{{effect}} {{outcome}}"]),
            panel!(Lines Seconds "Waiting for our share of AWS's quotas, 95th percentile", "By bucket. Above some seconds, raise the AwsAccount's budget.share or ask AWS for more.",
                [r#"histogram_quantile(0.95, sum by (bucket, le) (rate(launchway_aws_budget_wait_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "{{bucket}}"]),
            panel!(Lines Rate "Throttled by AWS, and put off by ourselves", "By bucket.",
                [r#"sum by (bucket) (rate(launchway_aws_calls_total{namespace="$namespace",outcome="throttled"}[$__rate_interval]))"#, "{{bucket}} throttled"],
                [r#"sum by (bucket) (rate(launchway_aws_budget_deferred_calls_total{namespace="$namespace"}[$__rate_interval]))"#, "{{bucket}} put off"]),
        ],
    },
    Row {
        title: "Launchway itself",
        columns: 4,
        panels: &[
            panel!(Stacked Rate "Passes, by kind", "One looks at an object, and does the next thing that is due.",
                [r#"sum by (kind) (rate(launchway_passes_total{namespace="$namespace"}[$__rate_interval]))"#, "{{kind}}"]),
            panel!(Lines Seconds "How long passes take", "Mostly AWS's answers.",
                [r#"histogram_quantile(0.5, sum by (le) (rate(launchway_pass_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "median"],
                [r#"histogram_quantile(0.99, sum by (le) (rate(launchway_pass_duration_seconds_bucket{namespace="$namespace"}[$__rate_interval])))"#, "99th percentile"]),
            panel!(Lines Count "Objects that wait for their pass", "More than none for long: see the alert LaunchwayQueueSlow.",
                [r#"sum by (kind) (launchway_queue_depth{namespace="$namespace"})"#, "{{kind}}"]),
            panel!(Stacked Count "Objects, by kind and Ready", "The same on every replica.",
                [r#"max by (kind, ready) (launchway_objects{namespace="$namespace"})"#, "{{kind}} {{ready}}"]),
        ],
    },
];
