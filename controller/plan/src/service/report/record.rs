//! What a pass adds to a Service's record: what was sent, what was found, how the rollout stands. No words for people
//! but the reasons that the record keeps.

use super::Pass;
use super::tell::not_ours;
use crate::Outcome;
use crate::condition::{MESSAGE_MAX, cut, whole};
use crate::fault::{Fault, FaultKind};
use crate::service::decide::{Action, Effected};
use crate::service::record::{begun, recorded, since};
use crate::service::rollout::{container, why};
use crate::service::state::State;
use crate::service::wanted::Wanted;
use crate::world::{LiveService, StoppedTask};
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::service::{
    EcsServiceStatus, RolloutPhase, RolloutStatus, SentStatus, ServiceStatus, StoppedTaskStatus, TaskDefinitionStatus,
};

/// How many task definitions are remembered: enough for a rollback and a change of mind.
const REMEMBERED: usize = 5;
/// How many stopped tasks of a failed rollout are shown.
const TASKS: usize = 5;

/// Whether AWS refused a call in a way that has to be looked at before it is believed: it answered, and yet the call, or
/// an earlier one, may have happened, or what it named is gone.
pub(super) fn is_dubious(fault: &Fault) -> bool {
    fault.kind == FaultKind::Dubious
}

/// A refusal as it is remembered.
pub(super) fn refusal(fault: &Fault) -> String {
    cut(&fault.message, 256)
}

/// The effect that an action is, where its repetition has to wait until AWS shows it.
fn effect(action: &Action) -> Option<&'static str> {
    match action {
        Action::Register { .. } => Some("Register"),
        Action::Create(_) => Some("Create"),
        Action::Update(_) => Some("Update"),
        Action::Adjust(_) => Some("Adjust"),
        Action::Tag { .. } => Some("Tag"),
        Action::Guard | Action::Unguard | Action::Delete { .. } => None,
    }
}

pub(super) fn sent(before: &ServiceStatus, pass: &Pass<'_>) -> Option<SentStatus> {
    let (Some(effect), Some(wanted)) = (pass.action.and_then(effect), pass.wanted) else {
        return before.sent.clone().filter(|_| !is_shown(pass.state));
    };
    let refused = match pass.outcome {
        Outcome::Idle | Outcome::Done(_) => None,
        Outcome::Failed(fault) if is_dubious(fault) => Some(refusal(fault)),
        Outcome::Failed(fault) if fault.is_doubt() => None,
        Outcome::Failed(_) => return before.sent.clone(),
    };
    let meaning = if effect == "Register" { &wanted.task_meaning } else { &wanted.meaning };
    Some(SentStatus { effect: effect.to_owned(), meaning: meaning.clone(), at: Time(whole(pass.at)), refused })
}

/// Whether AWS shows what was sent last: the rollout that it was to begin, or nothing left to set right.
fn is_shown(state: &State) -> bool {
    match state {
        State::InSync { .. } | State::Failed { .. } | State::Held | State::Rolling(_) | State::Overdue { .. } => true,
        State::Refused(_)
        | State::NoImage(_)
        | State::Blind(_)
        | State::Unclear(_)
        | State::OldGrant { .. }
        | State::NotOurs { .. }
        | State::Unchangeable(_)
        | State::Draining
        | State::Unguarded
        | State::Guarded
        | State::Settling { .. }
        | State::Unregistered
        | State::Absent { .. }
        | State::Unrecorded
        | State::Outdated { .. }
        | State::Waiting(_)
        | State::Adjustable { .. }
        | State::Untagged { .. }
        | State::Doomed
        | State::Ending => false,
    }
}

/// A task definition with which AWS refused to go on is forgotten: it may be INACTIVE by now, and is looked for again.
pub(super) fn task_definitions(before: &ServiceStatus, pass: &Pass<'_>) -> Vec<TaskDefinitionStatus> {
    let mut all = before.task_definitions.clone();
    let Some(wanted) = pass.wanted else { return all };
    let rolls = matches!(pass.action, Some(Action::Create(_) | Action::Update(_)));
    if let (true, Outcome::Failed(fault)) = (rolls, pass.outcome)
        && is_dubious(fault)
    {
        all.retain(|one| one.meaning != wanted.task_meaning);
        return all;
    }
    let found = match (pass.outcome, pass.state.standing()) {
        (Outcome::Done(Effected::Registered(arn)), _) => arn,
        (
            _,
            State::Absent { task_definition }
            | State::Outdated { task_definition, .. }
            | State::InSync { task_definition, .. },
        ) => task_definition,
        (_, _) => return all,
    };
    all.retain(|one| one.meaning != wanted.task_meaning);
    all.insert(0, TaskDefinitionStatus { meaning: wanted.task_meaning.clone(), arn: found.clone() });
    all.truncate(REMEMBERED);
    all
}

pub(super) fn service(before: &ServiceStatus, pass: &Pass<'_>) -> Option<EcsServiceStatus> {
    let creations = before.service.as_ref().map_or(0, |service| service.creations);
    let of = |live: &LiveService, creations| EcsServiceStatus {
        arn: live.arn.clone(),
        creations,
        desired: Some(live.desired),
        running: Some(live.running),
    };
    match (pass.outcome, pass.state.standing()) {
        (Outcome::Done(Effected::Created(live)), _) => Some(of(live, creations + 1)),
        // It may be there by a creation whose answer was lost: the next creation must not repeat that one's token.
        (_, State::InSync { live, .. }) => Some(of(live, creations.max(1))),
        (_, _) => before.service.clone(),
    }
}

/// How the rollout of what is wanted now stands, where this pass can say.
pub(super) fn rollout(
    before: &ServiceStatus,
    next: &ServiceStatus,
    pass: &Pass<'_>,
    fault: Option<&Fault>,
) -> Option<RolloutStatus> {
    let Some(wanted) = pass.wanted else { return before.rollout.clone() };
    let mut rollout = begun(pass.desired, wanted, before).cloned().unwrap_or_else(|| fresh(before, pass, wanted));
    let standing = pass.state.standing();
    match standing {
        State::InSync { deployment, .. } => done(&mut rollout, deployment.clone(), pass.at),
        State::Rolling(deployment) | State::Overdue { deployment, .. } => {
            at_work(&mut rollout);
            rollout.deployment = Some(deployment.arn.clone());
        }
        State::Failed { deployment, stopped, hint } => {
            rollout.phase = RolloutPhase::Failed;
            rollout.deployment = Some(deployment.arn.clone());
            rollout.reason = Some(cut(&why(deployment, stopped, hint.as_deref()), MESSAGE_MAX));
            rollout.stopped_tasks = stopped.iter().take(TASKS).map(stopped_task).collect();
            rollout.ended_at = Some(Time(whole(deployment.finished_at.unwrap_or(pass.at))));
        }
        State::Held => {}
        State::NotOurs { owner } => stuck(&mut rollout, &not_ours(owner)),
        State::Unchangeable(why) => stuck(&mut rollout, why),
        State::Absent { .. }
        | State::Outdated { .. }
        | State::Unregistered
        | State::Unrecorded
        | State::Draining
        | State::Waiting(_)
        | State::Settling { .. } => match fault.filter(|fault| fault.is_terminal()) {
            Some(fault) => stuck(&mut rollout, &fault.to_string()),
            None => at_work(&mut rollout),
        },
        State::Refused(_)
        | State::NoImage(_)
        | State::Blind(_)
        | State::Unclear(_)
        | State::OldGrant { .. }
        | State::Unguarded
        | State::Guarded
        | State::Adjustable { .. }
        | State::Untagged { .. }
        | State::Doomed
        | State::Ending => return before.rollout.clone(),
    }
    if standing == pass.state {
        rollout.generation = pass.desired.generation;
    }
    rollout.task_definition = recorded(wanted, next).map(str::to_owned).or(rollout.task_definition);
    Some(rollout)
}

fn fresh(before: &ServiceStatus, pass: &Pass<'_>, wanted: &Wanted) -> RolloutStatus {
    RolloutStatus {
        grant: wanted.grant,
        source: wanted.source.clone(),
        generation: pass.desired.generation,
        retry: pass.desired.spec.rollout.retry.clone(),
        after: since(pass.desired, wanted, before, pass.at).map(|after| Time(whole(after))),
        from: left_with(before),
        meaning: wanted.meaning.clone(),
        task_definition: None,
        deployment: None,
        phase: RolloutPhase::Rolling,
        reason: None,
        stopped_tasks: Vec::new(),
        started_at: Time(whole(pass.at)),
        ended_at: None,
    }
}

/// The deployment with which the last rollout was done.
fn left_with(before: &ServiceStatus) -> Option<String> {
    let last = before.rollout.as_ref().filter(|rollout| rollout.phase == RolloutPhase::Done);
    last.and_then(|rollout| rollout.deployment.clone())
}

fn done(rollout: &mut RolloutStatus, deployment: Option<String>, at: Timestamp) {
    if rollout.phase != RolloutPhase::Done {
        rollout.ended_at = Some(Time(whole(at)));
    }
    rollout.phase = RolloutPhase::Done;
    rollout.deployment = deployment.or(rollout.deployment.take());
    rollout.reason = None;
    rollout.stopped_tasks = Vec::new();
}

fn at_work(rollout: &mut RolloutStatus) {
    (rollout.phase, rollout.reason, rollout.ended_at) = (RolloutPhase::Rolling, None, None);
    rollout.stopped_tasks = Vec::new();
}

fn stuck(rollout: &mut RolloutStatus, why: &str) {
    (rollout.phase, rollout.reason) = (RolloutPhase::Stuck, Some(cut(why, MESSAGE_MAX)));
}

fn stopped_task(task: &StoppedTask) -> StoppedTaskStatus {
    StoppedTaskStatus {
        task: cut(&task.id, 64),
        code: task.code.as_ref().map(|code| cut(code, 64)),
        reason: task.reason.as_ref().map(|reason| cut(reason, 256)),
        container: container(task).map(|text| cut(&text, 256)),
    }
}
