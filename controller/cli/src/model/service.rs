//! The Services of a stage: how their rollouts stand, and how many tasks run.

use super::standing::{Mark, Standing};
use crate::item::Item;
use launchway_crds::Service;
use launchway_crds::service::{RolloutStatus, ServiceStatus, StoppedTaskStatus};
use serde::Serialize;

/// A Service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    pub name: String,
    #[serde(flatten)]
    pub standing: Standing,
    /// The phase of the rollout that was last begun.
    pub rollout: String,
    pub running: Option<i32>,
    pub desired: Option<i32>,
    /// Why tasks of the rollout stopped, newest first.
    pub stopped_tasks: Vec<String>,
}

/// The Service of that name: one that is not there is shown too.
pub fn named(namespace: &str, name: &str, all: &[Item<Service>]) -> ServiceView {
    let empty = |standing| ServiceView {
        name: name.to_owned(),
        standing,
        rollout: String::new(),
        running: None,
        desired: None,
        stopped_tasks: Vec::new(),
    };
    let Some(item) = all.iter().find(|item| item.namespace == namespace && item.name == name) else {
        let message = format!("there is no Service {name} in this namespace");
        return empty(Standing { state: Mark::Bad, reason: "NotFound".to_owned(), message });
    };
    match &item.body {
        Err(member) => empty(Standing::unreadable(member)),
        Ok(body) => body.status.as_ref().map_or_else(|| empty(Standing::not_seen()), |status| view(name, status)),
    }
}

fn view(name: &str, status: &ServiceStatus) -> ServiceView {
    let rollout = status.rollout.as_ref();
    ServiceView {
        name: name.to_owned(),
        standing: Standing::of(&status.conditions, status.summary.as_ref()),
        rollout: rollout.map(|rollout| format!("{:?}", rollout.phase)).unwrap_or_default(),
        running: status.service.as_ref().and_then(|service| service.running),
        desired: status.service.as_ref().and_then(|service| service.desired),
        stopped_tasks: rollout.map(stopped).unwrap_or_default(),
    }
}

fn stopped(rollout: &RolloutStatus) -> Vec<String> {
    rollout.stopped_tasks.iter().map(task).collect()
}

fn task(task: &StoppedTaskStatus) -> String {
    let parts = [&task.code, &task.reason, &task.container];
    let said: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
    format!("task {}: {}", task.task, said.join("; "))
}
