//! The next status of a Release: its record, its conditions and its columns. Nothing is chosen here.

use super::BUILD;
use super::decide::{Action, Effected};
use super::desired::Desired;
use super::observed::Observed;
use super::stages::StageState;
use super::state::{Course, State};
use super::steps::{StepState, build_record};
use super::told;
use crate::Outcome;
use crate::condition::{Answer, Said, Truth, cut, find, merge, whole};
use crate::fault::Fault;
use crate::reason::{Kind, Reason};
use crate::service::report::reason_of;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{ImageStatus, Summary};
use launchway_crds::release::{
    ReleasePhase, ReleasePlan, ReleaseStatus, StagePhase, StageRecord, StepPhase, StepStatus,
};

/// How many lines of a failed build's log are shown.
pub const LOG_LINES: usize = 20;
/// How long each of them may be, in bytes.
const LINE: usize = 256;
/// How long a step's message may be, in bytes: eleven of them fit beside all else into 32 KiB.
const STEP_MESSAGE: usize = 512;

/// What a pass over a Release found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What was seen.
    pub observed: &'a Observed,
    /// Where it stood.
    pub state: &'a State,
    /// What was done.
    pub action: Option<&'a Action>,
    /// What came of it.
    pub outcome: &'a Outcome<Effected>,
}

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
pub fn intended(record: &ReleaseStatus, start: &super::steps::Start) -> ReleaseStatus {
    let mut next = record.clone();
    for step in next.steps.iter_mut().filter(|step| *step.name == *start.step) {
        step.phase = StepPhase::Intended;
        step.intent = Some(start.intent.clone());
        step.build = None;
    }
    next
}

/// The record with what AWS told us in it: what is written even if the record has changed meanwhile.
pub fn learned(record: &ReleaseStatus, effected: &Effected) -> ReleaseStatus {
    let mut next = record.clone();
    if let Effected::Started { step, build } = effected {
        for one in next.steps.iter_mut().filter(|one| *one.name == **step) {
            started(one, build);
        }
    }
    next
}

/// The next status.
pub fn report(record: &ReleaseStatus, pass: &Pass<'_>) -> ReleaseStatus {
    let mut next = record.clone();
    let at = pass.observed.at;
    match &pass.state.course {
        Course::Starting(plan) => begin(&mut next, plan),
        Course::Built(image) => built(&mut next, image),
        Course::AtStage { name, grant: Some(grant), state } => stage(&mut next, name, *grant, state, at),
        course => end(&mut next, course, at),
    }
    for (name, state) in &pass.state.steps {
        if let Some(step) = next.steps.iter_mut().find(|step| *step.name == **name) {
            advance(step, state, pass);
        }
    }
    let fault = effect(&mut next, pass);
    let tell = tell(pass, fault);
    next.conditions = merge(&record.conditions, &said(record, &next, &tell), pass.desired.generation, at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(summary(pass, record, &tell));
    next
}

fn begin(next: &mut ReleaseStatus, plan: &ReleasePlan) {
    let names = plan.checks.iter().map(|check| check.name.clone()).chain([BUILD.into()]);
    next.steps = names.map(waiting).collect();
    next.phase = Some(ReleasePhase::Active);
    next.plan = Some(plan.clone());
}

fn waiting(name: launchway_crds::name::Name) -> StepStatus {
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

fn built(next: &mut ReleaseStatus, image: &str) {
    let name =
        next.plan.as_ref().and_then(|plan| plan.images.first()).map(|image| image.name.clone()).unwrap_or_default();
    next.images = vec![ImageStatus { name, image: image.into() }];
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
    let index = next.stages.iter().position(|one| *one.name == *name);
    let index = index.unwrap_or_else(|| {
        next.stages.push(fresh.clone());
        next.stages.len() - 1
    });
    let Some(record) = next.stages.get_mut(index) else { return };
    if record.grant != grant {
        *record = fresh;
    }
    let message = |text: &str| Some(cut(text, STEP_MESSAGE));
    match state {
        StageState::Waiting | StageState::Failed(..) => {}
        StageState::Rolling(why) | StageState::Stuck(why) => record.message = message(why),
        StageState::Deployed => {
            (record.phase, record.deployed_at, record.message) = (StagePhase::Verifying, Some(now), None)
        }
        StageState::Verifying(why) => record.message = message(why),
        StageState::Verified => {
            record.deployed_at = record.deployed_at.take().or_else(|| Some(now.clone()));
            (record.phase, record.ended_at, record.message) = (StagePhase::Verified, Some(now), None);
        }
    }
}

fn end(next: &mut ReleaseStatus, course: &Course, at: Timestamp) {
    let phase = match course {
        Course::Succeeded => ReleasePhase::Succeeded,
        Course::Failed(_, why) => {
            for stage in next.stages.iter_mut().filter(|stage| stage.phase != StagePhase::Verified) {
                (stage.phase, stage.ended_at, stage.message) =
                    (StagePhase::Failed, Some(Time(whole(at))), Some(cut(why, STEP_MESSAGE)));
            }
            ReleasePhase::Failed
        }
        Course::Superseded(_) => ReleasePhase::Superseded,
        Course::Cancelled(_) => ReleasePhase::Cancelled,
        Course::Refused(_)
        | Course::Suspended
        | Course::Starting(_)
        | Course::Checking
        | Course::Building
        | Course::Built(_)
        | Course::Blind(_)
        | Course::AtStage { .. }
        | Course::Ended(_) => return,
    };
    next.phase = Some(phase);
    next.ended_at = Some(Time(whole(at)));
}

/// What a step's state adds to its record.
fn advance(step: &mut StepStatus, state: &StepState, pass: &Pass<'_>) {
    match state {
        StepState::Found(build) => started(step, build),
        StepState::Running(build) | StepState::Overdue(build) => step.build = Some(build_record(build)),
        StepState::Done(Some(build)) => {
            (step.phase, step.build, step.message) = (StepPhase::Succeeded, Some(build_record(build)), None)
        }
        StepState::Again(build) => {
            step.earlier.push(build_record(build));
            step.message = Some(cut(
                &format!(
                    "attempt {} ended {} in phase {}; it is started again",
                    step.attempt,
                    told::outcome(&build.status),
                    told::last_phase(build)
                ),
                STEP_MESSAGE,
            ));
            (step.phase, step.build, step.attempt) = (StepPhase::Waiting, None, step.attempt + 1);
        }
        StepState::Failed { message, build, .. } => fail(step, message, build.as_deref(), pass),
        StepState::Doubtful | StepState::Repeatable(_) if pass.state.course.is_over() => give_up(step, state),
        StepState::Startable(_) if pass.state.course.is_over() => give_up(step, state),
        StepState::Doubtful
        | StepState::Repeatable(_)
        | StepState::Startable(_)
        | StepState::Waiting
        | StepState::Surplus(_)
        | StepState::Done(None)
        | StepState::Stopped
        | StepState::Unknown(_) => {}
    }
}

/// A doubt of a Release that is over ends when the call is known not to have started a build: it is not made again.
fn give_up(step: &mut StepStatus, state: &StepState) {
    if matches!(state, StepState::Startable(_)) {
        (step.phase, step.intent) = (StepPhase::Stopped, None);
    }
}

fn started(step: &mut StepStatus, build: &crate::world::LiveBuild) {
    (step.phase, step.intent, step.message, step.build) = (StepPhase::Running, None, None, Some(build_record(build)));
}

fn fail(step: &mut StepStatus, message: &str, build: Option<&crate::world::LiveBuild>, pass: &Pass<'_>) {
    if step.phase == StepPhase::Failed || step.phase == StepPhase::Stopped {
        return;
    }
    let stopped = build.is_some_and(|build| build.status == crate::world::BuildStatus::Stopped);
    step.phase = if stopped && pass.state.course.is_over() && !failed_for(pass, step) {
        StepPhase::Stopped
    } else {
        StepPhase::Failed
    };
    step.message = Some(cut(message, STEP_MESSAGE));
    step.build = build.map(build_record).or(step.build.take());
    let log = pass.observed.logs.get(&*step.name).map_or(&[][..], Vec::as_slice);
    let tail = log.iter().skip(log.len().saturating_sub(LOG_LINES));
    step.log = tail.map(|line| cut(&line.replace(['\n', '\0'], " "), LINE).into()).collect();
}

/// Whether the Release fails in this pass because of this very step.
fn failed_for(pass: &Pass<'_>, step: &StepStatus) -> bool {
    let Course::Failed(..) = &pass.state.course else { return false };
    pass.state
        .steps
        .iter()
        .find(|(_, state)| matches!(state, StepState::Failed { .. }))
        .is_some_and(|(name, _)| *name == *step.name)
}

/// What the effect adds; its fault, if it has one.
fn effect<'a>(next: &mut ReleaseStatus, pass: &Pass<'a>) -> Option<&'a Fault> {
    match (pass.outcome, pass.action) {
        (Outcome::Done(effected), _) => {
            *next = learned(next, effected);
            None
        }
        (Outcome::Failed(fault), Some(Action::Start(start))) if !fault.is_doubt() => {
            for step in next.steps.iter_mut().filter(|step| *step.name == *start.step) {
                (step.phase, step.intent, step.message) =
                    (StepPhase::Waiting, None, Some(cut(&fault.to_string(), STEP_MESSAGE)));
            }
            Some(fault)
        }
        (Outcome::Failed(fault), _) => Some(fault),
        (Outcome::Idle, _) => None,
    }
}

/// What the conditions say.
struct Tell {
    ready: Truth,
    extra: Option<Kind>,
    reason: Reason,
    message: String,
}

impl Tell {
    fn working(reason: Reason, message: impl Into<String>) -> Self {
        Self { ready: Truth::False, extra: Some(Kind::Reconciling), reason, message: message.into() }
    }

    fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self { ready: Truth::False, extra: Some(Kind::Stalled), reason, message: message.into() }
    }

    fn ended(reason: Reason, message: impl Into<String>) -> Self {
        Self { ready: Truth::True, extra: None, reason, message: message.into() }
    }
}

fn tell(pass: &Pass<'_>, fault: Option<&Fault>) -> Tell {
    match fault {
        Some(fault) if fault.is_terminal() => Tell::stalled(reason_of(fault), fault.to_string()),
        Some(fault) if pass.state.course.is_over() => tell_course(pass, Some(fault)),
        Some(fault) if fault.is_doubt() => Tell::working(Reason::BuildDoubtful, fault.to_string()),
        Some(fault) => Tell::working(Reason::Unavailable, fault.to_string()),
        None => tell_course(pass, unknown(pass.state)),
    }
}

/// A step that cannot be told about.
fn unknown(state: &State) -> Option<&Fault> {
    state.steps.iter().find_map(|(_, step)| match step {
        StepState::Unknown(fault) => Some(fault),
        StepState::Waiting
        | StepState::Startable(_)
        | StepState::Repeatable(_)
        | StepState::Doubtful
        | StepState::Found(_)
        | StepState::Surplus(_)
        | StepState::Running(_)
        | StepState::Overdue(_)
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped => None,
    })
}

fn tell_course(pass: &Pass<'_>, fault: Option<&Fault>) -> Tell {
    let commit = pass.desired.short_commit();
    let blind = |what: &str| fault.map(|fault| Tell::working(reason_of(fault), format!("{what}; {fault}")));
    match &pass.state.course {
        Course::Refused(refusal) => Tell::stalled(refusal.reason(), refusal.to_string()),
        Course::Suspended => Tell {
            ready: Truth::Unknown,
            extra: Some(Kind::Held),
            reason: Reason::Suspended,
            message: format!(
                "Pipeline {0} is suspended; to go on: kubectl patch lwp {0} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'",
                pass.desired.pipeline
            ),
        },
        Course::Starting(_) => Tell::working(Reason::Checking, format!("starting commit {commit}")),
        Course::Checking => {
            blind("checks run").unwrap_or_else(|| Tell::working(Reason::Checking, steps_told(pass, "checks run")))
        }
        Course::Building => blind("the image is being built")
            .unwrap_or_else(|| Tell::working(Reason::Building, steps_told(pass, "the image is being built"))),
        Course::Built(image) => Tell::working(Reason::WaitingForStage, format!("{image} is there")),
        Course::Blind(fault) => Tell::working(reason_of(fault), fault.to_string()),
        Course::AtStage { name, state, .. } => tell_stage(name, state),
        Course::Succeeded => Tell::ended(Reason::Succeeded, format!("commit {commit} runs in every stage, verified")),
        Course::Failed(reason, why) => Tell::stalled(*reason, why.clone()),
        Course::Superseded(by) => Tell::ended(
            Reason::Superseded,
            format!("Release {by} took its place; to release {commit} after all, make a Release with reason Manual"),
        ),
        Course::Cancelled(why) => Tell::ended(Reason::Cancelled, why.clone()),
        Course::Ended(phase) => {
            Tell { ready: Truth::True, extra: None, reason: Reason::Succeeded, message: format!("{phase:?}") }
        }
    }
}

fn steps_told(pass: &Pass<'_>, what: &str) -> String {
    let live: Vec<_> = pass
        .state
        .steps
        .iter()
        .filter_map(|(name, state)| match state {
            StepState::Running(build) | StepState::Found(build) => Some(format!("{name} in {}", build.phase)),
            StepState::Overdue(build) => {
                Some(format!("{name} hangs in {}: it is being stopped", told::last_phase(build)))
            }
            StepState::Doubtful | StepState::Repeatable(_) => {
                Some(format!("{name} was perhaps started: its answer was lost and it is looked for"))
            }
            StepState::Waiting
            | StepState::Startable(_)
            | StepState::Surplus(_)
            | StepState::Again(_)
            | StepState::Done(_)
            | StepState::Failed { .. }
            | StepState::Stopped
            | StepState::Unknown(_) => None,
        })
        .collect();
    if live.is_empty() { what.to_owned() } else { format!("{what}: {}", live.join(", ")) }
}

fn tell_stage(name: &str, state: &StageState) -> Tell {
    match state {
        StageState::Waiting => {
            Tell::working(Reason::WaitingForStage, format!("the image is there; waiting for stage {name}"))
        }
        StageState::Rolling(why) => Tell::working(Reason::Rolling, format!("stage {name}: {why}")),
        StageState::Stuck(why) => Tell::stalled(Reason::AwsRefused, format!("stage {name}: {why}")),
        StageState::Deployed => Tell::working(
            Reason::Verifying,
            format!("stage {name}: the targets run the image; the verification begins"),
        ),
        StageState::Verifying(why) => Tell::working(Reason::Verifying, format!("stage {name}: {why}")),
        StageState::Verified => Tell::working(Reason::Verifying, format!("stage {name} is verified")),
        StageState::Failed(reason, why) => Tell::stalled(*reason, format!("stage {name}: {why}")),
    }
}

fn said(record: &ReleaseStatus, next: &ReleaseStatus, tell: &Tell) -> Vec<Said> {
    if let (Some(_), false) =
        (record.phase.filter(|phase| *phase != ReleasePhase::Active), record.conditions.is_empty())
    {
        return Kind::ALL.iter().map(|kind| Said::Kept(*kind)).collect();
    }
    let say = |kind, truth| Said::Now(Answer::new(kind, truth, tell.reason, tell.message.clone()));
    let mut all = vec![say(Kind::Ready, tell.ready)];
    all.extend(tell.extra.map(|kind| say(kind, Truth::True)));
    let parts = progress(next);
    let over = matches!(next.phase, Some(phase) if phase != ReleasePhase::Active);
    let mut failed = false;
    for (kind, done) in parts {
        let truth = match (done, over, failed) {
            (true, _, _) => Truth::True,
            (false, true, false) => Truth::False,
            (false, true, true) | (false, false, _) => Truth::Unknown,
        };
        failed |= truth == Truth::False;
        all.push(match truth {
            Truth::True => Said::Now(Answer::new(kind, truth, Reason::Succeeded, "")),
            Truth::False | Truth::Unknown => say(kind, truth),
        });
    }
    if over
        && next.phase != Some(ReleasePhase::Succeeded)
        && find(&record.conditions, Kind::Deployed).is_none_or(|one| one.status != "True")
    {
        all.retain(|said| !matches!(said, Said::Now(answer) if answer.kind == Kind::Deployed));
        all.push(say(Kind::Deployed, Truth::False));
    }
    all
}

/// The four questions in their order, and whether each is answered well.
fn progress(next: &ReleaseStatus) -> [(Kind, bool); 4] {
    let started = next.plan.is_some();
    let checks = started && next.steps.iter().all(|step| *step.name == *BUILD || step.phase == StepPhase::Succeeded);
    let succeeded = next.phase == Some(ReleasePhase::Succeeded);
    let deployed = succeeded
        || (!next.stages.is_empty()
            && next.stages.iter().all(|stage| stage.deployed_at.is_some())
            && next.phase == Some(ReleasePhase::Failed));
    [
        (Kind::ChecksPassed, checks),
        (Kind::Built, !next.images.is_empty()),
        (Kind::Deployed, deployed),
        (Kind::Verified, succeeded),
    ]
}

fn summary(pass: &Pass<'_>, record: &ReleaseStatus, tell: &Tell) -> Summary {
    if let (Course::Ended(_), Some(summary)) = (&pass.state.course, &record.summary) {
        return summary.clone();
    }
    let failing = record.stages.last().map(|stage| stage.name.to_string());
    let stage = match &pass.state.course {
        Course::AtStage { name, .. } => name.clone(),
        Course::Failed(..) if record.images.is_empty() => pass
            .state
            .steps
            .iter()
            .find(|(_, state)| matches!(state, StepState::Failed { .. }))
            .map_or(BUILD, |(name, _)| name)
            .to_owned(),
        Course::Checking | Course::Starting(_) => "checks".to_owned(),
        Course::Building | Course::Built(_) => BUILD.to_owned(),
        Course::Failed(..) | Course::Succeeded | Course::Ended(_) => failing.unwrap_or_default(),
        Course::Refused(_) | Course::Suspended | Course::Blind(_) | Course::Superseded(_) | Course::Cancelled(_) => {
            record.summary.as_ref().map(|summary| summary.stage.clone()).unwrap_or_default()
        }
    };
    Summary {
        commit: pass.desired.short_commit().to_owned(),
        stage,
        reason: tell.reason.to_string(),
        message: cut(&tell.message, 1024),
    }
}
