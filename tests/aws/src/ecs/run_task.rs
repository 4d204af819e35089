//! RunTask and StopTask. A task that RunTask started belongs to nobody: it runs until its story ends.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::arns::{arn, cluster_arn};
use super::capacity;
use super::clusters::{Cluster, RunToken, asked, meant};
use super::definition_rules::items;
use super::definitions::Definition;
use super::health::Watched;
use super::obstacles::{self, Asked, Obstacle, Room};
use super::service_calls::may_pass;
use super::service_rules::{self, definition, invalid};
use super::service_views::Shown;
use super::stories::Library;
use super::tags::{self, Tags};
use super::task_calls::{long_enough, task_arn, task_id};
use super::tasks::{Owner, Start, Task};
use crate::{Answer, Call, Refusal, World};

/// A client token of RunTask is remembered for a day.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// `RunTask`.
pub(super) fn run(world: &mut World, call: &Call) -> Answer {
    let place = call.place();
    let given = call.text("taskDefinition").ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let known = world
        .ecs
        .get(&place)
        .and_then(|state| super::definitions::found(state, call, given))
        .map(|found| found.arn.clone());
    let resource = known.unwrap_or_else(|| arn(&place, &format!("task-definition/{given}")));
    let tags = tags::parsed(call.list("tags"))?;
    world.allow(call, "ecs:RunTask", &resource, &[("ecs:cluster", &asked(call))])?;
    tags::may_create(
        world,
        call,
        &arn(&place, &format!("task/{}/*", super::arns::cluster_name(call.text("cluster")))),
        &tags,
    )?;
    let name = meant(world.ecs.get(&place), call)?;
    let count = count(call)?;
    if let Some(answer) = repeated(world, call, &name)? {
        return Ok(answer);
    }
    let definition = definition(world.ecs.get(&place).ok_or_else(|| invalid("Cluster not found."))?, call, given)
        .map_err(|refused| invalid(refused.message))?;
    let definition = Arc::new(with_roles(call, &definition));
    may_pass(world, call, &definition)?;
    let launch = fits(call, &definition)?;
    let tags = with_propagated(call, &name, &definition, tags);
    named_are_there(world, call)?;
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..count {
        match room(world, call, &definition, launch, &tasks) {
            Ok(()) => tasks.push(started(world, call, &definition, launch, &tags)),
            Err(Obstacle::Unplaced(reason)) => failures.push(json!({"reason": reason})),
            Err(Obstacle::Unlaunched(error)) => return Err(Refusal::new("ClientException", error)),
        }
    }
    let views: Vec<Value> = tasks.iter().map(|task| task.view(&place, &name, call.now, Shown::WithTags)).collect();
    keep(world, call, &name, tasks);
    Ok(json!({"tasks": views, "failures": failures}))
}

fn named_are_there(world: &World, call: &Call) -> Result<(), Refusal> {
    world.ecs.get(&call.place()).map_or(Ok(()), |state| obstacles::named_are_there(&state.lacks, call))
}

/// Whether one more task can be started beside those that this call started.
fn room(
    world: &World,
    call: &Call,
    definition: &Definition,
    launch_type: &str,
    begun: &[Task],
) -> Result<(), Obstacle> {
    let Some(state) = world.ecs.get(&call.place()) else {
        return Ok(());
    };
    let network = call.member("networkConfiguration").unwrap_or(&Value::Null);
    let there = state.clusters.values().flat_map(Cluster::tasks);
    let used = state.lacks.most_vcpus().map_or(0, |_| obstacles::used(there.chain(begun), call.now));
    let asked = Asked { lacks: &state.lacks, iam: &world.iam, definition, network };
    obstacles::none(&asked, Room { launch_type, strategy: strategy(call), used })
}

/// How many tasks are asked for, if the rest of the call is in order.
fn count(call: &Call) -> Result<i64, Refusal> {
    if call.text("clientToken").is_some_and(|token| token.len() > 64) {
        return Err(invalid("clientToken can have at most 64 characters."));
    }
    if call
        .text("startedBy")
        .is_some_and(|by| by.len() > 128 || !by.chars().all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c)))
    {
        return Err(invalid("startedBy contains invalid characters or is longer than 128."));
    }
    match call.text("propagateTags") {
        None | Some("TASK_DEFINITION" | "NONE") => {}
        Some("SERVICE") => return Err(invalid("Tags can not be propagated from a service when running a task.")),
        Some(other) => return Err(invalid(format!("Invalid propagateTags: {other}"))),
    }
    capacity::one_of(call.text("launchType"), strategy(call))?;
    match call.number("count") {
        None => Ok(1),
        Some(count @ 1..=10) => Ok(count),
        Some(_) => Err(invalid("count must be between 1 and 10.")),
    }
}

fn strategy(call: &Call) -> &Value {
    call.member("capacityProviderStrategy").unwrap_or(&Value::Null)
}

/// The call's tags, over those of the task definition if they are propagated, with those that ECS manages.
fn with_propagated(call: &Call, cluster: &str, definition: &Definition, given: Tags) -> Tags {
    let mut tags = match call.text("propagateTags") {
        Some("TASK_DEFINITION") => definition.tags.clone(),
        Some(_) | None => Tags::new(),
    };
    tags.extend(given);
    if call.flag("enableECSManagedTags") {
        tags.insert("aws:ecs:clusterName".to_owned(), cluster.to_owned());
    }
    tags
}

/// The launch type, if the call fits the definition.
fn fits<'a>(call: &'a Call, definition: &Definition) -> Result<&'a str, Refusal> {
    service_rules::network(call.member("networkConfiguration").unwrap_or(&Value::Null), definition)?;
    capacity::strategy_fits(strategy(call))?;
    let launch = capacity::launch_type(strategy(call), call.text("launchType").unwrap_or("EC2"));
    capacity::fits(launch, call.text("platformVersion"), definition)?;
    service_rules::placement(launch, call.list("placementConstraints"), call.list("placementStrategy"))?;
    service_rules::volumes(call.list("volumeConfigurations"), definition)?;
    if !call.list("volumeConfigurations").is_empty() {
        return Err(Refusal::new("UnsupportedFeatureException", "The simulator does not know volumes of a run task."));
    }
    if call.text("referenceId").is_some_and(|reference| reference.len() > 1024) {
        return Err(invalid("referenceId can have at most 1024 characters."));
    }
    let overridden = call.member("overrides").map_or(&[][..], |overrides| items(overrides, "containerOverrides"));
    let known = |name: &Value| definition.containers().iter().any(|container| container["name"] == *name);
    match overridden.iter().find(|one| !known(&one["name"])) {
        Some(one) => Err(invalid(format!(
            "Override for container named {} is not a container in the TaskDefinition.",
            one["name"].as_str().unwrap_or_default()
        ))),
        None => Ok(launch),
    }
}

/// The definition with the roles that the call gives instead of its own.
fn with_roles(call: &Call, definition: &Definition) -> Definition {
    let mut definition = definition.clone();
    for role in ["taskRoleArn", "executionRoleArn"] {
        let given = call.member("overrides").and_then(|overrides| overrides[role].as_str());
        if let Some(given) = given {
            let body = Arc::make_mut(&mut definition.body);
            body.insert(role.to_owned(), json!(super::arns::role_arn(&call.account, given)));
        }
    }
    definition
}

fn repeated(world: &World, call: &Call, name: &str) -> Result<Option<Value>, Refusal> {
    let place = call.place();
    let cluster = world.ecs.get(&place).and_then(|state| state.clusters.get(name));
    let Some((cluster, used)) =
        cluster.and_then(|cluster| Some((cluster, cluster.run_tokens.get(call.text("clientToken")?)?)))
    else {
        return Ok(None);
    };
    if used.at + REMEMBERED <= call.now {
        return Ok(None);
    }
    let tasks = cluster.runs.iter().filter(|task| used.tasks.contains(&task.id));
    if *used.input != *call.input {
        let arns: Vec<String> = tasks.map(|task| task_arn(call, name, task)).collect();
        return Err(Refusal::new("ConflictException", "The client token was used with other parameters.")
            .with("resourceIds", json!(arns)));
    }
    let views: Vec<Value> = tasks.map(|task| task.view(&place, name, call.now, Shown::WithTags)).collect();
    Ok(Some(json!({"tasks": views, "failures": []})))
}

fn started(world: &mut World, call: &Call, definition: &Arc<Definition>, launch: &str, tags: &Tags) -> Task {
    let place = call.place();
    let state = world.ecs.entry(place.clone()).or_default();
    let timing = &state.timing;
    let owner = Owner::Run {
        group: call.text("group").map_or_else(|| format!("family:{}", definition.family), str::to_owned),
        started_by: call.text("startedBy").map(str::to_owned),
        overrides: Arc::new(
            call.member("overrides")
                .cloned()
                .unwrap_or_else(|| json!({"containerOverrides": [], "inferenceAcceleratorOverrides": []})),
        ),
    };
    let start = Start {
        id: world.ids.hex(32),
        definition: definition.clone(),
        owner,
        images: definition.images().into_iter().map(|(name, image)| (name, image, None)).collect(),
        watched: Watched::No,
        network: Arc::new(call.member("networkConfiguration").cloned().unwrap_or_default()),
        launch_type: launch.to_owned(),
        platform: (launch == capacity::FARGATE)
            .then(|| capacity::resolved(call.text("platformVersion").unwrap_or("LATEST")).to_owned()),
        execute_command: call.flag("enableExecuteCommand"),
        tags: tags.clone().into_iter().collect(),
        timing,
        crash_loops: state.crash_loops,
        now: call.now,
    };
    let library =
        Library { ecr: &world.ecr, told: &world.image_story, iam: &world.iam, place: &place, lacks: &state.lacks };
    Task::start(start, library)
}

fn keep(world: &mut World, call: &Call, name: &str, started: Vec<Task>) {
    let Some(cluster) = world.ecs.get_mut(&call.place()).and_then(|state| state.clusters.get_mut(name)) else {
        return;
    };
    cluster.runs.retain(|task| task.visible(call.now));
    cluster.run_tokens.retain(|_, used| used.at + REMEMBERED > call.now);
    if let Some(token) = call.text("clientToken") {
        let tasks = started.iter().map(|task| task.id.clone()).collect();
        cluster.run_tokens.insert(token.to_owned(), RunToken { at: call.now, input: call.input.clone(), tasks });
    }
    cluster.runs.extend(started);
}

/// `StopTask`.
pub(super) fn stop(world: &mut World, call: &Call) -> Answer {
    let place = call.place();
    let named = super::arns::cluster_name(call.text("cluster")).to_owned();
    let given = call.text("task").unwrap_or_default().to_owned();
    let resource =
        if given.starts_with("arn:") { given.clone() } else { arn(&place, &format!("task/{named}/{given}")) };
    world.allow(call, "ecs:StopTask", &resource, &[("ecs:cluster", &cluster_arn(&place, &named))])?;
    let name = meant(world.ecs.get(&place), call)?;
    long_enough(&given)?;
    let missing = || invalid("The referenced task was not found.");
    let id = task_id(call, &name, &given).ok_or_else(missing)?;
    let state = world.ecs.get_mut(&place).ok_or_else(missing)?;
    let timing = state.timing.clone();
    let cluster = state.clusters.get_mut(&name).ok_or_else(missing)?;
    let (task, service) = found(cluster, id).ok_or_else(missing)?;
    let reason = call.text("reason").unwrap_or("Task stopped by user").to_owned();
    task.stop(call.now, "UserInitiated", reason, &timing);
    let view = task.view(&place, &name, call.now, Shown::WithTags);
    if let Some(service) = service {
        super::scheduler::settle(world, &place, &name, &service);
    }
    Ok(json!({"task": view}))
}

fn found<'a>(cluster: &'a mut Cluster, id: &str) -> Option<(&'a mut Task, Option<String>)> {
    let services = cluster.services.values_mut().flat_map(|service| {
        let name = service.name.clone();
        service.tasks.iter_mut().map(move |task| (task, Some(name.clone())))
    });
    services.chain(cluster.runs.iter_mut().map(|task| (task, None))).find(|(task, _)| &*task.id == id)
}
