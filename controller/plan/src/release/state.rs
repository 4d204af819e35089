//! Where a Release stands: a list of steps, then the stage that it is at. Computed, never stored.

use super::BUILD;
use super::desired::Desired;
use super::observed::{Observed, PipelineFacts};
use super::opening::Opening;
use super::stages::{StageState, current, stage_state};
use super::steps::{StepState, step_state, still_coming};
use crate::account::{DEFAULT, scope};
use crate::fault::Fault;
use crate::life::Life;
use crate::look::Looked;
use crate::pipeline::desired::checked_plan;
use crate::reason::Reason;
use crate::refusal::Refusal;
use launchway_crds::pipeline::{Image, ImageStatus};
use launchway_crds::release::{ReleasePhase, ReleasePlan, ReleaseStatus, StepPhase};

/// Where a Release stands.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Whether it goes on.
    pub course: Course,
    /// The checks and the build, in their order.
    pub steps: Vec<(String, StepState)>,
}

/// Whether a Release goes on, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// The Pipeline asks for what it cannot have.
    Refused(Refusal),
    /// The Pipeline is suspended: nothing new is started.
    Suspended,
    /// What is to be run is to be recorded.
    Starting(Box<ReleasePlan>),
    /// Checks run.
    Checking,
    /// The image is being built, or looked for.
    Building,
    /// The build succeeded; its image is not there yet, and may still come.
    Pushing,
    /// The image is there.
    Built(ImageStatus),
    /// It cannot be told where it is.
    Blind(Fault),
    /// It is at that stage.
    AtStage {
        /// The stage's name.
        name: String,
        /// The grant, where there is one.
        grant: Option<i64>,
        /// How the stage stands.
        state: StageState,
    },
    /// Every stage is verified.
    Succeeded,
    /// A step or a stage failed.
    Failed(Reason, String),
    /// A newer Release takes its place.
    Superseded(String),
    /// What it belongs to is gone.
    Cancelled(String),
    /// It ended before.
    Ended(ReleasePhase),
}

impl Course {
    /// Whether nothing new is started any more, and what runs is to be stopped.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed(..) | Self::Superseded(_) | Self::Cancelled(_) | Self::Ended(_) => true,
            Self::Refused(_)
            | Self::Suspended
            | Self::Starting(_)
            | Self::Checking
            | Self::Building
            | Self::Pushing
            | Self::Built(_)
            | Self::Blind(_)
            | Self::AtStage { .. } => false,
        }
    }
}

/// Where the Release stands.
pub fn assess(desired: &Desired, record: &ReleaseStatus, observed: &Observed) -> State {
    let mut steps: Vec<(String, StepState)> = match &record.plan {
        Some(plan) => {
            record.steps.iter().map(|step| (step.name.to_string(), step_state(plan, step, observed))).collect()
        }
        None => Vec::new(),
    };
    let course = course(desired, record, observed, &steps);
    if let (Course::Checking | Course::Building, Some(plan)) = (&course, &record.plan) {
        Opening { desired, record, plan, observed }.open(&mut steps);
    }
    State { course, steps }
}

fn course(desired: &Desired, record: &ReleaseStatus, observed: &Observed, steps: &[(String, StepState)]) -> Course {
    if let Some(ended) = record.phase.filter(|phase| *phase != ReleasePhase::Active) {
        return Course::Ended(ended);
    }
    if desired.life != Life::Stays {
        return Course::Cancelled("the Release is being deleted".to_owned());
    }
    let Some(pipeline) = &observed.pipeline else { return orphaned(desired, record) };
    if let Some(by) = superseded(desired, pipeline) {
        return Course::Superseded(by);
    }
    // A plan without steps is what CRDs older than this controller leave of one: it was never begun.
    let Some(plan) = record.plan.as_ref().filter(|_| !record.steps.is_empty()) else {
        return starting(pipeline, observed);
    };
    if !record.images.is_empty() {
        return at_stage(desired, record, pipeline, observed);
    }
    if let Some((reason, message)) = steps.iter().find_map(|(_, state)| failure(state)) {
        return Course::Failed(reason, message);
    }
    if let Err(refusal) = allowed(plan, observed) {
        return Course::Refused(refusal);
    }
    let course = if is_checked(steps) { building(desired, record, plan, observed, steps) } else { Course::Checking };
    let waits = matches!(course, Course::Checking | Course::Building) && steps.iter().all(|(_, state)| is_idle(state));
    if pipeline.spec.suspend && waits { Course::Suspended } else { course }
}

/// Whether the account still allows what the Release runs: it is read live in the pass that starts a build.
fn allowed(plan: &ReleasePlan, observed: &Observed) -> Result<(), Refusal> {
    let scope = scope(&observed.account, Some(&plan.region))?;
    let runs = plan.checks.iter().filter_map(|check| check.code_build.as_ref()).chain(&plan.build.code_build);
    runs.map(|run| &run.project).try_for_each(|project| scope.project(project))?;
    plan.images.iter().try_for_each(|image| scope.repository(&image.repository))
}

/// Whether every check is done.
pub(super) fn is_checked(steps: &[(String, StepState)]) -> bool {
    steps.iter().all(|(name, state)| name == BUILD || matches!(state, StepState::Done(_)))
}

fn orphaned(desired: &Desired, record: &ReleaseStatus) -> Course {
    if record.plan.is_none() {
        return Course::Refused(Refusal::NoPipeline { pipeline: desired.pipeline.clone() });
    }
    Course::Cancelled(format!("Pipeline {} is gone", desired.pipeline))
}

fn superseded(desired: &Desired, pipeline: &PipelineFacts) -> Option<String> {
    let told = pipeline.status.iter().flat_map(|status| &status.superseded);
    told.into_iter().find(|one| *one.release == *desired.name).map(|one| one.by.to_string())
}

fn failure(state: &StepState) -> Option<(Reason, String)> {
    match state {
        StepState::Failed { reason, message, .. } => Some((*reason, message.clone())),
        StepState::Stopped => {
            Some((Reason::BuildFailed, "a build of this Release was stopped: make another Release".to_owned()))
        }
        StepState::Waiting
        | StepState::Startable(_)
        | StepState::Repeatable(_)
        | StepState::Doubtful
        | StepState::Expired
        | StepState::Found(_)
        | StepState::Surplus(_)
        | StepState::Hidden
        | StepState::Running(_)
        | StepState::Overdue(_)
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Unknown(_) => None,
    }
}

fn starting(pipeline: &PipelineFacts, observed: &Observed) -> Course {
    if pipeline.spec.suspend {
        return Course::Suspended;
    }
    let allowed = scope(&observed.account, pipeline.spec.region.as_deref());
    match allowed.and_then(|scope| checked_plan(&pipeline.spec, &scope)) {
        Ok(plan) => Course::Starting(Box::new(plan)),
        Err(refusal) => Course::Refused(refusal),
    }
}

/// Whether nothing of a step is under way: a suspended Pipeline holds it.
fn is_idle(state: &StepState) -> bool {
    match state {
        StepState::Waiting
        | StepState::Expired
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped => true,
        StepState::Startable(_)
        | StepState::Repeatable(_)
        | StepState::Doubtful
        | StepState::Found(_)
        | StepState::Surplus(_)
        | StepState::Hidden
        | StepState::Running(_)
        | StepState::Overdue(_)
        | StepState::Again(_)
        | StepState::Unknown(_) => false,
    }
}

fn building(
    desired: &Desired,
    record: &ReleaseStatus,
    plan: &ReleasePlan,
    observed: &Observed,
    steps: &[(String, StepState)],
) -> Course {
    let build = steps.iter().find(|(name, _)| name == BUILD).map(|(_, state)| state);
    match &observed.image {
        Looked::Seen(Some(image)) => match &observed.account_id {
            Looked::Seen(account) => built(account, plan, &image.digest),
            Looked::Blind(fault) => Course::Blind(fault.clone()),
            Looked::NotAsked => Course::Building,
        },
        Looked::Seen(None) if matches!(build, Some(StepState::Done(_))) => missing(desired, record, plan, observed),
        Looked::Blind(fault) if matches!(build, Some(StepState::Waiting | StepState::Done(_))) => {
            Course::Blind(fault.clone())
        }
        Looked::Seen(None) | Looked::Blind(_) | Looked::NotAsked => Course::Building,
    }
}

fn built(account: &str, plan: &ReleasePlan, digest: &str) -> Course {
    let of = |image: &Image| ImageStatus {
        name: image.name.clone(),
        registry: account.into(),
        region: plan.region.clone(),
        repository: image.repository.clone(),
        digest: digest.into(),
    };
    plan.images.first().map(of).map_or(Course::Building, Course::Built)
}

/// The build succeeded and its image is not there: it may still come, for a moment.
fn missing(desired: &Desired, record: &ReleaseStatus, plan: &ReleasePlan, observed: &Observed) -> Course {
    let recorded = record.steps.iter().find(|step| *step.name == *BUILD).and_then(|step| step.build.as_ref());
    if recorded.is_some_and(|build| still_coming(build, observed.at)) {
        return Course::Pushing;
    }
    let repository = plan.images.first().map(|image| image.repository.to_string()).unwrap_or_default();
    Course::Failed(
        Reason::ImageMissing,
        format!(
            "the build succeeded but did not push {repository}:{}: let it push $IMAGE_REPO_NAME:$IMAGE_TAG",
            desired.commit
        ),
    )
}

fn at_stage(desired: &Desired, record: &ReleaseStatus, pipeline: &PipelineFacts, observed: &Observed) -> Course {
    let current = match current(&desired.name, record, pipeline) {
        Ok(Some(current)) => current,
        Ok(None) => return Course::Succeeded,
        Err(refusal) => return Course::Refused(refusal),
    };
    let state = stage_state(desired, record, &current, observed);
    if let StageState::Failed(reason, why) = &state {
        return Course::Failed(*reason, format!("stage {}: {why}", current.stage.name));
    }
    Course::AtStage { name: current.stage.name, grant: current.entry.ok().map(|grant| grant.number), state }
}

/// The AwsAccount that a Release uses: the recorded one, else its Pipeline's.
pub fn account<'a>(record: &'a ReleaseStatus, pipeline: Option<&'a PipelineFacts>) -> &'a str {
    let recorded = record.plan.as_ref().map(|plan| plan.account.as_str());
    let of_pipeline = pipeline.and_then(|facts| facts.spec.account.as_ref()).map(|name| name.as_str());
    recorded.or(of_pipeline).unwrap_or(DEFAULT)
}

/// Whether a build of the Release runs or is in doubt, as far as the record knows.
pub fn at_work(record: &ReleaseStatus) -> bool {
    record.steps.iter().any(|step| matches!(step.phase, StepPhase::Intended | StepPhase::Running))
}
