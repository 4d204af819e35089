//! Where a Service stands, from what is wanted, recorded and seen. What is done about it is decided elsewhere.

use super::change;
use super::desired::{CONTROLLER, Desired, SCHEDULING, STRATEGY};
use super::looks;
use super::members::{Class, differences};
use super::observed::Observed;
use super::record::{Proof, begun, followed, held, proof, recorded, settling, since};
use super::rollout::{self, Question, Verdict};
use super::state::State;
use super::wanted::{OWNER_TAG, Unresolved, Wanted, seconds};
use crate::fault::{Fault, FaultKind, Remedy};
use crate::life::Life;
use crate::look::Looked;
use crate::world::{Deployment, LiveService, ServiceLife};
use launchway_crds::service::{Effect, ServiceStatus};
use serde_json::Value;

/// Where the Service stands.
pub fn assess(
    desired: &Desired,
    wanted: &Result<Wanted, Unresolved>,
    record: &ServiceStatus,
    observed: &Observed,
    owner: &str,
) -> State {
    if desired.life != Life::Stays {
        return ending(desired, record, observed, owner);
    }
    if desired.deletes() != desired.finalizer {
        return if desired.finalizer { State::Guarded } else { State::Unguarded };
    }
    match wanted {
        Err(Unresolved::Refused(refusal)) => State::Refused(refusal.clone()),
        Err(Unresolved::NoImage(why)) => State::NoImage(why.clone()),
        Ok(wanted) => View { desired, wanted, record, observed, owner }.standing().unwrap_or_else(State::Blind),
    }
}

fn ending(desired: &Desired, record: &ServiceStatus, observed: &Observed, owner: &str) -> State {
    if desired.life == Life::Abandoned || !desired.deletes() || !desired.finalizer {
        return State::Guarded;
    }
    let live = match &observed.service {
        Looked::Blind(fault) => return State::Blind(fault.clone()),
        Looked::NotAsked => return State::Blind(not_looked()),
        Looked::Seen(live) => live.as_ref().filter(|live| live.life != ServiceLife::Inactive),
    };
    match live {
        // What was perhaps created a moment ago may not be shown yet, and would outlive the object.
        None => settling(record, &[Effect::Create], observed.at)
            .map_or(State::Guarded, |sent| State::Settling { sent: sent.clone(), standing: None }),
        Some(live) if !ours(live, owner) => State::Guarded,
        Some(live) => match live.life {
            ServiceLife::Active => State::Doomed,
            ServiceLife::Draining | ServiceLife::Inactive | ServiceLife::Unknown(_) => State::Ending,
        },
    }
}

fn ours(live: &LiveService, owner: &str) -> bool {
    live.tags.get(OWNER_TAG).is_some_and(|tag| tag == owner)
}

/// What must have been seen in order to go on.
fn needed<T>(looked: Looked<T>) -> Result<T, Fault> {
    match looked {
        Looked::Seen(seen) => Ok(seen),
        Looked::Blind(fault) => Err(fault),
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
        kind: FaultKind::Bug,
        remedy: Remedy::Retry,
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
    let deadline = i64::from(seconds(&desired.spec.rollout.deadline));
    let follows = followed(desired, wanted, record) == Some(deployment.arn.as_str());
    let in_time = !rollout::overdue(deployment, deadline, observed.at);
    (follows && in_time && rollout::in_progress(deployment, deadline, observed.at))
        .then(|| State::Rolling(Box::new(deployment.clone())))
}

/// What a judgement is made from.
struct View<'a> {
    desired: &'a Desired,
    wanted: &'a Wanted,
    record: &'a ServiceStatus,
    observed: &'a Observed,
    owner: &'a str,
}

impl View<'_> {
    fn standing(&self) -> Result<State, Fault> {
        let Self { desired, wanted, record, observed, owner } = self;
        let last = record.rollout.as_ref().filter(|rollout| rollout.source == wanted.source);
        if last.is_some_and(|rollout| rollout.grant > wanted.grant) {
            return Ok(State::OldGrant { seen: wanted.grant });
        }
        if let Some(why) = moved(wanted, record) {
            return Ok(State::Unchangeable(why));
        }
        match &observed.followed {
            Looked::Blind(fault) => return Err(fault.clone()),
            Looked::Seen(Some(deployment)) => {
                if let Some(state) = follow(desired, wanted, record, observed, deployment) {
                    return Ok(state);
                }
            }
            Looked::Seen(None) | Looked::NotAsked => {}
        }
        match needed(observed.service.as_ref())? {
            None => self.absent(),
            Some(live) => match &live.life {
                ServiceLife::Inactive => self.absent(),
                ServiceLife::Draining => Ok(State::Draining),
                ServiceLife::Unknown(life) => {
                    Ok(State::Unclear(format!("ECS says that the service is {life}, which is not known here")))
                }
                ServiceLife::Active if !ours(live, owner) => Ok(State::NotOurs { owner: (*owner).to_owned() }),
                ServiceLife::Active => self.present(live),
            },
        }
    }

    fn settling(&self, effects: &[Effect]) -> Option<State> {
        settling(self.record, effects, self.observed.at)
            .map(|sent| State::Settling { sent: sent.clone(), standing: None })
    }

    fn is_recorded(&self) -> bool {
        begun(self.desired, self.wanted, self.record).is_some()
    }

    /// The ARN of the task definition, or the state of not having one.
    fn task_definition(&self) -> Result<Result<String, State>, Fault> {
        if let Some(arn) = recorded(self.wanted, self.record) {
            return Ok(Ok(arn.to_owned()));
        }
        Ok(match needed(looks::task_definition(self.wanted, self.observed))? {
            Some(arn) => Ok(arn),
            None => Err(self.settling(&[Effect::Register]).unwrap_or(State::Unregistered)),
        })
    }

    fn absent(&self) -> Result<State, Fault> {
        if let Some(settling) = self.settling(&[Effect::Create]) {
            return Ok(settling);
        }
        Ok(match self.task_definition()? {
            Ok(_) if !self.is_recorded() => State::Unrecorded,
            Ok(task_definition) => State::Absent { task_definition },
            Err(state) => state,
        })
    }

    fn present(&self, live: &LiveService) -> Result<State, Fault> {
        if let Some(state) = unchangeable(self.wanted, live) {
            return Ok(state);
        }
        let arn = match self.task_definition()? {
            Ok(arn) => arn,
            Err(state) => return Ok(state),
        };
        match proof(self.desired, self.wanted, self.record, live) {
            Some(Proof::Runs) => {
                let rollout = begun(self.desired, self.wanted, self.record);
                let deployment = rollout.and_then(|rollout| rollout.deployment.clone());
                return Ok(self.leftovers(live, self.in_sync(live, arn, deployment)));
            }
            Some(Proof::Held) => return Ok(self.leftovers(live, State::Held)),
            Some(Proof::NotAsked) => return Ok(self.outdated(live, arn)),
            None => {}
        }
        let question = Question {
            wanted: self.wanted,
            task_definition: &arn,
            after: since(self.desired, self.wanted, self.record, self.observed.at),
            begun: begun(self.desired, self.wanted, self.record),
            deadline: i64::from(seconds(&self.desired.spec.rollout.deadline)),
            at: self.observed.at,
        };
        let all = needed(looks::deployments(self.desired, self.wanted, self.record, self.observed))?;
        let verdict = rollout::verdict(&question, live, &all);
        self.judged(live, arn, verdict)
    }

    fn judged(&self, live: &LiveService, arn: String, verdict: Verdict) -> Result<State, Fault> {
        let held = held(self.desired, self.wanted, self.record);
        let standing = match (verdict, held) {
            (Verdict::Runs(deployment), _) => {
                let deployment = deployment.map(|one| one.arn);
                self.in_sync(live, arn, deployment.or_else(|| live.current_deployment.clone()))
            }
            (Verdict::Follows(deployment), _) => self.rolling(live, deployment),
            (Verdict::Failed(deployment), Some(held)) if held.deployment.as_ref() == Some(&deployment.arn) => {
                State::Held
            }
            (Verdict::Failed(deployment), _) => self.failed(live, deployment)?,
            (Verdict::Other(_) | Verdict::Unclear(_) | Verdict::NotAsked, Some(_)) => State::Held,
            (Verdict::Other(deployment), None) => State::Waiting(deployment),
            (Verdict::Unclear(why), None) => return Ok(State::Unclear(why)),
            (Verdict::NotAsked, None) => return Ok(self.outdated(live, arn)),
        };
        Ok(self.leftovers(live, standing))
    }

    fn rolling(&self, live: &LiveService, deployment: Box<Deployment>) -> State {
        let deadline = i64::from(seconds(&self.desired.spec.rollout.deadline));
        if rollout::overdue(&deployment, deadline, self.observed.at) {
            State::Overdue { deployment, hint: live.events.first().cloned() }
        } else {
            State::Rolling(deployment)
        }
    }

    fn in_sync(&self, live: &LiveService, task_definition: String, deployment: Option<String>) -> State {
        State::InSync { live: Box::new(live.clone()), task_definition, deployment }
    }

    fn outdated(&self, live: &LiveService, arn: String) -> State {
        if let Some(settling) = self.settling(&[Effect::Update, Effect::Create]) {
            return settling;
        }
        if !self.is_recorded() {
            return State::Unrecorded;
        }
        let update = Box::new(change::update(self.desired, self.wanted, &arn, live));
        State::Outdated { task_definition: arn, update }
    }

    /// Why it failed is told once: a pass that could not see it now, and may later, comes again.
    fn failed(&self, live: &LiveService, deployment: Box<Deployment>) -> Result<State, Fault> {
        if let Some(fault) = self.observed.stopped.fault().filter(|fault| !fault.is_terminal()) {
            return Err(fault.clone());
        }
        let stopped = rollout::of_deployment(&deployment, self.observed.stopped.seen().map_or(&[][..], Vec::as_slice));
        let unseen = self.observed.stopped.fault().map(|fault| format!("its stopped tasks cannot be read: {fault}"));
        let event = live.events.first().filter(|_| stopped.is_empty());
        let hint = unseen.or_else(|| event.map(|event| format!("ECS says: {event}")));
        Ok(State::Failed { deployment, stopped, hint })
    }

    /// What is left to set right wherever the rollout stands, because none is waited for with it.
    fn leftovers(&self, live: &LiveService, standing: State) -> State {
        let update = change::adjustment(self.desired, self.wanted, live);
        let tags = change::tags(self.wanted, live);
        let effect = if update.is_some() { Effect::Adjust } else { Effect::Tag };
        if update.is_none() && tags.is_empty() {
            return standing;
        }
        let standing = Box::new(standing);
        match (settling(self.record, &[effect], self.observed.at), update) {
            (Some(sent), _) => State::Settling { sent: sent.clone(), standing: Some(standing) },
            (None, Some(update)) => State::Adjustable { update: Box::new(update), standing },
            (None, None) => State::Untagged { arn: live.arn.clone(), tags, standing },
        }
    }
}

/// A service that was made in another Region or AWS account than the one that is meant now would run on unseen, beside a
/// second one.
fn moved(wanted: &Wanted, record: &ServiceStatus) -> Option<String> {
    let arn = &record.service.as_ref()?.arn;
    let mut parts = arn.split(':').skip(3);
    let (region, account) = (parts.next()?, parts.next()?);
    let place = &wanted.scope.place;
    let role = place.role.as_ref().and_then(|role| role.arn.split(':').nth(4));
    let same = region == place.region && role.is_none_or(|meant| meant == account);
    (!same).then(|| {
        format!(
            "the ECS service is {arn}, but AwsAccount {} now means Region {} of AWS account {}: set spec.account and spec.region back, or delete this Service and make another",
            wanted.scope.account,
            place.region,
            role.unwrap_or(account)
        )
    })
}

/// Why the live service cannot become what is wanted: what this version does not drive, or what ECS never changes.
fn unchangeable(wanted: &Wanted, live: &LiveService) -> Option<State> {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let strategy = live.members.get("deploymentConfiguration").map(|all| text(&all["strategy"])).unwrap_or_default();
    let controller = live.members.get("deploymentController").map(|one| text(&one["type"])).unwrap_or_default();
    let scheduling = live.members.get("schedulingStrategy").map(text).unwrap_or_default();
    for (what, found, known) in [
        ("deployment controller", controller, CONTROLLER),
        ("deployment strategy", strategy, STRATEGY),
        ("scheduling strategy", scheduling, SCHEDULING),
    ] {
        if !found.is_empty() && found != known {
            return Some(State::NotDriven(format!(
                "the {what} of the ECS service is {found}: this version of Launchway drives {known} only, and changes nothing; change the service, or choose another spec.name"
            )));
        }
    }
    let differs = differences(&wanted.service, &live.members, Class::Immutable);
    let (member, value) = differs.iter().next()?;
    Some(State::Unchangeable(format!(
        "spec.service.{member}: the ECS service has {}, not {value}, and ECS cannot change it: set it to what the service has, or delete the ECS service",
        live.members.get(member).map_or_else(|| "none".to_owned(), ToString::to_string)
    )))
}
