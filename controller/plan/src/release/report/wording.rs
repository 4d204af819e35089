//! The messages of a Release's conditions and columns: where it is, what it waits for, what failed, and what to do.

use super::pass::Pass;
use crate::Outcome;
use crate::condition::{Answer, MESSAGE_MAX, Statement, Truth, cut, find, whole};
use crate::fault::{Fault, FaultKind};
use crate::image::{reference, short};
use crate::life::{Life, resume_command};
use crate::look::Looked;
use crate::reason::{ConditionType, Reason};
use crate::release::BUILD;
use crate::release::crowd::{self, Counted};
use crate::release::decide::Effected;
use crate::release::desired::Desired;
use crate::release::record::{Ending, StepKind};
use crate::release::required_statuses::Awaited;
use crate::release::stages::{StageState, Wait};
use crate::release::state::{Course, End, Line};
use crate::release::steps::{InDoubt, Live, Over, Step, StepState};
use crate::start::build::words;
use launchway_crds::pipeline::{Summary, WaitsFor};
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StepPhase};

/// How much of `Ready`'s message is repeated by `ChecksPassed`, `Built`, `Deployed` and `Verified`, in bytes, because
/// the status has a largest size.
const REPEATED: usize = 256;

/// What the conditions and the columns say after a pass.
pub(super) struct Wording {
    ready: Truth,
    extra: Option<ConditionType>,
    reason: Reason,
    message: String,
    /// The step or the stage that the Release is at; absent: the one that was shown before.
    place: Option<String>,
}

impl Wording {
    fn new(ready: Truth, extra: Option<ConditionType>, reason: Reason, message: impl Into<String>) -> Self {
        Self { ready, extra, reason, message: message.into(), place: None }
    }

    fn working(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::False, Some(ConditionType::Reconciling), reason, message)
    }

    fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::False, Some(ConditionType::Stalled), reason, message)
    }

    fn held(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::Unknown, Some(ConditionType::Held), reason, message)
    }

    /// The Release waits for a stage. It is held if it waits for a person or a time.
    fn waiting(wait: &Wait) -> Self {
        match wait.what {
            WaitsFor::Release => Self::working(wait.reason, wait.message.clone()),
            WaitsFor::Person | WaitsFor::Time => Self::held(wait.reason, wait.message.clone()),
            WaitsFor::Correction => Self::stalled(wait.reason, wait.message.clone()),
        }
    }

    /// The Release ended without having released its commit. `Ready` is False, so that `kubectl wait` does not report
    /// success.
    fn never(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::False, None, reason, message)
    }

    fn ended(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::True, None, reason, message)
    }

    /// Something cannot be seen although a change is pending. The Release stalls if something is missing, which waiting
    /// does not change. A permission that is missing may be granted at any time, so it goes on trying then.
    fn blind(fault: &Fault, what: &str) -> Self {
        let wording = if fault.is_terminal() && !fault.is_denied() { Self::stalled } else { Self::working };
        wording(Reason::of(fault), format!("{what}{fault}"))
    }

    fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }
}

/// What the conditions and the columns say. `fault` is the fault of the effect of this pass.
pub(super) fn wording(pass: &Pass<'_>, fault: Option<&Fault>) -> Wording {
    let course = of_course(pass);
    let Some(fault) = fault.filter(|_| !pass.state.course.is_over()) else { return course };
    let wording = if fault.is_terminal() {
        Wording::stalled(Reason::of(fault), format!("{fault}{}", copied(fault)))
    } else if fault.is_doubt() {
        Wording::working(Reason::BuildDoubtful, fault.to_string())
    } else {
        Wording::working(Reason::Unavailable, fault.to_string())
    };
    Wording { place: course.place, ..wording }
}

/// What a correction of the Pipeline does not reach.
fn copied(fault: &Fault) -> &'static str {
    if !matches!(fault.kind, FaultKind::Absent(_) | FaultKind::Invalid) {
        return "";
    }
    "; this Release keeps what it copied from the Pipeline when it began: after correcting that, delete this Release and make \
     another one"
}

fn of_course(pass: &Pass<'_>) -> Wording {
    let commit = pass.desired.commit.short();
    match &pass.state.course {
        Course::Refused(refusal) => Wording::stalled(refusal.reason(), refusal.to_string()),
        Course::Suspended => suspended(pass),
        Course::InLine(line) => in_line(pass, *line),
        Course::Starting(_) => Wording::working(Reason::Checking, format!("starting commit {commit}")).at("checks"),
        Course::Checking => under_way(pass, Reason::Checking, "running checks").at("checks"),
        Course::AwaitingStatuses(awaited) => awaiting(awaited).at("checks"),
        Course::Building if is_left(pass) => {
            let what =
                "building the image again: the one with the tag of this commit is from a build that did not succeed";
            under_way(pass, Reason::Building, what).at(BUILD)
        }
        Course::Building if !builds(pass) => {
            Wording::working(Reason::Building, "looking for the image in ECR").at(BUILD)
        }
        Course::Building => under_way(pass, Reason::Building, "building the image").at(BUILD),
        Course::Unproved { build } => {
            let message = format!(
                "build {build} of this commit still runs, and may have pushed the image; it counts once the build has succeeded"
            );
            Wording::working(Reason::Building, message).at(BUILD)
        }
        Course::Pushing => {
            let message = match builds(pass) {
                true => "the build succeeded; waiting for its image to appear in ECR",
                false => "waiting for the image to appear in ECR",
            };
            Wording::working(Reason::Building, message).at(BUILD)
        }
        Course::Scanning { what, until } => {
            let message = format!("the image is there; {what}, whose findings are waited for until {}", whole(*until));
            Wording::working(Reason::Scanning, message).at(BUILD)
        }
        Course::Built(images) => {
            let names: Vec<String> = images.iter().map(|image| format!("image {}", short(&reference(image)))).collect();
            let is = if names.len() == 1 { "is" } else { "are" };
            Wording::working(Reason::WaitingForStage, format!("{} {is} in ECR", names.join(" and "))).at(BUILD)
        }
        Course::Blind(fault) => Wording::blind(fault, ""),
        Course::AtStage { name, state, .. } => of_stage(name, state).at(name),
        Course::Over(end) => of_end(pass, end),
    }
}

fn awaiting(awaited: &Awaited) -> Wording {
    match awaited {
        Awaited::Statuses(what, until) => {
            let message = format!("waits until {} for what spec.requiredStatuses names at {what}", whole(*until));
            Wording::working(Reason::WaitingForStatuses, message)
        }
        Awaited::Unseen => Wording::working(Reason::WaitingForStatuses, "looking for what spec.requiredStatuses names"),
        Awaited::Blind(fault) => Wording::blind(fault, "spec.requiredStatuses: "),
    }
}

/// Whether the one image is there, and from a build that did not succeed.
fn is_left(pass: &Pass<'_>) -> bool {
    let mut images = pass.observed.images.values();
    let one = images.next().filter(|_| images.next().is_none());
    one.and_then(Looked::seen).is_some_and(Option::is_some)
}

fn of_end(pass: &Pass<'_>, end: &End) -> Wording {
    let commit = pass.desired.commit.short();
    match end {
        End::Succeeded if pass.state.steps.is_empty() => {
            Wording::ended(Reason::Succeeded, format!("commit {commit} was verified in every stage"))
        }
        End::Succeeded => Wording::ended(Reason::Succeeded, runs(pass)),
        End::Failed(reason, why) => {
            let failed = |step: &&Step| matches!(step.state, StepState::Over(Over::Failed { .. }));
            let step = pass.state.steps.iter().find(failed).map(|step| step.name.clone());
            Wording { place: step, ..Wording::stalled(*reason, why.clone()) }
        }
        End::Superseded(by) => Wording::never(
            Reason::Superseded,
            format!("Release {by} took its place; to release {commit} after all, make a Release with reason Manual"),
        ),
        End::Cancelled(why) => Wording::never(Reason::Cancelled, why.clone()),
        End::Before(Ending::Succeeded) => {
            Wording::ended(Reason::Succeeded, format!("commit {commit} was verified in every stage"))
        }
        End::Before(Ending::Failed) => {
            let message =
                format!("the Release of commit {commit} failed: status.steps and status.stages say where and why");
            Wording::stalled(Reason::BuildFailed, message)
        }
        End::Before(Ending::Superseded) => Wording::never(Reason::Superseded, "a newer Release took its place"),
        End::Before(Ending::Cancelled) => {
            Wording::never(Reason::Cancelled, "it was cancelled: the Release or its Pipeline was deleted")
        }
    }
}

/// Whether the Release builds its image.
fn builds(pass: &Pass<'_>) -> bool {
    pass.state.steps.iter().any(|step| step.kind == StepKind::Build)
}

fn suspended(pass: &Pass<'_>) -> Wording {
    let Desired { namespace, pipeline, .. } = pass.desired;
    let resume = resume_command(namespace, pipeline);
    Wording::held(Reason::Suspended, format!("Pipeline {pipeline} is suspended; to continue: {resume}"))
}

fn in_line(pass: &Pass<'_>, line: Line) -> Wording {
    let message = match line {
        Line::Pipeline | Line::Record => format!(
            "waits until Pipeline {} lets it begin: status.building there names those that go first, and spec.concurrency says how many",
            pass.desired.pipeline
        ),
        Line::Namespace(most) => crowded(pass, Counted::Releases, most),
    };
    Wording::working(Reason::WaitingForBuild, message).at("checks")
}

fn crowded(pass: &Pass<'_>, counted: Counted, most: i32) -> String {
    crowd::words(&pass.observed.account, pass.observed.load, counted, most)
}

fn under_way(pass: &Pass<'_>, reason: Reason, what: &str) -> Wording {
    let unknown = |step: &Step| if let StepState::Unknown(fault) = &step.state { Some(fault.clone()) } else { None };
    if let Some(fault) = pass.state.steps.iter().find_map(unknown) {
        return Wording::blind(&fault, &format!("{what}; "));
    }
    let doubtful = pass.state.steps.iter().any(|step| matches!(step.state, StepState::InDoubt(_)));
    let live: Vec<_> = pass.state.steps.iter().filter_map(of_step).collect();
    if let Some(most) = pass.observed.full(Counted::Builds).filter(|_| live.is_empty()) {
        return Wording::working(Reason::WaitingForBuild, crowded(pass, Counted::Builds, most));
    }
    let message = if live.is_empty() { what.to_owned() } else { format!("{what}: {}", live.join(", ")) };
    Wording::working(if doubtful { Reason::BuildDoubtful } else { reason }, message)
}

fn of_step(step: &Step) -> Option<String> {
    let name = &step.name;
    match &step.state {
        StepState::InDoubt(InDoubt::Recovering) => {
            Some(format!("looking in CodeBuild for an earlier build of {name} (up to 6 minutes)"))
        }
        StepState::InDoubt(InDoubt::Searching | InDoubt::Repeatable(_) | InDoubt::Expired) => {
            Some(format!("no reply to StartBuild for {name}; looking for the build in CodeBuild (up to 6 minutes)"))
        }
        StepState::Hidden => Some(format!("{name} was started; waiting for CodeBuild to show the build")),
        StepState::Live(build, live) => Some(match live {
            Live::Running | Live::Found => format!("{name} in {}", build.phase.name),
            Live::Overdue => {
                format!(
                    "{name} has run for longer than its timeout, in phase {}; stopping the build",
                    words::last_phase(build).name
                )
            }
            Live::Again => format!("{name} {}; starting another attempt", words::end(build)),
            Live::Surplus => format!("{name} was started twice; stopping the second build {}", build.id),
        }),
        StepState::Waiting | StepState::Startable(_) | StepState::Over(_) | StepState::Unknown(_) => None,
    }
}

fn of_stage(name: &str, state: &StageState) -> Wording {
    match state {
        StageState::Waiting(wait) => Wording::waiting(wait),
        StageState::Rolling(why) => Wording::working(Reason::Rolling, format!("stage {name}: {why}")),
        StageState::Stuck(reason, why) => Wording::stalled(*reason, format!("stage {name}: {why}")),
        StageState::Unproved(why) => Wording::held(Reason::Unproved, format!("stage {name}: {why}")),
        StageState::Deployed => {
            Wording::working(Reason::Verifying, format!("stage {name}: all targets run the image; verification begins"))
        }
        StageState::Verifying(why) => Wording::working(Reason::Verifying, format!("stage {name}: {why}")),
        StageState::Verified => Wording::working(Reason::Verifying, format!("stage {name} is verified")),
        StageState::Failed(reason, why) => Wording::stalled(*reason, format!("stage {name}: {why}")),
    }
}

/// The conditions. A Release that had ended before keeps most of its conditions, see `kept`.
pub(super) fn statements(
    before: &ReleaseStatus,
    next: &ReleaseStatus,
    pass: &Pass<'_>,
    wording: &Wording,
) -> Vec<Statement> {
    let mut all = of_release(before, next, pass, wording);
    all.extend(unreported(pass));
    all
}

/// Whether the git host lacks something, and why.
fn unreported(pass: &Pass<'_>) -> Option<Statement> {
    match pass.outcome {
        Outcome::Done(Effected::Reported { fault: Some(fault), .. }) => {
            let message =
                format!("the git host lacks commit statuses of this Release, which does not wait for them: {fault}");
            Some(Statement::New(Answer::new(ConditionType::Unreported, Truth::True, Reason::NotReported, message)))
        }
        Outcome::Done(Effected::Reported { fault: None, .. }) => None,
        Outcome::Idle | Outcome::Done(_) | Outcome::Failed(_) => {
            (!pass.state.unreported.statuses.is_empty()).then_some(Statement::Kept(ConditionType::Unreported))
        }
    }
}

/// What is said of the Release itself.
fn of_release(before: &ReleaseStatus, next: &ReleaseStatus, pass: &Pass<'_>, wording: &Wording) -> Vec<Statement> {
    if matches!(pass.state.course, Course::Over(End::Before(_))) && !before.conditions.is_empty() {
        return kept(before, pass);
    }
    let new = |kind, truth, message: String| Statement::New(Answer::new(kind, truth, wording.reason, message));
    let mut all = vec![new(ConditionType::Ready, wording.ready, wording.message.clone())];
    all.extend(wording.extra.map(|kind| new(kind, Truth::True, wording.message.clone())));
    all.extend(answers(next, pass).map(|(kind, truth)| match truth {
        Truth::True => Statement::New(Answer::new(kind, truth, Reason::Succeeded, proved(kind, next))),
        Truth::False | Truth::Unknown => new(kind, truth, cut(&wording.message, REPEATED)),
    }));
    all
}

/// The message of a condition that is True.
fn proved(kind: ConditionType, next: &ReleaseStatus) -> String {
    match kind {
        ConditionType::ChecksPassed if next.steps.iter().any(|step| *step.name != *BUILD) => {
            "every check succeeded".to_owned()
        }
        ConditionType::ChecksPassed => "there are no checks of the Pipeline's own".to_owned(),
        ConditionType::Built => next.images.iter().map(|image| short(&reference(image))).collect::<Vec<_>>().join(", "),
        ConditionType::Deployed => "the targets of every stage run the image".to_owned(),
        ConditionType::Verified => "every stage is verified".to_owned(),
        ConditionType::Ready
        | ConditionType::Reconciling
        | ConditionType::Stalled
        | ConditionType::Held
        | ConditionType::Unreported
        | ConditionType::SourceReady
        | ConditionType::Released
        | ConditionType::RolledOut
        | ConditionType::InSync => String::new(),
    }
}

/// The conditions of a Release that had ended before. One that waits to be deleted says how to delete it at once.
fn kept(before: &ReleaseStatus, pass: &Pass<'_>) -> Vec<Statement> {
    let Desired { namespace, name, life, .. } = pass.desired;
    if *life == Life::Stays || !pass.state.at_work {
        let others = ConditionType::ALL.iter().filter(|kind| **kind != ConditionType::Unreported);
        return others.filter_map(|kind| kept_or_told(*kind, before, pass)).collect();
    }
    let message = format!(
        "stopping the builds of this Release before it is deleted; to delete it at once and leave them running: {}",
        abandon(namespace, name)
    );
    let ending = Statement::New(Answer::new(ConditionType::Reconciling, Truth::True, Reason::Cancelled, message));
    let others = ConditionType::ALL.iter().filter(|kind| {
        !matches!(kind, ConditionType::Reconciling | ConditionType::Stalled | ConditionType::Unreported)
    });
    others.map(|kind| Statement::Kept(*kind)).chain([ending]).collect()
}

/// The message of a Release that succeeded, and of one whose stages have recovered.
fn runs(pass: &Pass<'_>) -> String {
    format!("commit {} runs in every stage, verified", pass.desired.commit.short())
}

/// A condition of a Release that had ended before; absent: it is removed. If the Release succeeded, its conditions say
/// when one of its stages stops running it as it should, and when that stage has recovered.
fn kept_or_told(kind: ConditionType, before: &ReleaseStatus, pass: &Pass<'_>) -> Option<Statement> {
    let say = |truth, reason, message: &str| Some(Statement::New(Answer::new(kind, truth, reason, message)));
    let was_well = find(&before.conditions, ConditionType::Ready).is_none_or(|ready| ready.status == "True");
    let succeeded = before.phase == Some(ReleasePhase::Succeeded);
    match (&pass.state.trouble, kind) {
        (Some((reason, why)), ConditionType::Ready | ConditionType::Deployed) => say(Truth::False, *reason, why),
        (Some((reason, why)), ConditionType::Stalled) => say(Truth::True, *reason, why),
        (None, ConditionType::Ready | ConditionType::Deployed) if succeeded && !was_well => {
            say(Truth::True, Reason::Succeeded, &runs(pass))
        }
        (None, ConditionType::Stalled) if succeeded => None,
        (_, kind) => Some(Statement::Kept(kind)),
    }
}

/// The command that lets a Release be deleted and leaves its builds alone.
pub(super) fn abandon(namespace: &str, name: &str) -> String {
    format!("kubectl -n {namespace} annotate --overwrite lwr {name} launchway.dev/abandon=true")
}

/// `ChecksPassed`, `Built`, `Deployed` and `Verified`, in this order. While the Release is at work, what is not done is
/// Unknown. If it failed, the first that is not done is False. If it is over without success, `Deployed` and `Verified`
/// are False unless they are done.
fn answers(next: &ReleaseStatus, pass: &Pass<'_>) -> impl Iterator<Item = (ConditionType, Truth)> {
    let checks = next.plan.is_some()
        && pass.state.is_reported
        && next.steps.iter().all(|step| *step.name == *BUILD || step.phase == StepPhase::Succeeded);
    let phase = next.phase;
    let stages = pass.observed.pipeline.as_ref().map_or(next.stages.len(), |pipeline| pipeline.spec.stages.len());
    let deployed = !next.stages.is_empty()
        && next.stages.len() >= stages
        && next.stages.iter().all(|stage| stage.deployed_at.is_some());
    let done = match phase {
        Some(ReleasePhase::Succeeded) => [true; 4],
        Some(ReleasePhase::Failed) => [checks, !next.images.is_empty(), deployed, false],
        Some(ReleasePhase::Active | ReleasePhase::Superseded | ReleasePhase::Cancelled) | None => {
            [checks, !next.images.is_empty(), false, false]
        }
    };
    let first = done.iter().position(|done| !done);
    let kinds = [ConditionType::ChecksPassed, ConditionType::Built, ConditionType::Deployed, ConditionType::Verified];
    kinds.into_iter().enumerate().map(move |(index, kind)| {
        let failed = phase == Some(ReleasePhase::Failed) && first == Some(index);
        let over = matches!(kind, ConditionType::Deployed | ConditionType::Verified)
            && matches!(phase, Some(ReleasePhase::Failed | ReleasePhase::Superseded | ReleasePhase::Cancelled));
        let truth = match (done[index], failed || over) {
            (true, _) => Truth::True,
            (false, true) => Truth::False,
            (false, false) => Truth::Unknown,
        };
        (kind, truth)
    })
}

/// What the columns of `kubectl get` show.
pub(super) fn summary(before: &ReleaseStatus, pass: &Pass<'_>, wording: &Wording) -> Summary {
    if let (Course::Over(End::Before(_)), Some(summary)) = (&pass.state.course, &before.summary) {
        let of = |reason: Reason, message: &str| Summary {
            reason: reason.to_string(),
            message: cut(message, MESSAGE_MAX),
            ..summary.clone()
        };
        let succeeded = before.phase == Some(ReleasePhase::Succeeded);
        return match &pass.state.trouble {
            Some((reason, why)) => of(*reason, why),
            None if succeeded && summary.reason != Reason::Succeeded.as_str() => of(Reason::Succeeded, &runs(pass)),
            None => summary.clone(),
        };
    }
    let last = before.stages.last().map(|stage| stage.name.as_str());
    let earlier = before.summary.as_ref().map(|summary| summary.stage.as_str());
    let ended = matches!(pass.state.course, Course::Over(End::Succeeded | End::Failed(..)));
    let otherwise = last.filter(|_| ended).or(earlier);
    Summary {
        commit: pass.desired.commit.short().to_owned(),
        stage: wording.place.as_deref().or(otherwise).unwrap_or("").to_owned(),
        reason: wording.reason.to_string(),
        message: cut(&wording.message, MESSAGE_MAX),
    }
}
