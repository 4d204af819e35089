//! What a pass adds to a Service's record: what was sent, what was found, how the rollout stands. No words for people
//! but the reasons that the record keeps.

use super::pass::Pass;
use crate::Outcome;
use crate::condition::{MESSAGE_MAX, cut, whole};
use crate::fault::{Fault, FaultKind};
use crate::moment::after;
use crate::reason::Reason;
use crate::service::decide::{Action, Effected};
use crate::service::record::{Record, SETTLES};
use crate::service::rollout::{container, why};
use crate::service::state::{Blocker, Rollout};
use crate::service::tasks::Tasks;
use crate::service::wanted::Wanted;
use crate::world::{DeploymentStatus, End, LiveService, StoppedTask};
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::service::{
    EcsServiceStatus, Effect, EffectRefusal, EffectStatus, RolloutOutcome, RolloutPhase, RolloutStatus, ServiceStatus,
    StoppedTaskStatus, TaskDefinitionStatus,
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
fn refusal(fault: &Fault) -> EffectRefusal {
    EffectRefusal {
        code: cut(&fault.code, 64),
        reason: Reason::of(fault).as_str().to_owned(),
        message: cut(&fault.to_string(), 512),
    }
}

/// Whether AWS has refused the same before, in the same way: what it says may have a request's number in it.
pub(super) fn is_refused_again(before: &ServiceStatus, pass: &Pass<'_>, fault: &Fault) -> bool {
    let Some((effect, meaning)) = pass.action.and_then(|action| sent(action, pass.wanted)) else { return false };
    let same = |one: &&EffectStatus| one.effect == effect && one.meaning == meaning;
    let refused = before.effects.iter().find(same).and_then(|one| one.refused.as_ref());
    refused.is_some_and(|refused| refused.code == cut(&fault.code, 64))
}

/// The effect that an action is and what it was to bring about, where its repetition has to wait until AWS shows it.
fn sent(action: &Action, wanted: Option<&Wanted>) -> Option<(Effect, String)> {
    match action {
        Action::Register(_) => Some((Effect::Register, wanted?.task_meaning.to_string())),
        Action::Create(_) => Some((Effect::Create, wanted?.meaning.to_string())),
        Action::Update(_) => Some((Effect::Update, wanted?.meaning.to_string())),
        Action::Scale(asked) => Some((Effect::Scale, asked.hash.clone())),
        Action::Adjust(asked) => Some((Effect::Adjust, asked.hash.clone())),
        Action::Tag(asked) => Some((Effect::Tag, asked.hash.clone())),
        Action::Guard | Action::Unguard | Action::Delete { .. } => None,
    }
}

/// The status that must be written before an action is carried out; absent: none. A forced UpdateService needs it, because a
/// second one would start a second rollout: from this write on it counts as sent, whatever happens to the process. If it was
/// written before and ECS never showed it, it is not written again: a process that loses the reply of every write would never
/// get to the call.
pub fn intended(before: &Record, wanted: Option<&Wanted>, action: &Action, at: Timestamp) -> Option<ServiceStatus> {
    let Action::Update(request) = action else { return None };
    let (effect, meaning) = sent(action, wanted).filter(|_| request.body.contains_key("forceNewDeployment"))?;
    let is_written =
        |one: &EffectStatus| one.meaning == meaning && one.refused.is_none() && at >= after(one.at.0, SETTLES);
    if before.effect(effect).is_some_and(is_written) {
        return None;
    }
    let mut next = before.status().clone();
    remember(&mut next.effects, EffectStatus { effect, meaning, at: Time(whole(at)), seen: false, refused: None });
    Some(next)
}

/// Puts an effect in the place of the one of its kind, in the order of kinds.
fn remember(all: &mut Vec<EffectStatus>, sent: EffectStatus) {
    all.retain(|one| one.effect != sent.effect);
    all.push(sent);
    all.sort_by_key(|one| one.effect);
}

/// What was sent and is not shown yet, each kind by itself: an adjustment never makes a rollout's call forgotten.
pub(super) fn effects(before: &ServiceStatus, pass: &Pass<'_>) -> Vec<EffectStatus> {
    let mut all: Vec<_> = before.effects.iter().filter_map(|one| remembered(one, pass)).collect();
    let Some((effect, meaning)) = pass.action.and_then(|action| sent(action, pass.wanted)) else { return all };
    let beside = matches!(effect, Effect::Scale | Effect::Adjust | Effect::Tag);
    let refused = match pass.outcome {
        Outcome::Idle | Outcome::Done(_) => None,
        Outcome::Failed(fault) if is_dubious(fault) || (beside && fault.is_terminal()) => Some(refusal(fault)),
        Outcome::Failed(fault) if fault.is_doubt() => None,
        Outcome::Failed(_) => return all,
    };
    remember(&mut all, EffectStatus { effect, meaning, at: Time(whole(pass.at)), seen: false, refused });
    all
}

/// An effect, unless it can be forgotten, because AWS shows what it was sent for. What is proved by the record itself (a task
/// definition's ARN, a deployment's) is forgotten at once; the rest is kept as long as a read may still be older than it.
fn remembered(sent: &EffectStatus, pass: &Pass<'_>) -> Option<EffectStatus> {
    let Ok(rollout) = &pass.state.rollout else { return Some(sent.clone()) };
    let is_registered = matches!(rollout, Rollout::Absent { .. } | Rollout::Unrecorded | Rollout::Outdated { .. });
    let is_settled = pass.at >= after(sent.at.0, SETTLES);
    let seen = match (sent.effect, &pass.state.chores) {
        (Effect::Register | Effect::Create | Effect::Update, _) | (_, None) => sent.seen,
        (Effect::Scale | Effect::Adjust | Effect::Tag, Some(chores)) => {
            sent.seen || chores.iter().all(|chore| chore.effect() != sent.effect)
        }
    };
    let is_over = match sent.effect {
        Effect::Register => is_registered || rollout.is_shown(),
        Effect::Update => rollout.is_shown(),
        Effect::Create => is_settled && rollout.is_shown(),
        Effect::Scale | Effect::Adjust | Effect::Tag => is_settled && seen,
    };
    (!is_over).then(|| EffectStatus { seen, ..sent.clone() })
}

/// A task definition with which AWS refused to go on is forgotten: it may be INACTIVE by now, and is looked for again.
pub(super) fn task_definitions(before: &ServiceStatus, pass: &Pass<'_>) -> Vec<TaskDefinitionStatus> {
    let mut all = before.task_definitions.clone();
    let Some(wanted) = pass.wanted else { return all };
    let rolls = matches!(pass.action, Some(Action::Create(_) | Action::Update(_)));
    if let (true, Outcome::Failed(fault)) = (rolls, pass.outcome)
        && is_dubious(fault)
    {
        all.retain(|one| one.meaning != wanted.task_meaning.to_string());
        return all;
    }
    let found = match (pass.outcome, &pass.state.rollout) {
        (Outcome::Done(Effected::Registered(arn)), _) => arn,
        (
            _,
            Ok(
                Rollout::Absent { task_definition }
                | Rollout::Outdated { task_definition, .. }
                | Rollout::InSync { task_definition, .. },
            ),
        ) => task_definition,
        (_, _) => return all,
    };
    all.retain(|one| one.meaning != wanted.task_meaning.to_string());
    all.insert(0, TaskDefinitionStatus { meaning: wanted.task_meaning.to_string(), arn: found.clone() });
    all.truncate(REMEMBERED);
    all
}

pub(super) fn service(before: &Record, pass: &Pass<'_>) -> Option<EcsServiceStatus> {
    let creations = before.creations();
    let short_since = match &pass.state.rollout {
        Ok(Rollout::InSync { tasks, .. }) => tasks.short_since(),
        Ok(_) | Err(_) => None,
    };
    let of = |live: &LiveService, creations| EcsServiceStatus {
        arn: live.arn.clone(),
        creations,
        desired: Some(live.desired),
        running: Some(live.running),
        short_since: short_since.map(|since| Time(whole(since))),
    };
    match (pass.outcome, &pass.state.rollout) {
        (Outcome::Done(Effected::Created(live)), _) => Some(of(live, creations.saturating_add(1))),
        // It may be there by a creation whose answer was lost: the next creation must not repeat that one's token.
        (_, Ok(Rollout::InSync { live, .. })) if before.effect(Effect::Create).is_some() => {
            Some(of(live, creations.max(1)))
        }
        (_, Ok(Rollout::InSync { live, .. })) => Some(of(live, creations)),
        (_, _) => before.status().service.clone(),
    }
}

/// How the rollout of what is wanted now stands, where this pass can say.
pub(super) fn rollout(
    before: &Record,
    definitions: &[TaskDefinitionStatus],
    pass: &Pass<'_>,
    fault: Option<&Fault>,
) -> Option<RolloutStatus> {
    let Some(wanted) = pass.wanted else { return before.rollout().cloned() };
    let begun = before.begun(pass.desired, wanted).cloned();
    let mut rollout = begun.unwrap_or_else(|| fresh(before, pass, wanted));
    match &pass.state.rollout {
        Ok(standing) => advance(&mut rollout, standing, pass.at, fault),
        Err(Blocker::Stuck { why, .. }) => stuck(&mut rollout, why),
        Err(_) => return before.rollout().cloned(),
    }
    if pass.state.chores().is_empty() {
        rollout.generation = pass.desired.generation;
    }
    let meaning = wanted.task_meaning.to_string();
    let definition = definitions.iter().find(|one| one.meaning == meaning).map(|one| one.arn.clone());
    rollout.task_definition = definition.or(rollout.task_definition);
    Some(rollout)
}

fn advance(rollout: &mut RolloutStatus, standing: &Rollout, at: Timestamp, fault: Option<&Fault>) {
    match standing {
        Rollout::InSync { deployment, tasks, .. } => {
            done(rollout, deployment.clone(), at);
            if *tasks == Tasks::Enough {
                rollout.proved_at.get_or_insert_with(|| Time(whole(at)));
            }
        }
        Rollout::Rolling(deployment) | Rollout::Overdue { deployment, .. } => {
            at_work(rollout);
            rollout.deployment = Some(deployment.arn.clone());
        }
        Rollout::Failed { deployment, stopped, hint } => {
            rollout.phase = RolloutPhase::Failed;
            rollout.outcome = Some(outcome(&deployment.status));
            rollout.deployment = Some(deployment.arn.clone());
            rollout.reason = Some(cut(&why(deployment, stopped, hint.as_deref()), MESSAGE_MAX));
            rollout.stopped_tasks = stopped.iter().take(TASKS).map(stopped_task).collect();
            rollout.ended_at = Some(Time(whole(deployment.finished_at.unwrap_or(at))));
        }
        Rollout::Held => {}
        Rollout::Absent { .. }
        | Rollout::Outdated { .. }
        | Rollout::Unregistered
        | Rollout::Unrecorded
        | Rollout::Draining
        | Rollout::Waiting(_)
        | Rollout::Settling(_) => match fault.filter(|fault| fault.is_terminal()) {
            Some(fault) => stuck(rollout, &fault.to_string()),
            None => at_work(rollout),
        },
    }
}

fn fresh(before: &Record, pass: &Pass<'_>, wanted: &Wanted) -> RolloutStatus {
    RolloutStatus {
        grant: wanted.grant,
        source: wanted.source.clone(),
        generation: pass.desired.generation,
        retry: pass.desired.spec.rollout.retry.clone(),
        restart: pass.desired.spec.rollout.restart.clone(),
        anew: before.is_anew(pass.desired, wanted),
        after: before.since(pass.desired, wanted, pass.at).map(|after| Time(whole(after))),
        from: left_with(before),
        meaning: wanted.meaning.to_string(),
        task_definition: None,
        deployment: None,
        phase: RolloutPhase::Rolling,
        outcome: None,
        reason: None,
        stopped_tasks: Vec::new(),
        started_at: Time(whole(pass.at)),
        ended_at: None,
        proved_at: None,
    }
}

/// The deployment with which the last rollout was done.
fn left_with(before: &Record) -> Option<String> {
    let last = before.rollout().filter(|rollout| rollout.phase == RolloutPhase::Done);
    last.and_then(|rollout| rollout.deployment.clone())
}

fn done(rollout: &mut RolloutStatus, deployment: Option<String>, at: Timestamp) {
    if rollout.phase != RolloutPhase::Done {
        rollout.ended_at = Some(Time(whole(at)));
    }
    rollout.phase = RolloutPhase::Done;
    rollout.deployment = deployment.or(rollout.deployment.take());
    (rollout.outcome, rollout.reason) = (None, None);
    rollout.stopped_tasks = Vec::new();
}

fn outcome(status: &DeploymentStatus) -> RolloutOutcome {
    match status.end() {
        Some(End::RolledBack) => RolloutOutcome::RolledBack,
        Some(End::RollbackFailed) => RolloutOutcome::RollbackFailed,
        Some(End::Stopped) => RolloutOutcome::Stopped,
        Some(End::Successful) | None => RolloutOutcome::NeverCameUp,
    }
}

fn at_work(rollout: &mut RolloutStatus) {
    (rollout.phase, rollout.outcome) = (RolloutPhase::Rolling, None);
    (rollout.reason, rollout.ended_at, rollout.proved_at) = (None, None, None);
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
