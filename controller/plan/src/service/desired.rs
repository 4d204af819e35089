//! The spec of a Service, parsed: what cannot be carried out is refused here. Images are resolved elsewhere.

use super::fargate;
use crate::account::DEFAULT;
use crate::life::{Life, finalizer, life};
use crate::refusal::Refusal;
use launchway_crds::service::{DeletionPolicy, ImageFrom, LaunchType, Service, ServiceSpec};

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
    /// The rest.
    pub spec: ServiceSpec,
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
    /// The Service, if it can be carried out.
    pub fn parse(service: &Service) -> Result<Self, Refusal> {
        let (meta, spec) = (&service.metadata, &service.spec);
        size(spec)?;
        Ok(Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            life: life(meta),
            finalizer: finalizer(meta),
            account: spec.account.as_ref().map_or_else(|| DEFAULT.to_owned(), ToString::to_string),
            source: source(spec)?,
            ecs_name: spec.name.as_ref().map_or_else(|| meta.name.clone().unwrap_or_default(), ToString::to_string),
            spec: spec.clone(),
        })
    }

    /// The value of the owner tag.
    pub fn owner(&self, installation: &str) -> String {
        format!("{installation}/{}/{}", self.namespace, self.name)
    }

    /// Whether the ECS service goes with the object.
    pub fn deletes(&self) -> bool {
        self.spec.deletion_policy == DeletionPolicy::Delete
    }
}

fn size(spec: &ServiceSpec) -> Result<(), Refusal> {
    match (spec.capacity.launch_type, spec.task_definition.cpu, spec.task_definition.memory) {
        (LaunchType::Fargate, Some(cpu), Some(memory)) if !fargate::has(cpu, memory) => {
            Err(Refusal::FargateSize { cpu, memory })
        }
        (LaunchType::Fargate | LaunchType::Ec2 | LaunchType::External, _, _) => Ok(()),
    }
}

fn source(spec: &ServiceSpec) -> Result<Option<Source>, Refusal> {
    let mut sources =
        spec.task_definition.containers.iter().filter_map(|container| container.image_from.as_ref()).map(of);
    let Some(first) = sources.next() else { return Ok(None) };
    if sources.all(|other| other == first) { Ok(Some(first)) } else { Err(Refusal::SeveralStages) }
}

fn of(from: &ImageFrom) -> Source {
    Source { pipeline: from.pipeline.to_string(), stage: from.stage.to_string() }
}
