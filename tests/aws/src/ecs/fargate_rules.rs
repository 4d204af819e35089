//! What Fargate refuses in a task definition [developer guide, "Task definition differences for Fargate"].

use serde_json::Value;

use super::definition_rules::items;

/// What speaks against running on Fargate, if anything does.
pub(super) fn fault(body: &Value) -> Option<String> {
    if body["networkMode"] != "awsvpc" {
        return Some("Fargate only supports network mode \u{2018}awsvpc\u{2019}.".to_owned());
    }
    size(body)
        .or_else(|| role(body))
        .or_else(|| whole(body))
        .or_else(|| items(body, "volumes").iter().find_map(volume))
        .or_else(|| items(body, "containerDefinitions").iter().find_map(container))
}

fn size(body: &Value) -> Option<String> {
    let number = |member: &str| body[member].as_str().and_then(|text| text.parse::<u64>().ok());
    match (number("cpu"), number("memory")) {
        (None, _) => Some("Fargate requires that 'cpu' be defined at the task level.".to_owned()),
        (_, None) => Some("Fargate requires that 'memory' be defined at the task level.".to_owned()),
        (Some(cpu), Some(memory)) if offers(cpu, memory) => None,
        (Some(cpu), Some(memory)) => Some(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
        )),
    }
}

/// AWS's table "Task CPU and memory".
fn offers(cpu: u64, memory: u64) -> bool {
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

/// Fargate pulls and logs with the execution role.
fn role(body: &Value) -> Option<String> {
    if !body["executionRoleArn"].is_null() {
        return None;
    }
    let any = |test: &dyn Fn(&Value) -> bool| items(body, "containerDefinitions").iter().any(test);
    let what = if any(&|container| container["image"].as_str().is_some_and(|image| image.contains(".dkr.ecr."))) {
        "ECR images"
    } else if any(&|container| container["logConfiguration"]["logDriver"] == "awslogs") {
        "log driver awslogs"
    } else {
        return None;
    };
    Some(format!("Fargate requires task definition to have execution role ARN to support {what}."))
}

fn whole(body: &Value) -> Option<String> {
    if !items(body, "placementConstraints").is_empty() {
        return Some("Fargate compatible task definitions do not support placement constraints.".to_owned());
    }
    if !items(body, "inferenceAccelerators").is_empty() {
        return Some("Fargate compatible task definitions do not support inference accelerators.".to_owned());
    }
    (body["ipcMode"] == "host" || body["pidMode"] == "host")
        .then(|| "Fargate compatible task definitions do not share namespaces with the host.".to_owned())
}

fn volume(volume: &Value) -> Option<String> {
    if volume["dockerVolumeConfiguration"].is_object() {
        return Some("Fargate compatible task definitions do not support docker volumes.".to_owned());
    }
    let path = volume["host"]["sourcePath"].as_str().is_some_and(|path| !path.is_empty());
    path.then(|| "host.sourcePath should not be set for volumes in Fargate.".to_owned())
}

fn container(container: &Value) -> Option<String> {
    let unsupported = |what: &str| Some(format!("Fargate compatible task definitions do not support {what}"));
    let linux = &container["linuxParameters"];
    if container["privileged"] == true {
        return unsupported("privileged");
    }
    if !items(linux, "devices").is_empty() {
        return unsupported("devices");
    }
    if items(container, "resourceRequirements").iter().any(|resource| resource["type"] == "GPU") {
        return unsupported("GPU");
    }
    let logs = &container["logConfiguration"];
    if logs["logDriver"] == "awslogs" && !logs["options"]["awslogs-region"].is_string() {
        return Some("Log driver awslogs requires options: awslogs-region".to_owned());
    }
    let stops = container["stopTimeout"].as_i64().is_none_or(|seconds| (0..=120).contains(&seconds));
    (!stops).then(|| "Fargate supports a stopTimeout of at most 120 seconds.".to_owned())
}
