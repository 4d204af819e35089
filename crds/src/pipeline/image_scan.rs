//! ECR's scan of the images as a gate: which findings keep a release from its stages.

use crate::aws::Severity;
use crate::condition::Time;
use crate::name::{Duration, FindingName, Sentence};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What ECR's scan of the images decides. The repository has to be scanned: on push, or by Amazon Inspector.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.timeout) >= duration('1m') && duration(self.timeout) <= duration('24h')").message("timeout is between 1m and 24h"))]
pub struct ImageScan {
    /// Findings of this severity and of worse ones fail the Release, before any stage: CRITICAL, HIGH, MEDIUM or LOW.
    pub fail_on: Severity,

    /// How long the findings are waited for, 1m to 24h, as long as they can be looked at. Then the Release fails. Default: 15m.
    #[serde(default = "quarter")]
    pub timeout: Duration,

    /// Findings that are known, and do not count until a day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub exceptions: Vec<ScanException>,
}

fn quarter() -> Duration {
    "15m".into()
}

/// A finding that does not count.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ScanException {
    /// What the finding is called, such as `CVE-2026-1234`.
    pub name: FindingName,

    /// Until when it does not count.
    pub until: Time,

    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sentence>,
}
