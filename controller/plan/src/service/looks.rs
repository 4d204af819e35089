//! Chooses what a pass over a Service looks at next, until nothing more could change the decision, and puts together what the
//! looks found. Nothing is looked at here, and nothing is judged.

use super::desired::Desired;
use super::observed::{Observed, SeenDeployment};
use super::record::{Proof, Record};
use super::rollout::{is_older, live_means, proves};
use super::wanted::{Wanted, says};
use crate::life::Life;
use crate::look::Looked;
use crate::world::{Deployment, DeploymentStatus, End, LiveService, ServiceLife};

/// How many of the family's newest task definitions are looked through, where the record was lost.
pub const FAMILY: usize = 5;
/// How many of the newest deployments are judged: a rollout, the one that it cut off, and what both came from.
const DEPLOYMENTS: usize = 5;

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The deployment that is being followed, by its ARN.
    Followed(String),
    /// The ECS service, with its tags.
    Service,
    /// A task definition, by its ARN, or a family's newest.
    TaskDefinition(String),
    /// The ARNs of that family's newest task definitions.
    Family(String),
    /// The service's current deployment, by its ARN.
    Current(String),
    /// The service's newest deployments.
    Deployments,
    /// Revisions, by their ARNs.
    Revisions(Vec<String>),
    /// Tasks of the service that stopped.
    StoppedTasks,
}

/// What to look at next; nothing more is needed where there is none. What could not be seen is not looked at twice.
pub fn next(desired: &Desired, wanted: Option<&Wanted>, record: &Record, observed: &Observed) -> Option<Look> {
    match desired.life {
        Life::Stays => View { desired, wanted: wanted?, record, observed }.next(),
        Life::Ends if desired.deletes() && desired.finalizer && observed.service == Looked::NotAsked => {
            Some(Look::Service)
        }
        Life::Ends | Life::Abandoned => None,
    }
}

/// The ARN of an ACTIVE task definition that says what is wanted, as far as was looked.
pub fn task_definition(wanted: &Wanted, observed: &Observed) -> Looked<Option<String>> {
    let mut all = Looked::NotAsked;
    for looked in observed.definitions.values() {
        match looked {
            Looked::Seen(Some(found)) if says(wanted, found) => return Looked::Seen(Some(found.arn.clone())),
            Looked::Blind(fault) => all = Looked::Blind(fault.clone()),
            Looked::Seen(_) if all == Looked::NotAsked => all = Looked::Seen(None),
            Looked::Seen(_) | Looked::NotAsked => {}
        }
    }
    match &observed.family {
        Looked::Blind(fault) => Looked::Blind(fault.clone()),
        Looked::Seen(_) | Looked::NotAsked => all,
    }
}

/// The service's deployments with their revisions, newest first: only the current one, where that proves enough.
pub fn deployments(
    desired: &Desired,
    wanted: &Wanted,
    record: &Record,
    observed: &Observed,
) -> Looked<Vec<SeenDeployment>> {
    let view = View { desired, wanted, record, observed };
    let live = observed.service.seen().and_then(Option::as_ref);
    if let Some(proved) = live.and_then(|live| view.proved(live, &view.known()?)) {
        return Looked::Seen(vec![proved]);
    }
    if let Some(fault) = live.and_then(|live| view.current_seen(view.current(live, &view.known()?)?).fault()) {
        return Looked::Blind(fault.clone());
    }
    let all = match &observed.deployments {
        Looked::NotAsked => return Looked::NotAsked,
        Looked::Blind(fault) => return Looked::Blind(fault.clone()),
        Looked::Seen(all) => all.iter().take(DEPLOYMENTS),
    };
    if let Some(fault) = observed.revisions.values().find_map(Looked::fault) {
        return Looked::Blind(fault.clone());
    }
    let revision = |arn: Option<&String>| observed.revisions.get(arn?)?.seen().cloned().flatten();
    let seen = |deployment: &Deployment| SeenDeployment {
        target: revision(deployment.target.as_ref()),
        source: revision(deployment.left_with()),
        deployment: deployment.clone(),
    };
    Looked::Seen(all.map(seen).collect())
}

/// What a look is chosen from.
struct View<'a> {
    desired: &'a Desired,
    wanted: &'a Wanted,
    record: &'a Record,
    observed: &'a Observed,
}

impl View<'_> {
    fn next(&self) -> Option<Look> {
        let Self { desired, wanted, record, observed } = self;
        if let Some(arn) = record.followed(desired, wanted) {
            match &observed.followed {
                Looked::NotAsked => return Some(Look::Followed(arn.to_owned())),
                // It goes on: nothing else is needed.
                Looked::Seen(Some(one)) if record.is_rolling(desired, wanted, one, observed.at) => {
                    return None;
                }
                Looked::Seen(_) | Looked::Blind(_) => {}
            }
        }
        let live = match &observed.service {
            Looked::NotAsked => return Some(Look::Service),
            Looked::Blind(_) => return None,
            Looked::Seen(live) => live.as_ref().filter(|live| live.life == ServiceLife::Active),
        };
        if record.task_definition(wanted).is_none()
            && let Some(look) = self.definition(live)
        {
            return Some(look);
        }
        let live = live?;
        match record.proof(desired, wanted, live) {
            Some(Proof::Runs) => {
                let ask =
                    observed.stopped == Looked::NotAsked && record.tasks(desired, wanted).is_overdue(live, observed.at);
                return ask.then_some(Look::StoppedTasks);
            }
            Some(Proof::Held | Proof::NotAsked) => return None,
            None => {}
        }
        // Without a task definition nothing can run, and nothing be asked for.
        self.rollouts(live, &self.known()?)
    }

    fn known(&self) -> Option<String> {
        let recorded = self.record.task_definition(self.wanted).map(str::to_owned);
        recorded.or_else(|| task_definition(self.wanted, self.observed).seen().cloned().flatten())
    }

    /// The next task definition that may be the wanted one: first those that another version recorded, then the family's newest.
    /// If the record was lost, the service's own comes before that, and the family's newest few come last.
    fn definition(&self, live: Option<&LiveService>) -> Option<Look> {
        let seen = |name: &str| self.observed.definitions.get(name);
        let lost = self.record.is_lost();
        let own = live.filter(|_| lost).map(|live| live.task_definition.as_str());
        for name in self.record.foreign(&self.wanted.family).chain(own).chain([self.wanted.family.as_str()]) {
            match seen(name) {
                None | Some(Looked::NotAsked) => return Some(Look::TaskDefinition(name.to_owned())),
                Some(Looked::Blind(_)) => return None,
                Some(Looked::Seen(Some(found))) if says(self.wanted, found) => return None,
                Some(Looked::Seen(_)) => {}
            }
        }
        let newest = seen(&self.wanted.family)?.seen()?.as_ref()?;
        let listed = match &self.observed.family {
            Looked::NotAsked if lost => return Some(Look::Family(self.wanted.family.clone())),
            Looked::NotAsked | Looked::Blind(_) => return None,
            Looked::Seen(listed) => listed,
        };
        for arn in listed.iter().filter(|arn| **arn != newest.arn) {
            match seen(arn) {
                None | Some(Looked::NotAsked) => return Some(Look::TaskDefinition(arn.clone())),
                Some(Looked::Blind(_)) => return None,
                Some(Looked::Seen(Some(found))) if says(self.wanted, found) => return None,
                Some(Looked::Seen(_)) => {}
            }
        }
        None
    }

    fn rollouts(&self, live: &LiveService, task_definition: &str) -> Option<Look> {
        if let Some(arn) = self.current(live, task_definition) {
            match self.current_seen(arn) {
                Looked::NotAsked => return Some(Look::Current(arn.to_owned())),
                Looked::Seen(Some(deployment)) if deployment.status == DeploymentStatus::Successful => {
                    if let Some(look) = self.revisions(deployment.target.iter()) {
                        return Some(look);
                    }
                }
                // The others are asked for by the same call.
                Looked::Blind(_) => return None,
                Looked::Seen(_) => {}
            }
        }
        if self.proved(live, task_definition).is_some() {
            return None;
        }
        let all = match &self.observed.deployments {
            Looked::NotAsked => return Some(Look::Deployments),
            Looked::Blind(_) => return None,
            Looked::Seen(all) => || all.iter().take(DEPLOYMENTS),
        };
        if let Some(look) = self.revisions(all().flat_map(|one| one.target.iter().chain(one.left_with()))) {
            return Some(look);
        }
        (self.observed.stopped == Looked::NotAsked && all().any(is_bad)).then_some(Look::StoppedTasks)
    }

    /// The current deployment, where it may be proof enough: most rollouts end well.
    fn current<'a>(&self, live: &'a LiveService, task_definition: &str) -> Option<&'a str> {
        let named = live.deployments <= 1 && live_means(self.wanted, task_definition, live);
        live.current_deployment.as_deref().filter(|_| named)
    }

    /// What was seen of the current deployment. Where the followed one could not be looked at, neither can this one.
    fn current_seen(&self, arn: &str) -> &Looked<Option<Deployment>> {
        match &self.observed.followed {
            Looked::Seen(Some(followed)) if followed.arn == arn => &self.observed.followed,
            Looked::Blind(_) => &self.observed.followed,
            Looked::Seen(_) | Looked::NotAsked => &self.observed.current,
        }
    }

    /// The current deployment with its revision, if it proves that the service runs what is wanted.
    fn proved(&self, live: &LiveService, task_definition: &str) -> Option<SeenDeployment> {
        let arn = self.current(live, task_definition)?;
        let deployment = self.current_seen(arn).seen()?.clone()?;
        let after = self.record.proves_after(self.desired, self.wanted, self.observed.at);
        let from = self.record.begun(self.desired, self.wanted).and_then(|begun| begun.from.as_deref());
        if after.is_some_and(|after| is_older(&deployment, after, from)) {
            return None;
        }
        let target = self.observed.revisions.get(deployment.target.as_ref()?)?.seen()?.clone();
        let seen = SeenDeployment { deployment, target, source: None };
        proves(self.wanted, task_definition, live, &seen).then_some(seen)
    }

    /// Those revisions that were not looked at.
    fn revisions<'a>(&self, arns: impl Iterator<Item = &'a String>) -> Option<Look> {
        let mut missing: Vec<String> =
            arns.filter(|arn| !self.observed.revisions.contains_key(*arn)).cloned().collect();
        missing.sort();
        missing.dedup();
        (!missing.is_empty()).then_some(Look::Revisions(missing))
    }
}

/// Whether the stopped tasks may say why.
fn is_bad(deployment: &Deployment) -> bool {
    let failing = deployment.breaker.as_ref().is_some_and(|breaker| breaker.failures > 0);
    match deployment.status.end() {
        Some(End::Stopped | End::RolledBack | End::RollbackFailed) => true,
        Some(End::Successful) => false,
        None => failing,
    }
}
