//! What the record says of the rollout that is wanted now. Nothing is looked at here, and nothing is recorded.

use super::desired::Desired;
use super::rollout::live_means;
use super::wanted::Wanted;
use crate::life::Life;
use crate::world::LiveService;
use jiff::{SignedDuration, Timestamp};
use launchway_crds::service::{RolloutPhase, RolloutStatus, SentStatus, ServiceStatus};

/// How long AWS's reads may be older than our writes: after an effect the world is looked at this long before the
/// effect is repeated, in seconds. Source: none; ECS is eventually consistent and names no figure (docs/effects.md).
pub const SETTLES: i64 = 30;

/// The rollout that was recorded for what is wanted now.
pub fn begun<'a>(desired: &Desired, wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a RolloutStatus> {
    record.rollout.as_ref().filter(|rollout| {
        rollout.meaning == wanted.meaning
            && rollout.grant == wanted.grant
            && rollout.source == wanted.source
            && rollout.retry == desired.spec.rollout.retry
    })
}

/// Whether what is wanted now failed before and is held.
pub fn held<'a>(desired: &Desired, wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a RolloutStatus> {
    begun(desired, wanted, record).filter(|rollout| rollout.phase == RolloutPhase::Failed)
}

/// Whether no change is pending, as far as is known: all that is wanted now was seen to be so, or is held. Where it is
/// not known what is wanted, the spec must be the one that was settled.
pub fn settled(desired: &Desired, wanted: Option<&Wanted>, record: &ServiceStatus) -> bool {
    let rollout = match wanted {
        Some(wanted) => begun(desired, wanted, record),
        None => record.rollout.as_ref(),
    };
    rollout.is_some_and(|rollout| {
        matches!(rollout.phase, RolloutPhase::Done | RolloutPhase::Failed) && rollout.generation == desired.generation
    })
}

/// Only deployments created after this count as failures of what is wanted now. A new try of what failed before, and a
/// return to what was left, count from now; the same meaning under a new grant goes on with what it has.
pub fn since(desired: &Desired, wanted: &Wanted, record: &ServiceStatus, at: Timestamp) -> Option<Timestamp> {
    let previous = record.rollout.as_ref()?;
    let goes_on = begun(desired, wanted, record).is_some()
        || (previous.meaning == wanted.meaning && previous.phase != RolloutPhase::Failed);
    if goes_on { previous.after.as_ref().map(|after| after.0) } else { Some(at) }
}

/// The deployment that a pass need only follow: the one that was recorded for what is wanted now, at work, if the spec
/// has not changed in anything else since.
pub fn followed<'a>(desired: &Desired, wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a str> {
    let rollout = begun(desired, wanted, record)?;
    let at_work = rollout.phase == RolloutPhase::Rolling && rollout.generation == desired.generation;
    rollout.deployment.as_deref().filter(|_| at_work && desired.life == Life::Stays)
}

/// What the record and the live service prove together, so that ECS's deployments need not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The service runs what is wanted.
    Runs,
    /// What is wanted failed before, and the service runs something else.
    Held,
    /// Nothing has happened since the rollout was begun: ECS was not asked for it.
    NotAsked,
}

/// What is proved. Nothing is while ECS is at work on the service.
pub fn proof(desired: &Desired, wanted: &Wanted, record: &ServiceStatus, live: &LiveService) -> Option<Proof> {
    let rollout = begun(desired, wanted, record).filter(|_| live.deployments <= 1)?;
    let named = live_means(wanted, rollout.task_definition.as_deref().unwrap_or_default(), live);
    let same = |arn: &Option<String>| live.current_deployment == *arn;
    match rollout.phase {
        RolloutPhase::Done => {
            (named && (live.current_deployment.is_none() || same(&rollout.deployment))).then_some(Proof::Runs)
        }
        RolloutPhase::Failed => (!named).then_some(Proof::Held),
        RolloutPhase::Rolling => {
            let asked = record.sent.as_ref().is_some_and(|sent| matches!(sent.effect.as_str(), "Create" | "Update"));
            (!asked && rollout.from.is_some() && same(&rollout.from)).then_some(Proof::NotAsked)
        }
        RolloutPhase::Stuck => None,
    }
}

/// The ARN of the task definition that the record has for what is wanted.
pub fn recorded<'a>(wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a str> {
    record.task_definitions.iter().find(|one| one.meaning == wanted.task_meaning).map(|one| one.arn.as_str())
}

/// The effect of that name that was sent so short a time ago that reads may not show it yet. What it was to bring about
/// does not matter: until it is seen, nothing of its kind is decided.
pub fn settling<'a>(record: &'a ServiceStatus, effects: &[&str], at: Timestamp) -> Option<&'a SentStatus> {
    let sent = record.sent.as_ref().filter(|sent| effects.contains(&sent.effect.as_str()) && sent.refused.is_none())?;
    (at < sent.at.0 + SignedDuration::from_secs(SETTLES)).then_some(sent)
}
