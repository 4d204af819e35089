//! Where a Service stands, from what is wanted, recorded and seen. What is done about it is decided elsewhere.

use super::change;
use super::chores::chores;
use super::desired::{CONTROLLER, Desired, SCHEDULING, STRATEGY};
use super::looks;
use super::members::{Class, differences};
use super::observed::Observed;
use super::record::{Proof, Record};
use super::rollout::{self, Question, Verdict};
use super::state::{Blocker, Chore, Guard, Rollout, State};
use super::wanted::{OWNER_TAG, Unresolved, Wanted, reach, seconds};
use crate::fault::{Fault, FaultKind, Remedy};
use crate::life::Life;
use crate::life::resume_command;
use crate::look::Looked;
use crate::reason::Reason;
use crate::world::{Deployment, LiveService, ServiceLife};
use launchway_crds::service::Effect;
use serde_json::Value;

/// Where the Service stands.
pub fn assess(
    desired: &Desired,
    wanted: &Result<Wanted, Unresolved>,
    record: &Record,
    observed: &Observed,
    owner: &str,
) -> State {
    if desired.life != Life::Stays {
        return leaving(desired, record, observed, owner);
    }
    let guard = match (desired.deletes(), desired.finalizer) {
        (true, false) => Guard::Missing,
        (false, true) => Guard::Unneeded,
        (true, true) | (false, false) => Guard::Steady,
    };
    let state = match wanted {
        Err(Unresolved::Refused(refusal)) => State::of(Err(Blocker::Refused(refusal.clone()))),
        Err(Unresolved::NoImage(why)) => {
            State::of(Err(orphaned(desired, record, observed).unwrap_or_else(|| Blocker::NoImage(why.clone()))))
        }
        Ok(wanted) => View { desired, wanted, record, observed, owner }.state(),
    };
    State { guard, ..state }
}

/// That the Pipeline is gone that brought what the Service runs; none: it is there, or brought nothing.
fn orphaned(desired: &Desired, record: &Record, observed: &Observed) -> Option<Blocker> {
    let pipeline = desired.source.as_ref().map(|source| &source.pipeline)?;
    let is_gone = observed.pipeline.as_ref().is_some_and(|seen| seen.found.is_none());
    let brought = record.rollout().and_then(|rollout| rollout.source.as_deref()?.split_once('/'));
    let why = format!(
        "Pipeline {pipeline} was deleted; what it brought goes on running, and nothing new is rolled: make the Pipeline again, or \
         name an image in place of imageFrom"
    );
    (is_gone && brought.is_some_and(|(by, _)| by == pipeline))
        .then_some(Blocker::Stuck { reason: Reason::NoPipeline, why })
}

fn leaving(desired: &Desired, record: &Record, observed: &Observed, owner: &str) -> State {
    let guarded = |guard| State { guard, ..State::of(Err(Blocker::Leaving)) };
    if !desired.finalizer {
        return guarded(Guard::Steady);
    }
    if desired.life == Life::Abandoned || !desired.deletes() {
        return guarded(Guard::Unneeded);
    }
    if let Err(refusal) = reach(desired, observed) {
        return State::of(Err(Blocker::Refused(refusal)));
    }
    let live = match needed(observed.service.as_ref()) {
        Err(fault) => return State::of(Err(Blocker::Blind(fault))),
        Ok(live) => live.as_ref().filter(|live| live.life != ServiceLife::Inactive),
    };
    match live {
        // A CreateService of a moment ago may have worked without being visible yet; its service would outlive the object.
        None => record
            .settling(&[Effect::Create], observed.at)
            .map_or_else(|| guarded(Guard::Unneeded), |sent| State::of(Ok(Rollout::Settling(sent.clone())))),
        Some(live) if !ours(live, owner) => guarded(Guard::Unneeded),
        Some(live) => match live.life {
            ServiceLife::Active => guarded(Guard::Deletes),
            ServiceLife::Draining | ServiceLife::Inactive | ServiceLife::Unknown(_) => guarded(Guard::Waits),
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

/// What a judgement is made from.
struct View<'a> {
    desired: &'a Desired,
    wanted: &'a Wanted,
    record: &'a Record,
    observed: &'a Observed,
    owner: &'a str,
}

impl View<'_> {
    fn state(&self) -> State {
        let rollout = self.rollout().and_then(|rollout| self.unless_suspended(rollout));
        let chores = rollout.as_ref().ok().and_then(|rollout| self.chores(rollout));
        State { chores, ..State::of(rollout) }
    }

    fn rollout(&self) -> Result<Rollout, Blocker> {
        let Self { desired, wanted, record, observed, owner } = self;
        let last = record.rollout().filter(|rollout| rollout.source == wanted.source);
        if last.is_some_and(|rollout| rollout.grant > wanted.grant) {
            return Err(Blocker::OldGrant { seen: wanted.grant });
        }
        moved(wanted, record)?;
        match &observed.followed {
            Looked::Blind(fault) => return Err(Blocker::Blind(fault.clone())),
            Looked::Seen(Some(deployment)) if record.is_rolling(desired, wanted, deployment, observed.at) => {
                return Ok(Rollout::Rolling(Box::new(deployment.clone())));
            }
            Looked::Seen(_) | Looked::NotAsked => {}
        }
        let Some(live) = needed(observed.service.as_ref()).map_err(Blocker::Blind)? else { return self.absent() };
        match &live.life {
            ServiceLife::Inactive => self.absent(),
            ServiceLife::Draining => Ok(Rollout::Draining),
            ServiceLife::Unknown(life) => {
                Err(Blocker::Unclear(format!("ECS says that the service is {life}, which is not known here")))
            }
            ServiceLife::Active if !ours(live, owner) => Err(not_ours(owner)),
            ServiceLife::Active => {
                driven(live)?;
                changeable(wanted, live)?;
                self.present(live)
            }
        }
    }

    /// Nothing is begun while the Pipeline is suspended, whoever asks for it: an edit, a grant, a person's hand in AWS.
    fn unless_suspended(&self, rollout: Rollout) -> Result<Rollout, Blocker> {
        let begins = matches!(
            rollout,
            Rollout::Unregistered | Rollout::Unrecorded | Rollout::Absent { .. } | Rollout::Outdated { .. }
        );
        let found = self.observed.pipeline.as_ref().and_then(|pipeline| pipeline.found.as_ref());
        let (true, Some(source), true) = (begins, &self.desired.source, found.is_some_and(|(spec, _)| spec.suspend))
        else {
            return Ok(rollout);
        };
        let why = format!(
            "Pipeline {} is suspended: what ECS has now is left as it is, and what the spec asks for is rolled when it continues: {}",
            source.pipeline,
            resume_command(&self.desired.namespace, &source.pipeline)
        );
        Err(Blocker::Suspended { why })
    }

    fn settling(&self, effects: &[Effect]) -> Option<Rollout> {
        self.record.settling(effects, self.observed.at).map(|sent| Rollout::Settling(sent.clone()))
    }

    fn is_recorded(&self) -> bool {
        self.record.begun(self.desired, self.wanted).is_some()
    }

    fn deadline(&self) -> i64 {
        i64::from(seconds(&self.desired.spec.rollout.deadline))
    }

    /// The ARN of the task definition that says what is wanted, if there is one.
    fn task_definition(&self) -> Result<Option<String>, Blocker> {
        match self.record.task_definition(self.wanted) {
            Some(arn) => Ok(Some(arn.to_owned())),
            None => needed(looks::task_definition(self.wanted, self.observed)).map_err(Blocker::Blind),
        }
    }

    fn unregistered(&self) -> Rollout {
        self.settling(&[Effect::Register]).unwrap_or(Rollout::Unregistered)
    }

    fn absent(&self) -> Result<Rollout, Blocker> {
        if let Some(settling) = self.settling(&[Effect::Create]) {
            return Ok(settling);
        }
        Ok(match self.task_definition()? {
            Some(_) if !self.is_recorded() => Rollout::Unrecorded,
            Some(task_definition) => Rollout::Absent { task_definition },
            None => self.unregistered(),
        })
    }

    fn present(&self, live: &LiveService) -> Result<Rollout, Blocker> {
        let Some(arn) = self.task_definition()? else { return Ok(self.unregistered()) };
        match self.record.proof(self.desired, self.wanted, live) {
            Some(Proof::Runs) => {
                let rollout = self.record.begun(self.desired, self.wanted);
                Ok(self.in_sync(live, arn, rollout.and_then(|rollout| rollout.deployment.clone())))
            }
            Some(Proof::Held) => Ok(Rollout::Held),
            Some(Proof::NotAsked) => Ok(self.outdated(live, arn)),
            None => self.judged(live, arn),
        }
    }

    fn judged(&self, live: &LiveService, arn: String) -> Result<Rollout, Blocker> {
        let question = Question {
            wanted: self.wanted,
            task_definition: &arn,
            after: self.record.since(self.desired, self.wanted, self.observed.at),
            proves_after: self.record.proves_after(self.desired, self.wanted, self.observed.at),
            begun: self.record.begun(self.desired, self.wanted),
            asked: self.record.asked(self.wanted, self.observed.at),
            deadline: self.deadline(),
            at: self.observed.at,
        };
        let all = looks::deployments(self.desired, self.wanted, self.record, self.observed);
        let verdict = rollout::verdict(&question, live, &needed(all).map_err(Blocker::Blind)?);
        Ok(match (verdict, self.record.held(self.desired, self.wanted)) {
            (Verdict::Runs(deployment), _) => {
                let deployment = deployment.map(|one| one.arn);
                self.in_sync(live, arn, deployment.or_else(|| live.current_deployment.clone()))
            }
            (Verdict::Follows(deployment), _) => self.rolling(live, deployment),
            (Verdict::Failed(deployment), Some(held)) if held.deployment.as_ref() == Some(&deployment.arn) => {
                Rollout::Held
            }
            (Verdict::Failed(deployment), _) => self.failed(live, deployment)?,
            (Verdict::Other(_) | Verdict::Unclear(_) | Verdict::NotAsked, Some(_)) => Rollout::Held,
            (Verdict::Differs(what), _) => {
                let why = format!("{what}: write it as ECS shows it, or take it out of the spec; it is not sent again");
                return Err(Blocker::Stuck { reason: Reason::Differs, why });
            }
            (Verdict::Other(deployment), None) => Rollout::Waiting(deployment),
            (Verdict::Unclear(why), None) => match self.record.rolling(self.wanted, self.observed.at) {
                Some(sent) => Rollout::Settling(sent.clone()),
                None => return Err(Blocker::Unclear(why)),
            },
            (Verdict::NotAsked, None) => self.outdated(live, arn),
        })
    }

    fn in_sync(&self, live: &LiveService, task_definition: String, deployment: Option<String>) -> Rollout {
        let before = self.record.tasks(self.desired, self.wanted);
        let tasks = before.tasks(live, &self.observed.stopped, self.observed.at);
        Rollout::InSync { live: Box::new(live.clone()), task_definition, deployment, tasks }
    }

    fn rolling(&self, live: &LiveService, deployment: Box<Deployment>) -> Rollout {
        if rollout::overdue(&deployment, self.deadline(), self.observed.at) {
            Rollout::Overdue { deployment, hint: live.events.first().cloned() }
        } else {
            Rollout::Rolling(deployment)
        }
    }

    fn outdated(&self, live: &LiveService, arn: String) -> Rollout {
        if let Some(sent) = self.record.rolling(self.wanted, self.observed.at) {
            return Rollout::Settling(sent.clone());
        }
        if !self.is_recorded() {
            return Rollout::Unrecorded;
        }
        let update = Box::new(change::update(self.desired, self.wanted, &arn, live));
        Rollout::Outdated { task_definition: arn, update }
    }

    /// The reason of a failure is written down once, so a pass that could not read it, but may later, does not decide yet.
    fn failed(&self, live: &LiveService, deployment: Box<Deployment>) -> Result<Rollout, Blocker> {
        if let Some(fault) = self.observed.stopped.fault().filter(|fault| !fault.is_terminal()) {
            return Err(Blocker::Blind(fault.clone()));
        }
        let stopped = rollout::of_deployment(&deployment, self.observed.stopped.seen().map_or(&[][..], Vec::as_slice));
        let unseen = self.observed.stopped.fault().map(|fault| format!("its stopped tasks cannot be read: {fault}"));
        let event = live.events.first().filter(|_| stopped.is_empty());
        let hint = unseen.or_else(|| event.map(|event| format!("ECS says: {event}")));
        Ok(Rollout::Failed { deployment, stopped, hint })
    }

    /// What is left to do beside the rollout. While the rollout itself is about to change the service, or just did, what is
    /// seen of its members may be old.
    fn chores(&self, rollout: &Rollout) -> Option<Vec<Chore>> {
        let live = self.observed.service.seen().and_then(Option::as_ref)?;
        let is_left_alone = rollout.is_shown() || matches!(rollout, Rollout::Waiting(_));
        is_left_alone.then(|| chores(self.desired, self.wanted, self.record, live, self.observed.at))
    }
}

/// A service that carries another owner's tag, or none, and how to hand it over.
fn not_ours(owner: &str) -> Blocker {
    let why = format!(
        "an ECS service of this name exists and is not ours: give it the tag {OWNER_TAG} = {owner} to hand it over (seen within five minutes), or choose another spec.name"
    );
    Blocker::Stuck { reason: Reason::NotOurs, why }
}

/// Refuses a spec that now means another Region or AWS account than the one in which the service was made: a second service
/// would be created, and the first would keep running unnoticed.
fn moved(wanted: &Wanted, record: &Record) -> Result<(), Blocker> {
    let Some((arn, region, account)) = record.arn().and_then(|arn| {
        let mut parts = arn.split(':').skip(3);
        Some((arn, parts.next()?, parts.next()?))
    }) else {
        return Ok(());
    };
    let place = &wanted.scope.place;
    let role = place.role.as_ref().and_then(|role| role.arn.split(':').nth(4));
    if region == place.region && role.is_none_or(|meant| meant == account) {
        return Ok(());
    }
    let why = format!(
        "the ECS service is {arn}, but AwsAccount {} now means Region {} of AWS account {}: set spec.account and spec.region back, or delete this Service and make another",
        wanted.scope.account,
        place.region,
        role.unwrap_or(account)
    );
    Err(Blocker::Stuck { reason: Reason::InvalidSpec, why })
}

/// Refuses a live service that this version does not drive.
fn driven(live: &LiveService) -> Result<(), Blocker> {
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
            let why = format!(
                "the {what} of the ECS service is {found}: this version of Launchway drives {known} only, and changes nothing; change the service, or choose another spec.name"
            );
            return Err(Blocker::Stuck { reason: Reason::NotDriven, why });
        }
    }
    Ok(())
}

/// Refuses what ECS never changes on a service that is there.
fn changeable(wanted: &Wanted, live: &LiveService) -> Result<(), Blocker> {
    let differs = differences(&wanted.service, &live.members, Class::Immutable);
    let Some((member, value)) = differs.iter().next() else { return Ok(()) };
    let other_way = if member == "launchType" {
        ", name the provider in capacityProviderStrategy in its place (ECS can change that)"
    } else {
        ""
    };
    let why = format!(
        "spec.service.{member}: the ECS service has {}, not {value}, and ECS cannot change it: set it to what the service has{other_way}, or delete the ECS service",
        live.members.get(member).map_or_else(|| "none".to_owned(), ToString::to_string)
    );
    Err(Blocker::Stuck { reason: Reason::InvalidSpec, why })
}
