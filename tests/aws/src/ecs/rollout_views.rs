//! Service deployments and service revisions as the API shows them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arns::cluster_arn;
use super::service_views::{counts_view, shown_in};
use super::state::{BreakerStatus, Counts, Revision, Rollout, RolloutStatus, Service};
use crate::call::epoch;
use crate::{Place, model};

impl Rollout {
    /// As ListServiceDeployments shows it.
    pub(super) fn brief(&self, service: &Service, place: &Place) -> Value {
        let mut view = json!({
            "serviceDeploymentArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": cluster_arn(place, &service.cluster),
            "createdAt": epoch(self.created_at),
            "status": self.status.name(),
        });
        if let Some(revision) = service.revision(self.target) {
            view["targetServiceRevisionArn"] = json!(revision.arn);
        }
        if let Some(reason) = &self.status_reason {
            view["statusReason"] = json!(reason);
        }
        if let Some(at) = self.started_at {
            view["startedAt"] = epoch(at);
        }
        if let Some(at) = self.finished_at {
            view["finishedAt"] = epoch(at);
        }
        view
    }

    /// As DescribeServiceDeployments shows it.
    pub(super) fn view(&self, service: &Service, place: &Place, now: Timestamp) -> Value {
        let mut view = self.brief(service, place);
        if let Some(members) = view.as_object_mut() {
            members.remove("targetServiceRevisionArn");
        }
        view["updatedAt"] = epoch(self.updated_at);
        view["deploymentConfiguration"] = (*self.configuration).clone();
        view["sourceServiceRevisions"] =
            self.sources.iter().filter_map(|(number, then)| self.source(service, *number, *then, now)).collect();
        if let Some(revision) = service.revision(self.target) {
            let counts = self.final_counts.unwrap_or_else(|| service.counts(self.target, now));
            view["targetServiceRevision"] = counts_view(&revision.arn, counts);
        }
        view["deploymentCircuitBreaker"] = json!({
            "status": breaker_name(self.breaker.status),
            "failureCount": self.breaker.failures,
            "threshold": if self.breaker.status == BreakerStatus::Disabled { 0 } else { self.threshold(service.desired) },
        });
        view["alarms"] = self.alarms();
        if let Some(at) = self.stopped_at {
            view["stoppedAt"] = epoch(at);
        }
        if let Some(rollback) = &self.rollback {
            view["rollback"] = json!({"reason": rollback.reason, "startedAt": epoch(rollback.started_at)});
            if let Some(revision) = service.revision(rollback.revision) {
                view["rollback"]["serviceRevisionArn"] = json!(revision.arn);
            }
        }
        view
    }

    /// Alarms are watched for as long as it goes on, and never go off.
    fn alarms(&self) -> Value {
        let alarms = &self.configuration["alarms"];
        if alarms["enable"] != true {
            return json!({"status": breaker_name(BreakerStatus::Disabled)});
        }
        let status = if self.status.over() { BreakerStatus::MonitoringComplete } else { BreakerStatus::Monitoring };
        json!({"status": breaker_name(status), "alarmNames": alarms["alarmNames"], "triggeredAlarmNames": []})
    }

    /// A source revision: live while the rollout goes on, empty once it succeeded.
    fn source(&self, service: &Service, number: u64, then: Counts, now: Timestamp) -> Option<Value> {
        let counts = match self.status {
            RolloutStatus::Successful => Counts::default(),
            RolloutStatus::Stopped | RolloutStatus::RollbackSuccessful | RolloutStatus::RollbackFailed => then,
            RolloutStatus::Pending
            | RolloutStatus::InProgress
            | RolloutStatus::StopRequested
            | RolloutStatus::RollbackRequested
            | RolloutStatus::RollbackInProgress => service.counts(number, now),
        };
        Some(counts_view(&service.revision(number)?.arn, counts))
    }
}

fn breaker_name(status: BreakerStatus) -> &'static str {
    match status {
        BreakerStatus::Disabled => "DISABLED",
        BreakerStatus::Monitoring => "MONITORING",
        BreakerStatus::MonitoringComplete => "MONITORING_COMPLETE",
        BreakerStatus::Triggered => "TRIGGERED",
    }
}

impl Revision {
    /// As DescribeServiceRevisions shows it.
    pub(super) fn view(&self, service: &Service, place: &Place) -> Value {
        let images = self.images.iter().map(|(name, image, digest)| {
            let mut view = json!({"containerName": name, "image": image});
            if let Some(digest) = digest {
                view["imageDigest"] = json!(digest);
            }
            view
        });
        let mut view = json!({
            "serviceRevisionArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": cluster_arn(place, &service.cluster),
            "taskDefinition": self.definition,
            "containerImages": images.collect::<Vec<_>>(),
            "guardDutyEnabled": false,
            "createdAt": epoch(self.created_at),
        });
        for (name, value) in
            shown_in(model::output("DescribeServiceRevisions").item("serviceRevisions"), &self.settings)
        {
            view[name] = value;
        }
        if let Some(platform) = self.settings.platform() {
            view["platformVersion"] = json!(platform);
            view["platformFamily"] = json!("Linux");
        }
        view
    }
}
