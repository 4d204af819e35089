//! What a pass adds to a Release's record: plan, steps, images, stages, how it ended. No conditions.

use super::{LOG_LINES, Pass};
use crate::Outcome;
use crate::condition::{cut, whole};
use crate::fault::Fault;
use crate::release::BUILD;
use crate::release::decide::{Action, Effected};
use crate::release::desired::Desired;
use crate::release::request::code_build;
use crate::release::stages::StageState;
use crate::release::state::Course;
use crate::release::steps::{Start, StepState, build_record, is_long_over, lookout};
use crate::release::told;
use crate::world::{BuildStatus, LiveBuild};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::condition::Time;
use launchway_crds::name::Name;
use launchway_crds::pipeline::ImageStatus;
use launchway_crds::release::{
    ReleasePhase, ReleasePlan, ReleaseStatus, StagePhase, StageRecord, StepPhase, StepStatus,
};

/// How long a line of a log may be, in bytes.
const LINE: usize = 256;
/// How long a message of a step or a stage may be, in bytes.
const MESSAGE: usize = 512;
/// A Release that starts later than this after it was made, in seconds, may have started before: its status may have
/// been wiped. Its builds are looked for before any is started.
const FRESH: i64 = 60;

/// A status in which nothing is known.
pub fn empty() -> ReleaseStatus {
    ReleaseStatus {
        observed_generation: -1,
        conditions: Vec::new(),
        phase: None,
        plan: None,
        steps: Vec::new(),
        images: Vec::new(),
        stages: Vec::new(),
        ended_at: None,
        summary: None,
    }
}

/// The record with an intent in it: what is written before a build is started.
pub fn intended(before: &ReleaseStatus, start: &Start) -> ReleaseStatus {
    let mut next = before.clone();
    for step in next.steps.iter_mut().filter(|step| *step.name == *start.step) {
        step.phase = StepPhase::Intended;
        step.intent = Some(start.intent.clone());
        step.build = None;
    }
    next
}

/// The record with what AWS told us in it: what is written even if the record has changed meanwhile.
pub fn learned(before: &ReleaseStatus, effected: &Effected) -> ReleaseStatus {
    let mut next = before.clone();
    if let Effected::Started { step, build } = effected {
        for one in next.steps.iter_mut().filter(|one| *one.name == **step) {
            started(one, build);
        }
    }
    next
}

/// What the state adds.
pub(super) fn advance(next: &mut ReleaseStatus, pass: &Pass<'_>) {
    course_on(next, pass);
    for (name, state) in &pass.state.steps {
        let run = next.plan.as_ref().and_then(|plan| code_build(plan, name)).map(|run| run.project.to_string());
        if let Some(step) = next.steps.iter_mut().find(|step| *step.name == **name) {
            step_on(step, state, run.as_deref().unwrap_or_default(), pass);
        }
    }
}

fn course_on(next: &mut ReleaseStatus, pass: &Pass<'_>) {
    let at = pass.observed.at;
    match &pass.state.course {
        Course::Starting(plan) => begin(next, plan, pass.desired, at),
        Course::Built(image) => built(next, image.clone()),
        Course::AtStage { name, grant: Some(grant), state } => stage(next, name, *grant, state, at),
        Course::Succeeded => end(next, ReleasePhase::Succeeded, at),
        Course::Failed(_, why) => {
            for stage in next.stages.iter_mut().filter(|stage| stage.phase != StagePhase::Verified) {
                (stage.phase, stage.ended_at, stage.message) =
                    (StagePhase::Failed, Some(Time(whole(at))), Some(cut(why, MESSAGE)));
            }
            end(next, ReleasePhase::Failed, at);
        }
        Course::Superseded(_) => end(next, ReleasePhase::Superseded, at),
        Course::Cancelled(_) => end(next, ReleasePhase::Cancelled, at),
        Course::Refused(_)
        | Course::Suspended
        | Course::Checking
        | Course::Building
        | Course::Pushing
        | Course::Blind(_)
        | Course::AtStage { grant: None, .. }
        | Course::Ended(_) => {}
    }
}

fn begin(next: &mut ReleaseStatus, plan: &ReleasePlan, desired: &Desired, at: Timestamp) {
    let made = desired.created.unwrap_or(at);
    let fresh = !desired.finalizer && at <= made + SignedDuration::from_secs(FRESH);
    let names = plan.checks.iter().map(|check| check.name.clone()).chain([BUILD.into()]);
    next.steps = names.map(waiting).collect();
    for step in next.steps.iter_mut().filter(|_| !fresh) {
        step.phase = StepPhase::Intended;
        step.intent = code_build(plan, &step.name).map(|run| lookout(desired, &run.project, at));
    }
    next.phase = Some(ReleasePhase::Active);
    next.plan = Some(plan.clone());
}

fn waiting(name: Name) -> StepStatus {
    StepStatus {
        name,
        phase: StepPhase::Waiting,
        attempt: 1,
        intent: None,
        build: None,
        message: None,
        log: Vec::new(),
        earlier: Vec::new(),
    }
}

fn built(next: &mut ReleaseStatus, image: ImageStatus) {
    next.images = vec![image];
    for step in next.steps.iter_mut().filter(|step| *step.name == *BUILD && step.phase == StepPhase::Waiting) {
        step.phase = StepPhase::Succeeded;
        step.message = Some("the image of this commit was there already".to_owned());
    }
}

fn stage(next: &mut ReleaseStatus, name: &str, grant: i64, state: &StageState, at: Timestamp) {
    let now = Time(whole(at));
    let fresh = StageRecord {
        name: name.into(),
        grant,
        phase: StagePhase::Rolling,
        message: None,
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

fn end(next: &mut ReleaseStatus, phase: ReleasePhase, at: Timestamp) {
    next.phase = Some(phase);
    next.ended_at = Some(Time(whole(at)));
}

/// What a step's state adds to its record.
fn step_on(step: &mut StepStatus, state: &StepState, project: &str, pass: &Pass<'_>) {
    match state {
        StepState::Found(build) => started(step, build),
        StepState::Running(build) | StepState::Overdue(build) => step.build = Some(build_record(build)),
        StepState::Done(Some(build)) => {
            (step.phase, step.build, step.message) = (StepPhase::Succeeded, Some(build_record(build)), None);
        }
        StepState::Again(build) => again(step, build, project, pass),
        StepState::Failed { message, build, .. } => fail(step, message, build.as_deref(), pass),
        // It is known not to have run, and is not started any more.
        StepState::Expired if pass.state.course.is_over() => (step.phase, step.intent) = (StepPhase::Stopped, None),
        // It was looked for, and never started.
        StepState::Waiting if step.phase == StepPhase::Intended => {
            (step.phase, step.intent) = (StepPhase::Waiting, None);
        }
        StepState::Expired
        | StepState::Waiting
        | StepState::Doubtful
        | StepState::Repeatable(_)
        | StepState::Startable(_)
        | StepState::Surplus(_)
        | StepState::Hidden
        | StepState::Done(None)
        | StepState::Stopped
        | StepState::Unknown(_) => {}
    }
}

fn started(step: &mut StepStatus, build: &LiveBuild) {
    (step.phase, step.intent, step.message, step.build) = (StepPhase::Running, None, None, Some(build_record(build)));
}

/// The next attempt. It is looked for before it is started, if it may have been begun and forgotten.
fn again(step: &mut StepStatus, build: &LiveBuild, project: &str, pass: &Pass<'_>) {
    let (outcome, phase) = (told::outcome(&build.status), told::last_phase(build));
    step.message = Some(cut(&format!("attempt {} ended {outcome} in phase {phase}", step.attempt), MESSAGE));
    step.earlier.push(build_record(build));
    (step.phase, step.build, step.attempt) = (StepPhase::Waiting, None, step.attempt + 1);
    if is_long_over(build, pass.observed.at) {
        (step.phase, step.intent) = (StepPhase::Intended, Some(lookout(pass.desired, project, pass.observed.at)));
    }
}

fn fail(step: &mut StepStatus, message: &str, build: Option<&LiveBuild>, pass: &Pass<'_>) {
    if step.phase == StepPhase::Failed || step.phase == StepPhase::Stopped {
        return;
    }
    let stopped = build.is_some_and(|build| build.status == BuildStatus::Stopped);
    let ours = stopped && pass.state.course.is_over() && !decides(pass, step);
    step.phase = if ours { StepPhase::Stopped } else { StepPhase::Failed };
    step.message = Some(if ours { "stopped with the Release".to_owned() } else { cut(message, MESSAGE) });
    step.build = build.map(build_record).or(step.build.take());
    let log = pass.observed.logs.get(&*step.name).map_or(&[][..], Vec::as_slice);
    let tail = log.iter().skip(log.len().saturating_sub(LOG_LINES));
    step.log = tail.map(|line| cut(line, LINE).into()).collect();
}

/// Whether the Release fails in this pass because of this very step.
fn decides(pass: &Pass<'_>, step: &StepStatus) -> bool {
    let Course::Failed(..) = &pass.state.course else { return false };
    let first = pass.state.steps.iter().find(|(_, state)| matches!(state, StepState::Failed { .. }));
    first.is_some_and(|(name, _)| *name == *step.name)
}

/// What the effect adds; its fault, if it has one.
pub(super) fn effect<'a>(next: &mut ReleaseStatus, pass: &Pass<'a>) -> Option<&'a Fault> {
    match (pass.outcome, pass.action) {
        (Outcome::Done(effected), _) => {
            *next = learned(next, effected);
            None
        }
        (Outcome::Failed(fault), Some(Action::Start(start))) if !fault.is_doubt() => {
            for step in next.steps.iter_mut().filter(|step| *step.name == *start.step) {
                (step.phase, step.intent, step.message) =
                    (StepPhase::Waiting, None, Some(cut(&fault.to_string(), MESSAGE)));
            }
            Some(fault)
        }
        (Outcome::Failed(fault), Some(Action::Stop { step, .. })) if fault.is_terminal() => {
            for one in next.steps.iter_mut().filter(|one| *one.name == **step) {
                one.message = Some(cut(&format!("it runs on: {fault}"), MESSAGE));
            }
            Some(fault)
        }
        (Outcome::Failed(fault), _) => Some(fault),
        (Outcome::Idle, _) => None,
    }
}
