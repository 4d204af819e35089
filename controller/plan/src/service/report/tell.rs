//! What a Service's conditions say, in words: what is, what goes on, and what to do next.

use super::pass::Pass;
use crate::condition::{Answer, Statement, Truth, brief, cut, find, whole};
use crate::fault::{Fault, FaultKind};
use crate::image::short;
use crate::life::Life;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::service::decide::Action;
use crate::service::desired::Desired;
use crate::service::record::Record;
use crate::service::rollout::why;
use crate::service::state::{Blocker, Chore, Guard, Rollout};
use crate::service::tasks::Tasks;
use crate::world::{Deployment, DeploymentStatus, LiveService};
use launchway_crds::service::{Effect, RolloutOutcome};

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

fn say(kind: ConditionType, truth: Truth, reason: Reason, message: &str) -> Statement {
    Statement::New(Answer::new(kind, truth, reason, message))
}

impl Tell {
    fn well(message: &str) -> Self {
        let yes = |kind| say(kind, Truth::True, Reason::Succeeded, message);
        Self {
            ready: yes(ConditionType::Ready),
            extra: Vec::new(),
            rolled_out: yes(ConditionType::RolledOut),
            in_sync: yes(ConditionType::InSync),
        }
    }

    fn working(reason: Reason, message: &str) -> Self {
        Self {
            ready: say(ConditionType::Ready, Truth::False, reason, message),
            extra: vec![say(ConditionType::Reconciling, Truth::True, reason, message)],
            rolled_out: say(ConditionType::RolledOut, Truth::Unknown, reason, message),
            in_sync: say(ConditionType::InSync, Truth::Unknown, reason, message),
        }
    }

    fn stalled(reason: Reason, message: &str) -> Self {
        Self {
            extra: vec![say(ConditionType::Stalled, Truth::True, reason, message)],
            ..Self::working(reason, message)
        }
    }

    fn failed(reason: Reason, message: &str) -> Self {
        let no = |kind| say(kind, Truth::False, reason, message);
        Self {
            rolled_out: no(ConditionType::RolledOut),
            in_sync: no(ConditionType::InSync),
            ..Self::stalled(reason, message)
        }
    }

    /// It is kept out on purpose.
    fn held(reason: Reason, message: &str) -> Self {
        Self {
            ready: say(ConditionType::Ready, Truth::Unknown, reason, message),
            extra: vec![say(ConditionType::Held, Truth::True, reason, message)],
            ..Self::working(reason, message)
        }
    }

    /// All is set as it should be, and no task has shown that it works.
    fn unproved(message: &str) -> Self {
        let open = |kind| say(kind, Truth::Unknown, Reason::Unproved, message);
        Self {
            ready: open(ConditionType::Ready),
            extra: Vec::new(),
            rolled_out: open(ConditionType::RolledOut),
            in_sync: say(ConditionType::InSync, Truth::True, Reason::Succeeded, message),
        }
    }

    /// All is set as it should be, and too few tasks run.
    fn too_few(message: &str) -> Self {
        let in_sync = say(ConditionType::InSync, Truth::True, Reason::Succeeded, message);
        Self { in_sync, ..Self::failed(Reason::TooFewTasks, message) }
    }

    /// Cannot look, and no change is pending: what was known is kept.
    fn blind(message: &str) -> Self {
        Self {
            ready: Statement::Kept(ConditionType::Ready),
            extra: vec![Statement::Kept(ConditionType::Reconciling), Statement::Kept(ConditionType::Stalled)],
            rolled_out: Statement::Kept(ConditionType::RolledOut),
            in_sync: say(ConditionType::InSync, Truth::Unknown, Reason::NotSeen, message),
        }
    }

    /// The same, but for settings that are updated beside the rollout.
    fn beside(self, message: &str) -> Self {
        Self { in_sync: say(ConditionType::InSync, Truth::False, Reason::Drifted, message), ..self }
    }

    /// The same, but for a setting beside the rollout that a person has to change. Ready says so, unless the rollout itself
    /// has something to say.
    fn troubled(self, reason: Reason, message: &str) -> Self {
        let in_sync = say(ConditionType::InSync, Truth::False, reason, message);
        let is_well = matches!(&self.ready, Statement::New(answer) if answer.truth == Truth::True);
        if !is_well {
            return Self { in_sync, ..self };
        }
        let Self { ready, extra, .. } = Self::stalled(reason, message);
        Self { ready, extra, in_sync, ..self }
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

/// What this pass has to say. What goes wrong beside the rollout never hides how the rollout stands.
pub(super) fn tell(before: &Record, pass: &Pass<'_>, fault: Option<&Fault>) -> Tell {
    let chores = pass.state.chores();
    if chores.is_empty() {
        return match fault {
            Some(fault) if fault.is_terminal() => Tell::stalled(Reason::of(fault), &refused(pass, fault)),
            Some(fault) => Tell::working(waits(fault), &fault.to_string()),
            None => stands(before, pass),
        };
    }
    let stands = stands(before, pass);
    match (fault, chores.iter().find_map(|chore| trouble(chore, pass))) {
        (Some(fault), _) if fault.is_terminal() => stands.troubled(Reason::of(fault), &fault.to_string()),
        (_, Some((reason, message))) => stands.troubled(reason, &message),
        (Some(fault), None) => stands.beside(&fault.to_string()),
        (None, None) => stands.beside(&format!(
            "updating settings of {} that start no rollout (such as desiredCount, deploymentConfiguration, tags)",
            pass.desired.ecs_name
        )),
    }
}

/// What AWS refused, and what else helps than what the refusal asks for.
fn refused(pass: &Pass<'_>, fault: &Fault) -> String {
    let registers = matches!(pass.action, Some(Action::Register(_)));
    match &pass.desired.spec.task_definition.family {
        Some(family) if registers && fault.is_denied() => format!(
            "{fault}; or remove spec.taskDefinition.family ({}): then the task definition is registered in a family of Launchway's own",
            family.as_str()
        ),
        Some(_) | None => fault.to_string(),
    }
}

/// Why something is tried again by itself.
fn waits(fault: &Fault) -> Reason {
    if fault.kind == FaultKind::Dubious { Reason::Rolling } else { Reason::of(fault) }
}

/// What a person has to change before a chore can be done.
fn trouble(chore: &Chore, pass: &Pass<'_>) -> Option<(Reason, String)> {
    match chore {
        Chore::Scale(_) | Chore::Adjust(_) | Chore::Tag(_) | Chore::Settling(_) => None,
        Chore::Refused(sent) => {
            let refused = sent.refused.as_ref()?;
            let reason = Reason::parse(&refused.reason).unwrap_or(Reason::AwsRefused);
            Some((reason, format!("{}; it is tried again every few minutes", refused.message)))
        }
        Chore::Differs { what, .. } => Some((
            Reason::Differs,
            format!(
                "{what}: set for {} and taken by AWS; write it as it is shown, or take it out of the spec; it is not sent again",
                pass.desired.ecs_name
            ),
        )),
    }
}

fn stands(before: &Record, pass: &Pass<'_>) -> Tell {
    match (pass.state.guard, &pass.state.rollout) {
        (Guard::Deletes | Guard::Waits, _) => Tell::working(Reason::Deleting, &deleting(pass.desired)),
        (_, Ok(rollout)) => tell_rollout(before, pass, rollout),
        (_, Err(blocker)) => tell_blocker(before, pass, blocker),
    }
}

fn tell_blocker(before: &Record, pass: &Pass<'_>, blocker: &Blocker) -> Tell {
    // That the Pipeline was deleted is not kept once it is there again.
    let ready = find(&before.status().conditions, ConditionType::Ready);
    let kept = before.settled(pass.desired, pass.wanted)
        && ready.is_some_and(|ready| ready.reason != Reason::NoPipeline.as_str());
    match blocker {
        Blocker::Refused(refusal) => Tell::stalled(refusal.reason(), &disallowed(pass.desired, refusal)),
        Blocker::NoImage(why) if kept => Tell::blind(&format!("{why}; what runs is kept")),
        Blocker::NoImage(why) => Tell::working(Reason::WaitingForImage, why),
        Blocker::Blind(fault) if kept => Tell::blind(&fault.to_string()),
        Blocker::Blind(fault) => cannot_look(pass.desired, fault),
        Blocker::Unclear(why) if kept => Tell::blind(why),
        Blocker::Unclear(why) => Tell::working(Reason::NotSeen, why),
        Blocker::OldGrant { seen } => Tell::blind(&format!(
            "the stage shows grant {seen}, older than the one that was rolled: waiting for a newer one"
        )),
        Blocker::Stuck { reason, why } => Tell::stalled(*reason, why),
        Blocker::Suspended { why } => Tell::held(Reason::Suspended, why),
        Blocker::Leaving => Tell::blind("this object is being deleted; the ECS service stays as it is"),
    }
}

fn tell_rollout(before: &Record, pass: &Pass<'_>, rollout: &Rollout) -> Tell {
    let name = &pass.desired.ecs_name;
    match rollout {
        Rollout::Draining => Tell::working(
            Reason::Draining,
            &format!("an ECS service called {name} is being deleted: waiting until its tasks have ended"),
        ),
        Rollout::Unregistered | Rollout::Unrecorded | Rollout::Absent { .. } | Rollout::Outdated { .. } => {
            Tell::working(Reason::Rolling, &format!("bringing {name} to {}", target(pass)))
        }
        Rollout::Settling(sent) => Tell::working(
            Reason::Rolling,
            &format!("{} was sent at {}: waiting until AWS shows it", call(sent.effect), sent.at.0),
        ),
        Rollout::Rolling(deployment) => Tell::working(Reason::Rolling, &rolling(pass, deployment)),
        Rollout::Overdue { deployment, hint } => {
            Tell::stalled(Reason::RolloutHangs, &hanging(pass, deployment, hint.as_deref()))
        }
        Rollout::Waiting(deployment) => Tell::working(Reason::WaitingForRollout, &waiting(deployment)),
        Rollout::Failed { deployment, stopped, hint } => {
            let why = why(deployment, stopped, hint.as_deref());
            Tell::failed(failure(&deployment.status), &held(pass, &why))
        }
        Rollout::Held => still_held(before, pass),
        Rollout::InSync { live, tasks, .. } => in_sync(pass, live, tasks),
    }
}

/// ECS is where it should be; whether the tasks are is another question.
fn in_sync(pass: &Pass<'_>, live: &LiveService, tasks: &Tasks) -> Tell {
    let (name, target) = (&pass.desired.ecs_name, target(pass));
    let count = format!("{} of {} tasks of {name} run", live.running, live.desired);
    match tasks {
        Tasks::Enough | Tasks::Short { proved: true, .. } => Tell::well(&format!("{name} runs {target}")),
        Tasks::Short { since, proved: false } => Tell::working(
            Reason::Rolling,
            &format!("ECS has rolled {name} to {target}; {count}, since {}", whole(*since)),
        ),
        Tasks::Parked { proved: true } => {
            Tell::well(&format!("{name} runs no tasks, as it should; its tasks ran {target} before"))
        }
        Tasks::Parked { proved: false } => Tell::unproved(&format!(
            "{name} is at {target} and runs no tasks, as its desired count is 0: nothing proves it until tasks run"
        )),
        Tasks::TooFew { since, why } => Tell::too_few(&format!(
            "{count} {target}, since {}, longer than spec.rollout.deadline ({}): {}",
            whole(*since),
            pass.desired.spec.rollout.deadline.as_str(),
            cut(why, WHY)
        )),
    }
}

/// The AWS operation that an effect is.
fn call(effect: Effect) -> &'static str {
    match effect {
        Effect::Register => "RegisterTaskDefinition",
        Effect::Create => "CreateService",
        Effect::Update | Effect::Scale | Effect::Adjust => "UpdateService",
        Effect::Tag => "TagResource",
    }
}

/// Why the account or the spec is refused; and of a Service that is being deleted, how it is let go all the same.
fn disallowed(desired: &Desired, refusal: &Refusal) -> String {
    match desired.life {
        Life::Stays => refusal.to_string(),
        Life::Ends | Life::Abandoned => format!("{refusal}; {}", deleting(desired)),
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
fn still_held(before: &Record, pass: &Pass<'_>) -> Tell {
    let why = before.rollout().and_then(|rollout| rollout.reason.clone()).unwrap_or_default();
    let outcome = before.rollout().and_then(|rollout| rollout.outcome);
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
    if matches!(deployment.status, DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress) {
        format!("ECS rolls {name} back from {target}{so_far}")
    } else if deployment.status == DeploymentStatus::StopRequested {
        format!("ECS stops bringing {name} to {target}{so_far}")
    } else {
        format!("ECS brings {name} to {target} since {since}{so_far}")
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
