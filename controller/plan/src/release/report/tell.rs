//! What a Release's conditions and columns say, in words: where it is, what it waits for, what failed and what to do.

use super::Pass;
use crate::condition::{Answer, MESSAGE_MAX, Said, Truth, cut};
use crate::fault::Fault;
use crate::image::short;
use crate::life::Life;
use crate::reason::{Kind, Reason};
use crate::release::BUILD;
use crate::release::desired::Desired;
use crate::release::stages::{StageState, Wait};
use crate::release::state::{Course, State, at_work};
use crate::release::steps::StepState;
use crate::release::told;
use launchway_crds::pipeline::{Summary, WaitsFor};
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StepPhase};

/// How much of the message the conditions repeat that are not the summary, in bytes: the status has a limit.
const REPEATED: usize = 256;

/// What the conditions say.
pub(super) struct Tell {
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

    fn held(reason: Reason, message: impl Into<String>) -> Self {
        Self { ready: Truth::Unknown, extra: Some(Kind::Held), reason, message: message.into() }
    }

    /// It waits for a stage: held where a person or a time lets it in.
    fn waiting(wait: &Wait) -> Self {
        match wait.what {
            WaitsFor::Release => Self::working(wait.reason, wait.message.clone()),
            WaitsFor::Person | WaitsFor::Time => Self::held(wait.reason, wait.message.clone()),
            WaitsFor::Correction => Self::stalled(wait.reason, wait.message.clone()),
        }
    }

    fn ended(reason: Reason, message: impl Into<String>) -> Self {
        Self { ready: Truth::True, extra: None, reason, message: message.into() }
    }

    /// A change is pending and something cannot be seen. What is denied may be allowed at any time; what the world
    /// lacks does not come by waiting.
    fn blind(fault: &Fault, what: &str) -> Self {
        let tell = if fault.is_terminal() && !fault.is_denied() { Self::stalled } else { Self::working };
        tell(Reason::of(fault), format!("{what}{fault}"))
    }
}

/// What this pass has to say.
pub(super) fn tell(pass: &Pass<'_>, fault: Option<&Fault>) -> Tell {
    match fault {
        Some(_) if pass.state.course.is_over() => tell_course(pass),
        Some(fault) if fault.is_terminal() => Tell::stalled(Reason::of(fault), fault.to_string()),
        Some(fault) if fault.is_doubt() => Tell::working(Reason::BuildDoubtful, fault.to_string()),
        Some(fault) => Tell::working(Reason::Unavailable, fault.to_string()),
        None => tell_course(pass),
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
        | StepState::Expired
        | StepState::Found(_)
        | StepState::Surplus(_)
        | StepState::Hidden
        | StepState::Running(_)
        | StepState::Overdue(_)
        | StepState::Again(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped => None,
    })
}

fn tell_course(pass: &Pass<'_>) -> Tell {
    let commit = pass.desired.short_commit();
    match &pass.state.course {
        Course::Refused(refusal) => Tell::stalled(refusal.reason(), refusal.to_string()),
        Course::Suspended => suspended(pass),
        Course::Starting(_) => Tell::working(Reason::Checking, format!("starting commit {commit}")),
        Course::Checking => under_way(pass, Reason::Checking, "checks run"),
        Course::Building => under_way(pass, Reason::Building, "the image is being built"),
        Course::Pushing => Tell::working(Reason::Building, "the build succeeded; its image is looked for in ECR"),
        Course::Built(image) => Tell::working(Reason::WaitingForStage, format!("the image {} is there", short(image))),
        Course::Blind(fault) => Tell::blind(fault, ""),
        Course::AtStage { name, state, .. } => tell_stage(name, state),
        Course::Succeeded => Tell::ended(Reason::Succeeded, format!("commit {commit} runs in every stage, verified")),
        Course::Failed(reason, why) => Tell::stalled(*reason, why.clone()),
        Course::Superseded(by) => Tell::ended(
            Reason::Superseded,
            format!("Release {by} took its place; to release {commit} after all, make a Release with reason Manual"),
        ),
        Course::Cancelled(why) => Tell::ended(Reason::Cancelled, why.clone()),
        Course::Ended(phase) => ended(*phase, commit),
    }
}

/// It ended before, and the words of that pass were lost.
fn ended(phase: ReleasePhase, commit: &str) -> Tell {
    match phase {
        ReleasePhase::Active => Tell::working(Reason::Progressing, format!("commit {commit} is at work")),
        ReleasePhase::Succeeded => Tell::ended(Reason::Succeeded, format!("commit {commit} ran in every stage")),
        ReleasePhase::Failed => Tell::stalled(
            Reason::BuildFailed,
            format!("commit {commit} failed: see the steps and stages in the status"),
        ),
        ReleasePhase::Superseded => Tell::ended(Reason::Superseded, "a newer Release took its place"),
        ReleasePhase::Cancelled => Tell::ended(Reason::Cancelled, "it was cancelled"),
    }
}

fn suspended(pass: &Pass<'_>) -> Tell {
    let message = format!(
        "Pipeline {0} is suspended; to continue: kubectl -n {1} patch lwp {0} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'",
        pass.desired.pipeline, pass.desired.namespace
    );
    Tell::held(Reason::Suspended, message)
}

fn under_way(pass: &Pass<'_>, reason: Reason, what: &str) -> Tell {
    if let Some(fault) = unknown(pass.state) {
        return Tell::blind(fault, &format!("{what}; "));
    }
    let doubtful = pass
        .state
        .steps
        .iter()
        .any(|(_, state)| matches!(state, StepState::Doubtful | StepState::Repeatable(_) | StepState::Expired));
    let live: Vec<_> = pass.state.steps.iter().filter_map(|(name, state)| step_told(name, state)).collect();
    let message = if live.is_empty() { what.to_owned() } else { format!("{what}: {}", live.join(", ")) };
    Tell::working(if doubtful { Reason::BuildDoubtful } else { reason }, message)
}

fn step_told(name: &str, state: &StepState) -> Option<String> {
    match state {
        StepState::Running(build) | StepState::Found(build) => Some(format!("{name} in {}", build.phase)),
        StepState::Overdue(build) => Some(format!("{name} hangs in {}: it is being stopped", told::last_phase(build))),
        StepState::Doubtful | StepState::Repeatable(_) | StepState::Expired => {
            Some(format!("{name} was perhaps started: its answer was lost and it is looked for"))
        }
        StepState::Hidden => Some(format!("{name} was started, and CodeBuild does not show it yet")),
        StepState::Again(build) => Some(format!(
            "{name} ended {} in {}: it is started again",
            told::outcome(&build.status),
            told::last_phase(build)
        )),
        StepState::Surplus(id) => Some(format!("{name} was started twice: {id} is being stopped")),
        StepState::Waiting
        | StepState::Startable(_)
        | StepState::Done(_)
        | StepState::Failed { .. }
        | StepState::Stopped
        | StepState::Unknown(_) => None,
    }
}

fn tell_stage(name: &str, state: &StageState) -> Tell {
    match state {
        StageState::Waiting(wait) => Tell::waiting(wait),
        StageState::Rolling(why) => Tell::working(Reason::Rolling, format!("stage {name}: {why}")),
        StageState::Stuck(reason, why) => Tell::stalled(*reason, format!("stage {name}: {why}")),
        StageState::Deployed => Tell::working(
            Reason::Verifying,
            format!("stage {name}: the targets run the image; the verification begins"),
        ),
        StageState::Verifying(why) => Tell::working(Reason::Verifying, format!("stage {name}: {why}")),
        StageState::Verified => Tell::working(Reason::Verifying, format!("stage {name} is verified")),
        StageState::Failed(reason, why) => Tell::stalled(*reason, format!("stage {name}: {why}")),
    }
}

/// The conditions. Those of a Release that had ended before stand.
pub(super) fn said(before: &ReleaseStatus, next: &ReleaseStatus, pass: &Pass<'_>, tell: &Tell) -> Vec<Said> {
    if matches!(pass.state.course, Course::Ended(_)) && !before.conditions.is_empty() {
        return stands(next, pass.desired);
    }
    let say = |kind, truth| Said::Now(Answer::new(kind, truth, tell.reason, tell.message.clone()));
    let repeat = |kind, truth| Said::Now(Answer::new(kind, truth, tell.reason, cut(&tell.message, REPEATED)));
    let mut all = vec![say(Kind::Ready, tell.ready)];
    all.extend(tell.extra.map(|kind| say(kind, Truth::True)));
    all.extend(answers(next).map(|(kind, truth)| match truth {
        Truth::True => Said::Now(Answer::new(kind, truth, Reason::Succeeded, proved(kind, next))),
        Truth::False | Truth::Unknown => repeat(kind, truth),
    }));
    all
}

/// What is said of a question that is answered with yes.
fn proved(kind: Kind, next: &ReleaseStatus) -> String {
    match kind {
        Kind::ChecksPassed if next.steps.len() > 1 => "every check succeeded".to_owned(),
        Kind::ChecksPassed => "there are no checks".to_owned(),
        Kind::Built => next.images.iter().map(short).collect::<Vec<_>>().join(", "),
        Kind::Deployed => "the targets of every stage run the image".to_owned(),
        Kind::Verified => "every stage is verified".to_owned(),
        Kind::Ready
        | Kind::Reconciling
        | Kind::Stalled
        | Kind::Held
        | Kind::SourceReady
        | Kind::Released
        | Kind::RolledOut
        | Kind::InSync => String::new(),
    }
}

/// What stands of a Release that ended. One that cannot be deleted yet says what lets it go.
fn stands(next: &ReleaseStatus, desired: &Desired) -> Vec<Said> {
    let kept = |kind: &&Kind| **kind != Kind::Reconciling && **kind != Kind::Stalled;
    if desired.life == Life::Stays || !at_work(next) {
        return Kind::ALL.iter().map(|kind| Said::Kept(*kind)).collect();
    }
    let message = format!(
        "its builds are stopped first; to let this object go without that: kubectl -n {} annotate --overwrite lwr {} launchway.dev/abandon=true",
        desired.namespace, desired.name
    );
    let ending = Said::Now(Answer::new(Kind::Reconciling, Truth::True, Reason::Cancelled, message));
    Kind::ALL.iter().filter(kept).map(|kind| Said::Kept(*kind)).chain([ending]).collect()
}

/// The four questions in their order. While it is at work, what is not done is unknown; of one that failed, the first
/// that is not done is answered with no; one that is over without having succeeded is not deployed and not verified.
fn answers(next: &ReleaseStatus) -> impl Iterator<Item = (Kind, Truth)> {
    let checks =
        next.plan.is_some() && next.steps.iter().all(|step| *step.name == *BUILD || step.phase == StepPhase::Succeeded);
    let phase = next.phase;
    let deployed = !next.stages.is_empty() && next.stages.iter().all(|stage| stage.deployed_at.is_some());
    let done = match phase {
        Some(ReleasePhase::Succeeded) => [true; 4],
        Some(ReleasePhase::Failed) => [checks, !next.images.is_empty(), deployed, false],
        Some(ReleasePhase::Active | ReleasePhase::Superseded | ReleasePhase::Cancelled) | None => {
            [checks, !next.images.is_empty(), false, false]
        }
    };
    let first = done.iter().position(|done| !done);
    let kinds = [Kind::ChecksPassed, Kind::Built, Kind::Deployed, Kind::Verified];
    kinds.into_iter().enumerate().map(move |(index, kind)| {
        let failed = phase == Some(ReleasePhase::Failed) && first == Some(index);
        let over = matches!(kind, Kind::Deployed | Kind::Verified)
            && matches!(phase, Some(ReleasePhase::Failed | ReleasePhase::Superseded | ReleasePhase::Cancelled));
        let truth = match (done[index], failed || over) {
            (true, _) => Truth::True,
            (false, true) => Truth::False,
            (false, false) => Truth::Unknown,
        };
        (kind, truth)
    })
}

/// The columns.
pub(super) fn summary(before: &ReleaseStatus, pass: &Pass<'_>, tell: &Tell) -> Summary {
    if let (Course::Ended(_), Some(summary)) = (&pass.state.course, &before.summary) {
        return summary.clone();
    }
    Summary {
        commit: pass.desired.short_commit().to_owned(),
        stage: place(before, pass),
        reason: tell.reason.to_string(),
        message: cut(&tell.message, MESSAGE_MAX),
    }
}

/// The step or the stage that it is at, or was at last.
fn place(before: &ReleaseStatus, pass: &Pass<'_>) -> String {
    let last = || before.stages.last().map(|stage| stage.name.to_string()).unwrap_or_default();
    match &pass.state.course {
        Course::AtStage { name, .. } => name.clone(),
        Course::Failed(..) if before.images.is_empty() => {
            let failed = pass.state.steps.iter().find(|(_, state)| matches!(state, StepState::Failed { .. }));
            failed.map_or(BUILD, |(name, _)| name).to_owned()
        }
        Course::Checking | Course::Starting(_) => "checks".to_owned(),
        Course::Building | Course::Pushing | Course::Built(_) => BUILD.to_owned(),
        Course::Failed(..) | Course::Succeeded | Course::Ended(_) => last(),
        Course::Refused(_) | Course::Suspended | Course::Blind(_) | Course::Superseded(_) | Course::Cancelled(_) => {
            before.summary.as_ref().map(|summary| summary.stage.clone()).unwrap_or_default()
        }
    }
}
