//! Clusters: what holds services and tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arns::{cluster_arn, cluster_name, path};
use super::state::{EcsState, Service, ServiceStatus};
use super::tags::{Tags, view};
use super::tasks::{Task, TaskStatus};
use crate::{Answer, Call, Refusal, World};

/// A cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// By name, whatever their status.
    pub services: BTreeMap<String, Service>,
    /// Tasks that RunTask started.
    pub runs: Vec<Task>,
    /// Its tags.
    pub tags: Tags,
    pub(super) run_tokens: BTreeMap<String, RunToken>,
}

/// What a client token of RunTask was used for.
#[derive(Clone, Debug)]
pub(super) struct RunToken {
    pub at: Timestamp,
    pub input: Arc<Value>,
    pub tasks: Vec<Arc<str>>,
}

/// The name of the cluster that a call means, if it is there.
pub(super) fn meant(state: Option<&EcsState>, call: &Call) -> Result<String, Refusal> {
    let name = cluster_name(call.text("cluster"));
    let here =
        !call.text("cluster").is_some_and(|given| given.starts_with("arn:") && path(call, given, "cluster").is_none());
    let found = state.is_some_and(|state| state.clusters.contains_key(name));
    if here && found {
        Ok(name.to_owned())
    } else {
        Err(Refusal::new("ClusterNotFoundException", "Cluster not found."))
    }
}

/// The cluster's ARN that a call means, there or not: what IAM is asked about.
pub(super) fn asked(call: &Call) -> String {
    match call.text("cluster") {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        given => cluster_arn(&call.place(), cluster_name(given)),
    }
}

/// `DescribeClusters`.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    let mut asked = call.texts("clusters");
    if asked.is_empty() {
        asked.push("default".to_owned());
    }
    if asked.len() > 100 {
        return Err(Refusal::new("InvalidParameterException", "clusters can have at most 100 items."));
    }
    if let Some(other) = call.texts("include").iter().find(|included| *included != "TAGS") {
        return Err(Refusal::new(
            "InvalidParameterException",
            format!("The simulator does not know {other} of a cluster."),
        ));
    }
    let place = call.place();
    let arns: Vec<String> = asked.iter().map(|given| cluster_arn(&place, cluster_name(Some(given)))).collect();
    for arn in &arns {
        world.allow(call, "ecs:DescribeClusters", arn, &[])?;
    }
    let state = world.ecs.get(&place);
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        let name = cluster_name(Some(&arn)).to_owned();
        match state.and_then(|state| state.clusters.get(&name)) {
            Some(cluster) => found.push(cluster.view(call, &arn, &name)),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    Ok(json!({"clusters": found, "failures": failures}))
}

impl Cluster {
    fn view(&self, call: &Call, arn: &str, name: &str) -> Value {
        let live = self.services.values().filter(|service| service.status == ServiceStatus::Active);
        let (mut running, mut pending) = (0, 0);
        for task in self.tasks() {
            match task.status(call.now) {
                TaskStatus::Running => running += 1,
                TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => pending += 1,
                TaskStatus::Deactivating | TaskStatus::Stopping | TaskStatus::Deprovisioning | TaskStatus::Stopped => {}
            }
        }
        let tags =
            if call.texts("include").iter().any(|included| included == "TAGS") { view(&self.tags) } else { json!([]) };
        json!({
            "clusterArn": arn,
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": running,
            "pendingTasksCount": pending,
            "activeServicesCount": live.count(),
            "statistics": [],
            "tags": tags,
            "settings": [],
            "capacityProviders": [],
            "defaultCapacityProviderStrategy": [],
        })
    }
}
