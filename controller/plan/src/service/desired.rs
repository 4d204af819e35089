//! The spec of a Service, parsed: what cannot be carried out is refused here. Images are resolved elsewhere.

use super::canonical;
use super::fargate;
use crate::account::DEFAULT;
use crate::life::{Life, finalizer, life};
use crate::refusal::Refusal;
use launchway_crds::aws::{EcsService, ImageFrom, TaskDefinition};
use launchway_crds::service::{DeletionPolicy, Service, ServiceSpec};
use std::collections::BTreeMap;

/// A Service, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Whether it stays, or is being deleted.
    pub life: Life,
    /// Whether it carries our finalizer.
    pub finalizer: bool,
    /// The AwsAccount's name.
    pub account: String,
    /// The stage that its images come from.
    pub source: Option<Source>,
    /// The name of the ECS service.
    pub ecs_name: String,
    /// How the service runs; empty where the spec says nothing of it.
    pub service: EcsService,
    /// The rest.
    pub spec: ServiceSpec,
    /// Why the spec cannot be carried out, if so. Deletion does not depend on it.
    pub refusal: Option<Refusal>,
}

/// The stage that images come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The Pipeline.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
}

impl Desired {
    /// Parses a Service. A spec that cannot be carried out is kept together with the refusal.
    pub fn parse(service: &Service) -> Self {
        let (meta, spec) = (&service.metadata, &service.spec);
        let service = spec.service.clone().unwrap_or_default();
        let source = source(spec);
        let refusal = size(&spec.task_definition, &service)
            .and_then(|()| driven(&service))
            .and_then(|()| tags(&spec.task_definition, &service))
            .err();
        Self {
            refusal: refusal.or_else(|| source.clone().err()),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            life: life(meta),
            finalizer: finalizer(meta),
            account: spec.account.as_ref().map_or_else(|| DEFAULT.to_owned(), ToString::to_string),
            source: source.unwrap_or_default(),
            ecs_name: spec.name.as_ref().map_or_else(|| meta.name.clone().unwrap_or_default(), ToString::to_string),
            service,
            spec: spec.clone(),
        }
    }

    /// The value of the owner tag.
    pub fn owner(&self, installation: &str) -> String {
        format!("{installation}/{}/{}", self.namespace, self.name)
    }

    /// The tags of the ECS service that the spec names.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let named = self.service.tags.iter().flat_map(|tags| tags.iter());
        named.map(|tag| (tag.key.to_string(), tag.value.as_deref().unwrap_or_default().to_owned())).collect()
    }

    /// Whether the ECS service goes with the object.
    pub fn deletes(&self) -> bool {
        self.spec.deletion_policy == DeletionPolicy::Delete
    }
}

/// Fargate has a table of sizes, which ECS itself reads only when the service is created.
fn size(task: &TaskDefinition, service: &EcsService) -> Result<(), Refusal> {
    let compatible = task.requires_compatibilities.iter().flat_map(|all| all.iter()).any(|one| &**one == "FARGATE");
    let fargate = compatible || service.launch_type.as_deref() == Some("FARGATE");
    let number = |size: &Option<launchway_crds::aws::Size>, unit| {
        canonical::size(size.as_ref()?.0.as_str(), unit, 1024.0)?.parse::<i32>().ok()
    };
    match (fargate, number(&task.cpu, "vcpu"), number(&task.memory, "gb")) {
        (true, Some(cpu), Some(memory)) if !fargate::has(cpu, memory) => Err(Refusal::FargateSize { cpu, memory }),
        (_, _, _) => Ok(()),
    }
}

/// What this version cannot drive is refused by name, before anything is called.
fn driven(service: &EcsService) -> Result<(), Refusal> {
    let strategy = service.deployment_configuration.as_ref().and_then(|one| one.strategy.as_deref());
    let controller = service.deployment_controller.as_ref().map(|one| &*one.r#type);
    let scheduling = service.scheduling_strategy.as_deref();
    for (field, value, known) in [
        ("deploymentConfiguration.strategy", strategy, STRATEGY),
        ("deploymentController.type", controller, CONTROLLER),
        ("schedulingStrategy", scheduling, SCHEDULING),
    ] {
        if let Some(value) = value.filter(|value| *value != known) {
            return Err(Refusal::NotDriven { field, value: value.to_owned(), known });
        }
    }
    Ok(())
}

/// Tags whose keys are not the user's, whatever their case: IAM compares keys without it. Source: IAM's user guide,
/// "Tagging IAM resources". What an earlier version admitted is refused here.
fn tags(task: &TaskDefinition, service: &EcsService) -> Result<(), Refusal> {
    let disks = service.volume_configurations.iter().flat_map(|all| all.iter());
    let disks = disks.flat_map(|one| one.managed_ebs_volume.iter().flat_map(|disk| disk.tag_specifications.iter()));
    let disks = disks.flat_map(|all| all.iter()).filter_map(|one| one.tags.as_ref());
    let mut keys = task.tags.iter().chain(&service.tags).chain(disks).flat_map(|all| all.iter()).map(|tag| &tag.key);
    let taken = |key: &str| {
        let key = key.to_lowercase();
        ["aws:", "launchway.dev/"].iter().any(|ours| key.starts_with(ours))
    };
    match keys.find(|key| taken(key)) {
        Some(key) => Err(Refusal::TagKey { key: key.to_string() }),
        None => Ok(()),
    }
}

/// The strategy that this version drives.
pub const STRATEGY: &str = "ROLLING";
/// The deployment controller that this version drives.
pub const CONTROLLER: &str = "ECS";
/// The scheduling strategy that this version drives.
pub const SCHEDULING: &str = "REPLICA";

fn source(spec: &ServiceSpec) -> Result<Option<Source>, Refusal> {
    let containers = &spec.task_definition.container_definitions;
    let mut sources = containers.iter().filter_map(|container| container.image_from.as_ref()).map(of);
    let Some(first) = sources.next() else { return Ok(None) };
    if sources.all(|other| other == first) { Ok(Some(first)) } else { Err(Refusal::SeveralStages) }
}

fn of(from: &ImageFrom) -> Source {
    Source { pipeline: from.pipeline.to_string(), stage: from.stage.to_string() }
}
