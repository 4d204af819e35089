//! Where a Release stands: a list of steps, then the stage that it is at. Computed, never stored.

use super::desired::Desired;
use super::observed::{Observed, PipelineFacts};
use super::opening::Opening;
use super::origin::{Found, found};
use super::record::{Ending, Progress, Record, StepKind, Work};
use super::stages::{StageState, current, stage_state};
use super::steps::{Over, Step, StepState, is_checked, judged};
use crate::account::{DEFAULT, scope};
use crate::fault::Fault;
use crate::life::Life;
use crate::look::Looked;
use crate::pipeline::desired::checked_plan;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::world::{LiveBuild, LiveImage};
use jiff::SignedDuration;
use launchway_crds::name::ObjectName;
use launchway_crds::pipeline::ImageStatus;
use launchway_crds::release::ReleasePlan;

/// How long the image may be missing after its build succeeded, in seconds: ECR is eventually consistent.
const PUSHED: i64 = 60;

/// Where a Release stands.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// How far it is.
    pub course: Course,
    /// The checks and the build, in their order.
    pub steps: Vec<Step>,
    /// Whether a build of it runs or may have been started.
    pub at_work: bool,
    /// Of a Release that was proved in every stage: why one of them does not run it any more as it should.
    pub trouble: Option<(Reason, String)>,
}

/// How far a Release is.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// The Pipeline asks for what it cannot have.
    Refused(Refusal),
    /// The Pipeline is suspended: nothing new is started.
    Suspended,
    /// It waits until its Pipeline lets it begin. These Releases are being built before it.
    InLine(Vec<String>),
    /// What it runs is to be recorded.
    Starting(Box<ReleasePlan>),
    /// Checks run.
    Checking,
    /// The image is being built, or looked for.
    Building,
    /// The build succeeded; its image is not there yet, and may still come.
    Pushing,
    /// The image is there, and the build that pushed it is not over.
    Unproved {
        /// The build.
        build: String,
    },
    /// The image is there.
    Built(ImageStatus),
    /// Its image could not be looked at.
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
    /// It is over: nothing new is started, and what runs is stopped.
    Over(End),
}

/// Why a Release is over.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Every stage is verified.
    Succeeded,
    /// A step or a stage failed.
    Failed(Reason, String),
    /// This newer Release takes its place.
    Superseded(String),
    /// What it belongs to is gone.
    Cancelled(String),
    /// It ended before this pass.
    Before(Ending),
}

impl Course {
    /// Whether nothing new is started any more, and what runs is to be stopped.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Over(_))
    }
}

/// Where the Release stands.
pub fn assess(desired: &Desired, record: &Record, observed: &Observed) -> State {
    let mut steps = record.work.as_ref().map_or_else(Vec::new, |work| judged(desired, work, observed));
    let course = course(desired, record, observed, &steps);
    if let (Course::Checking | Course::Building, Some(work)) = (&course, &record.work) {
        Opening { desired, work, observed }.open(&mut steps);
    }
    // A finalizer without a record: the status was lost, and what was started is still to be found.
    let lost = desired.finalizer && record.work.is_none() && !course.is_over();
    State { course, steps, at_work: record.is_at_work() || lost, trouble: trouble(desired, record, observed) }
}

/// What the Pipeline says of the stages that still rest on a Release that succeeded.
fn trouble(desired: &Desired, record: &Record, observed: &Observed) -> Option<(Reason, String)> {
    let status = observed.pipeline.as_ref()?.status.as_ref().filter(|_| record.ended == Some(Ending::Succeeded))?;
    status.stages.iter().find_map(|stage| {
        let own = stage.grant.as_ref().is_some_and(|grant| *grant.release == *desired.name);
        let trouble = stage.trouble.as_ref().filter(|_| own)?;
        let reason = Reason::parse(&trouble.reason).unwrap_or(Reason::TargetStalled);
        Some((reason, format!("stage {}: {}", stage.name, trouble.message)))
    })
}

fn course(desired: &Desired, record: &Record, observed: &Observed, steps: &[Step]) -> Course {
    if let Some(ended) = record.ended {
        return Course::Over(End::Before(ended));
    }
    if desired.life != Life::Stays {
        return Course::Over(End::Cancelled("the Release is being deleted".to_owned()));
    }
    let Some(pipeline) = &observed.pipeline else { return orphaned(desired, record) };
    if let Some(by) = superseded(desired, pipeline) {
        return Course::Over(End::Superseded(by));
    }
    let Some(work) = &record.work else { return starting(desired, pipeline, observed) };
    if !record.images.is_empty() {
        return at_stage(desired, record, pipeline, observed);
    }
    if let Some((reason, message)) = steps.iter().find_map(|step| failure(&step.state)) {
        return failed(desired, work, observed, steps, reason, message);
    }
    if let Err(refusal) = allowed(work, observed) {
        return Course::Refused(refusal);
    }
    let course = if is_checked(steps) { building(desired, work, observed, steps) } else { Course::Checking };
    let waits = matches!(course, Course::Checking | Course::Building) && steps.iter().all(|step| step.state.is_idle());
    if pipeline.spec.suspend && waits { Course::Suspended } else { course }
}

/// Whether the account still allows what the Release runs: it is read live in the pass that starts a build.
fn allowed(work: &Work, observed: &Observed) -> Result<(), Refusal> {
    let scope = scope(&observed.account, Some(&work.region))?;
    work.steps.iter().try_for_each(|step| scope.project(&step.run.project))?;
    scope.repository(&work.image.repository)
}

fn orphaned(desired: &Desired, record: &Record) -> Course {
    if record.work.is_none() {
        return Course::Refused(Refusal::NoPipeline { pipeline: desired.pipeline.clone() });
    }
    Course::Over(End::Cancelled(format!("Pipeline {} is gone", desired.pipeline)))
}

fn superseded(desired: &Desired, pipeline: &PipelineFacts) -> Option<String> {
    let told = pipeline.status.iter().flat_map(|status| &status.superseded);
    told.into_iter().find(|one| *one.release == *desired.name).map(|one| one.by.to_string())
}

fn failure(state: &StepState) -> Option<(Reason, String)> {
    let StepState::Over(over) = state else { return None };
    match over {
        Over::Succeeded(_) => None,
        Over::Failed { reason, message, .. } => Some((*reason, message.clone())),
        Over::Stopped => {
            Some((Reason::BuildFailed, "a build of this Release was stopped: make another Release".to_owned()))
        }
    }
}

fn starting(desired: &Desired, pipeline: &PipelineFacts, observed: &Observed) -> Course {
    if pipeline.spec.suspend {
        return Course::Suspended;
    }
    let allowed = scope(&observed.account, pipeline.spec.region.as_deref());
    match allowed.and_then(|scope| checked_plan(&pipeline.spec, &scope)) {
        Ok(_) if !may_begin(desired, pipeline) => {
            Course::InLine(being_built(pipeline).map(ToString::to_string).collect())
        }
        Ok(plan) => Course::Starting(Box::new(plan)),
        Err(refusal) => Course::Refused(refusal),
    }
}

/// Whether the Pipeline lets the Release begin. One that a person made need not ask.
fn may_begin(desired: &Desired, pipeline: &PipelineFacts) -> bool {
    desired.is_persons || being_built(pipeline).any(|name| **name == *desired.name)
}

fn being_built(pipeline: &PipelineFacts) -> impl Iterator<Item = &ObjectName> {
    pipeline.status.iter().flat_map(|status| &status.building)
}

fn building(desired: &Desired, work: &Work, observed: &Observed, steps: &[Step]) -> Course {
    let build = steps.iter().find(|step| step.kind == StepKind::Build).map(|step| &step.state);
    let built = build.is_some_and(StepState::has_succeeded);
    match found(desired, work, observed) {
        Found::Image(image) => there(work, image, observed),
        Found::Unproved(by) => Course::Unproved { build: by.id.clone() },
        Found::Nothing if built => missing(desired, work, observed, ""),
        Found::Left(image, by) if built => missing(desired, work, observed, &left(work, desired, image, by)),
        Found::Blind(fault) if built || build == Some(&StepState::Waiting) => Course::Blind(fault.clone()),
        Found::Nothing | Found::Left(..) | Found::Blind(_) | Found::Unseen(_) => Course::Building,
    }
}

fn there(work: &Work, image: &LiveImage, observed: &Observed) -> Course {
    match &observed.account_id {
        Looked::Seen(account) => Course::Built(image_status(account, work, &image.digest)),
        Looked::Blind(fault) => Course::Blind(fault.clone()),
        Looked::NotAsked => Course::Building,
    }
}

/// A check or the build failed. A build that did is no failure if the image of the commit is there all the same: another
/// Pipeline's build of the commit pushed it, and the tag may have been what ours failed on.
fn failed(
    desired: &Desired,
    work: &Work,
    observed: &Observed,
    steps: &[Step],
    reason: Reason,
    message: String,
) -> Course {
    let over = |message| Course::Over(End::Failed(reason, message));
    if !is_checked(steps) {
        return over(message);
    }
    match found(desired, work, observed) {
        Found::Image(image) => there(work, image, observed),
        Found::Unproved(by) => Course::Unproved { build: by.id.clone() },
        Found::Left(image, by) => over(format!("{message}; {}", left(work, desired, image, by))),
        Found::Blind(fault) if !fault.is_terminal() => Course::Blind(fault.clone()),
        Found::Nothing | Found::Blind(_) | Found::Unseen(_) => over(message),
    }
}

/// What is said of an image that counts for nothing.
fn left(work: &Work, desired: &Desired, image: &LiveImage, by: &LiveBuild) -> String {
    format!(
        "the tag names {}, which is not rolled: build {} left it, and did not succeed; where tags cannot be moved, delete it: \
         aws ecr batch-delete-image --repository-name {} --image-ids imageTag={}",
        image.digest, by.id, work.image.repository, desired.commit
    )
}

fn image_status(account: &str, work: &Work, digest: &str) -> ImageStatus {
    ImageStatus {
        name: work.image.name.clone(),
        registry: account.into(),
        region: work.region.clone(),
        repository: work.image.repository.clone(),
        digest: digest.into(),
    }
}

/// The build succeeded and its image is not there: it may still come, for a moment.
fn missing(desired: &Desired, work: &Work, observed: &Observed, left: &str) -> Course {
    if let Some(Progress::Succeeded(Some(build))) = work.build().map(|build| &build.progress) {
        let ended = build.ended_at.as_ref().unwrap_or(&build.started_at).0;
        if observed.at < ended + SignedDuration::from_secs(PUSHED) {
            return Course::Pushing;
        }
    }
    let message = format!(
        "the build succeeded but did not push {}:{}: let it push $IMAGE_REPO_NAME:$IMAGE_TAG{}{left}",
        work.image.repository,
        desired.commit,
        if left.is_empty() { "" } else { "; " }
    );
    Course::Over(End::Failed(Reason::ImageMissing, message))
}

fn at_stage(desired: &Desired, record: &Record, pipeline: &PipelineFacts, observed: &Observed) -> Course {
    let current = match current(&desired.name, record, pipeline) {
        Ok(Some(current)) => current,
        Ok(None) => return Course::Over(End::Succeeded),
        Err(refusal) => return Course::Refused(refusal),
    };
    let state = stage_state(desired, record, &current, observed);
    if let StageState::Failed(reason, why) = &state {
        return Course::Over(End::Failed(*reason, format!("stage {}: {why}", current.stage.name)));
    }
    Course::AtStage { name: current.stage.name, grant: current.entry.ok().map(|grant| grant.number), state }
}

/// The AwsAccount that a Release uses: the recorded one, else its Pipeline's.
pub fn account<'a>(record: &'a Record, pipeline: Option<&'a PipelineFacts>) -> &'a str {
    let recorded = record.work.as_ref().map(|work| work.account.as_str());
    let of_pipeline = pipeline.and_then(|facts| facts.spec.account.as_ref()).map(|name| name.as_str());
    recorded.or(of_pipeline).unwrap_or(DEFAULT)
}
