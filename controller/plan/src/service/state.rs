//! Where a Service stands: computed from what is wanted, recorded and seen, and never stored.

use super::desired::{Desired, Life};
use super::observed::{Looked, Observed};
use super::rollout::{self, Question, Verdict, live_means};
use super::wanted::{OWNER_TAG, Unresolved, Wanted, seconds};
use crate::fault::Fault;
use crate::refusal::Refusal;
use crate::world::{Deployment, Force, LiveService, ServiceLife, StoppedTask, UpdateServiceRequest};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::service::{RolloutPhase, RolloutStatus, SentStatus, ServiceStatus};
use std::collections::BTreeMap;

/// How long AWS's reads may be older than our writes: after an effect the world is looked at this long before the
/// effect is repeated, in seconds. Source: EFFECTS; ECS is eventually consistent and names no figure.
pub const SETTLES: i64 = 30;

/// Where a Service stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// The spec asks for what it cannot have.
    Refused(Refusal),
    /// Its first image is not there yet.
    NoImage(String),
    /// Something that is needed could not be seen.
    Blind(Fault),
    /// The stage that is seen is older than what was rolled last.
    OldGrant {
        /// The grant that is seen.
        seen: i64,
    },
    /// A service of that name exists and carries another owner's tag, or none.
    NotOurs {
        /// The value of the tag that would make it ours.
        owner: String,
    },
    /// The service cannot be changed into what is wanted.
    Unchangeable(String),
    /// A service of that name is being deleted.
    Draining,
    /// The finalizer is to be added before anything is created.
    Unguarded,
    /// The finalizer is no longer needed.
    Guarded,
    /// An effect was sent a moment ago, and the world is only looked at.
    Settling(SentStatus),
    /// No task definition says what is wanted.
    Unregistered,
    /// There is no service.
    Absent {
        /// The ARN of the task definition.
        task_definition: String,
    },
    /// A rollout is to be recorded before it is begun.
    Unrecorded,
    /// ECS is to be asked for the rollout.
    Outdated {
        /// The ARN of the task definition.
        task_definition: String,
        /// What is asked.
        update: Box<UpdateServiceRequest>,
    },
    /// ECS brings what is wanted.
    Rolling(Box<Deployment>),
    /// ECS brings something else, which is waited for.
    Waiting(Box<Deployment>),
    /// ECS gave it up. It is held.
    Failed {
        /// The deployment that failed.
        deployment: Box<Deployment>,
        /// Its tasks that stopped.
        stopped: Vec<StoppedTask>,
    },
    /// It failed before, and is held still.
    Held,
    /// Members that start no rollout differ.
    Adjustable {
        /// The live service.
        live: Box<LiveService>,
        /// What is asked.
        update: Box<UpdateServiceRequest>,
    },
    /// Tags differ.
    Untagged {
        /// The live service.
        live: Box<LiveService>,
        /// The tags that are missing or differ.
        tags: BTreeMap<String, String>,
    },
    /// All is as it is wanted.
    InSync {
        /// The live service.
        live: Box<LiveService>,
        /// The ARN of the task definition.
        task_definition: String,
        /// The deployment that brought it, where ECS remembers it.
        deployment: Option<String>,
    },
    /// The object is being deleted, and the service is to be deleted first.
    Doomed,
    /// The service is being deleted.
    Ending,
}

/// Where the Service stands.
pub fn assess(
    desired: &Desired,
    wanted: &Result<Wanted, Unresolved>,
    record: &ServiceStatus,
    observed: &Observed,
    owner: &str,
) -> State {
    if desired.life != Life::Stays {
        return ending(desired, observed, owner);
    }
    match wanted {
        Err(Unresolved::Refused(refusal)) => State::Refused(refusal.clone()),
        Err(Unresolved::NoImage(why)) => State::NoImage(why.clone()),
        Ok(wanted) => standing(desired, wanted, record, observed, owner).unwrap_or_else(State::Blind),
    }
}

/// The rollout that was recorded for what is wanted now.
pub fn begun<'a>(desired: &Desired, wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a RolloutStatus> {
    record.rollout.as_ref().filter(|rollout| {
        rollout.meaning == wanted.meaning
            && rollout.grant == wanted.grant
            && rollout.retry == desired.spec.rollout.retry
    })
}

/// The deployment that a pass need only follow: the one that was recorded for what is wanted now, at work or held.
pub fn followed<'a>(desired: &Desired, wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a str> {
    let rollout = begun(desired, wanted, record)?;
    let at_work = matches!(rollout.phase, RolloutPhase::Rolling | RolloutPhase::Failed);
    rollout.deployment.as_deref().filter(|_| at_work && desired.life == Life::Stays)
}

/// Whether the record proves that the live service runs what is wanted, so that its deployments need not be read.
pub fn proven(desired: &Desired, wanted: &Wanted, record: &ServiceStatus, live: &LiveService) -> bool {
    let rollout = begun(desired, wanted, record).filter(|rollout| rollout.phase == RolloutPhase::Done);
    rollout.is_some_and(|rollout| {
        let task_definition = rollout.task_definition.as_deref().unwrap_or_default();
        let same = live.current_deployment.is_none() || live.current_deployment == rollout.deployment;
        same && live.deployments <= 1 && live_means(wanted, task_definition, live)
    })
}

/// The ARN of the task definition that the record has for what is wanted.
pub fn recorded<'a>(wanted: &Wanted, record: &'a ServiceStatus) -> Option<&'a str> {
    record.task_definitions.iter().find(|one| one.meaning == wanted.task_meaning).map(|one| one.arn.as_str())
}

fn ending(desired: &Desired, observed: &Observed, owner: &str) -> State {
    if desired.life == Life::Abandoned || !desired.deletes() || !desired.finalizer {
        return State::Guarded;
    }
    match &observed.service {
        Looked::Blind(fault) => State::Blind(fault.clone()),
        Looked::NotAsked => State::Blind(not_looked()),
        Looked::Seen(None) => State::Guarded,
        Looked::Seen(Some(live)) if !ours(live, owner) => State::Guarded,
        Looked::Seen(Some(live)) => match live.life {
            ServiceLife::Active => State::Doomed,
            ServiceLife::Draining => State::Ending,
            ServiceLife::Inactive | ServiceLife::Unknown(_) => State::Guarded,
        },
    }
}

fn ours(live: &LiveService, owner: &str) -> bool {
    live.tags.get(OWNER_TAG).is_some_and(|tag| tag == owner)
}

fn standing(
    desired: &Desired,
    wanted: &Wanted,
    record: &ServiceStatus,
    observed: &Observed,
    owner: &str,
) -> Result<State, Fault> {
    if wanted.stage.is_some() && record.rollout.as_ref().is_some_and(|rollout| rollout.grant > wanted.grant) {
        return Ok(State::OldGrant { seen: wanted.grant });
    }
    if desired.deletes() != desired.finalizer {
        return Ok(if desired.finalizer { State::Guarded } else { State::Unguarded });
    }
    if let Looked::Seen(Some(deployment)) = &observed.followed
        && let Some(state) = follow(desired, wanted, record, observed, deployment)
    {
        return Ok(state);
    }
    match needed(&observed.service)? {
        None => Ok(absent(wanted, record, observed)),
        Some(live) => match &live.life {
            ServiceLife::Inactive => Ok(absent(wanted, record, observed)),
            ServiceLife::Draining => Ok(State::Draining),
            ServiceLife::Unknown(life) => {
                Ok(State::Unchangeable(format!("ECS says that the service is {life}, which is not known here")))
            }
            ServiceLife::Active if !ours(live, owner) => Ok(State::NotOurs { owner: owner.to_owned() }),
            ServiceLife::Active => present(desired, wanted, record, observed, live),
        },
    }
}

fn needed<T>(looked: &Looked<Option<T>>) -> Result<Option<&T>, Fault> {
    match looked {
        Looked::Seen(seen) => Ok(seen.as_ref()),
        Looked::Blind(fault) => Err(fault.clone()),
        Looked::NotAsked => Err(not_looked()),
    }
}

/// What was not looked at is not absent.
fn not_looked() -> Fault {
    Fault {
        operation: "launchway:observe".to_owned(),
        resource: "service".to_owned(),
        code: "NotAsked".to_owned(),
        message: "this pass did not look at what it needs: it is a bug of Launchway".to_owned(),
        remedy: crate::fault::Remedy::Retry,
    }
}

/// Where a rollout stands that is only followed; `None` where the rest of the world has to be looked at.
pub fn follow(
    desired: &Desired,
    wanted: &Wanted,
    record: &ServiceStatus,
    observed: &Observed,
    deployment: &Deployment,
) -> Option<State> {
    let held = begun(desired, wanted, record).is_some_and(|rollout| rollout.phase == RolloutPhase::Failed);
    let deadline = i64::from(seconds(&desired.spec.rollout.deadline));
    match (held, deployment.status.is_final()) {
        (true, _) if deployment.status == crate::world::DeploymentStatus::Successful => None,
        (true, _) => Some(State::Held),
        (false, false) if !rollout::hopeless(deployment, deadline, observed.at) => {
            Some(State::Rolling(Box::new(deployment.clone())))
        }
        (false, _) => None,
    }
}

/// The effect of that name that was sent for that meaning so short a time ago that reads may not show it yet.
fn settling<'a>(record: &'a ServiceStatus, effect: &str, meaning: &str, at: Timestamp) -> Option<&'a SentStatus> {
    let sent = record
        .sent
        .as_ref()
        .filter(|sent| sent.effect == effect && sent.meaning == meaning && sent.refused.is_none())?;
    (at < sent.at.0 + SignedDuration::from_secs(SETTLES)).then_some(sent)
}

/// The ARN of the task definition, or the state of not having one.
fn task_definition(wanted: &Wanted, record: &ServiceStatus, observed: &Observed) -> Result<String, State> {
    if let Some(arn) = recorded(wanted, record) {
        return Ok(arn.to_owned());
    }
    match needed(&observed.task_definition) {
        Ok(Some(arn)) => Ok(arn.clone()),
        Ok(None) => Err(settling(record, "Register", &wanted.task_meaning, observed.at)
            .map_or(State::Unregistered, |sent| State::Settling(sent.clone()))),
        Err(fault) => Err(State::Blind(fault)),
    }
}

fn absent(wanted: &Wanted, record: &ServiceStatus, observed: &Observed) -> State {
    if let Some(sent) = settling(record, "Create", &wanted.meaning, observed.at) {
        return State::Settling(sent.clone());
    }
    match task_definition(wanted, record, observed) {
        Ok(task_definition) => State::Absent { task_definition },
        Err(state) => state,
    }
}

fn present(
    desired: &Desired,
    wanted: &Wanted,
    record: &ServiceStatus,
    observed: &Observed,
    live: &LiveService,
) -> Result<State, Fault> {
    if let Some(why) = unchangeable(wanted, live) {
        return Ok(State::Unchangeable(why));
    }
    let arn = match task_definition(wanted, record, observed) {
        Ok(arn) => arn,
        Err(state) => return Ok(state),
    };
    if proven(desired, wanted, record, live) {
        let deployment = begun(desired, wanted, record).and_then(|rollout| rollout.deployment.clone());
        return Ok(runs(desired, wanted, record, observed, live, arn, deployment));
    }
    let deployments = match &observed.deployments {
        Looked::Seen(all) => all,
        Looked::Blind(fault) => return Err(fault.clone()),
        Looked::NotAsked => return Err(not_looked()),
    };
    let recorded = begun(desired, wanted, record);
    let question = Question {
        wanted,
        task_definition: &arn,
        after: match recorded {
            Some(rollout) => rollout.after.as_ref().map(|after| after.0),
            None => record.rollout.as_ref().map(|_| observed.at),
        },
        deadline: i64::from(seconds(&desired.spec.rollout.deadline)),
        at: observed.at,
    };
    Ok(match rollout::verdict(&question, live, deployments) {
        Verdict::Runs(deployment) => runs(desired, wanted, record, observed, live, arn, deployment.map(|one| one.arn)),
        Verdict::Follows(deployment) => State::Rolling(deployment),
        Verdict::Failed(deployment) => {
            let stopped = rollout::of_deployment(&deployment, observed.stopped.seen().map_or(&[][..], Vec::as_slice));
            State::Failed { deployment, stopped }
        }
        Verdict::Other(deployment) => State::Waiting(deployment),
        Verdict::NotAsked => match settling(record, "Update", &wanted.meaning, observed.at) {
            Some(sent) => State::Settling(sent.clone()),
            None if recorded.is_none() => State::Unrecorded,
            None => {
                let update = Box::new(update(desired, wanted, &arn, live));
                State::Outdated { task_definition: arn, update }
            }
        },
    })
}

fn unchangeable(wanted: &Wanted, live: &LiveService) -> Option<String> {
    if live.controller != "ECS" {
        return Some(format!(
            "the service's deployment controller is {}: Launchway rolls services whose controller is ECS; migrate it, or choose another spec.name",
            live.controller
        ));
    }
    let kind = live.launch_type.as_ref().filter(|kind| **kind != wanted.task_definition.compatibility)?;
    Some(format!(
        "spec.capacity.launchType: the ECS service has launch type {kind}, which cannot be changed: set it back, or delete the ECS service"
    ))
}

fn update(desired: &Desired, wanted: &Wanted, arn: &str, live: &LiveService) -> UpdateServiceRequest {
    let placement = &wanted.placement;
    let other_network = !rollout::same(
        &crate::world::Placement { load_balancers: live.placement.load_balancers.clone(), ..placement.clone() },
        &live.placement,
    );
    let mut update = UpdateServiceRequest {
        cluster: desired.spec.cluster.to_string(),
        name: desired.ecs_name.clone(),
        task_definition: (live.task_definition != arn).then(|| arn.to_owned()),
        network: placement.network.clone().filter(|_| other_network),
        platform_version: placement
            .platform_version
            .clone()
            .filter(|version| live.placement.platform_version.as_ref() != Some(version)),
        load_balancers: (live.placement.load_balancers != placement.load_balancers)
            .then(|| placement.load_balancers.clone()),
        rolling: (live.rolling != wanted.rolling).then_some(wanted.rolling),
        ..UpdateServiceRequest::default()
    };
    let nothing = update.task_definition.is_none()
        && update.network.is_none()
        && update.platform_version.is_none()
        && update.load_balancers.is_none();
    update.force = if nothing { Force::NewDeployment } else { Force::Never };
    update
}

/// The service runs what is wanted: what is left to set right.
fn runs(
    desired: &Desired,
    wanted: &Wanted,
    record: &ServiceStatus,
    observed: &Observed,
    live: &LiveService,
    task_definition: String,
    deployment: Option<String>,
) -> State {
    let live = Box::new(live.clone());
    if let Some(update) = adjustment(desired, wanted, &live) {
        return match settling(record, "Adjust", &wanted.meaning, observed.at) {
            Some(sent) => State::Settling(sent.clone()),
            None => State::Adjustable { live, update: Box::new(update) },
        };
    }
    let tags: BTreeMap<_, _> = wanted
        .tags
        .iter()
        .filter(|(key, value)| live.tags.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !tags.is_empty() {
        return match settling(record, "Tag", &wanted.meaning, observed.at) {
            Some(sent) => State::Settling(sent.clone()),
            None => State::Untagged { live, tags },
        };
    }
    State::InSync { live, task_definition, deployment }
}

/// Members that start no rollout and differ.
fn adjustment(desired: &Desired, wanted: &Wanted, live: &LiveService) -> Option<UpdateServiceRequest> {
    let update = UpdateServiceRequest {
        cluster: desired.spec.cluster.to_string(),
        name: desired.ecs_name.clone(),
        desired: desired.spec.desired_count.filter(|count| *count != live.desired),
        rolling: (live.rolling != wanted.rolling).then_some(wanted.rolling),
        grace_seconds: wanted.grace_seconds.filter(|grace| live.grace_seconds != Some(*grace)),
        ..UpdateServiceRequest::default()
    };
    let differs = update.desired.is_some() || update.rolling.is_some() || update.grace_seconds.is_some();
    differs.then_some(update)
}
