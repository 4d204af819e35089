//! What AWS refuses in the containers of a task definition one by one, and what it fills in. What they must be to each other is in
//! `container_ties`.

use serde_json::{Map, Value, json};

use super::definition_rules::refused;
use crate::Refusal;

/// Containers of a task definition [Amazon ECS service quotas].
const MOST: usize = 10;
/// Characters of an image's reference.
const LONGEST_IMAGE: usize = 255;
/// MiB that Docker needs for a container since 20.10.0 [API_ContainerDefinition, memory].
const LEAST_MEMORY: i64 = 6;

/// The containers as they will be described.
pub(super) fn containers(body: &Map<String, Value>, network: &str) -> Result<Vec<Value>, Refusal> {
    let given = body.get("containerDefinitions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match given.len() {
        0 => return Err(refused("Container list cannot be empty.")),
        1..=MOST => {}
        _ => return Err(refused("Too many containers: a task definition can have at most 10.")),
    }
    let sized = body.contains_key("memory");
    given.iter().map(|container| filled(container, network, sized)).collect()
}

fn filled(given: &Value, network: &str, sized: bool) -> Result<Value, Refusal> {
    let mut container = given.as_object().cloned().unwrap_or_default();
    container.retain(|_, value| !value.is_null());
    let text = |member: &str| container.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, image) = (text("name"), text("image"));
    named(&name, &image)?;
    memory(&name, &container)?;
    if !sized && !container.contains_key("memory") && !container.contains_key("memoryReservation") {
        return Err(refused(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
    if network == "awsvpc" && container.get("links").and_then(Value::as_array).is_some_and(|links| !links.is_empty()) {
        return Err(refused("Links are not supported when networkMode=awsvpc."));
    }
    logs(&container)?;
    restarts(&name, &container)?;
    let ports = container.get("portMappings").and_then(Value::as_array).cloned().unwrap_or_default();
    let ports: Vec<Value> = ports.iter().map(|port| port_filled(port, network)).collect::<Result<_, _>>()?;
    container.insert("portMappings".to_owned(), Value::Array(ports));
    container.entry("cpu").or_insert(json!(0));
    container.entry("essential").or_insert(json!(true));
    for empty in ["environment", "mountPoints", "volumesFrom", "systemControls"] {
        container.entry(empty).or_insert_with(|| json!([]));
    }
    if let Some(check) = container.get_mut("healthCheck").and_then(Value::as_object_mut) {
        check_filled(check)?;
    }
    Ok(Value::Object(container))
}

fn memory(name: &str, container: &Map<String, Value>) -> Result<(), Refusal> {
    let number = |member: &str| container.get(member).and_then(Value::as_i64);
    let (hard, soft) = (number("memory"), number("memoryReservation"));
    if [hard, soft].into_iter().flatten().any(|memory| memory < LEAST_MEMORY) {
        return Err(refused(format!(
            "Invalid setting for container '{name}'. 'memory' and 'memoryReservation' must be at least {LEAST_MEMORY} MiB."
        )));
    }
    if let (Some(hard), Some(soft)) = (hard, soft)
        && soft > hard
    {
        return Err(refused(format!(
            "Invalid setting for container '{name}'. The 'memoryReservation' must not be greater than 'memory'."
        )));
    }
    Ok(())
}

/// Where awslogs writes to must be said.
fn logs(container: &Map<String, Value>) -> Result<(), Refusal> {
    match container.get("logConfiguration") {
        Some(logs) if logs["logDriver"] == "awslogs" && !logs["options"]["awslogs-group"].is_string() => {
            Err(refused("Log driver awslogs requires options: awslogs-group"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The ranges of API_ContainerRestartPolicy.
fn restarts(name: &str, container: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(policy) = container.get("restartPolicy") else {
        return Ok(());
    };
    if policy["restartAttemptPeriod"].as_i64().is_some_and(|seconds| !(60..=1800).contains(&seconds)) {
        return Err(refused(format!(
            "Invalid restartPolicy for container '{name}'. restartAttemptPeriod must be between 60 and 1800 seconds."
        )));
    }
    if policy["ignoredExitCodes"].as_array().is_some_and(|codes| codes.len() > 50) {
        return Err(refused(format!(
            "Invalid restartPolicy for container '{name}'. ignoredExitCodes can have at most 50 items."
        )));
    }
    Ok(())
}

/// The ranges and the defaults of API_HealthCheck.
fn check_filled(check: &mut Map<String, Value>) -> Result<(), Refusal> {
    for (member, range, default) in [
        ("interval", 5..=300, Some(30)),
        ("timeout", 2..=60, Some(5)),
        ("retries", 1..=10, Some(3)),
        ("startPeriod", 0..=300, None),
    ] {
        match (check.get(member).and_then(Value::as_i64), default) {
            (Some(value), _) if !range.contains(&value) => {
                let (least, most) = (range.start(), range.end());
                return Err(refused(format!("Health check {member} must be between {least} and {most}.")));
            }
            (None, Some(default)) => drop(check.insert(member.to_owned(), json!(default))),
            (Some(_), _) | (None, None) => {}
        }
    }
    Ok(())
}

fn named(name: &str, image: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(refused("Container.name should not be null or empty."));
    }
    if name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(refused("Container.name contains invalid characters."));
    }
    if image.is_empty() {
        return Err(refused("Container.image should not be null or empty."));
    }
    image_formed(image)
}

/// Up to 255 characters; before an `@` only, and behind it a SHA-256 [API_ContainerDefinition, image].
fn image_formed(image: &str) -> Result<(), Refusal> {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    if name.len() > LONGEST_IMAGE {
        return Err(refused("Container.image should not be longer than 255 characters."));
    }
    let digested = digest.is_none_or(|digest| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    if digested && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_:./#".contains(c)) {
        return Ok(());
    }
    Err(refused("Container.image contains invalid characters."))
}

fn port_filled(given: &Value, network: &str) -> Result<Value, Refusal> {
    let mut port = given.as_object().cloned().unwrap_or_default();
    port.retain(|_, value| !value.is_null());
    let inside = port.get("containerPort").and_then(Value::as_i64);
    let outside = port.get("hostPort").and_then(Value::as_i64).filter(|host| *host != 0);
    if inside.is_some_and(|inside| !(1..=65_535).contains(&inside)) {
        return Err(refused(format!(
            "Invalid port mapping: containerPort {} is out of range.",
            inside.unwrap_or_default()
        )));
    }
    if let ("awsvpc" | "host", Some(inside)) = (network, inside) {
        if outside.is_some_and(|outside| outside != inside) {
            return Err(refused(format!(
                "When networkMode={network}, the host ports and container ports in port mappings must match."
            )));
        }
        port.insert("hostPort".to_owned(), json!(inside));
    } else if !port.contains_key("containerPortRange") {
        port.entry("hostPort").or_insert(json!(0));
    }
    port.entry("protocol").or_insert(json!("tcp"));
    Ok(Value::Object(port))
}
