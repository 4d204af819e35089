//! What a pass over a Release has to look at, from its record. Nothing is looked at here.

use super::desired::Desired;
use super::observed::PipelineFacts;
use super::record::{Progress, Record, StepKind, StepRecord, Work};
use super::stages::{self, Current};
use crate::life::Life;
use crate::pipeline::desired::{Method, Target};
use crate::start::Intent;
use jiff::Timestamp;
use launchway_crds::pipeline::HttpVerification;

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
    /// The builds of a project.
    Search {
        /// The step whose build is looked for.
        step: String,
        /// The project.
        project: String,
        /// Since when.
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
    /// A verification of the stage that the Release holds.
    Verify {
        /// Its name.
        name: String,
        /// What is asked.
        http: Box<HttpVerification>,
    },
}

/// What has to be looked at.
pub fn looks(desired: &Desired, record: &Record, pipeline: Option<&PipelineFacts>) -> Vec<Look> {
    let Some(work) = &record.work else { return Vec::new() };
    let mut all: Vec<Look> = work.steps.iter().filter_map(|step| of_step(desired, step)).collect();
    if record.ended.is_some() || desired.life != Life::Stays {
        return all;
    }
    if record.images.is_empty() {
        all.push(Look::AccountId);
        all.extend(image(desired, work));
    } else if let Some(pipeline) = pipeline {
        all.extend(of_stage(desired, record, pipeline));
    }
    all
}

fn of_step(desired: &Desired, step: &StepRecord) -> Option<Look> {
    let name = step.name.to_string();
    match &step.progress {
        Progress::Intended(intent) => {
            let since = match intent {
                Intent::Call(call) => call.since,
                // Any call since the Release was made may have been lost.
                Intent::Recovery { since, .. } => desired.created.unwrap_or(*since),
            };
            Some(Look::Search { step: name, project: intent.resource().to_owned(), since })
        }
        Progress::Running(started) => Some(Look::Build { step: name, id: started.id.clone() }),
        Progress::Waiting | Progress::Succeeded(_) | Progress::Failed(_) | Progress::Stopped(_) => None,
    }
}

/// The image is looked for once all checks succeeded, unless a build of it is under way.
fn image(desired: &Desired, work: &Work) -> Option<Look> {
    let succeeded = |step: &StepRecord| matches!(step.progress, Progress::Succeeded(_));
    let checked = work.steps.iter().all(|step| step.kind == StepKind::Build || succeeded(step));
    let build = work.build().filter(|build| build.progress == Progress::Waiting || succeeded(build));
    let tag = desired.commit.to_string();
    build.filter(|_| checked).map(|_| Look::Image { repository: work.image.repository.to_string(), tag })
}

fn of_stage(desired: &Desired, record: &Record, pipeline: &PipelineFacts) -> Vec<Look> {
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
