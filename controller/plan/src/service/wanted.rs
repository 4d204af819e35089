//! What a Service is to run: its spec with images, account and stage put in, and the meaning of all that. AWS's defaults
//! and orders are taken out here, so that equal things are equal.

use super::desired::{Desired, Source};
use super::observed::Observed;
use crate::account::{Scope, scope};
use crate::hash;
use crate::image::reference;
use crate::refusal::Refusal;
use crate::world::{
    ContainerRequest, HealthCheckRequest, LoadBalancerRequest, NetworkRequest, Placement, RollingConfiguration,
    TaskDefinitionRequest,
};
use launchway_crds::name::Duration;
use launchway_crds::pipeline::{Grant, ImageStatus, PipelineSpec, PipelineStatus};
use launchway_crds::service::{Container, HealthCheck, LaunchType, NetworkMode, Port, Protocol, ServiceSpec};
use std::collections::BTreeMap;

/// The tag that says whose a service or a task definition is.
pub const OWNER_TAG: &str = "launchway.dev/owner";
/// The tag that says what a task definition means.
pub const MEANING_TAG: &str = "launchway.dev/meaning";
/// The tag that says which commit a task definition runs.
pub const COMMIT_TAG: &str = "launchway.dev/commit";

/// What a Service is to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Where, and what may be named.
    pub scope: Scope,
    /// The task definition.
    pub task_definition: TaskDefinitionRequest,
    /// What the task definition means: `v1-<hash>`.
    pub task_meaning: String,
    /// What else starts a rollout.
    pub placement: Placement,
    /// What the rollout means: the task definition and the placement.
    pub meaning: String,
    /// How it rolls.
    pub rolling: RollingConfiguration,
    /// The load balancers' grace period, in seconds.
    pub grace_seconds: Option<i32>,
    /// The ECS service's tags, the owner's among them.
    pub tags: BTreeMap<String, String>,
    /// The stage's grant; 0 for a Service with literal images.
    pub grant: i64,
    /// The commit, where images come from a stage.
    pub commit: Option<String>,
    /// The stage's name, where images come from one.
    pub stage: Option<String>,
    /// `<pipeline>/<stage>`, where images come from one.
    pub source: Option<String>,
}

/// Why it is not known what a Service is to run.
#[derive(Clone, Debug, PartialEq)]
pub enum Unresolved {
    /// The spec asks for what it cannot have.
    Refused(Refusal),
    /// The stage has no image yet, or has gone back in time; the message says which.
    NoImage(String),
}

/// What the Service is to run, from what was read of Kubernetes.
pub fn resolve(desired: &Desired, observed: &Observed, installation: &str) -> Result<Wanted, Unresolved> {
    let scope = scope(&observed.account, desired.spec.region.as_deref()).map_err(Unresolved::Refused)?;
    allowed(desired, &scope).map_err(Unresolved::Refused)?;
    let stage = match &desired.source {
        Some(source) => Some(granted(desired, source, observed)?),
        None => None,
    };
    let images: &[ImageStatus] = stage.map_or(&[], |grant| &grant.images);
    let task_definition = task_definition(desired, images, installation)?;
    let placement = placement(&desired.spec);
    let task_meaning = format!("v1-{}", hash::of(&task_definition));
    let mut tags: BTreeMap<String, String> =
        desired.spec.tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect();
    tags.insert(OWNER_TAG.to_owned(), desired.owner(installation));
    Ok(Wanted {
        meaning: format!("v1-{}", hash::of(&(&task_meaning, &placement))),
        scope,
        task_definition,
        task_meaning,
        placement,
        rolling: rolling(&desired.spec),
        grace_seconds: desired.spec.health_check_grace_period.as_ref().map(seconds),
        tags,
        grant: stage.map_or(0, |grant| grant.number),
        commit: stage.map(|grant| grant.commit.to_string()),
        stage: desired.source.as_ref().map(|source| source.stage.clone()),
        source: desired.source.as_ref().map(|source| format!("{}/{}", source.pipeline, source.stage)),
    })
}

fn allowed(desired: &Desired, scope: &Scope) -> Result<(), Refusal> {
    scope.cluster(&desired.spec.cluster)?;
    let task = &desired.spec.task_definition;
    [&task.execution_role, &task.task_role].into_iter().flatten().try_for_each(|role| scope.role(role))
}

fn granted<'a>(desired: &Desired, source: &Source, observed: &'a Observed) -> Result<&'a Grant, Unresolved> {
    let waits = |why: String| Unresolved::NoImage(why);
    let Some((spec, status)) = observed.pipeline.as_ref().and_then(|seen| seen.found.as_ref()) else {
        return Err(waits(format!("Pipeline {} is not there yet", source.pipeline)));
    };
    listed(desired, source, spec).map_err(Unresolved::Refused)?;
    let stages = status.as_ref().map_or(&[][..], |status: &PipelineStatus| &status.stages);
    let stage = stages.iter().find(|stage| *stage.name == *source.stage);
    stage.and_then(|stage| stage.grant.as_ref()).ok_or_else(|| {
        waits(format!(
            "stage {} of Pipeline {} has no image yet: no release has reached it",
            source.stage, source.pipeline
        ))
    })
}

fn listed(desired: &Desired, source: &Source, spec: &PipelineSpec) -> Result<(), Refusal> {
    let lists = spec.stages.iter().any(|stage| {
        *stage.name == *source.stage
            && stage.targets.iter().any(|target| target.service.as_deref() == Some(&*desired.name))
    });
    if !lists {
        return Err(Refusal::NotListed {
            pipeline: source.pipeline.clone(),
            stage: source.stage.clone(),
            service: desired.name.clone(),
        });
    }
    let named = desired.spec.task_definition.containers.iter().filter_map(|container| container.image_from.as_ref());
    match named.map(|from| &from.image).find(|name| spec.images.iter().all(|image| image.name != **name)) {
        Some(missing) => Err(Refusal::NoSuchImage { pipeline: source.pipeline.clone(), image: missing.to_string() }),
        None => Ok(()),
    }
}

fn task_definition(
    desired: &Desired,
    images: &[ImageStatus],
    installation: &str,
) -> Result<TaskDefinitionRequest, Unresolved> {
    let task = &desired.spec.task_definition;
    let mut containers = task
        .containers
        .iter()
        .map(|one| container_request(one, images, task.network_mode))
        .collect::<Result<Vec<_>, _>>()?;
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    let family = task.family.as_ref().map_or_else(|| family(desired, installation), ToString::to_string);
    Ok(TaskDefinitionRequest {
        family,
        cpu: task.cpu,
        memory: task.memory,
        network_mode: network_mode(task.network_mode).to_owned(),
        compatibility: launch_type(desired.spec.capacity.launch_type).to_owned(),
        execution_role: task.execution_role.as_ref().map(ToString::to_string),
        task_role: task.task_role.as_ref().map(ToString::to_string),
        containers,
    })
}

/// The family of a Service that names none: letters, digits, hyphens and underscores only.
fn family(desired: &Desired, installation: &str) -> String {
    let text = format!("{installation}-{}-{}", desired.namespace, desired.name);
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
}

fn container_request(
    container: &Container,
    images: &[ImageStatus],
    mode: NetworkMode,
) -> Result<ContainerRequest, Unresolved> {
    Ok(ContainerRequest {
        name: container.name.to_string(),
        image: image(container, images)?,
        essential: container.essential.unwrap_or(true),
        cpu: container.cpu,
        memory: container.memory,
        memory_reservation: container.memory_reservation,
        ports: sorted(container.ports.iter().map(|one| port(one, mode))),
        environment: sorted(container.environment.iter().map(|one| (one.name.to_string(), one.value.to_string()))),
        secrets: sorted(container.secrets.iter().map(|one| (one.name.to_string(), one.value_from.to_string()))),
        logs: container.logs.as_ref().map(|logs| (logs.group.to_string(), logs.stream_prefix.to_string())),
        health_check: container.health_check.as_ref().map(health_check),
        command: container.command.iter().map(ToString::to_string).collect(),
    })
}

fn image(container: &Container, images: &[ImageStatus]) -> Result<String, Unresolved> {
    match (&container.image, &container.image_from) {
        (Some(literal), _) => Ok(literal.to_string()),
        (None, Some(from)) => images.iter().find(|image| image.name == from.image).map(reference).ok_or_else(|| {
            Unresolved::NoImage(format!(
                "stage {} of Pipeline {} has no image {} yet",
                from.stage, from.pipeline, from.image
            ))
        }),
        (None, None) => Err(Unresolved::NoImage(format!("container {} names no image", container.name))),
    }
}

/// In these modes the host's port is the container's, said or not.
fn port(port: &Port, mode: NetworkMode) -> (i32, Option<i32>, String) {
    let protocol = match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    let host = match mode {
        NetworkMode::Awsvpc | NetworkMode::Host => None,
        NetworkMode::Bridge | NetworkMode::None => port.host_port,
    };
    (port.container_port, host, protocol.to_owned())
}

fn health_check(check: &HealthCheck) -> HealthCheckRequest {
    HealthCheckRequest {
        command: check.command.iter().map(ToString::to_string).collect(),
        interval: seconds(&check.interval),
        timeout: seconds(&check.timeout),
        retries: check.retries,
        start_period: check.start_period.as_ref().map(seconds),
    }
}

fn placement(spec: &ServiceSpec) -> Placement {
    Placement {
        network: spec.network.as_ref().map(|network| NetworkRequest {
            subnets: sorted(network.subnets.iter().map(ToString::to_string)),
            security_groups: sorted(network.security_groups.iter().map(ToString::to_string)),
            public_ip: network.assign_public_ip,
        }),
        platform_version: spec.platform_version.as_ref().map(|version| version.0.clone()),
        load_balancers: sorted(spec.load_balancers.iter().map(|one| LoadBalancerRequest {
            target_group: one.target_group.to_string(),
            container: one.container.to_string(),
            port: one.port,
        })),
    }
}

fn rolling(spec: &ServiceSpec) -> RollingConfiguration {
    let rolling = &spec.rollout.rolling;
    RollingConfiguration {
        minimum_healthy_percent: rolling.minimum_healthy_percent,
        maximum_percent: rolling.maximum_percent,
        breaker: true,
        rollback: rolling.circuit_breaker.rollback,
    }
}

/// AWS's word for a launch type.
pub fn launch_type(kind: LaunchType) -> &'static str {
    match kind {
        LaunchType::Fargate => "FARGATE",
        LaunchType::Ec2 => "EC2",
        LaunchType::External => "EXTERNAL",
    }
}

fn network_mode(mode: NetworkMode) -> &'static str {
    match mode {
        NetworkMode::Awsvpc => "awsvpc",
        NetworkMode::Bridge => "bridge",
        NetworkMode::Host => "host",
        NetworkMode::None => "none",
    }
}

/// A duration of the spec, in seconds. The API server has checked its form.
pub fn seconds(duration: &Duration) -> i32 {
    duration.seconds().and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or(i32::MAX)
}

fn sorted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all
}
