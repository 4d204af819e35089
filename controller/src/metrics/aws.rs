//! Calls to AWS, and the waits for their tokens.

use launchway_cloud::{CallOutcome, Told};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    operation: &'static str,
    bucket: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabel {
    service: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BucketLabel {
    bucket: &'static str,
}

#[derive(Debug)]
pub(super) struct Calls {
    calls: Family<CallLabels, Counter>,
    seconds: Family<ServiceLabel, Histogram, fn() -> Histogram>,
    waited: Family<BucketLabel, Histogram, fn() -> Histogram>,
    deferred: Family<BucketLabel, Counter>,
}

impl Calls {
    pub fn registered(registry: &mut Registry) -> Self {
        let calls = Self {
            calls: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.02, 2.0, 10))),
            waited: Family::new_with_constructor(|| Histogram::new([0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])),
            deferred: Family::default(),
        };
        let told = "Calls to AWS, by service, operation, bucket of AWS's quotas, and outcome";
        registry.register("aws_calls", told, calls.calls.clone());
        registry.register_with_unit("aws_call_duration", "How long AWS takes", Unit::Seconds, calls.seconds.clone());
        let waited = "How long calls waited for a token of our share of AWS's quotas, by bucket";
        registry.register_with_unit("aws_budget_wait", waited, Unit::Seconds, calls.waited.clone());
        let deferred = "Calls that were put off because there was no token in time, by bucket";
        registry.register("aws_budget_deferred_calls", deferred, calls.deferred.clone());
        calls
    }

    pub fn told(&self, told: Told) {
        match told {
            Told::Call { service, operation, bucket, outcome, took } => {
                let outcome = outcome.as_str();
                self.calls.get_or_create(&CallLabels { service, operation, bucket, outcome }).inc();
                if outcome != CallOutcome::NotSent.as_str() {
                    self.seconds.get_or_create(&ServiceLabel { service }).observe(took.as_secs_f64());
                }
            }
            Told::Wait { bucket, got: true, took } => {
                self.waited.get_or_create(&BucketLabel { bucket }).observe(took.as_secs_f64());
            }
            Told::Wait { bucket, got: false, .. } => {
                self.deferred.get_or_create(&BucketLabel { bucket }).inc();
            }
        }
    }
}
