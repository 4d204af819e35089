//! What AWS refuses in a task definition, and what it fills in. Sentences are AWS's where they are known.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{Call, Refusal};

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new("ClientException", message)
}

/// The family, if it may be called that.
pub(super) fn family(call: &Call) -> Result<String, Refusal> {
    let family = call.text("family").unwrap_or_default();
    if family.is_empty() {
        return Err(refused("Family should not be null or empty."));
    }
    let fits = family.len() <= 255 && family.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits { Ok(family.to_owned()) } else { Err(refused("Family contains invalid characters.")) }
}

/// The members that `DescribeTaskDefinition` gives back of what was registered.
const KEPT: &[&str] = &[
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
];

const LARGEST: usize = 64 * 1024;
/// Characters of an image's reference.
const LONGEST_IMAGE: usize = 255;

/// The definition as it will be described, if AWS takes it.
pub(super) fn filled(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let mut body: Map<String, Value> =
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), call.member(name)?.clone()))).collect();
    if Value::Object(body.clone()).to_string().len() > LARGEST {
        return Err(refused("Actual length of the task definition is larger than the maximum of 65536 bytes."));
    }
    let fargate = call.texts("requiresCompatibilities").iter().any(|name| name == "FARGATE");
    let network = network_mode(&mut body, fargate)?;
    size(&mut body, fargate)?;
    let containers = containers(&body, &network)?;
    roles(&body, &containers, fargate)?;
    body.insert("requiresAttributes".to_owned(), attributes(&body, &containers));
    body.insert("containerDefinitions".to_owned(), Value::Array(containers));
    for empty in ["volumes", "placementConstraints"] {
        body.entry(empty).or_insert_with(|| json!([]));
    }
    let compatible = if network == "awsvpc" { json!(["EC2", "FARGATE"]) } else { json!(["EXTERNAL", "EC2"]) };
    body.insert("compatibilities".to_owned(), compatible);
    Ok(body)
}

fn network_mode(body: &mut Map<String, Value>, fargate: bool) -> Result<String, Refusal> {
    let mode = body.get("networkMode").and_then(Value::as_str).unwrap_or("bridge").to_owned();
    if fargate && mode != "awsvpc" {
        return Err(refused("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    body.insert("networkMode".to_owned(), json!(mode));
    Ok(mode)
}

/// Task size: strings such as `1 vCPU` and `1GB` become integers; Fargate takes certain pairs only.
fn size(body: &mut Map<String, Value>, fargate: bool) -> Result<(), Refusal> {
    for (member, unit) in [("cpu", "vcpu"), ("memory", "gb")] {
        if let Some(text) = body.get(member).and_then(Value::as_str) {
            let value = amount(text, unit).ok_or_else(|| refused(format!("Invalid '{member}' setting for task.")))?;
            body.insert(member.to_owned(), json!(value.to_string()));
        }
    }
    let number = |member: &str| body.get(member).and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
    match (fargate, number("cpu"), number("memory")) {
        (false, _, _) => Ok(()),
        (true, None, _) => Err(refused("Fargate requires that 'cpu' be defined at the task level.")),
        (true, _, None) => Err(refused("Fargate requires that 'memory' be defined at the task level.")),
        (true, Some(cpu), Some(memory)) if fargate_offers(cpu, memory) => Ok(()),
        (true, Some(cpu), Some(memory)) => Err(refused(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
        ))),
    }
}

fn amount(text: &str, unit: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    match text.strip_suffix(unit) {
        Some(number) => Some((number.trim().parse::<f64>().ok()? * 1024.0) as u64),
        None => text.parse().ok(),
    }
}

/// AWS's table "Task CPU and memory".
fn fargate_offers(cpu: u64, memory: u64) -> bool {
    let steps = |from: u64, to: u64, step: u64| (from..=to).contains(&memory) && (memory - from).is_multiple_of(step);
    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => steps(1024, 4096, 1024),
        1024 => steps(2048, 8192, 1024),
        2048 => steps(4096, 16_384, 1024),
        4096 => steps(8192, 30_720, 1024),
        8192 => steps(16_384, 61_440, 4096),
        16_384 => steps(32_768, 122_880, 8192),
        _ => false,
    }
}

fn containers(body: &Map<String, Value>, network: &str) -> Result<Vec<Value>, Refusal> {
    let given = body.get("containerDefinitions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if given.is_empty() {
        return Err(refused("Container list cannot be empty."));
    }
    let sized = body.contains_key("memory");
    let filled: Vec<Value> =
        given.iter().map(|container| container_filled(container, network, sized)).collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    if !filled.iter().all(|container| names.insert(container["name"].as_str().unwrap_or_default())) {
        return Err(refused("Container names should be unique."));
    }
    if !filled.iter().any(|container| container["essential"] == json!(true)) {
        return Err(refused("A task definition must have at least one essential container."));
    }
    depended_on(&filled, &names)?;
    Ok(filled)
}

fn container_filled(given: &Value, network: &str, sized: bool) -> Result<Value, Refusal> {
    let mut container = given.as_object().cloned().unwrap_or_default();
    container.retain(|_, value| !value.is_null());
    let text = |member: &str| container.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, image) = (text("name"), text("image"));
    container_named(&name, &image)?;
    if !sized && !container.contains_key("memory") && !container.contains_key("memoryReservation") {
        return Err(refused(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
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

fn container_named(name: &str, image: &str) -> Result<(), Refusal> {
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

fn depended_on(containers: &[Value], names: &BTreeSet<&str>) -> Result<(), Refusal> {
    let depended = containers.iter().flat_map(|container| container["dependsOn"].as_array().into_iter().flatten());
    let missing = depended.filter_map(|on| on["containerName"].as_str()).find(|name| !names.contains(name));
    match missing {
        None => Ok(()),
        Some(name) => Err(refused(format!("Container dependency '{name}' does not exist in the task definition."))),
    }
}

/// Fargate pulls and logs with the execution role; secrets need it everywhere.
fn roles(body: &Map<String, Value>, containers: &[Value], fargate: bool) -> Result<(), Refusal> {
    if body.contains_key("executionRoleArn") {
        return Ok(());
    }
    let any = |test: &dyn Fn(&Value) -> bool| containers.iter().any(test);
    if any(&|container| container["secrets"].as_array().is_some_and(|secrets| !secrets.is_empty())) {
        return Err(refused(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    if fargate && any(&|container| container["image"].as_str().is_some_and(|image| image.contains(".dkr.ecr."))) {
        return Err(refused("Fargate requires task definition to have execution role ARN to support ECR images."));
    }
    if fargate && any(&|container| container["logConfiguration"]["logDriver"] == json!("awslogs")) {
        return Err(refused(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ));
    }
    Ok(())
}

fn attributes(body: &Map<String, Value>, containers: &[Value]) -> Value {
    let mut names = BTreeSet::new();
    if body.get("networkMode") == Some(&json!("awsvpc")) {
        names.insert("ecs.capability.task-eni");
    }
    if body.contains_key("taskRoleArn") {
        names.insert("com.amazonaws.ecs.capability.task-iam-role");
    }
    for container in containers {
        if container["image"].as_str().is_some_and(|image| image.contains(".dkr.ecr.")) {
            names.extend(["com.amazonaws.ecs.capability.ecr-auth", "ecs.capability.execution-role-ecr-pull"]);
        }
        if container["logConfiguration"]["logDriver"] == json!("awslogs") {
            names.extend([
                "com.amazonaws.ecs.capability.logging-driver.awslogs",
                "ecs.capability.execution-role-awslogs",
            ]);
        }
        if container.get("healthCheck").is_some() {
            names.insert("ecs.capability.container-health-check");
        }
    }
    names.insert("com.amazonaws.ecs.capability.docker-remote-api.1.18");
    names.into_iter().map(|name| json!({"name": name})).collect()
}
