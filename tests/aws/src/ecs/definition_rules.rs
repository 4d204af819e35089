//! What AWS refuses in a task definition as a whole, and what it fills in. Containers are in `container_rules`, Fargate's own rules in
//! `fargate_rules`. Sentences are AWS's where they are known.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{container_rules, container_ties, fargate_rules};
use crate::{Call, Refusal, model};

pub(super) fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new("ClientException", message)
}

/// The items of a list member; none if it is absent.
pub(super) fn items<'a>(of: &'a Value, member: &str) -> &'a [Value] {
    of[member].as_array().map_or(&[], Vec::as_slice)
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

const LARGEST: usize = 64 * 1024;

fn given(call: &Call) -> Map<String, Value> {
    let taken = model::input("RegisterTaskDefinition").members.keys().filter(|name| *name != "tags");
    taken.filter_map(|name| Some((name.clone(), call.member(name)?.clone()))).collect()
}

/// The definition as it was given, for what AWS would not take: it runs everywhere.
pub(super) fn as_given(call: &Call) -> Map<String, Value> {
    let mut body = given(call);
    body.insert("compatibilities".to_owned(), json!(["EC2", "FARGATE", "EXTERNAL"]));
    body.entry("networkMode").or_insert(json!("bridge"));
    body
}

/// The definition as it will be described, if AWS takes it: every member but the tags, which stand beside it.
pub(super) fn filled(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let mut body = given(call);
    if Value::Object(body.clone()).to_string().len() > LARGEST {
        return Err(refused("Actual length of the task definition is larger than the maximum of 65536 bytes."));
    }
    let network = body.get("networkMode").and_then(Value::as_str).unwrap_or("bridge").to_owned();
    body.insert("networkMode".to_owned(), json!(network));
    sizes(&mut body)?;
    let volumes = volumes(&body)?;
    let containers = container_rules::containers(&body, &network)?;
    body.insert("volumes".to_owned(), Value::Array(volumes));
    body.insert("containerDefinitions".to_owned(), Value::Array(containers));
    body.entry("placementConstraints").or_insert_with(|| json!([]));
    let mut whole = Value::Object(body);
    container_ties::fit_together(&whole)?;
    storage(&whole)?;
    let compatible = compatibilities(&whole)?;
    roles(&whole)?;
    whole["requiresAttributes"] = attributes(&whole);
    whole["compatibilities"] = compatible;
    Ok(whole.as_object().cloned().unwrap_or_default())
}

/// Where it can run: on EC2, outside of AWS unless it has a network interface of its own, and on Fargate if nothing speaks against it.
fn compatibilities(body: &Value) -> Result<Value, Refusal> {
    let required = items(body, "requiresCompatibilities");
    let awsvpc = body["networkMode"] == "awsvpc";
    let mut compatible = if awsvpc { vec!["EC2"] } else { vec!["EXTERNAL", "EC2"] };
    match fargate_rules::fault(body) {
        None => compatible.push("FARGATE"),
        Some(fault) if required.iter().any(|name| name == "FARGATE") => return Err(refused(fault)),
        Some(_) => {}
    }
    if awsvpc && required.iter().any(|name| name == "EXTERNAL") {
        return Err(refused("External instances do not support network mode awsvpc."));
    }
    if required.iter().any(|name| name == "MANAGED_INSTANCES") {
        compatible.push("MANAGED_INSTANCES");
    }
    Ok(json!(compatible))
}

/// Task size: strings such as `1 vCPU` and `1GB` become integers.
fn sizes(body: &mut Map<String, Value>) -> Result<(), Refusal> {
    for (member, unit) in [("cpu", "vcpu"), ("memory", "gb")] {
        if let Some(text) = body.get(member).and_then(Value::as_str) {
            let value = amount(text, unit).ok_or_else(|| refused(format!("Invalid '{member}' setting for task.")))?;
            body.insert(member.to_owned(), json!(value.to_string()));
        }
    }
    Ok(())
}

fn amount(text: &str, unit: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    match text.strip_suffix(unit) {
        Some(number) => Some((number.trim().parse::<f64>().ok()? * 1024.0) as u64),
        None => text.parse().ok(),
    }
}

/// The volumes, each of its own name; one of no other kind is the host's, the root of a file system is its root.
fn volumes(body: &Map<String, Value>) -> Result<Vec<Value>, Refusal> {
    let mut names = BTreeSet::new();
    let mut filled = Vec::new();
    for volume in body.get("volumes").and_then(Value::as_array).into_iter().flatten() {
        let mut volume = volume.clone();
        let name = volume["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(refused("Volume.name should not be null or empty."));
        }
        if !names.insert(name.clone()) {
            return Err(refused(format!("Volume names should be unique: '{name}'.")));
        }
        let kinds = volume.as_object().map_or(0, |members| members.keys().filter(|key| *key != "name").count());
        if kinds == 0 {
            volume["host"] = json!({});
        }
        if volume["efsVolumeConfiguration"].is_object() && volume["efsVolumeConfiguration"]["rootDirectory"].is_null() {
            volume["efsVolumeConfiguration"]["rootDirectory"] = json!("/");
        }
        filled.push(volume);
    }
    Ok(filled)
}

/// 21 to 200 GiB [API_EphemeralStorage].
fn storage(body: &Value) -> Result<(), Refusal> {
    match body["ephemeralStorage"]["sizeInGiB"].as_i64() {
        Some(size) if !(21..=200).contains(&size) => {
            Err(refused("The total amount of ephemeral storage must be between 21 and 200 GiB."))
        }
        Some(_) | None => Ok(()),
    }
}

/// Secrets need an execution role everywhere.
fn roles(body: &Value) -> Result<(), Refusal> {
    let secret = items(body, "containerDefinitions").iter().any(|container| !items(container, "secrets").is_empty());
    if body["executionRoleArn"].is_null() && secret {
        return Err(refused(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    Ok(())
}

fn attributes(body: &Value) -> Value {
    let mut names = BTreeSet::new();
    if body["networkMode"] == "awsvpc" {
        names.insert("ecs.capability.task-eni");
    }
    if !body["taskRoleArn"].is_null() {
        names.insert("com.amazonaws.ecs.capability.task-iam-role");
    }
    for container in items(body, "containerDefinitions") {
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
