//! CreateService, UpdateService, DescribeServices, ListServices. What they start goes on in `scheduler`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::arns::{cluster_arn, service_arn, service_name};
use super::capacity;
use super::clusters::{asked, meant};
use super::definitions::{Definition, bad_token, page_size, paged};
use super::drift::starts_deployment;
use super::events::Events;
use super::obstacles;
use super::scheduler;
use super::service_rules::{self, invalid};
use super::settings::Settings;
use super::state::{Creation, EcsState, Service, ServiceStatus};
use super::tags::{self, Tags};
use crate::call::page;
use crate::{Answer, Call, Refusal, World};

/// The right to do something to a service, under the conditions that AWS fills in.
pub(super) fn may(
    world: &mut World,
    call: &Call,
    action: &str,
    cluster: &str,
    name: &str,
    more: &[(String, String)],
) -> Result<String, Refusal> {
    let place = call.place();
    let (arn, cluster_arn) = (service_arn(&place, cluster, name), cluster_arn(&place, cluster));
    let tags = world
        .ecs
        .get(&place)
        .and_then(|state| state.service(cluster, name))
        .map(|service| tags::had(&service.tags))
        .unwrap_or_default();
    let mut context: Vec<(&str, &str)> = vec![("ecs:cluster", &cluster_arn)];
    context.extend(tags.iter().chain(more).map(|(key, value)| (key.as_str(), value.as_str())));
    world.allow(call, action, &arn, &context)?;
    Ok(arn)
}

/// The conditions about what a service is to be.
fn conditions(call: &Call) -> Vec<(String, String)> {
    let mut conditions = Vec::new();
    if let Some(definition) = call.text("taskDefinition") {
        conditions.push(("ecs:task-definition".to_owned(), definition.to_owned()));
    }
    if let Some(flag) = call.member("enableExecuteCommand") {
        conditions.push(("ecs:enable-execute-command".to_owned(), flag.to_string()));
    }
    let vpc = call.member("networkConfiguration").map(|network| &network["awsvpcConfiguration"]);
    for subnet in vpc.and_then(|vpc| vpc["subnets"].as_array()).into_iter().flatten().filter_map(Value::as_str) {
        conditions.push(("ecs:subnet".to_owned(), subnet.to_owned()));
    }
    if let Some(public) = vpc.and_then(|vpc| vpc["assignPublicIp"].as_str()) {
        conditions.push(("ecs:auto-assign-public-ip".to_owned(), (public == "ENABLED").to_string()));
    }
    conditions
}

/// Tasks take on the definition's roles: whoever starts them must be allowed to pass those.
pub(super) fn may_pass(world: &mut World, call: &Call, definition: &Definition) -> Result<(), Refusal> {
    for role in ["taskRoleArn", "executionRoleArn"].into_iter().filter_map(|member| definition.text(member)) {
        world.allow(call, "iam:PassRole", role, &[("iam:PassedToService", "ecs-tasks.amazonaws.com")])?;
    }
    Ok(())
}

/// The cluster's name as a call gives it, there or not.
fn cluster_of(call: &Call) -> String {
    super::arns::cluster_name(call.text("cluster")).to_owned()
}

/// `CreateService`.
pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (name, token, tags) =
        (service_rules::name(call)?, service_rules::token(call)?, tags::parsed(call.list("tags"))?);
    let mut context = conditions(call);
    context.extend(tags::asked(&tags));
    let arn = may(world, call, "ecs:CreateService", &cluster_of(call), &name, &context)?;
    tags::may_create(world, call, &arn, &tags)?;
    let cluster = meant(world.ecs.get(&call.place()), call)?;
    let state = world.ecs.entry(call.place()).or_default();
    if let Some(view) = already(state, call, &cluster, &name, token.as_deref())? {
        return Ok(view);
    }
    let (settings, definition, desired) = wanted(state, call)?;
    may_pass(world, call, &definition)?;
    let service = Service {
        name: name.clone(),
        cluster: cluster.clone(),
        arn,
        status: ServiceStatus::Active,
        desired,
        settings,
        tags,
        deployments: Vec::new(),
        rollouts: Vec::new(),
        revisions: Vec::new(),
        tasks: Vec::new(),
        events: Events::default(),
        created_at: call.now,
        created_by: call.caller.role.clone().unwrap_or_else(|| call.caller.arn.clone()),
        completed: None,
        creation: Creation { token, input: call.input.clone() },
        draining_since: None,
        inactive_at: None,
        steady_at: None,
        steady_said: false,
        due: None,
    };
    insert(world, call, service);
    scheduler::begin_deployment(world, &call.place(), &cluster, &name);
    view_of(world, call, &cluster, &name)
}

/// Puts a new service there; of an INACTIVE one of its name, the tasks stay until they are forgotten.
fn insert(world: &mut World, call: &Call, mut service: Service) {
    let state = world.ecs.entry(call.place()).or_default();
    let Some(cluster) = state.clusters.get_mut(&service.cluster) else {
        return;
    };
    if let Some(old) = cluster.services.remove(&service.name) {
        service.tasks = old.tasks;
        if let Some(due) = old.due {
            state.agenda.remove(&(due, old.cluster, old.name));
        }
    }
    cluster.services.insert(service.name.clone(), service);
}

/// What is said of a name that is taken; nothing if it is free.
fn already(
    state: &EcsState,
    call: &Call,
    cluster: &str,
    name: &str,
    token: Option<&str>,
) -> Result<Option<Value>, Refusal> {
    let Some(service) = state.service(cluster, name) else {
        return Ok(None);
    };
    let repeated =
        token.is_some() && service.creation.token.as_deref() == token && *service.creation.input == *call.input;
    match service.status {
        ServiceStatus::Inactive => Ok(None),
        ServiceStatus::Draining => Err(invalid("Unable to Start a service that is still Draining.")),
        ServiceStatus::Active if repeated => {
            Ok(Some(json!({"service": service.view(&call.place(), call.now, super::service_views::Shown::WithTags)})))
        }
        ServiceStatus::Active => Err(invalid("Creation of service was not idempotent.")),
    }
}

fn wanted(state: &EcsState, call: &Call) -> Result<(Settings, Arc<Definition>, usize), Refusal> {
    let given = call.text("taskDefinition").ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let definition = service_rules::definition(state, call, given)?;
    let desired = service_rules::desired(call)?.ok_or_else(|| invalid("desiredCount can not be blank."))?;
    let settings = Settings::created(call, &definition.arn);
    service_rules::fits(state, &settings, &definition)?;
    obstacles::named_are_there(&state.lacks, call)?;
    Ok((settings, definition, desired))
}

/// `UpdateService`.
pub(super) fn update(world: &mut World, call: &Call) -> Answer {
    let (cluster, name) = target(call)?;
    may(world, call, "ecs:UpdateService", &cluster, &name, &conditions(call))?;
    meant(world.ecs.get(&call.place()), call)?;
    let (settings, desired, definition) = updated(world, call, &cluster, &name)?;
    if call.text("taskDefinition").is_some() {
        may_pass(world, call, &definition)?;
    }
    let place = call.place();
    let service = world
        .ecs
        .get_mut(&place)
        .and_then(|state| state.clusters.get_mut(&cluster)?.services.get_mut(&name))
        .ok_or_else(not_found)?;
    let starts = call.flag("forceNewDeployment") || starts_deployment(&service.settings, &settings);
    service.settings = settings;
    service.desired = desired.unwrap_or(service.desired);
    if starts {
        scheduler::begin_deployment(world, &place, &cluster, &name);
    } else {
        scheduler::settle(world, &place, &cluster, &name);
    }
    view_of(world, call, &cluster, &name)
}

fn updated(
    world: &World,
    call: &Call,
    cluster: &str,
    name: &str,
) -> Result<(Settings, Option<usize>, Arc<Definition>), Refusal> {
    let state = world.ecs.get(&call.place()).ok_or_else(not_found)?;
    let service = active(state, cluster, name)?;
    let definition = match call.text("taskDefinition") {
        Some(given) => service_rules::definition(state, call, given)?,
        None => super::definitions::found(state, call, service.settings.text("taskDefinition"))
            .cloned()
            .ok_or_else(not_found)?,
    };
    let given = call.text("taskDefinition").map(|_| definition.arn.as_str());
    let settings = capacity::changed(service.settings.updated(call, given), service, call)?;
    service_rules::fits(state, &settings, &definition)?;
    obstacles::named_are_there(&state.lacks, call)?;
    Ok((settings, service_rules::desired(call)?, definition))
}

fn active<'a>(state: &'a EcsState, cluster: &str, name: &str) -> Result<&'a Service, Refusal> {
    let service = state.service(cluster, name).ok_or_else(not_found)?;
    match service.status {
        ServiceStatus::Active => Ok(service),
        ServiceStatus::Draining | ServiceStatus::Inactive => {
            Err(Refusal::new("ServiceNotActiveException", "Service was not ACTIVE."))
        }
    }
}

pub(super) fn not_found() -> Refusal {
    Refusal::new("ServiceNotFoundException", "Service not found.")
}

/// The cluster and the name that `service` means.
pub(super) fn target(call: &Call) -> Result<(String, String), Refusal> {
    let given =
        call.text("service").filter(|name| !name.is_empty()).ok_or_else(|| invalid("Service can not be blank."))?;
    let (cluster, name) = service_name(given);
    let meant = cluster_of(call);
    match cluster {
        Some(other) if call.text("cluster").is_some() && other != meant => {
            Err(invalid("Identifier is for a different cluster."))
        }
        Some(other) if call.text("cluster").is_none() && other != meant => {
            Err(Refusal::new("ClusterNotFoundException", "Cluster not found."))
        }
        Some(_) | None => Ok((meant, name.to_owned())),
    }
}

pub(super) fn view_of(world: &World, call: &Call, cluster: &str, name: &str) -> Answer {
    let service = world.ecs.get(&call.place()).and_then(|state| state.service(cluster, name)).ok_or_else(not_found)?;
    Ok(json!({"service": service.view(&call.place(), call.now, super::service_views::Shown::WithTags)}))
}

/// `DescribeServices`: at most ten; what is missing is in `failures`.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    let given = call.texts("services");
    match given.len() {
        0 => return Err(invalid("Services cannot be empty.")),
        1..=10 => {}
        _ => return Err(invalid("services can have at most 10 items.")),
    }
    let cluster = cluster_of(call);
    for given in &given {
        may(world, call, "ecs:DescribeServices", &cluster, service_name(given).1, &[])?;
    }
    let place = call.place();
    let cluster = meant(world.ecs.get(&place), call)?;
    let shown = super::service_views::Shown::of(call);
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for given in given {
        let (named, name) = service_name(&given);
        let here = named.is_none_or(|named| named == cluster);
        match world.ecs.get(&place).and_then(|state| state.service(&cluster, name)).filter(|_| here) {
            Some(service) => services.push(service.view(&place, call.now, shown)),
            None => {
                failures.push(json!({"arn": service_arn(&place, named.unwrap_or(&cluster), name), "reason": "MISSING"}))
            }
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

/// `ListServices`: those that are ACTIVE.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    world.allow(call, "ecs:ListServices", "*", &[("ecs:cluster", &asked(call))])?;
    let state = world.ecs.get(&call.place());
    let cluster = meant(state, call)?;
    let size = page_size(call, 10)?;
    let services = state.and_then(|state| state.clusters.get(&cluster)).map(|cluster| &cluster.services);
    let fits = |service: &&Service| {
        service.status == ServiceStatus::Active
            && call.text("resourceManagementType").is_none_or(|by| by == "CUSTOMER")
            && call.text("launchType").is_none_or(|launch| launch == service.settings.text("launchType"))
            && call
                .text("schedulingStrategy")
                .is_none_or(|strategy| strategy == service.settings.text("schedulingStrategy"))
    };
    let arns: Vec<&String> =
        services.into_iter().flat_map(|services| services.values()).filter(fits).map(|service| &service.arn).collect();
    let (arns, next) = page(&arns, call, size).ok_or_else(bad_token)?;
    Ok(paged(json!({"serviceArns": arns}), next))
}

/// The tags that a service's tasks get: `propagateTags` and `enableECSManagedTags`.
pub(super) fn task_tags(service: &Service, definition: &Definition) -> Vec<(String, String)> {
    let propagated: Option<&Tags> = match service.settings.text("propagateTags") {
        "SERVICE" => Some(&service.tags),
        "TASK_DEFINITION" => Some(&definition.tags),
        _ => None,
    };
    let mut tags = propagated.cloned().unwrap_or_default();
    if service.settings.member("enableECSManagedTags") == &json!(true) {
        tags.insert("aws:ecs:clusterName".to_owned(), service.cluster.clone());
        tags.insert("aws:ecs:serviceName".to_owned(), service.name.clone());
    }
    tags.into_iter().collect()
}
