//! AWS's documented token buckets, per account and region, shared by all callers. Off unless asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{Call, Refusal};

/// Which buckets are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Enforcement {
    /// None.
    #[default]
    Off,
    /// Those that AWS documents.
    Documented,
    /// So many percent of those, because others use the rest; of the smallest at least one call.
    Share(u32),
}

/// The buckets and what is left in them.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Which are enforced.
    pub enforcement: Enforcement,
    buckets: BTreeMap<(String, String, &'static str), (f64, Timestamp)>,
}

/// A bucket: its name, how many calls fit into it, and how many come back a second.
type Bucket = (&'static str, f64, f64);

impl Limits {
    /// Buckets that are full.
    pub fn enforced(enforcement: Enforcement) -> Limits {
        Limits { enforcement, ..Limits::default() }
    }

    /// Takes a token for the call, or refuses it as throttled.
    pub fn take(&mut self, call: &Call) -> Result<(), Refusal> {
        match (self.enforcement, bucket(call.service, &call.operation)) {
            (Enforcement::Off, _) | (_, None) => Ok(()),
            (Enforcement::Documented, Some(bucket)) => self.draw(call, bucket),
            (Enforcement::Share(percent), Some((name, burst, rate))) => {
                let share = f64::from(percent) / 100.0;
                self.draw(call, (name, (burst * share).max(1.0), rate * share))
            }
        }
    }

    fn draw(&mut self, call: &Call, (name, burst, rate): Bucket) -> Result<(), Refusal> {
        let key = (call.account.clone(), call.region.clone(), name);
        let (left, at) = self.buckets.entry(key).or_insert((burst, call.now));
        let passed = call.now.duration_since(*at).as_secs_f64().max(0.0);
        *left = (*left + passed * rate).min(burst);
        *at = (*at).max(call.now);
        if *left < 1.0 {
            return Err(throttled());
        }
        *left -= 1.0;
        Ok(())
    }
}

/// What a throttled caller is told.
pub fn throttled() -> Refusal {
    Refusal::new("ThrottlingException", "Rate exceeded")
}

/// ECS: "Request throttling for the Amazon ECS API"; ECR: "Amazon ECR service quotas"; Logs: "CloudWatch Logs quotas" (10/s in small Regions).
fn bucket(service: &str, operation: &str) -> Option<Bucket> {
    Some(match (service, operation) {
        ("ecs", "RegisterTaskDefinition" | "DeregisterTaskDefinition") => ("task-definition-modify", 20.0, 1.0),
        ("ecs", "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies") => {
            ("task-definition-read", 50.0, 20.0)
        }
        ("ecs", "DeleteTaskDefinitions") => ("task-definition-delete", 5.0, 1.0),
        ("ecs", "CreateService" | "UpdateService" | "DeleteService") => ("service-modify", 50.0, 5.0),
        ("ecs", "DescribeServices" | "ListServices") => ("service-read", 100.0, 20.0),
        ("ecs", "DescribeServiceDeployments" | "ListServiceDeployments") => ("service-deployment", 50.0, 20.0),
        ("ecs", "DescribeServiceRevisions") => ("service-revision", 50.0, 20.0),
        ("ecs", "DescribeTasks" | "ListTasks") => ("cluster-resource-read", 100.0, 20.0),
        ("ecs", "RunTask" | "StopTask") => ("cluster-resource-modify", 100.0, 40.0),
        ("ecs", "DescribeClusters" | "ListClusters") => ("cluster-read", 50.0, 20.0),
        ("ecs", "TagResource" | "UntagResource") => ("tag-modify", 20.0, 10.0),
        ("ecs", "ListTagsForResource") => ("tag-read", 50.0, 20.0),
        ("ecr", "PutImage") => ("ecr-put-image", 10.0, 10.0),
        ("ecr", "BatchGetImage") => ("ecr-batch-get-image", 2000.0, 2000.0),
        ("logs", "GetLogEvents") => ("logs-get", 10.0, 10.0),
        _ => return None,
    })
}
