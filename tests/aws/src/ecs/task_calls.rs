//! ListTasks and DescribeTasks.

use serde_json::{Value, json};

use super::arns::{arn, path, service_name};
use super::clusters::{Cluster, asked, meant};
use super::definitions::{bad_token, page_size, paged};
use super::service_calls::not_found;
use super::service_rules::invalid;
use super::service_views::Shown;
use super::tasks::{Owner, Task};
use crate::call::page;
use crate::{Answer, Call, Refusal, World};

/// `ListTasks`: those that are wanted, or with `desiredStatus=STOPPED` those that ended within the hour.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    world.allow(call, "ecs:ListTasks", "*", &[("ecs:cluster", &asked(call))])?;
    let state = world.ecs.get(&call.place());
    let cluster = meant(state, call)?;
    alone(call)?;
    let desired = Desired::asked(call)?;
    let size = page_size(call, 100)?;
    let wanted = |task: &&Task| desired.is(task.wanted(call.now)) && task.visible(call.now) && fits(task, call);
    let tasks = state
        .and_then(|state| state.clusters.get(&cluster))
        .map(|found| selected(found, call))
        .transpose()?
        .unwrap_or_default();
    let mut arns: Vec<String> = tasks.into_iter().filter(wanted).map(|task| task_arn(call, &cluster, task)).collect();
    arns.sort();
    let (arns, next) = page(&arns, call, size).ok_or_else(bad_token)?;
    Ok(paged(json!({"taskArns": arns}), next))
}

/// `desiredStatus`: no task is ever wanted PENDING [API_ListTasks].
enum Desired {
    Running,
    Pending,
    Stopped,
}

impl Desired {
    fn asked(call: &Call) -> Result<Self, Refusal> {
        match call.text("desiredStatus") {
            None | Some("RUNNING") => Ok(Self::Running),
            Some("PENDING") => Ok(Self::Pending),
            Some("STOPPED") => Ok(Self::Stopped),
            Some(other) => Err(invalid(format!("Invalid desiredStatus: {other}"))),
        }
    }

    fn is(&self, wanted: bool) -> bool {
        match self {
            Self::Running => wanted,
            Self::Pending => false,
            Self::Stopped => !wanted,
        }
    }
}

/// Filters that exclude others.
fn alone(call: &Call) -> Result<(), Refusal> {
    let any = |members: &[&str]| members.iter().any(|member| call.member(member).is_some());
    if any(&["daemonName"]) {
        return Err(Refusal::new("UnsupportedFeatureException", "The simulator does not know daemons."));
    }
    if any(&["startedBy"]) && any(&["serviceName", "family", "launchType", "containerInstance"]) {
        return Err(invalid("cannot specify startedBy with other arguments"));
    }
    if any(&["serviceName"]) && any(&["containerInstance"]) {
        return Err(invalid("cannot specify serviceName with containerInstance"));
    }
    Ok(())
}

fn selected<'a>(cluster: &'a Cluster, call: &Call) -> Result<Vec<&'a Task>, Refusal> {
    match call.text("serviceName") {
        Some(given) => Ok(cluster.services.get(service_name(given).1).ok_or_else(not_found)?.tasks.iter().collect()),
        None => Ok(cluster.tasks().collect()),
    }
}

fn fits(task: &Task, call: &Call) -> bool {
    let family = call.text("family").is_none_or(|family| task.definition.family == family);
    let started = call.text("startedBy").is_none_or(|by| task.started_by().as_deref() == Some(by));
    let launch = call.text("launchType").is_none_or(|launch| task.launch_type == launch);
    family && started && launch && call.text("containerInstance").is_none()
}

impl Cluster {
    /// All tasks: the services' and those that RunTask started.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.services.values().flat_map(|service| &service.tasks).chain(&self.runs)
    }
}

impl Task {
    /// `startedBy`: `ecs-svc/<n>`, or what RunTask was given.
    pub fn started_by(&self) -> Option<String> {
        match &self.owner {
            Owner::Service { revision, .. } => Some(format!("ecs-svc/{revision}")),
            Owner::Run { started_by, .. } => started_by.clone(),
        }
    }
}

pub(super) fn task_arn(call: &Call, cluster: &str, task: &Task) -> String {
    arn(&call.place(), &format!("task/{cluster}/{}", task.id))
}

/// The last part of a task's ID or ARN must be as long as an ID.
pub(super) fn long_enough(given: &str) -> Result<(), Refusal> {
    let id = given.rsplit('/').next().unwrap_or(given);
    if [32, 36].contains(&id.len()) { Ok(()) } else { Err(invalid("taskId length should be one of [32,36]")) }
}

/// The ID that a task's ID or ARN in this cluster means.
pub(super) fn task_id<'a>(call: &Call, cluster: &str, given: &'a str) -> Option<&'a str> {
    if !given.starts_with("arn:") {
        return Some(given);
    }
    match path(call, given, "task")?[..] {
        [named, id] if named == cluster => Some(id),
        _ => None,
    }
}

/// `DescribeTasks`: at most 100.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    let given = call.texts("tasks");
    match given.len() {
        0 => return Err(invalid("Tasks cannot be empty.")),
        1..=100 => {}
        _ => return Err(invalid("tasks can have at most 100 items.")),
    }
    let cluster_arn = asked(call);
    let place = call.place();
    let named = super::arns::cluster_name(call.text("cluster")).to_owned();
    for task in &given {
        let resource =
            if task.starts_with("arn:") { task.clone() } else { arn(&place, &format!("task/{named}/{task}")) };
        world.allow(call, "ecs:DescribeTasks", &resource, &[("ecs:cluster", &cluster_arn)])?;
    }
    let state = world.ecs.get(&place);
    let name = meant(state, call)?;
    let cluster = state.and_then(|state| state.clusters.get(&name));
    given.iter().try_for_each(|task| long_enough(task))?;
    let shown = Shown::of(call);
    let (mut tasks, mut failures): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for given in &given {
        let id = task_id(call, &name, given);
        match id.and_then(|id| cluster?.tasks().find(|task| &*task.id == id && task.visible(call.now))) {
            Some(task) => tasks.push(task.view(&place, &name, call.now, shown)),
            None => failures.push(json!({"arn": if given.starts_with("arn:") { given.clone() } else { arn(&place, &format!("task/{name}/{given}")) }, "reason": "MISSING"})),
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}
