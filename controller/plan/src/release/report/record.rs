//! What a pass adds to a Release's record: the plan, the steps, the images, the stages, and how it ended. The messages
//! of the conditions are in `wording`.

use super::pass::Pass;
use crate::Outcome;
use crate::condition::{cut, whole};
use crate::fault::{Fault, FaultKind};
use crate::look::Looked;
use crate::reason::Reason;
use crate::release::BUILD;
use crate::release::commit_status::{CommitStatus, Subject};
use crate::release::decide::{Action, Effected};
use crate::release::desired::Desired;
use crate::release::record::{Ending, Progress, StepKind, Work, put, steps};
use crate::release::required_statuses::Awaited;
use crate::release::stages::StageState;
use crate::release::state::{Course, End};
use crate::release::steps::{InDoubt, Live, Over, Start, Step, StepState};
use crate::release::{scan, told, values};
use crate::start::Intent;
use crate::start::build::{self, words};
use crate::world::{BuildStatus, Listing, LiveBuild};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::condition::Time;
use launchway_crds::name::{Name, SaidImage};
use launchway_crds::pipeline::ImageStatus;
use launchway_crds::release::{
    Artifact, ReleasePhase, ReleasePlan, ReleaseStatus, StagePhase, StageRecord, StepPhase, StepStatus,
};

/// How many lines of a failed build's log are shown, the last ones.
pub const LOG_LINES: usize = 20;

/// The longest line of a log that is kept whole, in bytes.
const LINE: usize = 256;
/// The longest message of a step or a stage, in bytes; and that of the step whose failure ended the Release, which has room for what
/// mends it.
pub(super) const MESSAGE: usize = 512;
const DECIDES: usize = 768;
/// How long after it was made a Release starts at the latest, in seconds. One that starts later may have started before
/// and lost its status, so its builds are looked for before any is started.
const FRESH: i64 = 60;

/// A status in which nothing is recorded.
pub fn empty() -> ReleaseStatus {
    ReleaseStatus {
        observed_generation: -1,
        conditions: Vec::new(),
        phase: None,
        plan: None,
        steps: Vec::new(),
        required_statuses_since: None,
        image_scan: None,
        images: Vec::new(),
        stages: Vec::new(),
        ended_at: None,
        summary: None,
    }
}

/// The status with the intent of this call. It is written before the call is made.
pub fn intended(before: &ReleaseStatus, start: &Start) -> ReleaseStatus {
    let mut next = before.clone();
    if let Some(step) = step_of(&mut next, &start.step) {
        put(step, Progress::Intended(Intent::Call(start.call.clone())));
        step.tag_named.clone_from(&start.tag_named);
    }
    next
}

/// The status with what AWS answered. It is written even if the status has changed since it was read.
pub fn learned(before: &ReleaseStatus, effected: &Effected) -> ReleaseStatus {
    let mut next = before.clone();
    match effected {
        Effected::Plain => {}
        Effected::Started { step, build } => {
            if let Some(step) = step_of(&mut next, step) {
                started(step, build);
            }
        }
        Effected::Reported { statuses, .. } => statuses.iter().for_each(|status| reported(&mut next, status)),
    }
    next
}

fn reported(next: &mut ReleaseStatus, of: &CommitStatus) {
    let step = match &of.subject {
        Subject::Stage(name) => {
            let stages = next.stages.iter_mut().filter(|stage| stage.name == *name);
            return stages.for_each(|stage| stage.reported = Some(of.state));
        }
        Subject::Check(name) => name,
        Subject::Build => BUILD,
    };
    if let Some(step) = step_of(next, step) {
        step.reported = Some(of.state);
    }
}

fn step_of<'a>(status: &'a mut ReleaseStatus, name: &str) -> Option<&'a mut StepStatus> {
    status.steps.iter_mut().find(|step| *step.name == *name)
}

/// Records what the state says of the Release and of each step.
pub(super) fn advance(next: &mut ReleaseStatus, pass: &Pass<'_>) {
    course_on(next, pass);
    for step in &pass.state.steps {
        let Some(status) = step_of(next, &step.name) else { continue };
        step_on(status, step, pass);
    }
    let work = next.plan.as_ref().and_then(|plan| Work::parse(plan, &next.steps, pass.observed.at));
    if let Some(work) = &work {
        exported(next, work, pass);
    }
    awaited_on(next, pass);
    scan_on(next, work.as_ref(), pass);
    if let Some(build) = pass.state.steps.iter().find(|step| step.kind == StepKind::Build && step.state.has_succeeded())
    {
        said(next, &build.name, work.as_ref(), pass);
    }
}

/// Records since when others are waited for. While they cannot be looked at, or the Pipeline is suspended, no time runs.
fn awaited_on(next: &mut ReleaseStatus, pass: &Pass<'_>) {
    let since = next.required_statuses_since.take();
    let Course::AwaitingStatuses(awaited) = &pass.state.course else { return };
    let begun = || since.clone().or_else(|| Some(Time(whole(pass.observed.at))));
    next.required_statuses_since = match awaited {
        Awaited::Statuses(..) => begun(),
        // The commit, or the repository, may come.
        Awaited::Blind(fault) if matches!(fault.kind, FaultKind::Absent(_)) => begun(),
        Awaited::Blind(_) => None,
        Awaited::Unseen => since,
    };
}

/// Records what was seen of the scan of the images, once they are there. When an image is missing again, or nothing can be seen, the
/// time that the findings may take begins anew.
fn scan_on(next: &mut ReleaseStatus, work: Option<&Work>, pass: &Pass<'_>) {
    let course = &pass.state.course;
    if matches!(
        course,
        Course::Checking
            | Course::AwaitingStatuses(_)
            | Course::Building
            | Course::Pushing
            | Course::Unproved { .. }
            | Course::Blind(_)
    ) {
        next.image_scan = None;
    }
    if !matches!(course, Course::Scanning { .. } | Course::Built(_) | Course::Over(End::Failed(Reason::ScanFailed, _)))
    {
        return;
    }
    let since = next.image_scan.as_ref().map(|scan| scan.since.0);
    next.image_scan = work.and_then(|work| scan::recorded(pass.desired, &work.of_each(), pass.observed, since));
}

/// Records what checks exported for the build, if this pass heard it.
fn exported(next: &mut ReleaseStatus, work: &Work, pass: &Pass<'_>) {
    for step in work.steps.iter().filter(|step| step.kind == StepKind::Check) {
        let heard = values::heard(pass.desired, work, step, pass.observed);
        if let Some(status) = step_of(next, &step.name).filter(|_| !heard.is_empty()) {
            status.variables = heard;
        }
    }
}

/// Records what the build said of its images, if this pass heard it.
fn said(next: &mut ReleaseStatus, build: &str, work: Option<&Work>, pass: &Pass<'_>) {
    let Some(work) = work else { return };
    let heard = told::heard(pass.desired, work, pass.observed);
    let heard: Vec<SaidImage> = heard.into_iter().map(SaidImage::from).collect();
    let artifact = told::artifact(pass.desired, work, pass.observed);
    let Some(status) = step_of(next, build).filter(|_| !heard.is_empty()) else { return };
    status.images = heard;
    if let (Some((artifact, ..)), Looked::Seen(Listing::Images { key, version, .. })) =
        (artifact, &pass.observed.listing)
    {
        status.artifact = Some(Artifact {
            bucket: cut(&artifact.bucket, 63),
            key: cut(key, 1024),
            version_id: version.as_ref().map(|version| cut(version, 1024)),
        });
    }
}

fn course_on(next: &mut ReleaseStatus, pass: &Pass<'_>) {
    let at = pass.observed.at;
    match &pass.state.course {
        Course::Starting(plan) => begin(next, plan, pass.desired, at),
        Course::Built(images) => built(next, images.clone()),
        Course::AtStage { name, grant: Some(grant), state } => stage(next, name, *grant, state, at),
        Course::Over(End::Before(_)) => {}
        Course::Over(End::Succeeded) => end(next, Ending::Succeeded, at),
        Course::Over(End::Failed(_, why)) => {
            for stage in next.stages.iter_mut().filter(|stage| stage.phase != StagePhase::Verified) {
                (stage.phase, stage.ended_at, stage.message) =
                    (StagePhase::Failed, Some(Time(whole(at))), Some(cut(why, MESSAGE)));
            }
            end(next, Ending::Failed, at);
        }
        Course::Over(End::Superseded(_)) => end(next, Ending::Superseded, at),
        Course::Over(End::Cancelled(_)) => end(next, Ending::Cancelled, at),
        Course::Refused(_)
        | Course::Suspended
        | Course::InLine(_)
        | Course::Checking
        | Course::AwaitingStatuses(_)
        | Course::Building
        | Course::Pushing
        | Course::Scanning { .. }
        | Course::Unproved { .. }
        | Course::Blind(_)
        | Course::AtStage { grant: None, .. } => {}
    }
}

fn begin(next: &mut ReleaseStatus, plan: &ReleasePlan, desired: &Desired, at: Timestamp) {
    let made = desired.created.unwrap_or(at);
    let fresh = !desired.finalizer && at <= made + SignedDuration::from_secs(FRESH);
    let step = |name: Name, project: &str| {
        let mut step = waiting(name);
        if !fresh {
            put(&mut step, Progress::Intended(recovery(desired, project, at)));
        }
        step
    };
    next.steps = steps(plan).map(|(name, _, run)| step(name, run.map_or("", |run| &run.project))).collect();
    next.phase = Some(ReleasePhase::Active);
    next.plan = Some(plan.clone());
}

/// The intent of a step that may have been started by a pass whose status was lost, so that a search comes first. The
/// finalizer is added before the first call. If it is missing, no call can be on its way, and one search is enough.
fn recovery(desired: &Desired, project: &str, at: Timestamp) -> Intent {
    let since = if desired.finalizer { at } else { at - SignedDuration::from_secs(build::TIMES.expires + 1) };
    Intent::Recovery { resource: project.to_owned(), since }
}

fn waiting(name: Name) -> StepStatus {
    StepStatus {
        name,
        phase: StepPhase::Waiting,
        attempt: 1,
        intent: None,
        started: None,
        tag_named: None,
        reported: None,
        images: Vec::new(),
        artifact: None,
        variables: Vec::new(),
        tests: None,
        message: None,
        log: Vec::new(),
        earlier: Vec::new(),
    }
}

fn built(next: &mut ReleaseStatus, images: Vec<ImageStatus>) {
    next.images = images;
    for step in next.steps.iter_mut().filter(|step| *step.name == *BUILD && step.phase == StepPhase::Waiting) {
        there(step);
    }
}

/// Records that nothing has to be built.
fn there(step: &mut StepStatus) {
    put(step, Progress::Succeeded(None));
    step.message = Some("not built: the image of this commit was in ECR already".to_owned());
}

fn stage(next: &mut ReleaseStatus, name: &str, grant: i64, state: &StageState, at: Timestamp) {
    let now = Time(whole(at));
    let fresh = StageRecord {
        name: name.into(),
        grant,
        phase: StagePhase::Rolling,
        message: None,
        reported: None,
        since: now.clone(),
        deployed_at: None,
        ended_at: None,
    };
    if next.stages.iter().all(|one| *one.name != *name) {
        next.stages.push(fresh.clone());
    }
    let Some(record) = next.stages.iter_mut().find(|one| *one.name == *name) else { return };
    if record.grant != grant {
        *record = fresh;
    }
    let message = |text: &str| Some(cut(text, MESSAGE));
    match state {
        StageState::Waiting(_) | StageState::Failed(..) => {}
        StageState::Rolling(why) | StageState::Stuck(_, why) => {
            (record.phase, record.deployed_at, record.message) = (StagePhase::Rolling, None, message(why));
        }
        StageState::Unproved(why) => {
            (record.phase, record.deployed_at, record.message) = (StagePhase::Unproved, None, message(why));
        }
        StageState::Deployed => {
            (record.phase, record.deployed_at, record.message) = (StagePhase::Verifying, Some(now), None);
        }
        StageState::Verifying(why) => record.message = message(why),
        StageState::Verified => {
            record.deployed_at = record.deployed_at.take().or_else(|| Some(now.clone()));
            (record.phase, record.ended_at, record.message) = (StagePhase::Verified, Some(now), None);
        }
    }
}

fn end(next: &mut ReleaseStatus, ending: Ending, at: Timestamp) {
    next.phase = Some(ending.phase());
    next.ended_at = Some(Time(whole(at)));
}

/// Records the state of a step.
fn step_on(status: &mut StepStatus, step: &Step, pass: &Pass<'_>) {
    match &step.state {
        StepState::Live(build, live) => match live {
            Live::Found => started(status, build),
            Live::Running | Live::Overdue => put(status, Progress::Running(build::record(build))),
            Live::Again => again(status, build, &step.project, pass),
            Live::Surplus => {}
        },
        StepState::Over(over) => match over {
            Over::Succeeded(Some(build)) => {
                put(status, Progress::Succeeded(Some(build::record(build))));
                let tests = pass.observed.tests.get(&step.name);
                status.tests = tests.and_then(|said| said.as_ref().ok().copied());
                status.message = tests.and_then(words::tests).map(|said| cut(&said, MESSAGE));
            }
            Over::Failed { message, build, .. } => fail(status, message, build.as_deref(), pass),
            Over::Succeeded(None) | Over::Stopped => {}
        },
        StepState::InDoubt(InDoubt::Expired) if matches!(pass.state.course, Course::Built(_)) => there(status),
        // The call started nothing, and no other will be made.
        StepState::InDoubt(InDoubt::Expired) if pass.state.course.is_over() => put(status, Progress::Stopped(None)),
        // A search found nothing: the step had not been started.
        StepState::Waiting if status.phase == StepPhase::Intended => put(status, Progress::Waiting),
        StepState::Waiting
        | StepState::Startable(_)
        | StepState::InDoubt(_)
        | StepState::Hidden
        | StepState::Unknown(_) => {}
    }
}

fn started(status: &mut StepStatus, build: &LiveBuild) {
    put(status, Progress::Running(build::record(build)));
    status.message = None;
}

/// Records that the next attempt follows. If the last build ended long ago, that attempt may have been started already
/// by a pass whose status was lost, so a search comes first.
fn again(status: &mut StepStatus, build: &LiveBuild, project: &str, pass: &Pass<'_>) {
    let at = pass.observed.at;
    status.message = Some(cut(&format!("attempt {} {}", status.attempt, words::end(build)), MESSAGE));
    status.earlier.push(build::record(build));
    status.attempt = status.attempt.saturating_add(1);
    status.tag_named = None;
    (status.images, status.artifact, status.variables) = (Vec::new(), None, Vec::new());
    let late = build.ended_at.is_some_and(|ended| at > ended + SignedDuration::from_secs(build::TIMES.expires));
    let next = if late { Progress::Intended(recovery(pass.desired, project, at)) } else { Progress::Waiting };
    put(status, next);
}

fn fail(status: &mut StepStatus, message: &str, build: Option<&LiveBuild>, pass: &Pass<'_>) {
    if status.phase == StepPhase::Failed || status.phase == StepPhase::Stopped {
        return;
    }
    let stopped = build.is_some_and(|build| build.status == BuildStatus::Stopped);
    let decides = decides(pass, status);
    let ours = stopped && pass.state.course.is_over() && !decides;
    let record = build.map(build::record).or(status.started.take());
    put(status, if ours { Progress::Stopped(record) } else { Progress::Failed(record) });
    status.message = Some(if ours {
        "stopped because the Release ended".to_owned()
    } else {
        // One that was never started decides as soon as that is recorded.
        cut(message, if decides || build.is_none() { DECIDES } else { MESSAGE })
    });
    status.tests = pass.observed.tests.get(&*status.name).and_then(|said| said.as_ref().ok().copied());
    let log = pass.observed.logs.get(&*status.name).map_or(&[][..], Vec::as_slice);
    let tail = log.iter().skip(log.len().saturating_sub(LOG_LINES));
    status.log = tail.map(|line| cut(line, LINE).into()).collect();
}

/// Whether this step is the reason why the Release fails in this pass.
fn decides(pass: &Pass<'_>, status: &StepStatus) -> bool {
    let Course::Over(End::Failed(..)) = &pass.state.course else { return false };
    let failed = |step: &&Step| matches!(step.state, StepState::Over(Over::Failed { .. }));
    pass.state.steps.iter().find(failed).is_some_and(|step| *step.name == *status.name)
}

/// Records what came of the effect. Returns its fault if it failed.
pub(super) fn effect<'a>(next: &mut ReleaseStatus, pass: &Pass<'a>) -> Option<&'a Fault> {
    match (pass.outcome, pass.action) {
        (Outcome::Done(effected), _) => {
            *next = learned(next, effected);
            None
        }
        (Outcome::Failed(fault), Some(Action::Start(start))) if !fault.is_doubt() => {
            if let Some(step) = step_of(next, &start.step) {
                put(step, Progress::Waiting);
                step.message = Some(cut(&fault.to_string(), MESSAGE));
            }
            Some(fault)
        }
        (Outcome::Failed(fault), Some(Action::Stop { step, .. })) if fault.is_terminal() => {
            if let Some(step) = step_of(next, step) {
                step.message = Some(cut(&format!("still running: {fault}"), MESSAGE));
            }
            Some(fault)
        }
        (Outcome::Failed(fault), _) => Some(fault),
        (Outcome::Idle, _) => None,
    }
}
