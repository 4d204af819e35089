//! A task as DescribeTasks shows it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arns::{arn, cluster_arn};
use super::service_views::Shown;
use super::tasks::{Container, Owner, Task, TaskStatus};
use crate::Place;
use crate::call::epoch;

impl Task {
    pub(super) fn view(&self, place: &Place, cluster: &str, now: Timestamp, shown: Shown) -> Value {
        let status = self.status(now);
        let task_arn = arn(place, &format!("task/{cluster}/{}", self.id));
        let (group, overrides) = match &self.owner {
            Owner::Service { name, .. } => {
                (format!("service:{name}"), json!({"containerOverrides": [], "inferenceAcceleratorOverrides": []}))
            }
            Owner::Run { group, overrides, .. } => (group.clone(), (**overrides).clone()),
        };
        let mut view = json!({
            "taskArn": task_arn,
            "taskDefinitionArn": self.definition.arn,
            "clusterArn": cluster_arn(place, cluster),
            "attachments": self.attachments(place, status),
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "availabilityZone": format!("{}a", place.1),
            "connectivity": "CONNECTED",
            "containers": self.containers.iter().enumerate().map(|(index, container)| self.container(place, cluster, index, container, now)).collect::<Vec<_>>(),
            "createdAt": epoch(self.created_at),
            "desiredStatus": if self.wanted(now) { "RUNNING" } else { "STOPPED" },
            "enableExecuteCommand": self.execute_command,
            "group": group,
            "healthStatus": self.health(now).name(),
            "lastStatus": status.name(),
            "launchType": self.launch_type,
            "overrides": overrides,
            "tags": if shown == Shown::WithTags { self.tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect() } else { json!([]) },
            "version": 1 + self.version(now),
        });
        for size in ["cpu", "memory"] {
            if let Some(text) = self.definition.text(size) {
                view[size] = json!(text);
            }
        }
        if let Some(platform) = &self.platform {
            view["platformVersion"] = json!(platform);
            view["platformFamily"] = json!("Linux");
            let asked = self.definition.body.get("ephemeralStorage").cloned();
            view["ephemeralStorage"] = asked.unwrap_or_else(|| json!({"sizeInGiB": 20}));
        }
        if let Some(by) = self.started_by() {
            view["startedBy"] = json!(by);
        }
        self.times(&mut view, now);
        view
    }

    fn times(&self, view: &mut Value, now: Timestamp) {
        let end = self.end.as_ref().filter(|end| end.at <= now);
        let until = end.map_or(now, |end| end.at);
        let started = end.is_none_or(|end| end.exit.is_some());
        for (name, at) in [
            ("connectivityAt", self.pending_at),
            ("pullStartedAt", self.pending_at),
            ("pullStoppedAt", self.pulled_at),
            ("startedAt", self.running_at),
        ] {
            if at <= until && (started || name != "startedAt") {
                view[name] = epoch(at);
            }
        }
        let Some(end) = end else {
            return;
        };
        view["stopCode"] = json!(end.code);
        view["stoppedReason"] = json!(end.reason);
        view["stoppingAt"] = epoch(end.at);
        if end.exited_at <= now {
            view["executionStoppedAt"] = epoch(end.exited_at);
        }
        if end.stopped_at <= now {
            view["stoppedAt"] = epoch(end.stopped_at);
        }
    }

    /// The number of changes so far.
    fn version(&self, now: Timestamp) -> usize {
        let end = self.end.iter().flat_map(|end| [end.at, end.exited_at, end.stopped_at]);
        [self.pending_at, self.pulled_at, self.running_at].into_iter().chain(end).filter(|at| *at <= now).count()
    }

    fn container(&self, place: &Place, cluster: &str, index: usize, container: &Container, now: Timestamp) -> Value {
        let end = self.end.as_ref().filter(|end| end.exited_at <= now);
        let last = match (self.status(now), end.is_some()) {
            (_, true) => "STOPPED",
            (TaskStatus::Provisioning | TaskStatus::Pending, false) => "PENDING",
            (
                TaskStatus::Activating
                | TaskStatus::Running
                | TaskStatus::Deactivating
                | TaskStatus::Stopping
                | TaskStatus::Deprovisioning
                | TaskStatus::Stopped,
                false,
            ) => "RUNNING",
        };
        let mut view = json!({
            "containerArn": arn(place, &format!("container/{cluster}/{}/{index}", self.id)),
            "taskArn": arn(place, &format!("task/{cluster}/{}", self.id)),
            "name": container.name,
            "image": container.image,
            "runtimeId": format!("{}-{index}", self.id),
            "lastStatus": last,
            "networkBindings": [],
            "networkInterfaces": [],
            "healthStatus": self.health_of(index, now).name(),
            "cpu": "0",
        });
        if let Some(digest) = container.digest.as_ref().filter(|_| self.pulled_at <= now) {
            view["imageDigest"] = json!(digest);
        }
        match end.map(|end| (&end.exit, &end.reason)) {
            Some((Some((code, about, reason)), _)) => {
                view["exitCode"] = json!(if *about == index || *about == usize::MAX { *code } else { 0 });
                if *about == index && !reason.is_empty() {
                    view["reason"] = json!(reason);
                }
            }
            Some((None, reason)) => view["reason"] = json!(reason),
            None => {}
        }
        view
    }

    fn attachments(&self, place: &Place, status: TaskStatus) -> Value {
        let Some(subnet) = self.network["awsvpcConfiguration"]["subnets"][0].as_str() else {
            return json!([]);
        };
        let state = match status {
            TaskStatus::Provisioning => "PRECREATED",
            TaskStatus::Pending
            | TaskStatus::Activating
            | TaskStatus::Running
            | TaskStatus::Deactivating
            | TaskStatus::Stopping => "ATTACHED",
            TaskStatus::Deprovisioning | TaskStatus::Stopped => "DELETED",
        };
        let octet = |at: usize| u8::from_str_radix(&self.id[at..at + 2], 16).unwrap_or_default();
        json!([{
            "id": format!("{}-{}", &self.id[..8], place.0),
            "type": "ElasticNetworkInterface",
            "status": state,
            "details": [
                {"name": "subnetId", "value": subnet},
                {"name": "networkInterfaceId", "value": format!("eni-{}", &self.id[..17])},
                {"name": "privateIPv4Address", "value": format!("10.{}.{}.{}", octet(0), octet(2), octet(4))},
            ],
        }])
    }
}
