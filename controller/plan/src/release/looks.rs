//! What a pass over a Release has to look at, according to its record. Nothing is looked at here.

use super::commit_status::Host;
use super::desired::Desired;
use super::observed::{Observed, PipelineFacts};
use super::origin::{self, Found, Missing};
use super::record::{Progress, Record, StepRecord, Work};
use super::required_statuses::{self, Required};
use super::scan;
use super::stages::{self, Current};
use super::state::starts;
use super::told;
use super::values;
use crate::account::scope;
use crate::allow::{self, List};
use crate::image::ImageId;
use crate::life::Life;
use crate::look::Looked;
use crate::pipeline::desired::{Method, Target};
use crate::start::Intent;
use crate::start::build::TIMES;
use crate::world::{Artifact, LiveBuild};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::pipeline::HttpVerification;
use std::collections::BTreeSet;

/// By how much the clocks of Kubernetes and AWS differ at the most.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// One thing to look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// The account's ID.
    AccountId,
    /// These projects.
    Projects(Vec<String>),
    /// The build with this ID.
    Build {
        /// The step.
        step: String,
        /// The build's ID.
        id: String,
        /// The marker that it carries if the step started it. The log of another one is not read.
        marker: String,
    },
    /// The builds of a project, to find the one that an intent may have started.
    Search {
        /// The step whose build is looked for.
        step: String,
        /// The project.
        project: String,
        /// Since when.
        since: Timestamp,
    },
    /// How these commit statuses of others stand.
    Statuses {
        /// The git host.
        host: Host,
        /// Their names.
        names: Vec<String>,
    },
    /// The image with this tag.
    Image {
        /// The repository.
        repository: String,
        /// Which of its images.
        id: ImageId,
    },
    /// What ECR's scan of an image found.
    Scan {
        /// The repository.
        repository: String,
        /// The image's digest.
        digest: String,
        /// The severity of the findings that count, and of worse ones, in ECR's words.
        fail_on: String,
    },
    /// The builds of a project that may have pushed the image.
    Origins {
        /// The project.
        project: String,
        /// Since when.
        since: Timestamp,
    },
    /// Whether the repository is immutable: its tags cannot be moved.
    Mutability {
        /// The repository.
        repository: String,
    },
    /// The file in which the Release's own build lists its images.
    Listing {
        /// The artifact that has it.
        artifact: Artifact,
        /// Its path there.
        file: String,
        /// When the build ended that left it.
        ended: Timestamp,
    },
    /// A Service.
    Target(String),
    /// A verification of the stage that the Release has entered.
    Verify {
        /// Its name.
        name: String,
        /// The request, and the answer that is expected.
        http: Box<HttpVerification>,
    },
}

/// What to look at first. A project or a repository that the account does not allow is not looked at, whatever the status
/// names: whoever may write a status must not reach what is another one's.
pub fn looks(desired: &Desired, record: &Record, observed: &Observed) -> Vec<Look> {
    let Some(work) = &record.work else { return of_start(desired, record, observed).into_iter().collect() };
    let allows = allows(work, observed);
    let steps = || work.steps.iter().filter(|step| allows(&allow::PROJECTS, &step.run.project));
    let mut all: Vec<Look> = steps().filter_map(|step| of_step(desired, step)).collect();
    if record.ended.is_some() || desired.life != Life::Stays {
        return all;
    }
    if record.images.is_empty() {
        let is_silent = |step: &&StepRecord| told::is_silent(work, step) || values::is_silent(work, step);
        all.extend(steps().filter(is_silent).filter_map(|step| of_build(desired, step)));
        match required_statuses::asked(desired, record, work, observed) {
            Some((host, names)) => all.push(Look::Statuses { host, names }),
            None => all.extend(of_images(desired, work, observed)),
        }
    } else if let Some(pipeline) = &observed.pipeline {
        all.extend(of_stage(desired, record, pipeline));
    }
    all
}

/// What the plan depends on: the projects, once the Release may start. The account allows them then.
fn of_start(desired: &Desired, record: &Record, observed: &Observed) -> Option<Look> {
    let pipeline = observed.pipeline.as_ref().filter(|_| starts(desired, record, observed))?;
    let checks = pipeline.spec.checks.iter().map(|check| &check.code_build);
    let runs = checks.chain(pipeline.spec.build.as_ref().map(|build| &build.code_build)).flatten();
    let names: BTreeSet<_> = runs.map(|run| run.project.to_string()).collect();
    Some(Look::Projects(names.into_iter().collect()))
}

/// What to look at next, given what was seen so far. In most passes that is nothing.
pub fn more(desired: &Desired, record: &Record, observed: &Observed) -> Vec<Look> {
    let Some(work) = &record.work else { return Vec::new() };
    let sought = record.ended.is_none() && desired.life == Life::Stays && record.images.is_empty();
    let allows = allows(work, observed);
    let is_allowed = work.images.iter().all(|image| allows(&allow::REPOSITORIES, &image.repository))
        && work.build().is_none_or(|build| allows(&allow::PROJECTS, &build.run.project));
    if !sought || !is_allowed {
        return Vec::new();
    }
    // What others have to report comes first: nothing is looked for in ECR while it is waited for.
    if required_statuses::asked(desired, record, work, observed).is_some() {
        match required_statuses::judged(desired, record, work, observed) {
            Required::Awaited(_) | Required::Missed(_) => return Vec::new(),
            Required::Met if observed.account_id == Looked::NotAsked => return of_images(desired, work, observed),
            Required::Met => {}
        }
    }
    let each = work.of_each();
    let unscanned = scan::unseen(desired, &each, observed);
    if !unscanned.is_empty() {
        let look = |scan::Unseen { repository, digest, fail_on }| Look::Scan { repository, digest, fail_on };
        return unscanned.into_iter().map(look).collect();
    }
    let missing: Vec<(&Work, Missing)> =
        each.iter().filter_map(|work| Some((work, lacks(desired, work, observed)?))).collect();
    // The builds that may have pushed the image that was pushed first may have pushed the others.
    let builds = missing
        .iter()
        .filter_map(|(_, missing)| if let Missing::Builds(pushed) = missing { Some(*pushed) } else { None });
    let mut looks: Vec<Look> = builds.min().and_then(|pushed| origins(work, pushed)).into_iter().collect();
    let heard = observed.listing.seen().is_some();
    let failed = work.build().and_then(|build| observed.build(&build.name)).is_some_and(LiveBuild::has_failed);
    // A failed build does not fail the Release if another build pushed the image; and what a file lists is known only now.
    let images = missing.iter().filter(|(_, missing)| (failed || heard) && *missing == Missing::Image);
    let images: Vec<Look> = images.filter_map(|(work, _)| of_image(desired, work, observed)).collect();
    looks.extend(Some(Look::AccountId).filter(|_| !images.is_empty()).into_iter().chain(images));
    let listed = missing.iter().any(|(_, missing)| *missing == Missing::Listing);
    looks.extend(
        told::artifact(desired, work, observed).filter(|_| listed).map(|(artifact, file, ended)| Look::Listing {
            artifact: artifact.clone(),
            file: file.to_owned(),
            ended,
        }),
    );
    let mutability = missing.iter().filter(|(_, missing)| *missing == Missing::Mutability);
    looks.extend(mutability.map(|(work, _)| Look::Mutability { repository: work.image.repository.to_string() }));
    looks
}

/// The account's ID, and the images that the account allows.
fn of_images(desired: &Desired, work: &Work, observed: &Observed) -> Vec<Look> {
    let allows = allows(work, observed);
    let each = work.of_each().into_iter().filter(|work| allows(&allow::REPOSITORIES, &work.image.repository));
    let images = each.filter_map(|work| image(desired, &work, observed));
    [Look::AccountId].into_iter().chain(images).collect()
}

/// What has to be looked at to know of an image whether it is the commit's.
fn lacks(desired: &Desired, work: &Work, observed: &Observed) -> Option<Missing> {
    let is_known = observed.immutable.contains_key(work.image.repository.as_str());
    match told::found(desired, work, observed) {
        Found::Unseen(missing) => Some(missing),
        Found::Image(_) => (is_first(observed) && !is_known).then_some(Missing::Mutability),
        Found::Nothing
        | Found::Left(..)
        | Found::Others(_)
        | Found::Unusable(_)
        | Found::Unproved(_)
        | Found::Blind(_) => None,
    }
}

fn origins(work: &Work, pushed: Timestamp) -> Option<Look> {
    let since = pushed.checked_sub(origin::LONGEST).unwrap_or(Timestamp::MIN);
    let project = work.build()?.run.project.to_string();
    Some(Look::Origins { project, since })
}

/// Whether the Pipeline has released no image yet. Then its first Release looks whether the repository's tags can be moved, and
/// says so.
pub fn is_first(observed: &Observed) -> bool {
    let status = observed.pipeline.as_ref().and_then(|pipeline| pipeline.status.as_ref());
    status.is_none_or(|status| status.released.is_empty())
}

/// Whether a list of the account has a name, where the Release works.
fn allows(work: &Work, observed: &Observed) -> impl Fn(&List, &str) -> bool {
    let scope = scope(&observed.account, Some(&work.region)).ok();
    move |list, name| scope.as_ref().is_some_and(|scope| list.missing(&scope.allow, &[name]).is_none())
}

fn of_image(desired: &Desired, work: &Work, observed: &Observed) -> Option<Look> {
    let id = match &work.says {
        Some(_) => told::sought(desired, work, observed)?,
        None => ImageId::Tag(work.tag(&desired.commit).text),
    };
    Some(Look::Image { repository: work.image.repository.to_string(), id })
}

fn of_step(desired: &Desired, step: &StepRecord) -> Option<Look> {
    let name = step.name.to_string();
    match &step.progress {
        Progress::Intended(intent) => {
            let since = match intent {
                // No call was made before the Release was there, whatever its status says; the clocks may differ.
                Intent::Call(call) => {
                    let earliest = desired.created.and_then(|created| created.checked_sub(SKEW).ok());
                    call.since.max(earliest.unwrap_or(call.since))
                }
                // The record of any call since the Release was made may have been lost.
                Intent::Recovery { since, .. } => desired.created.unwrap_or(*since),
            };
            Some(Look::Search { step: name, project: step.run.project.to_string(), since })
        }
        Progress::Running(_) => of_build(desired, step),
        Progress::Waiting | Progress::Succeeded(_) | Progress::Failed(_) | Progress::Stopped(_) => None,
    }
}

/// The step's build, if it is one of its project.
fn of_build(desired: &Desired, step: &StepRecord) -> Option<Look> {
    let (Progress::Running(started) | Progress::Succeeded(Some(started))) = &step.progress else { return None };
    let marker = desired.attempt(step).marker();
    let id = Some(started.id.clone()).filter(|id| step.run.is_of(id))?;
    Some(Look::Build { step: step.name.to_string(), id, marker })
}

/// The image is looked for once all checks succeeded, except while a build of it runs or may run. Before a call is made anew that
/// started nothing, it is looked for again: what its tag names has to be known.
fn image(desired: &Desired, work: &Work, observed: &Observed) -> Option<Look> {
    let has_expired = |build: &StepRecord| {
        let Progress::Intended(Intent::Call(call)) = &build.progress else { return false };
        observed.at > call.since + SignedDuration::from_secs(TIMES.expires)
    };
    let rests = |build: &StepRecord| {
        matches!(build.progress, Progress::Waiting | Progress::Succeeded(_) | Progress::Failed(_)) || has_expired(build)
    };
    let is_due = work.is_checked() && work.build().is_none_or(rests);
    is_due.then(|| of_image(desired, work, observed)).flatten()
}

fn of_stage(desired: &Desired, record: &Record, pipeline: &PipelineFacts) -> Vec<Look> {
    let Ok(Some(Current { stage, entry: Ok(_) })) = stages::current(desired, record, pipeline) else {
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
