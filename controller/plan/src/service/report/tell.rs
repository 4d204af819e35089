//! What a Service's conditions say, in words: what is, what goes on, and what to do next.

use super::Pass;
use crate::condition::{Answer, Statement, Truth, brief, cut, find, whole};
use crate::fault::Fault;
use crate::life::Life;
use crate::reason::{Kind, Reason};
use crate::refusal::Refusal;
use crate::service::desired::Desired;
use crate::service::record::settled;
use crate::service::rollout::why;
use crate::service::state::State;
use crate::world::{Deployment, DeploymentStatus};
use launchway_crds::service::{RolloutOutcome, ServiceStatus};

/// How much of the reason of a failure a message has, in bytes: what to do next has to fit beside it.
const WHY: usize = 640;

/// How much of an event of ECS a message has, in bytes.
const HINT: usize = 300;

/// What the conditions say.
pub(super) struct Tell {
    ready: Statement,
    /// Reconciling and Stalled, as far as they are True.
    extra: Vec<Statement>,
    rolled_out: Statement,
    in_sync: Statement,
}

fn say(kind: Kind, truth: Truth, reason: Reason, message: &str) -> Statement {
    Statement::New(Answer::new(kind, truth, reason, message))
}

impl Tell {
    fn well(message: &str) -> Self {
        let yes = |kind| say(kind, Truth::True, Reason::Succeeded, message);
        Self {
            ready: yes(Kind::Ready),
            extra: Vec::new(),
            rolled_out: yes(Kind::RolledOut),
            in_sync: yes(Kind::InSync),
        }
    }

    fn working(reason: Reason, message: &str) -> Self {
        Self {
            ready: say(Kind::Ready, Truth::False, reason, message),
            extra: vec![say(Kind::Reconciling, Truth::True, reason, message)],
            rolled_out: say(Kind::RolledOut, Truth::Unknown, reason, message),
            in_sync: say(Kind::InSync, Truth::Unknown, reason, message),
        }
    }

    fn stalled(reason: Reason, message: &str) -> Self {
        Self { extra: vec![say(Kind::Stalled, Truth::True, reason, message)], ..Self::working(reason, message) }
    }

    fn failed(reason: Reason, message: &str) -> Self {
        let no = |kind| say(kind, Truth::False, reason, message);
        Self { rolled_out: no(Kind::RolledOut), in_sync: no(Kind::InSync), ..Self::stalled(reason, message) }
    }

    /// Cannot look, and no change is pending: what was known is kept.
    fn blind(message: &str) -> Self {
        Self {
            ready: Statement::Kept(Kind::Ready),
            extra: vec![Statement::Kept(Kind::Reconciling), Statement::Kept(Kind::Stalled)],
            rolled_out: Statement::Kept(Kind::RolledOut),
            in_sync: say(Kind::InSync, Truth::Unknown, Reason::NotSeen, message),
        }
    }

    /// The same, but for settings that are updated beside the rollout.
    fn beside(self, message: &str) -> Self {
        Self { in_sync: say(Kind::InSync, Truth::False, Reason::Drifted, message), ..self }
    }

    /// The conditions.
    pub(super) fn said(&self) -> Vec<Statement> {
        let mut all = vec![self.ready.clone()];
        all.extend(self.extra.clone());
        all.extend([self.rolled_out.clone(), self.in_sync.clone()]);
        all
    }

    /// The reason and the message that stand for all, unless those from before do.
    pub(super) fn headline(&self) -> Option<(String, String)> {
        match &self.ready {
            Statement::New(answer) => Some((answer.reason.to_string(), answer.message.clone())),
            Statement::Kept(_) => None,
        }
    }
}

/// The spec is refused.
pub(super) fn refused(refusal: &Refusal) -> Tell {
    Tell::stalled(refusal.reason(), &refusal.to_string())
}

/// What this pass has to say.
pub(super) fn tell(before: &ServiceStatus, pass: &Pass<'_>, fault: Option<&Fault>) -> Tell {
    let beside = !std::ptr::eq(pass.state.standing(), pass.state);
    match fault {
        Some(fault) if fault.is_terminal() => Tell::stalled(Reason::of(fault), &fault.to_string()),
        Some(fault) if beside => tell_state(before, pass, pass.state.standing()).beside(&fault.to_string()),
        Some(fault) => Tell::working(Reason::Unavailable, &fault.to_string()),
        None => tell_state(before, pass, pass.state),
    }
}

fn tell_state(before: &ServiceStatus, pass: &Pass<'_>, state: &State) -> Tell {
    let kept = settled(pass.desired, pass.wanted, before) && find(&before.conditions, Kind::Ready).is_some();
    let name = &pass.desired.ecs_name;
    match state {
        State::Refused(refusal) => refused(refusal),
        State::NoImage(why) if kept => Tell::blind(&format!("{why}; what runs is kept")),
        State::NoImage(why) => Tell::working(Reason::WaitingForImage, why),
        State::Blind(fault) if kept => Tell::blind(&fault.to_string()),
        State::Blind(fault) => cannot_look(pass.desired, fault),
        State::Unclear(why) if kept => Tell::blind(why),
        State::Unclear(why) => Tell::working(Reason::NotSeen, why),
        State::OldGrant { seen } => Tell::blind(&format!(
            "the stage shows grant {seen}, older than the one that was rolled: waiting for a newer one"
        )),
        State::NotOurs { owner } => Tell::stalled(Reason::NotOurs, &not_ours(owner)),
        State::NotDriven(why) => Tell::stalled(Reason::NotDriven, why),
        State::Unchangeable(why) => Tell::stalled(Reason::InvalidSpec, why),
        State::Draining => Tell::working(
            Reason::Draining,
            &format!("an ECS service called {name} is being deleted: waiting until its tasks have ended"),
        ),
        State::Unguarded
        | State::Guarded
        | State::Unregistered
        | State::Unrecorded
        | State::Absent { .. }
        | State::Outdated { .. } => Tell::working(Reason::Rolling, &format!("bringing {name} to {}", target(pass))),
        State::Settling { sent, standing: None } => Tell::working(
            Reason::Rolling,
            &format!("{:?} was sent at {}: waiting until AWS shows it", sent.effect, sent.at.0),
        ),
        State::Settling { standing: Some(standing), .. }
        | State::Adjustable { standing, .. }
        | State::Untagged { standing, .. } => tell_state(before, pass, standing).beside(&format!(
            "updating settings of {name} that start no rollout (such as desiredCount, deploymentConfiguration, tags)"
        )),
        State::Rolling(deployment) => Tell::working(Reason::Rolling, &rolling(pass, deployment)),
        State::Overdue { deployment, hint } => {
            Tell::stalled(Reason::RolloutHangs, &hanging(pass, deployment, hint.as_deref()))
        }
        State::Waiting(deployment) => Tell::working(Reason::WaitingForRollout, &waiting(deployment)),
        State::Failed { deployment, stopped, hint } => {
            let why = why(deployment, stopped, hint.as_deref());
            Tell::failed(failure(&deployment.status), &held(pass, &why))
        }
        State::Held => still_held(before, pass),
        State::InSync { .. } => Tell::well(&format!("{name} runs {}", target(pass))),
        State::Doomed | State::Ending => Tell::working(Reason::Deleting, &deleting(pass.desired)),
    }
}

/// A change is pending. What is denied may be allowed at any time; what the world lacks does not come by waiting.
fn cannot_look(desired: &Desired, fault: &Fault) -> Tell {
    let abandon = match desired.life {
        Life::Stays => String::new(),
        Life::Ends | Life::Abandoned => {
            format!("; {}", deleting(desired))
        }
    };
    let message = format!("{fault}{abandon}");
    if fault.is_terminal() && !fault.is_denied() {
        Tell::stalled(Reason::of(fault), &message)
    } else {
        Tell::working(Reason::of(fault), &message)
    }
}

fn failure(status: &DeploymentStatus) -> Reason {
    if *status == DeploymentStatus::RollbackSuccessful { Reason::RolledBack } else { Reason::RolloutFailed }
}

/// Held still: the words of the pass that found the failure stand.
fn still_held(before: &ServiceStatus, pass: &Pass<'_>) -> Tell {
    let why = before.rollout.as_ref().and_then(|rollout| rollout.reason.clone()).unwrap_or_default();
    let outcome = before.rollout.as_ref().and_then(|rollout| rollout.outcome);
    let reason = if outcome == Some(RolloutOutcome::RolledBack) { Reason::RolledBack } else { Reason::RolloutFailed };
    Tell::failed(reason, &held(pass, &why))
}

fn held(pass: &Pass<'_>, why: &str) -> String {
    format!(
        "{}: {why}; held until the commit or the spec changes; to try it again: kubectl -n {} patch esvc {} --type merge -p '{{\"spec\":{{\"rollout\":{{\"retry\":\"<any new text>\"}}}}}}'",
        target(pass),
        pass.desired.namespace,
        pass.desired.name,
        why = cut(why, WHY)
    )
}

fn deleting(desired: &Desired) -> String {
    format!(
        "ECS service {} is deleted first (deletionPolicy Delete); to let this object go and leave AWS as it is: kubectl -n {} annotate --overwrite esvc {} launchway.dev/abandon=true",
        desired.ecs_name, desired.namespace, desired.name
    )
}

/// A service that is not ours, and how to hand it over.
pub(super) fn not_ours(owner: &str) -> String {
    format!(
        "an ECS service of this name exists and is not ours: give it the tag launchway.dev/owner = {owner} to hand it over, or choose another spec.name"
    )
}

fn hanging(pass: &Pass<'_>, deployment: &Deployment, hint: Option<&str>) -> String {
    let hint = hint.map(|event| format!("; ECS says: {}", cut(event, HINT))).unwrap_or_default();
    format!(
        "{}, longer than spec.rollout.deadline ({}){hint}; to give it up: {}",
        rolling(pass, deployment),
        pass.desired.spec.rollout.deadline.as_str(),
        stop(deployment)
    )
}

fn stop(deployment: &Deployment) -> String {
    format!("aws ecs stop-service-deployment --service-deployment-arn {}", deployment.arn)
}

fn waiting(deployment: &Deployment) -> String {
    format!(
        "another rollout is in progress since {}: waiting for its end; if it hangs: {}",
        whole(deployment.created_at),
        stop(deployment)
    )
}

fn rolling(pass: &Pass<'_>, deployment: &Deployment) -> String {
    let (name, target, since) = (&pass.desired.ecs_name, target(pass), whole(deployment.created_at));
    let failures = deployment.breaker.as_ref().filter(|breaker| breaker.failures > 0);
    let so_far = failures
        .map(|breaker| format!("; {} of {} tolerated failures so far", breaker.failures, breaker.threshold))
        .unwrap_or_default();
    match deployment.status {
        DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress => {
            format!("ECS rolls {name} back from {target}{so_far}")
        }
        DeploymentStatus::StopRequested => format!("ECS stops bringing {name} to {target}{so_far}"),
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::Successful
        | DeploymentStatus::Stopped
        | DeploymentStatus::RollbackSuccessful
        | DeploymentStatus::RollbackFailed
        | DeploymentStatus::Unknown(_) => format!("ECS brings {name} to {target} since {since}{so_far}"),
    }
}

/// What is rolled, for people: the commit where there is one, else the image.
fn target(pass: &Pass<'_>) -> String {
    let Some(wanted) = pass.wanted else { return "what its spec says".to_owned() };
    let image = short(&wanted.image);
    match &wanted.commit {
        Some(commit) => format!("commit {} ({image})", brief(commit)),
        None => image,
    }
}

/// An image without its registry, and with twelve digits of its digest.
pub fn short(image: &str) -> String {
    let is_registry = |host: &str| host.contains(['.', ':']);
    let name = image.split_once('/').filter(|(host, _)| is_registry(host)).map_or(image, |(_, name)| name);
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@sha256:{}", brief(digest)),
        None => name.to_owned(),
    }
}
