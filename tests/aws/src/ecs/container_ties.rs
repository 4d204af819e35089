//! What the containers of a task definition must be to each other, and to its volumes and its size.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::definition_rules::{items, refused};
use crate::Refusal;

type Named<'a> = BTreeMap<&'a str, &'a Value>;

/// Refuses a task definition whose parts do not fit together; its containers are filled in.
pub(super) fn fit_together(body: &Value) -> Result<(), Refusal> {
    let containers = items(body, "containerDefinitions");
    let named: Named<'_> = containers.iter().map(|container| (text(container, "name"), container)).collect();
    if named.len() < containers.len() {
        return Err(refused("Container names should be unique."));
    }
    if !containers.iter().any(essential) {
        return Err(refused("A task definition must have at least one essential container."));
    }
    let volumes: BTreeSet<&str> = items(body, "volumes").iter().map(|volume| text(volume, "name")).collect();
    for container in containers {
        depends(container, &named)?;
        mounts(container, &volumes, &named)?;
        variables(container)?;
    }
    no_circle(&named)?;
    ports_are_named_once(containers)?;
    sizes(body, containers)
}

fn text<'a>(of: &'a Value, member: &str) -> &'a str {
    of[member].as_str().unwrap_or_default()
}

fn essential(container: &Value) -> bool {
    container["essential"] == true
}

/// What a container depends on must be there, have a health check to be waited for, and be allowed to end [API_ContainerDependency].
fn depends(container: &Value, named: &Named<'_>) -> Result<(), Refusal> {
    for on in items(container, "dependsOn") {
        let name = text(on, "containerName");
        let Some(other) = named.get(name) else {
            return Err(refused(format!("Container dependency '{name}' does not exist in the task definition.")));
        };
        if name == text(container, "name") {
            return Err(refused(format!("Container '{name}' can not depend on itself.")));
        }
        match text(on, "condition") {
            "HEALTHY" if !other["healthCheck"].is_object() => {
                return Err(refused(format!(
                    "Container '{name}' is waited for to be HEALTHY and has no health check."
                )));
            }
            condition @ ("COMPLETE" | "SUCCESS") if essential(other) => {
                return Err(refused(format!(
                    "The condition {condition} can't be set on the essential container '{name}'."
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes away, again and again, the containers that wait for none of those left: nothing may be left.
fn no_circle(named: &Named<'_>) -> Result<(), Refusal> {
    let mut left = named.clone();
    loop {
        let waits = |container: &Value| {
            items(container, "dependsOn").iter().any(|on| left.contains_key(text(on, "containerName")))
        };
        let kept: Named<'_> =
            left.iter().filter(|(_, container)| waits(container)).map(|(name, of)| (*name, *of)).collect();
        if kept.is_empty() {
            return Ok(());
        }
        if kept.len() == left.len() {
            return Err(refused("Container dependencies can not be circular."));
        }
        left = kept;
    }
}

fn mounts(container: &Value, volumes: &BTreeSet<&str>, named: &Named<'_>) -> Result<(), Refusal> {
    if let Some(mount) =
        items(container, "mountPoints").iter().find(|mount| !volumes.contains(text(mount, "sourceVolume")))
    {
        return Err(refused(format!("Unknown volume '{}'.", text(mount, "sourceVolume"))));
    }
    match items(container, "volumesFrom").iter().find(|from| !named.contains_key(text(from, "sourceContainer"))) {
        Some(from) => Err(refused(format!("Unknown container '{}' in volumesFrom.", text(from, "sourceContainer")))),
        None => Ok(()),
    }
}

/// A variable has one value.
fn variables(container: &Value) -> Result<(), Refusal> {
    let mut names: BTreeSet<&str> =
        items(container, "environment").iter().map(|variable| text(variable, "name")).collect();
    for secret in items(container, "secrets") {
        let name = text(secret, "name");
        if !names.insert(name) {
            return Err(refused(format!(
                "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '{name}'."
            )));
        }
    }
    Ok(())
}

fn ports_are_named_once(containers: &[Value]) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    let ports = containers.iter().flat_map(|container| items(container, "portMappings"));
    match ports.filter_map(|port| port["name"].as_str()).find(|name| !names.insert(*name)) {
        Some(name) => Err(refused(format!("Port mapping names must be unique in a task definition: '{name}'."))),
        None => Ok(()),
    }
}

/// Together, containers reserve no more than the task has.
fn sizes(body: &Value, containers: &[Value]) -> Result<(), Refusal> {
    let limit = |member: &str| body[member].as_str().and_then(|text| text.parse::<i64>().ok());
    let reserved = |container: &Value| container["memoryReservation"].as_i64().or(container["memory"].as_i64());
    let cpu: i64 = containers.iter().filter_map(|container| container["cpu"].as_i64()).sum();
    let memory: i64 = containers.iter().filter_map(reserved).sum();
    for (member, sum) in [("cpu", cpu), ("memory", memory)] {
        if limit(member).is_some_and(|limit| sum > limit) {
            return Err(refused(format!("The total {member} of the containers, {sum}, is more than the task's.")));
        }
    }
    match containers.iter().find(|one| limit("memory").is_some_and(|task| one["memory"].as_i64() > Some(task))) {
        Some(one) => Err(refused(format!("The memory of container '{}' is more than the task's.", text(one, "name")))),
        None => Ok(()),
    }
}
