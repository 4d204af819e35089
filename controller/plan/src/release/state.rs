//! The state of a Release: its steps, and how far it has come. It is computed in every pass and never stored.

use super::commit_status::{Unreported, unreported};
use super::crowd::Counted;
use super::desired::Desired;
use super::imageless;
use super::observed::{Observed, PipelineFacts};
use super::opening::Opening;
use super::origin::{Found, Unusable, is_own, remembered};
use super::record::{Ending, Progress, Record, StepKind, Work};
use super::required_statuses::{self, Awaited, Required};
use super::scan::{self, Gate};
use super::stages::{StageState, current, stage_state};
use super::steps::{APPEARS, Over, PUSHED, Step, StepState, is_checked, judged};
use super::told::{found, lacking};
use crate::account::{DEFAULT, Scope, scope};
use crate::allow;
use crate::fault::Fault;
use crate::life::Life;
use crate::look::Looked;
use crate::pipeline::desired::{checked_plan, release_name};
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::start::build::bounds;
use crate::target::was_proved;
use crate::world::{LiveImage, LiveProject};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::account::Commits;
use launchway_crds::name::GitTag;
use launchway_crds::pipeline::ImageStatus;
use launchway_crds::release::ReleasePlan;

/// When a Release looks again that its Pipeline has not recorded yet, in seconds. The Pipeline does that in the pass that makes
/// it, or in the next one.
pub(super) const RECORDED: i64 = 60;

/// The state of a Release.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// How far it has come.
    pub course: Course,
    /// The checks in the order of the spec, then the build, if there is one.
    pub steps: Vec<Step>,
    /// Whether nothing that others have to report of the commit is waited for, or not any more.
    pub is_reported: bool,
    /// Whether a build of it runs or may have been started. The finalizer stays as long as that.
    pub at_work: bool,
    /// Why a stage does not run this Release's images as it should, although the Release succeeded; absent: nothing is
    /// wrong, or the Release has not succeeded.
    pub trouble: Option<(Reason, String)>,
    /// What the git host lacks.
    pub unreported: Unreported,
}

/// How far a Release has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// It cannot start or continue before somebody corrects something: the Pipeline is missing, the account does not
    /// allow what the spec names, or this version does not know how to carry it out.
    Refused(Refusal),
    /// The Pipeline is suspended, so nothing new is started.
    Suspended,
    /// It waits until it may begin.
    InLine(Line),
    /// It starts: this plan is recorded, and the steps begin in a later pass.
    Starting(Box<ReleasePlan>),
    /// Not all checks have succeeded yet.
    Checking,
    /// The checks succeeded. What others have to report of the commit is waited for.
    AwaitingStatuses(Awaited),
    /// The checks succeeded. The image is being looked for or built.
    Building,
    /// The build succeeded. Its image is not in ECR yet, but may still appear.
    Pushing,
    /// The image is there, but the build that pushed it has not ended.
    Unproved {
        /// The ID of that build.
        build: String,
    },
    /// The images are there, and the findings of a scan of them are not.
    Scanning {
        /// What is waited for, in words.
        what: String,
        /// Until when.
        until: Timestamp,
    },
    /// The images are there, and this pass records them.
    Built(Vec<ImageStatus>),
    /// Something that has to be known of its image could not be looked at.
    Blind(Fault),
    /// It is at a stage: it waits for the stage, or has entered it.
    AtStage {
        /// The stage's name.
        name: String,
        /// The number of its grant; absent: it waits to enter the stage.
        grant: Option<i64>,
        /// The state of the stage.
        state: StageState,
    },
    /// It is over: nothing new is started, and what still runs is stopped.
    Over(End),
}

/// What a Release waits for that may not begin yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its Pipeline lets others begin first.
    Pipeline,
    /// Its Pipeline may be about to record that it made it, as it says of itself.
    Record,
    /// So many Releases of its namespace are at work, and its AwsAccount allows no more.
    Namespace(i32),
}

/// How a Release ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Every stage is verified.
    Succeeded,
    /// A step or a stage failed.
    Failed(Reason, String),
    /// This newer Release superseded it.
    Superseded(String),
    /// It is being deleted, or its Pipeline is gone; the text says which.
    Cancelled(String),
    /// It ended in an earlier pass.
    Before(Ending),
}

impl Course {
    /// Whether the Release is over: nothing new is started, and what runs is to be stopped.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Over(_))
    }
}

/// The state of the Release.
pub fn assess(desired: &Desired, record: &Record, observed: &Observed) -> State {
    let mut steps = record.work.as_ref().map_or_else(Vec::new, |work| judged(desired, work, observed));
    let course = course(desired, record, observed, &steps);
    if let (Course::Checking | Course::Building, Some(work)) = (&course, &record.work) {
        Opening { desired, work, observed }.open(&mut steps);
    }
    // There is a finalizer but no record: the status was lost, and what an earlier pass started has still to be found.
    let lost = desired.finalizer && record.work.is_none() && !course.is_over();
    let unreported = unreported(desired, record, observed.pipeline.as_ref(), observed.at);
    State {
        course,
        steps,
        is_reported: required_statuses::is_met(desired, record, observed),
        at_work: record.is_at_work() || lost,
        trouble: trouble(desired, record, observed),
        unreported,
    }
}

/// What the Pipeline says is wrong with a stage that should run this Release. Only a Release that succeeded asks for
/// it.
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
    let Some(work) = &record.work else {
        let has_succeeded = has_succeeded(desired, pipeline);
        return if has_succeeded { Course::Over(End::Succeeded) } else { starting(desired, pipeline, observed) };
    };
    if !record.images.is_empty() {
        return at_stage(desired, record, pipeline, observed);
    }
    let since = record.scanned_since;
    if let Some((reason, message)) = steps.iter().find_map(|step| failure(&step.state)) {
        return failed(desired, work, observed, steps, since, (reason, message));
    }
    if let Err(refusal) = allowed(work, observed) {
        return Course::Refused(refusal);
    }
    let course = match is_checked(steps).then(|| required_statuses::judged(desired, record, work, observed)) {
        None => Course::Checking,
        Some(Required::Met) => building(desired, work, observed, steps, since),
        Some(Required::Awaited(awaited)) => Course::AwaitingStatuses(awaited),
        Some(Required::Missed(why)) => Course::Over(End::Failed(Reason::StatusMissed, why)),
    };
    let may_wait = matches!(
        course,
        Course::Checking
            | Course::AwaitingStatuses(_)
            | Course::Building
            | Course::Over(End::Failed(Reason::StatusMissed, _))
    );
    let waits = may_wait && steps.iter().all(|step| step.state.is_idle());
    if pipeline.spec.suspend && waits { Course::Suspended } else { course }
}

/// Whether the account still allows what the Release runs. The account was read live in this pass.
fn allowed(work: &Work, observed: &Observed) -> Result<(), Refusal> {
    let scope = scope(&observed.account, Some(&work.region))?;
    let mut missing: Vec<_> = work.steps.iter().flat_map(|step| bounds::missing(&scope, &step.run)).collect();
    let repositories = work.images.iter().map(|image| &image.repository);
    missing.extend(repositories.filter_map(|name| allow::REPOSITORIES.missing(&scope.allow, &[name])));
    scope.refuse(missing)
}

/// Refuses a commit that a person named and that is not known to be one of the branch, where the account asks for that.
fn of_branch(desired: &Desired, pipeline: &PipelineFacts, scope: &Scope) -> Result<(), Refusal> {
    let status = || pipeline.status.iter();
    let stages = || status().flat_map(|status| &status.stages);
    let mut known = status()
        .flat_map(|status| status.heads.iter().map(|head| &head.commit))
        .chain(stages().filter_map(|stage| stage.grant.as_ref()).map(|grant| &grant.commit))
        .chain(stages().filter_map(|stage| stage.verified.as_ref()).map(|verified| &verified.commit));
    if scope.allow.commits == Commits::Any || !desired.is_persons || known.any(|commit| *commit == desired.commit) {
        return Ok(());
    }
    Err(Refusal::Commit {
        account: scope.account.clone(),
        pipeline: desired.pipeline.clone(),
        commit: desired.commit.to_string(),
    })
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
        Over::Stopped => Some((
            Reason::BuildFailed,
            "a build of this Release was stopped; to try again, make another Release of this commit".to_owned(),
        )),
    }
}

/// Whether a Release without a record would start now, so that its projects have to be looked at: no other one gets as far as
/// its checks.
pub(super) fn starts(desired: &Desired, record: &Record, observed: &Observed) -> bool {
    matches!(course(desired, record, observed, &[]), Course::Checking | Course::Starting(_))
}

fn starting(desired: &Desired, pipeline: &PipelineFacts, observed: &Observed) -> Course {
    if pipeline.spec.suspend {
        return Course::Suspended;
    }
    let plan = |projects: &[LiveProject]| {
        let scope = scope(&observed.account, pipeline.spec.region.as_deref())?;
        of_branch(desired, pipeline, &scope)?;
        checked_plan(&pipeline.spec, &scope, projects)
    };
    if let Err(refusal) = plan(&[]) {
        return Course::Refused(refusal);
    }
    if !is_known(desired, pipeline) {
        return match is_being_made(desired, pipeline) {
            true => Course::InLine(Line::Record),
            false => Course::Refused(Refusal::NotMade { pipeline: desired.pipeline.clone() }),
        };
    }
    if !may_begin(desired, pipeline) {
        return Course::InLine(Line::Pipeline);
    }
    if let Some(most) = observed.full(Counted::Releases) {
        return Course::InLine(Line::Namespace(most));
    }
    match &observed.projects {
        Looked::Seen(projects) => match plan(projects) {
            Ok(plan) => Course::Starting(Box::new(ReleasePlan { git_tag: git_tag(desired, pipeline), ..plan })),
            Err(refusal) => Course::Refused(refusal),
        },
        Looked::Blind(fault) => Course::Blind(fault.clone()),
        Looked::NotAsked => Course::Checking,
    }
}

/// The git tag of the commit: a person's Release says none, and the Pipeline knows the newest.
fn git_tag(desired: &Desired, pipeline: &PipelineFacts) -> Option<GitTag> {
    let mut heads =
        pipeline.status.iter().flat_map(|status| &status.heads).filter(|head| head.commit == desired.commit);
    let newest = || heads.find_map(|head| head.of.strip_prefix("refs/tags/")).map(GitTag::from);
    desired.git_tag.clone().or_else(newest)
}

/// Whether the Pipeline has recorded that the Release was proved in the last stage, although the Release's own status, which
/// was wiped, says nothing of it.
fn has_succeeded(desired: &Desired, pipeline: &PipelineFacts) -> bool {
    let last = pipeline.spec.stages.last();
    let mut stages = pipeline.status.iter().flat_map(|status| &status.stages);
    let verified = last.and_then(|last| stages.find(|stage| stage.name == last.name)?.verified.as_ref());
    verified.is_some_and(|verified| was_proved(verified, &desired.name, &desired.commit, desired.created))
}

/// Whether the Pipeline lets the Release begin.
fn may_begin(desired: &Desired, pipeline: &PipelineFacts) -> bool {
    pipeline.status.iter().flat_map(|status| &status.building).any(|name| **name == *desired.name)
}

/// Whether the Pipeline wrote down that it is about to make this Release.
fn is_being_made(desired: &Desired, pipeline: &PipelineFacts) -> bool {
    let making = pipeline.status.as_ref().and_then(|status| status.making.as_ref());
    let named = |number: i64| *desired.name == *release_name(&desired.pipeline, number);
    making.is_some_and(|making| making.commit == desired.commit && named(making.number))
}

/// Whether a person made the Release, or its Pipeline did and has recorded that. What it says of itself is not believed:
/// whoever may create Releases can write it.
fn is_known(desired: &Desired, pipeline: &PipelineFacts) -> bool {
    desired.is_persons || pipeline.status.iter().flat_map(|status| &status.made).any(|uid| **uid == *desired.uid)
}

fn building(desired: &Desired, work: &Work, observed: &Observed, steps: &[Step], since: Option<Timestamp>) -> Course {
    let build = steps.iter().find(|step| step.kind == StepKind::Build).map(|step| &step.state);
    let built = build.is_none_or(StepState::has_succeeded);
    if build.is_some_and(StepState::may_be_started) {
        return Course::Building;
    }
    let each = work.of_each();
    let Some((work, lacking)) = lacking(desired, &each, observed) else {
        return there(desired, &each, observed, since);
    };
    match lacking {
        Found::Image(_) => there(desired, &each, observed, since),
        Found::Unproved(by) => Course::Unproved { build: by.id.clone() },
        Found::Nothing if built => missing(desired, work, observed, imageless::absent(desired, work, observed)),
        Found::Left(image, by) if built => {
            missing(desired, work, observed, imageless::beside(desired, work, image, by))
        }
        Found::Others(image) if built => {
            missing(desired, work, observed, imageless::unproved(desired, work, observed, image))
        }
        Found::Unusable(why @ (Unusable::Nothing | Unusable::Forgotten)) if built => {
            let seconds = if why == Unusable::Forgotten { APPEARS } else { PUSHED };
            missing_for(seconds, desired, work, observed, imageless::unusable(desired, work, observed, why))
        }
        Found::Unusable(why) if built => without_image(imageless::unusable(desired, work, observed, why)),
        Found::Blind(fault) if built || build == Some(&StepState::Waiting) => Course::Blind(fault.clone()),
        Found::Nothing
        | Found::Left(..)
        | Found::Others(_)
        | Found::Unusable(_)
        | Found::Blind(_)
        | Found::Unseen(_) => Course::Building,
    }
}

/// Every image is the commit's.
fn there(desired: &Desired, each: &[Work], observed: &Observed, since: Option<Timestamp>) -> Course {
    let seen = || each.iter().filter_map(|work| Some((work, observed.image(work).seen()?.as_ref()?)));
    for (work, image) in seen() {
        if let Some(known) = moved(desired, work, image, observed) {
            return Course::Over(End::Failed(Reason::ImageChanged, imageless::changed(desired, work, image, known)));
        }
    }
    match scan::gate(desired, each, observed, since) {
        Gate::Open => {}
        Gate::Waiting(what, until) => return Course::Scanning { what, until },
        Gate::Shut(why) => return Course::Over(End::Failed(Reason::ScanFailed, why)),
        Gate::Blind(fault) => return Course::Blind(fault),
        Gate::Unseen => return Course::Building,
    }
    match &observed.account_id {
        Looked::Seen(account) => {
            Course::Built(seen().map(|(work, image)| image_status(account, work, &image.digest)).collect())
        }
        Looked::Blind(fault) => Course::Blind(fault.clone()),
        Looked::NotAsked => Course::Building,
    }
}

/// The digest that the Pipeline remembers of the commit, if the commit's tag names another image now that no build of this
/// Release pushed: somebody has moved the tag.
fn moved<'a>(desired: &Desired, work: &Work, image: &LiveImage, observed: &'a Observed) -> Option<&'a str> {
    let known = remembered(desired, work, observed)?;
    (*known != *image.digest && !is_own(desired, work, observed, image)).then_some(known)
}

/// What follows when a check or the build failed. A failed build does not matter if the image of the commit is there
/// all the same: another Pipeline's build of the commit may have pushed it first, and ours may have failed because the
/// tag was taken.
fn failed(
    desired: &Desired,
    work: &Work,
    observed: &Observed,
    steps: &[Step],
    since: Option<Timestamp>,
    (reason, message): (Reason, String),
) -> Course {
    let over = |message| Course::Over(End::Failed(reason, message));
    if !is_checked(steps) {
        return over(message);
    }
    let each = work.of_each();
    let Some((work, lacking)) = lacking(desired, &each, observed) else {
        return there(desired, &each, observed, since);
    };
    match lacking {
        Found::Image(_) => there(desired, &each, observed, since),
        Found::Unproved(by) => Course::Unproved { build: by.id.clone() },
        Found::Left(image, by) => over(format!("{message}; {}", imageless::left(desired, work, image, by))),
        Found::Others(image) => over(format!("{message}; {}", imageless::taken(desired, work, image))),
        Found::Blind(fault) if !fault.is_terminal() => Course::Blind(fault.clone()),
        Found::Nothing if each.iter().any(|work| matches!(found(desired, work, observed), Found::Image(_))) => {
            over(format!("{}; {message}", imageless::partly(desired, work)))
        }
        Found::Nothing | Found::Unusable(_) | Found::Blind(_) | Found::Unseen(_) => over(message),
    }
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

/// What follows when the build succeeded, or there is none, and the image is not there. For a moment it may still appear.
fn missing(desired: &Desired, work: &Work, observed: &Observed, message: String) -> Course {
    missing_for(PUSHED, desired, work, observed, message)
}

/// The same where it may take so many seconds.
fn missing_for(seconds: i64, desired: &Desired, work: &Work, observed: &Observed, message: String) -> Course {
    let since = match work.build().map(|build| &build.progress) {
        None => desired.created,
        Some(Progress::Succeeded(Some(build))) => Some(build.ended_at.as_ref().unwrap_or(&build.started_at).0),
        Some(_) => None,
    };
    match since {
        Some(since) if observed.at < since + SignedDuration::from_secs(seconds) => Course::Pushing,
        Some(_) | None => without_image(message),
    }
}

fn without_image(message: String) -> Course {
    Course::Over(End::Failed(Reason::ImageMissing, message))
}

fn at_stage(desired: &Desired, record: &Record, pipeline: &PipelineFacts, observed: &Observed) -> Course {
    let current = match current(desired, record, pipeline) {
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

/// The name of the AwsAccount that a Release uses: the recorded one, or else its Pipeline's, or else the default.
pub fn account<'a>(record: &'a Record, pipeline: Option<&'a PipelineFacts>) -> &'a str {
    let recorded = record.work.as_ref().map(|work| work.account.as_str());
    let of_pipeline = pipeline.and_then(|facts| facts.spec.account.as_ref()).map(|name| name.as_str());
    recorded.or(of_pipeline).unwrap_or(DEFAULT)
}
