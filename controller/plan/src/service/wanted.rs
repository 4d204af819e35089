//! What a Service is to run: its spec with images, account and stage put in, as AWS's requests, and the meaning of that.

use super::bounds;
use super::canonical::Members;
use super::desired::{Desired, Source};
use super::meaning::{Meaning, is_same_task_definition};
use super::members::{Class, of_class};
use super::observed::Observed;
use crate::account::{Scope, scope};
use crate::image::reference;
use crate::look::Looked;
use crate::refusal::Refusal;
use crate::world::LiveTaskDefinition;
use launchway_crds::aws::ContainerDefinition;
use launchway_crds::pipeline::{Grant, GrantReason, ImageStatus, PipelineSpec, PipelineStatus};
use launchway_crds::service::TaskDefinitionStatus;
use serde::Serialize;
use serde_json::{Value, json};
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
    /// The family of the task definition.
    pub family: String,
    /// RegisterTaskDefinition's request, with the images put in and without Launchway's own tags.
    pub task_definition: Members,
    /// What the task definition means.
    pub task_meaning: Meaning,
    /// The members of CreateService's request that the spec names, but for the tags.
    pub service: Members,
    /// What the rollout means: the task definition, and the members of the service that start one.
    pub meaning: Meaning,
    /// The image by which people know the Service.
    pub image: String,
    /// The ECS service's tags, the owner's among them.
    pub tags: BTreeMap<String, String>,
    /// The stage's grant; 0 for a Service with literal images.
    pub grant: i64,
    /// Why the stage gave it, where images come from a stage.
    pub reason: Option<GrantReason>,
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

/// Where the Service may reach in AWS. Where its cluster is not allowed, nothing is called, on deletion neither.
pub fn reach(desired: &Desired, observed: &Observed) -> Result<Scope, Refusal> {
    let scope = scope(&observed.account, desired.spec.region.as_deref())?;
    scope.cluster(&desired.spec.cluster)?;
    Ok(scope)
}

/// What the Service is to run, from what was read of Kubernetes. What was seen of AWS, and before that what is recorded of task
/// definitions, decides the family and nothing else.
pub fn resolve(
    desired: &Desired,
    recorded: &[TaskDefinitionStatus],
    observed: &Observed,
    installation: &str,
) -> Result<Wanted, Unresolved> {
    if let Some(refusal) = &desired.refusal {
        return Err(Unresolved::Refused(refusal.clone()));
    }
    let scope = reach(desired, observed).map_err(Unresolved::Refused)?;
    let stage = match &desired.source {
        Some(source) => Some(granted(desired, source, observed)?),
        None => None,
    };
    let images: &[ImageStatus] = stage.map_or(&[], |grant| &grant.images);
    let family = family(desired, recorded, observed, installation);
    let task_definition = task_definition(desired, images, &family)?;
    let mut service = json_of(&desired.service);
    service.remove("tags");
    allowed(&scope, desired, [&task_definition, &service], installation).map_err(Unresolved::Refused)?;
    let mut tags: BTreeMap<String, String> = desired.tags();
    tags.insert(OWNER_TAG.to_owned(), desired.owner(installation));
    let task_meaning = Meaning::of_task_definition(&task_definition);
    Ok(Wanted {
        meaning: Meaning::of_rollout(&task_meaning, &of_class(&service, Class::Rolls)),
        image: image_for_people(desired, &task_definition),
        scope,
        family,
        task_definition,
        task_meaning,
        service,
        tags,
        grant: stage.map_or(0, |grant| grant.number),
        reason: stage.map(|grant| grant.reason),
        commit: stage.map(|grant| grant.commit.to_string()),
        stage: desired.source.as_ref().map(|source| source.stage.clone()),
        source: desired.source.as_ref().map(|source| format!("{}/{}", source.pipeline, source.stage)),
    })
}

/// A request as AWS's JSON. The spec's types always become JSON objects. If one did not, the request would be empty, and AWS
/// would refuse it.
fn json_of<T: Serialize>(request: &T) -> Members {
    match serde_json::to_value(request) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Members::new(),
    }
}

/// Refuses what the spec names and the account does not allow: AWS would let ECS use it for whoever asks.
fn allowed(
    scope: &Scope,
    desired: &Desired,
    [task_definition, service]: [&Members; 2],
    installation: &str,
) -> Result<(), Refusal> {
    let task = &desired.spec.task_definition;
    let requests = [("taskDefinition", task_definition), ("service", service)];
    let mut missing = bounds::missing(scope, task, &desired.service, requests);
    let own = prefix(desired, installation);
    missing.extend(task.family.as_ref().and_then(|family| bounds::family(scope, family, &own)));
    scope.refuse(missing)
}

/// Whether a task definition is ours, can be used, and says what is wanted: by its meaning, or by its content where another
/// version of Launchway gave it its meaning.
pub fn says(wanted: &Wanted, found: &LiveTaskDefinition) -> bool {
    let means = match found.tags.get(MEANING_TAG).and_then(|tag| Meaning::parse(tag)) {
        Some(meaning) if meaning.is_comparable() => meaning == wanted.task_meaning,
        Some(_) | None => is_same_task_definition(&found.members, &wanted.task_definition),
    };
    found.active && found.tags.get(OWNER_TAG) == wanted.tags.get(OWNER_TAG) && means
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
    let containers = &desired.spec.task_definition.container_definitions;
    let named = containers.iter().filter_map(|container| container.image_from.as_ref());
    match named.map(|from| &from.image).find(|name| spec.images.iter().all(|image| image.name != **name)) {
        Some(missing) => Err(Refusal::NoSuchImage { pipeline: source.pipeline.clone(), image: missing.to_string() }),
        None => Ok(()),
    }
}

/// What a namespace's own families begin with. Namespaces have no `_` in their names, so no two have the same beginning.
fn prefix(desired: &Desired, installation: &str) -> String {
    format!("{installation}_{}_", desired.namespace)
}

/// The family that the spec names, or else the Service's own: `<installation>_<namespace>_<name>`. Earlier versions joined these
/// by `-`, so that two Services could have one family. A Service whose ECS service runs in a family of that form keeps it: another
/// one would be rolled.
fn family(desired: &Desired, recorded: &[TaskDefinitionStatus], observed: &Observed, installation: &str) -> String {
    if let Some(family) = &desired.spec.task_definition.family {
        return family.to_string();
    }
    let before = format!("{installation}-{}-{}", desired.namespace, desired.name);
    let keeps = match &observed.service {
        Looked::Seen(Some(live)) => {
            live.tags.get(OWNER_TAG) == Some(&desired.owner(installation)) && is_of(&live.task_definition, &before)
        }
        Looked::Seen(None) => false,
        // Nothing is changed before the service was seen. Until then what is recorded says what to look at.
        Looked::NotAsked | Looked::Blind(_) => recorded.iter().any(|one| is_of(&one.arn, &before)),
    };
    if keeps { before } else { format!("{}{}", prefix(desired, installation), desired.name) }
}

/// Whether a task definition is of that family, by its ARN.
pub fn is_of(arn: &str, family: &str) -> bool {
    let revision = arn.rsplit('/').next().unwrap_or_default();
    revision.rsplit_once(':').is_some_and(|(name, _)| name == family)
}

fn task_definition(desired: &Desired, images: &[ImageStatus], family: &str) -> Result<Members, Unresolved> {
    let mut task = desired.spec.task_definition.clone();
    for container in &mut task.container_definitions.0 {
        container.image = Some(image(container, images)?.as_str().into());
        container.image_from = None;
    }
    let mut request = json_of(&task);
    request.insert("family".to_owned(), json!(family));
    Ok(request)
}

fn image(container: &ContainerDefinition, images: &[ImageStatus]) -> Result<String, Unresolved> {
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

/// The image by which people know the Service: the one that a stage gave, else that of the first container that has ports,
/// else the first one's.
fn image_for_people(desired: &Desired, task_definition: &Members) -> String {
    let containers = &desired.spec.task_definition.container_definitions;
    let from_stage = containers.iter().position(|container| container.image_from.is_some());
    let with_ports = || containers.iter().position(|one| one.port_mappings.iter().any(|ports| !ports.is_empty()));
    let at = from_stage.or_else(with_ports).unwrap_or(0);
    task_definition["containerDefinitions"][at]["image"].as_str().map(str::to_owned).unwrap_or_default()
}

/// A duration of the spec, in seconds. The API server has checked its form.
pub fn seconds(duration: &launchway_crds::name::Duration) -> i32 {
    duration.seconds().and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or(i32::MAX)
}
