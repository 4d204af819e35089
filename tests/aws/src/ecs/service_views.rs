//! A service as DescribeServices shows it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::arns::cluster_arn;
use super::settings::Settings;
use super::state::{Counts, Deployment, DeploymentStatus, FailedDeployments, RolloutState, Service, ServiceStatus};
use super::tags;
use crate::call::epoch;
use crate::{Call, Place, model};

/// Those of a service's settings that a view has room for: the model says which.
pub(super) fn shown_in(view: &model::Structure, settings: &Settings) -> Map<String, Value> {
    let shown = settings.members().iter().filter(|(name, value)| view.members.contains_key(*name) && !value.is_null());
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether tags are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    WithTags,
    Plain,
}

impl Shown {
    /// What `include` asks for.
    pub(super) fn of(call: &Call) -> Self {
        if call.texts("include").iter().any(|included| included == "TAGS") { Self::WithTags } else { Self::Plain }
    }
}

impl Service {
    pub(super) fn view(&self, place: &Place, now: Timestamp, shown: Shown) -> Value {
        let mut view = shown_in(model::output("DescribeServices").item("services"), &self.settings);
        let total = self.total(now);
        let facts = json!({
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": cluster_arn(place, &self.cluster),
            "status": self.status_name(),
            "desiredCount": self.desired,
            "runningCount": total.running,
            "pendingCount": total.pending,
            "deployments": self.deployments.iter().map(|deployment| self.deployment_view(deployment, now)).collect::<Vec<_>>(),
            "events": self.events.view(),
            "createdAt": epoch(self.created_at),
            "createdBy": self.created_by,
            "currentServiceRevisions": self.current_revisions(now),
            "resourceManagementType": "CUSTOMER",
        });
        view.extend(facts.as_object().cloned().unwrap_or_default());
        if let Some(rollout) =
            self.rollouts.iter().rev().find(|rollout| rollout.visible_at <= now).filter(|_| self.pinned(now))
        {
            view.insert("currentServiceDeployment".to_owned(), json!(rollout.arn));
        }
        if self.settings.platform().is_some() {
            view.insert("platformFamily".to_owned(), json!("Linux"));
        }
        if !self.settings.targets().is_empty() {
            let linked =
                format!("arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", place.0);
            view.entry("roleArn").or_insert(json!(linked));
        }
        if shown == Shown::WithTags && !self.tags.is_empty() {
            view.insert("tags".to_owned(), tags::view(&self.tags));
        }
        Value::Object(view)
    }

    fn status_name(&self) -> &'static str {
        match self.status {
            ServiceStatus::Active => "ACTIVE",
            ServiceStatus::Draining => "DRAINING",
            ServiceStatus::Inactive => "INACTIVE",
        }
    }

    /// For a moment after a call that starts one, there is no `currentServiceDeployment`.
    fn pinned(&self, now: Timestamp) -> bool {
        self.status == ServiceStatus::Active && self.latest_rollout().is_some_and(|rollout| rollout.visible_at <= now)
    }

    fn current_revisions(&self, now: Timestamp) -> Value {
        let counted =
            self.deployments.iter().map(|deployment| (deployment.number, self.counts(deployment.number, now)));
        let shown = counted.filter(|(number, counts)| {
            counts.running + counts.pending > 0 || self.primary().is_some_and(|primary| primary.number == *number)
        });
        shown.filter_map(|(number, counts)| Some(counts_view(&self.revision(number)?.arn, counts))).collect()
    }

    fn deployment_view(&self, deployment: &Deployment, now: Timestamp) -> Value {
        let counts = self.counts(deployment.number, now);
        let settings = self.revision(deployment.number).map_or(&self.settings, |revision| &revision.settings);
        let drains = deployment.state == RolloutState::Failed && deployment.shown == FailedDeployments::Draining;
        let mut view = json!({
            "id": format!("ecs-svc/{}", deployment.number),
            "status": match deployment.status {
                DeploymentStatus::Primary => "PRIMARY",
                DeploymentStatus::Active if drains => "DRAINING",
                DeploymentStatus::Active => "ACTIVE",
            },
            "taskDefinition": settings.text("taskDefinition"),
            "desiredCount": counts.requested,
            "pendingCount": counts.pending,
            "runningCount": counts.running,
            "failedTasks": deployment.failed_tasks,
            "createdAt": epoch(deployment.created_at),
            "updatedAt": epoch(deployment.updated_at),
            "rolloutState": match deployment.state {
                RolloutState::InProgress => "IN_PROGRESS",
                RolloutState::Completed => "COMPLETED",
                RolloutState::Failed if drains => "IN_PROGRESS",
                RolloutState::Failed => "FAILED",
            },
            "rolloutStateReason": deployment.reason,
        });
        let room = model::output("DescribeServices").item("services").item("deployments");
        for (name, value) in shown_in(room, settings) {
            view[name] = value;
        }
        if let Some(platform) = settings.platform() {
            view["platformVersion"] = json!(platform);
            view["platformFamily"] = json!("Linux");
        }
        view
    }
}

/// A revision with its counts, as three calls show it.
pub(super) fn counts_view(arn: &str, counts: Counts) -> Value {
    json!({
        "arn": arn,
        "requestedTaskCount": counts.requested,
        "runningTaskCount": counts.running,
        "pendingTaskCount": counts.pending,
    })
}
