//! The record of a Service: what earlier passes wrote down, asked about what is wanted now. Nothing is looked at here.

use super::desired::Desired;
use super::meaning::Meaning;
use super::rollout::{in_progress, live_means, overdue};
use super::tasks::Before;
use super::wanted::{Wanted, is_of, seconds};
use crate::life::Life;
use crate::moment::after;
use crate::world::{Deployment, LiveService};
use jiff::Timestamp;
use launchway_crds::service::{
    Effect, EffectStatus, RolloutPhase, RolloutStatus, Service, ServiceStatus, TaskDefinitionStatus,
};

/// How long AWS's reads may be older than our writes: after an effect the world is looked at this long before the
/// effect is repeated, in seconds. Source: none; ECS is eventually consistent and names no figure (docs/effects.md).
pub const SETTLES: i64 = 30;

/// What earlier passes wrote down.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(ServiceStatus);

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

impl Record {
    /// The record of a Service. One that was never looked at, or whose status was wiped, has an empty one.
    pub fn parse(service: &Service) -> Self {
        service.status.clone().map_or_else(Self::empty, Self)
    }

    /// The record that a status is.
    pub fn of(status: ServiceStatus) -> Self {
        Self(status)
    }

    /// A record in which nothing is known.
    pub fn empty() -> Self {
        Self(ServiceStatus {
            observed_generation: -1,
            conditions: Vec::new(),
            rollout: None,
            task_definitions: Vec::new(),
            service: None,
            effects: Vec::new(),
            summary: None,
        })
    }

    /// The status that the next one is made from.
    pub fn status(&self) -> &ServiceStatus {
        &self.0
    }

    /// The rollout that was last begun.
    pub fn rollout(&self) -> Option<&RolloutStatus> {
        self.0.rollout.as_ref()
    }

    /// How many times the service was created, as far as is known.
    pub fn creations(&self) -> i64 {
        self.0.service.as_ref().map_or(0, |service| service.creations)
    }

    /// The ARN of the service, once it was seen.
    pub fn arn(&self) -> Option<&str> {
        self.0.service.as_ref().map(|service| service.arn.as_str())
    }

    /// Whether no task definition is recorded, as after a status was wiped.
    pub fn is_lost(&self) -> bool {
        self.0.task_definitions.is_empty()
    }

    /// The rollout that was recorded for what is wanted now.
    pub fn begun(&self, desired: &Desired, wanted: &Wanted) -> Option<&RolloutStatus> {
        self.0.rollout.as_ref().filter(|rollout| {
            rollout.meaning == wanted.meaning.to_string()
                && rollout.grant == wanted.grant
                && rollout.source == wanted.source
                && rollout.retry == desired.spec.rollout.retry
                && rollout.restart == desired.spec.rollout.restart
        })
    }

    /// Whether what is wanted now failed before and is held.
    pub fn held(&self, desired: &Desired, wanted: &Wanted) -> Option<&RolloutStatus> {
        self.begun(desired, wanted).filter(|rollout| rollout.phase == RolloutPhase::Failed)
    }

    /// Whether no change is pending, as far as is known: what is wanted now was seen running, or failed and is held. If it is
    /// not known what is wanted, the spec must not have changed since.
    pub fn settled(&self, desired: &Desired, wanted: Option<&Wanted>) -> bool {
        let rollout = match wanted {
            Some(wanted) => self.begun(desired, wanted),
            None => self.0.rollout.as_ref(),
        };
        rollout.is_some_and(|rollout| {
            matches!(rollout.phase, RolloutPhase::Done | RolloutPhase::Failed)
                && rollout.generation == desired.generation
        })
    }

    /// Deployments that were created before this do not count as failures of what is wanted now. A retry of what failed, and a
    /// return to what ran before, count from now on. The same meaning under a new grant keeps the old moment.
    pub fn since(&self, desired: &Desired, wanted: &Wanted, at: Timestamp) -> Option<Timestamp> {
        let previous = self.0.rollout.as_ref()?;
        let continues = self.begun(desired, wanted).is_some()
            || (previous.meaning == wanted.meaning.to_string()
                && previous.phase != RolloutPhase::Failed
                && previous.restart == desired.spec.rollout.restart);
        if continues { previous.after.as_ref().map(|after| after.0) } else { Some(at) }
    }

    /// Whether what was rolled already is to be rolled once more: `spec.rollout.restart` has another text, and the rollout that it
    /// asked for is not done.
    pub fn is_anew(&self, desired: &Desired, wanted: &Wanted) -> bool {
        self.0.rollout.as_ref().is_some_and(|rollout| {
            let text = &desired.spec.rollout.restart;
            let asked = text.is_some() && rollout.restart != *text;
            rollout.meaning == wanted.meaning.to_string()
                && (asked || (rollout.anew && rollout.phase != RolloutPhase::Done))
        })
    }

    /// The deployments that can prove the rollout were created after this; none: all of them can.
    pub fn proves_after(&self, desired: &Desired, wanted: &Wanted, at: Timestamp) -> Option<Timestamp> {
        self.since(desired, wanted, at).filter(|_| self.is_anew(desired, wanted))
    }

    /// The deployment that a pass only has to follow: it was recorded for what is wanted now, is in progress, and the spec has
    /// not changed since.
    pub fn followed(&self, desired: &Desired, wanted: &Wanted) -> Option<&str> {
        let rollout = self.begun(desired, wanted)?;
        let at_work = rollout.phase == RolloutPhase::Rolling && rollout.generation == desired.generation;
        let own = rollout.deployment.as_deref().filter(|arn| is_of_service(arn, desired));
        own.filter(|_| at_work && desired.life == Life::Stays)
    }

    /// Whether this is the followed deployment, in progress and within its deadline. Then nothing else needs a look.
    pub fn is_rolling(&self, desired: &Desired, wanted: &Wanted, deployment: &Deployment, at: Timestamp) -> bool {
        let deadline = i64::from(seconds(&desired.spec.rollout.deadline));
        self.followed(desired, wanted) == Some(deployment.arn.as_str())
            && !overdue(deployment, deadline, at)
            && in_progress(deployment, deadline, at)
    }

    /// What the record and the live service prove. Nothing, while ECS has a deployment in progress.
    pub fn proof(&self, desired: &Desired, wanted: &Wanted, live: &LiveService) -> Option<Proof> {
        let rollout = self.begun(desired, wanted).filter(|_| live.deployments <= 1)?;
        let named = live_means(wanted, self.task_definition(wanted).unwrap_or_default(), live);
        let same = |arn: &Option<String>| live.current_deployment == *arn;
        match rollout.phase {
            RolloutPhase::Done => {
                (named && (live.current_deployment.is_none() || same(&rollout.deployment))).then_some(Proof::Runs)
            }
            RolloutPhase::Failed => (!named).then_some(Proof::Held),
            RolloutPhase::Rolling => {
                let asked = self.sent(&[Effect::Create, Effect::Update]).is_some() || rollout.deployment.is_some();
                (!asked && rollout.from.is_some() && same(&rollout.from)).then_some(Proof::NotAsked)
            }
            RolloutPhase::Stuck => None,
        }
    }

    /// What is remembered of the tasks of what is wanted now.
    pub fn tasks(&self, desired: &Desired, wanted: &Wanted) -> Before {
        let short_since = self.0.service.as_ref().and_then(|service| service.short_since.as_ref());
        Before {
            proved: self.begun(desired, wanted).is_some_and(|rollout| rollout.proved_at.is_some()),
            short_since: short_since.map(|since| since.0),
            deadline: i64::from(seconds(&desired.spec.rollout.deadline)),
        }
    }

    /// The ARN of the task definition that the record has for what is wanted. One of another family is never taken: whoever
    /// may write a status must not choose what runs.
    pub fn task_definition(&self, wanted: &Wanted) -> Option<&str> {
        let meaning = wanted.task_meaning.to_string();
        let mut all = self.0.task_definitions.iter();
        let found = all.find(|one| one.meaning == meaning && is_of(&one.arn, &wanted.family));
        found.map(|one| one.arn.as_str())
    }

    /// The task definitions that are recorded, newest first.
    pub fn registered(&self) -> &[TaskDefinitionStatus] {
        &self.0.task_definitions
    }

    /// The newest of the effects of those kinds that were sent and that AWS does not show yet.
    fn sent(&self, effects: &[Effect]) -> Option<&EffectStatus> {
        self.0.effects.iter().filter(|one| effects.contains(&one.effect)).max_by_key(|one| one.at.0)
    }

    /// The last effect of that kind, as far as it is remembered.
    pub fn effect(&self, effect: Effect) -> Option<&EffectStatus> {
        self.sent(&[effect])
    }

    /// When ECS was asked for the wanted rollout, if that is so long ago that reads show it.
    pub fn asked(&self, wanted: &Wanted, at: Timestamp) -> Option<Timestamp> {
        let sent = self.sent(&[Effect::Create, Effect::Update])?;
        let counts = sent.meaning == wanted.meaning.to_string() && sent.refused.is_none();
        (counts && at >= after(sent.at.0, SETTLES)).then_some(sent.at.0)
    }

    /// The call for the wanted rollout, if it was sent so recently that reads may not show it yet: any UpdateService that starts
    /// a rollout, or a CreateService with what is still wanted.
    pub fn rolling(&self, wanted: &Wanted, at: Timestamp) -> Option<&EffectStatus> {
        let created = || self.settling(&[Effect::Create], at).filter(|sent| sent.meaning == wanted.meaning.to_string());
        self.settling(&[Effect::Update], at).or_else(created)
    }

    /// The newest effect of these kinds, if it was sent so recently that reads may not show it yet. Until it is visible, nothing
    /// of its kind is decided, whatever it asked for. Each kind has a memory of its own.
    pub fn settling(&self, effects: &[Effect], at: Timestamp) -> Option<&EffectStatus> {
        let sent = self.sent(effects).filter(|sent| sent.refused.is_none())?;
        (at < after(sent.at.0, SETTLES)).then_some(sent)
    }

    /// The record in the meanings of this version. What another version wrote down for a task definition that says what is
    /// wanted (`found`, compared by content) means what is wanted: a new version rolls nothing, and what was held stays held.
    pub fn translated(&self, desired: &Desired, wanted: &Wanted, found: Option<&str>) -> Self {
        let mut record = self.0.clone();
        let Some(found) = found else { return Self(record) };
        for one in record.task_definitions.iter_mut().filter(|one| one.arn == found && is_foreign(&one.meaning)) {
            one.meaning = wanted.task_meaning.to_string();
        }
        // A rollout is a task definition and the service's settings. The settings are the same if the spec has not changed.
        if let Some(rollout) = record.rollout.as_mut().filter(|rollout| is_foreign(&rollout.meaning))
            && rollout.task_definition.as_deref() == Some(found)
            && rollout.generation == desired.generation
        {
            rollout.meaning = wanted.meaning.to_string();
        }
        Self(record)
    }

    /// The task definitions of that family that another version wrote down, whose meanings cannot be compared. Those of other
    /// families are not looked at: whoever may write a status must not choose what is read.
    pub fn foreign(&self, family: &str) -> impl Iterator<Item = &str> {
        let all = self.0.task_definitions.iter().filter(|one| is_foreign(&one.meaning)).map(|one| one.arn.as_str());
        all.filter(move |arn| is_of(arn, family))
    }
}

/// Whether the deployment is one of the Service's ECS service. Its ARN ends with
/// `:service-deployment/<cluster>/<service>/<ID>` (service authorization reference of ECS, resource types).
fn is_of_service(arn: &str, desired: &Desired) -> bool {
    let cluster = desired.spec.cluster.rsplit_once('/').map_or(&*desired.spec.cluster, |(_, name)| name);
    let own = format!("service-deployment/{cluster}/{}", desired.ecs_name);
    arn.rsplit_once(':').and_then(|(_, rest)| rest.rsplit_once('/')).is_some_and(|(of, _)| of == own)
}

fn is_foreign(meaning: &str) -> bool {
    Meaning::parse(meaning).is_none_or(|meaning| !meaning.is_comparable())
}
