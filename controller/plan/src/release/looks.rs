//! What a pass over a Release has to look at, from its record. Nothing is looked at here.

use super::BUILD;
use super::desired::Desired;
use super::observed::PipelineFacts;
use super::stages::{self, Current};
use super::steps::LOOK;
use crate::life::Life;
use crate::pipeline::desired::{Method, Target};
use jiff::Timestamp;
use launchway_crds::pipeline::HttpVerification;
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StepPhase, StepStatus};

/// One thing to look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// The account's ID.
    AccountId,
    /// The build of that ID.
    Build {
        /// The step.
        step: String,
        /// The build's ID.
        id: String,
    },
    /// Builds of that project with that marker.
    Search {
        /// The step.
        step: String,
        /// The intent's project.
        project: String,
        /// The marker.
        marker: String,
        /// The intent's time, or the Release's where any call is looked for.
        since: Timestamp,
    },
    /// The image of that tag.
    Image {
        /// The repository.
        repository: String,
        /// The tag: the commit ID.
        tag: String,
    },
    /// A Service.
    Target(String),
    /// A verification of the stage that is held.
    Verify {
        /// Its name.
        name: String,
        /// What is asked.
        http: Box<HttpVerification>,
    },
}

/// What has to be looked at.
pub fn looks(desired: &Desired, record: &ReleaseStatus, pipeline: Option<&PipelineFacts>) -> Vec<Look> {
    let mut all: Vec<Look> = record.steps.iter().filter_map(|step| of_step(desired, step)).collect();
    if record.phase != Some(ReleasePhase::Active) || desired.life != Life::Stays {
        return all;
    }
    if record.images.is_empty() {
        all.push(Look::AccountId);
        all.extend(image(desired, record));
    } else if let Some(pipeline) = pipeline {
        all.extend(of_stage(desired, record, pipeline));
    }
    all
}

fn of_step(desired: &Desired, step: &StepStatus) -> Option<Look> {
    let name = step.name.to_string();
    match (step.phase, &step.intent, &step.build) {
        (StepPhase::Intended, Some(intent), _) => Some(Look::Search {
            marker: desired.marker(&name, step.attempt),
            step: name,
            project: intent.project.to_string(),
            since: desired.created.filter(|_| intent.call == LOOK).unwrap_or(intent.since.0),
        }),
        (StepPhase::Running, _, Some(build)) => Some(Look::Build { step: name, id: build.id.clone() }),
        (_, _, _) => None,
    }
}

/// The image is looked for once all checks are done, unless a build of it is under way.
fn image(desired: &Desired, record: &ReleaseStatus) -> Option<Look> {
    let build = record.steps.iter().find(|step| *step.name == *BUILD)?;
    let checked = record.steps.iter().all(|step| *step.name == *BUILD || step.phase == StepPhase::Succeeded);
    let wanted = checked && matches!(build.phase, StepPhase::Waiting | StepPhase::Succeeded);
    let image = record.plan.as_ref()?.images.first()?;
    wanted.then(|| Look::Image { repository: image.repository.to_string(), tag: desired.commit.clone() })
}

fn of_stage(desired: &Desired, record: &ReleaseStatus, pipeline: &PipelineFacts) -> Vec<Look> {
    let Ok(Some(Current { stage, entry: Ok(_) })) = stages::current(&desired.name, record, pipeline) else {
        return Vec::new();
    };
    let target = |target: &Target| match target {
        Target::Service(service) => Look::Target(service.clone()),
    };
    let mut all: Vec<_> = stage.targets.iter().map(target).collect();
    if stages::verifies(record, &stage) {
        all.extend(stage.verify.iter().map(|one| match &one.method {
            Method::Http(http) => Look::Verify { name: one.name.clone(), http: http.clone() },
        }));
    }
    all
}
