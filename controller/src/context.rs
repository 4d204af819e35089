//! Everything a pass may use: made once, by `main` or by a test. Clocks and randomness come from here only.

use crate::backoff::Backoff;
use crate::git::Polls;
use crate::metrics::Metrics;
use crate::web::Web;
use jiff::Timestamp;
use launchway_cloud::Clouds;
use launchway_plan::address::Rules;
use std::sync::Arc;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything a pass may use.
pub struct Context {
    /// The Kubernetes API.
    pub kube: kube::Client,
    /// AWS, per account and Region.
    pub clouds: Clouds,
    /// The web as users may reach it: verifications.
    pub web: Web,
    /// Polls of git branches, shared by Pipelines of one URL and credential.
    pub polls: Polls,
    /// What users may dial.
    pub rules: Rules,
    /// The time.
    pub clock: Clock,
    /// How long objects that met faults are left alone.
    pub backoff: Backoff,
    /// The name of this installation: the first part of owner tags and families.
    pub installation: String,
    /// How often an object that needs nothing is looked at, in seconds.
    pub resync: i64,
    /// What is counted.
    pub metrics: Metrics,
}
