//! What a task's images hold in store for it: ECR is asked for the digest, the world for the story.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::lacks::Lacks;
use crate::ecr::EcrState;
use crate::iam::Iam;
use crate::{Place, TaskStory};

/// What a task's start is looked up in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Library<'a> {
    pub ecr: &'a BTreeMap<Place, EcrState>,
    pub told: &'a BTreeMap<String, TaskStory>,
    pub iam: &'a Iam,
    pub place: &'a Place,
    pub lacks: &'a Lacks,
}

/// One container's image, resolved.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub digest: Option<String>,
    pub story: TaskStory,
}

impl Library<'_> {
    /// The digest and the story of an image; `pinned` is the digest that the service revision resolved before. One that is in no ECR
    /// registry is taken to exist.
    pub(super) fn resolved(&self, image: &str, pinned: Option<&str>) -> Resolved {
        let told = self.told.get(image).cloned();
        let Some((place, repository, reference)) = ecr_reference(image) else {
            return Resolved { digest: reference_digest(image), story: told.unwrap_or_default() };
        };
        let wanted = pinned.unwrap_or(reference);
        let registry = self.ecr.get(&place).filter(|registry| !registry.archived(repository, wanted));
        let Some(found) = registry.and_then(|registry| registry.image(repository, wanted)) else {
            return Resolved { digest: None, story: not_found(image) };
        };
        let story = told.or_else(|| self.told.get(&found.digest).cloned()).unwrap_or_else(|| found.story.clone());
        Resolved { digest: Some(found.digest.clone()), story }
    }
}

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY[:TAG|@DIGEST]`.
pub(super) fn ecr_reference(image: &str) -> Option<(Place, &str, &str)> {
    let (host, path) = image.split_once('/')?;
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let region = rest.strip_suffix(".amazonaws.com")?;
    let (repository, reference) = path.split_once('@').or_else(|| path.rsplit_once(':')).unwrap_or((path, "latest"));
    let repository = repository.rsplit_once(':').map_or(repository, |(name, _)| name);
    Some(((account.to_owned(), region.to_owned()), repository, reference))
}

fn reference_digest(image: &str) -> Option<String> {
    image.split_once('@').map(|(_, digest)| digest.to_owned())
}

fn not_found(image: &str) -> TaskStory {
    TaskStory::NeverStarts {
        reason: format!(
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref {image}: {image}: not found"
        ),
    }
}

/// The story of a task: what goes wrong first in one of its essential containers, and which.
pub(super) fn of_task(containers: &[Value], resolved: &[Resolved]) -> (TaskStory, usize) {
    let essential =
        |index: usize| containers.get(index).is_some_and(|container| container["essential"] != Value::Bool(false));
    let worst = resolved.iter().enumerate().filter(|(index, resolved)| {
        essential(*index) || matches!(pulled(&resolved.story), TaskStory::NeverStarts { .. })
    });
    let worst = worst.max_by_key(|(index, resolved)| (badness(&resolved.story), std::cmp::Reverse(*index)));
    worst.map_or((TaskStory::default(), 0), |(index, resolved)| (pulled(&resolved.story).clone(), index))
}

/// How long the images of a task take to pull, if one of them has a story of that.
pub(super) fn pulling(resolved: &[Resolved]) -> Option<Duration> {
    let told = resolved.iter().filter_map(|one| match &one.story {
        TaskStory::Pulls { during, .. } => Some(*during),
        TaskStory::Healthy { .. }
        | TaskStory::Crashes { .. }
        | TaskStory::NeverStarts { .. }
        | TaskStory::NeverHealthy => None,
    });
    told.max()
}

/// A story without how long its images take.
fn pulled(story: &TaskStory) -> &TaskStory {
    match story {
        TaskStory::Pulls { then, .. } => pulled(then),
        TaskStory::Healthy { .. }
        | TaskStory::Crashes { .. }
        | TaskStory::NeverStarts { .. }
        | TaskStory::NeverHealthy => story,
    }
}

fn badness(story: &TaskStory) -> u128 {
    match story {
        TaskStory::Pulls { then, .. } => badness(then),
        TaskStory::Healthy { after } => after.as_millis().min(u128::from(u32::MAX)),
        TaskStory::NeverHealthy => u128::from(u32::MAX) + 1,
        TaskStory::Crashes { .. } => u128::from(u32::MAX) + 2,
        TaskStory::NeverStarts { .. } => u128::from(u32::MAX) + 3,
    }
}
