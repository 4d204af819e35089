//! The next status of a Service: its record, its conditions and its columns. Nothing is chosen here.

use super::decide::{Action, Effected};
use super::desired::Desired;
use super::rollout::{container, why};
use super::state::{State, begun, recorded};
use super::wanted::Wanted;
use crate::Outcome;
use crate::condition::{Answer, Said, Truth, cut, merge, whole};
use crate::fault::{Fault, Remedy};
use crate::reason::{Kind, Reason};
use crate::refusal::Refusal;
use crate::world::{DeploymentStatus, LiveService, StoppedTask};
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::Summary;
use launchway_crds::service::{
    EcsServiceStatus, RolloutPhase, RolloutStatus, SentStatus, Service, ServiceStatus, StoppedTaskStatus,
    TaskDefinitionStatus,
};

/// How many task definitions are remembered: enough for a rollback and a change of mind.
const REMEMBERED: usize = 5;

/// What a pass over a Service found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What is to be run, if it is known.
    pub wanted: Option<&'a Wanted>,
    /// Where it stood.
    pub state: &'a State,
    /// What was done.
    pub action: Option<&'a Action>,
    /// What came of it.
    pub outcome: &'a Outcome<Effected>,
    /// The time, by AWS's clock.
    pub at: Timestamp,
}

/// The status of a Service whose spec is refused before anything is looked at.
pub fn refused(service: &Service, refusal: &Refusal, at: Timestamp) -> ServiceStatus {
    let generation = service.metadata.generation.unwrap_or_default();
    let mut next = service.status.clone().unwrap_or_else(empty);
    let tell = Tell::stalled(refusal.reason(), refusal.to_string());
    next.conditions = merge(&next.conditions, &tell.said(), generation, at);
    next.observed_generation = generation;
    next.summary = Some(summary(None, &tell, &next));
    next
}

/// A status in which nothing is known.
pub fn empty() -> ServiceStatus {
    ServiceStatus {
        observed_generation: -1,
        conditions: Vec::new(),
        rollout: None,
        task_definitions: Vec::new(),
        service: None,
        sent: None,
        summary: None,
    }
}

/// The next status.
pub fn report(record: &ServiceStatus, pass: &Pass<'_>) -> ServiceStatus {
    let mut next = record.clone();
    let fault = judged(record, pass);
    next.sent = sent(record, pass);
    next.task_definitions = task_definitions(record, pass);
    next.service = service(record, pass);
    next.rollout = rollout(record, &next, pass, fault.as_ref());
    let tell = tell(record, pass, fault.as_ref());
    next.conditions = merge(&record.conditions, &tell.said(), pass.desired.generation, pass.at);
    next.observed_generation = pass.desired.generation;
    next.summary = Some(summary(pass.wanted, &tell, &next));
    next
}

/// The fault of the effect. A refusal that is only believed the second time is terminal when it comes again.
fn judged(record: &ServiceStatus, pass: &Pass<'_>) -> Option<Fault> {
    let Outcome::Failed(fault) = pass.outcome else { return None };
    let again = record
        .sent
        .as_ref()
        .and_then(|sent| sent.refused.as_ref())
        .is_some_and(|said| *said == cut(&fault.message, 256));
    let remedy = if again && fault.is_doubt() { Remedy::AskOperator } else { fault.remedy };
    Some(Fault { remedy, ..fault.clone() })
}

/// Whether a refused call of AWS is one that has to be looked at before it is believed.
fn dubious(fault: &Fault) -> bool {
    fault.is_doubt() && fault.code == "InvalidParameterException"
}

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

fn sent(record: &ServiceStatus, pass: &Pass<'_>) -> Option<SentStatus> {
    let (Some(effect), Some(wanted)) = (pass.action.and_then(effect), pass.wanted) else {
        let settled =
            matches!(pass.state, State::InSync { .. } | State::Failed { .. } | State::Held | State::Rolling(_));
        return record.sent.clone().filter(|_| !settled);
    };
    let meaning = if effect == "Register" { &wanted.task_meaning } else { &wanted.meaning };
    let refused = match pass.outcome {
        Outcome::Idle | Outcome::Done(_) => None,
        Outcome::Failed(fault) if dubious(fault) => Some(cut(&fault.message, 256)),
        Outcome::Failed(fault) if fault.is_doubt() => None,
        Outcome::Failed(_) => return record.sent.clone(),
    };
    Some(SentStatus { effect: effect.to_owned(), meaning: meaning.clone(), at: Time(whole(pass.at)), refused })
}

fn task_definitions(record: &ServiceStatus, pass: &Pass<'_>) -> Vec<TaskDefinitionStatus> {
    let mut all = record.task_definitions.clone();
    let found = match (pass.outcome, pass.state) {
        (Outcome::Done(Effected::Registered(arn)), _) => Some(arn),
        (
            _,
            State::Absent { task_definition }
            | State::Outdated { task_definition, .. }
            | State::InSync { task_definition, .. },
        ) => Some(task_definition),
        (_, _) => None,
    };
    if let (Some(arn), Some(wanted)) = (found, pass.wanted) {
        all.retain(|one| one.meaning != wanted.task_meaning);
        all.insert(0, TaskDefinitionStatus { meaning: wanted.task_meaning.clone(), arn: arn.clone() });
        all.truncate(REMEMBERED);
    }
    all
}

fn service(record: &ServiceStatus, pass: &Pass<'_>) -> Option<EcsServiceStatus> {
    let creations = record.service.as_ref().map_or(0, |service| service.creations);
    let of = |live: &LiveService, creations| EcsServiceStatus {
        arn: live.arn.clone(),
        creations,
        desired: Some(live.desired),
        running: Some(live.running),
    };
    match (pass.outcome, pass.state) {
        (Outcome::Done(Effected::Created(live)), _) => Some(of(live, creations + 1)),
        (_, State::InSync { live, .. } | State::Adjustable { live, .. } | State::Untagged { live, .. }) => {
            Some(of(live, creations))
        }
        (_, _) => record.service.clone(),
    }
}

fn rollout(
    record: &ServiceStatus,
    next: &ServiceStatus,
    pass: &Pass<'_>,
    fault: Option<&Fault>,
) -> Option<RolloutStatus> {
    let Some(wanted) = pass.wanted.filter(|_| speaks(pass.state)) else { return record.rollout.clone() };
    let mut rollout = begun(pass.desired, wanted, record).cloned().unwrap_or_else(|| fresh(record, pass, wanted));
    rollout.generation = pass.desired.generation;
    rollout.task_definition = recorded(wanted, next).map(str::to_owned).or(rollout.task_definition);
    match pass.state {
        State::InSync { deployment, .. } => done(&mut rollout, deployment.clone(), pass.at),
        State::Adjustable { .. } | State::Untagged { .. } => done(&mut rollout, None, pass.at),
        State::Rolling(deployment) => {
            (rollout.phase, rollout.deployment, rollout.reason) =
                (RolloutPhase::Rolling, Some(deployment.arn.clone()), None)
        }
        State::Failed { deployment, stopped } => {
            rollout.phase = RolloutPhase::Failed;
            rollout.deployment = Some(deployment.arn.clone());
            rollout.reason = Some(cut(&why(deployment, stopped), 1024));
            rollout.stopped_tasks = stopped.iter().take(5).map(stopped_task).collect();
            rollout.ended_at = Some(Time(whole(deployment.finished_at.unwrap_or(pass.at))));
        }
        state => stuck(&mut rollout, state, fault),
    }
    Some(rollout)
}

/// Whether a state says anything of the rollout of what is wanted now.
fn speaks(state: &State) -> bool {
    !matches!(
        state,
        State::OldGrant { .. } | State::Blind(_) | State::Guarded | State::Doomed | State::Ending | State::Held
    )
}

fn fresh(record: &ServiceStatus, pass: &Pass<'_>, wanted: &Wanted) -> RolloutStatus {
    let now = Time(whole(pass.at));
    RolloutStatus {
        grant: wanted.grant,
        generation: pass.desired.generation,
        retry: pass.desired.spec.rollout.retry.clone(),
        after: record.rollout.as_ref().map(|_| now.clone()),
        meaning: wanted.meaning.clone(),
        task_definition: None,
        deployment: None,
        phase: RolloutPhase::Rolling,
        reason: None,
        stopped_tasks: Vec::new(),
        started_at: now,
        ended_at: None,
    }
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

fn stuck(rollout: &mut RolloutStatus, state: &State, fault: Option<&Fault>) {
    let why = match (fault, state) {
        (Some(fault), _) if fault.is_terminal() => Some(fault.to_string()),
        (_, State::NotOurs { owner }) => Some(not_ours(owner)),
        (_, State::Unchangeable(why)) => Some(why.clone()),
        (_, _) => None,
    };
    if rollout.phase != RolloutPhase::Done {
        rollout.phase = if why.is_some() { RolloutPhase::Stuck } else { RolloutPhase::Rolling };
        rollout.reason = why.map(|why| cut(&why, 1024));
    }
}

fn stopped_task(task: &StoppedTask) -> StoppedTaskStatus {
    StoppedTaskStatus {
        task: cut(&task.id, 64),
        code: task.code.as_ref().map(|code| cut(code, 64)),
        reason: task.reason.as_ref().map(|reason| cut(reason, 256)),
        container: container(task).map(|text| cut(&text, 256)),
    }
}

fn not_ours(owner: &str) -> String {
    format!(
        "an ECS service of this name exists and is not ours: give it the tag launchway.dev/owner = {owner} to hand it over, or choose another spec.name"
    )
}

/// What the conditions say.
struct Tell {
    ready: Said,
    reconciling: Option<(Reason, String)>,
    stalled: Option<(Reason, String)>,
    rolled_out: Said,
    in_sync: Said,
}

impl Tell {
    fn well(message: String) -> Self {
        let yes = |kind| Said::Now(Answer::new(kind, Truth::True, Reason::Succeeded, message.clone()));
        Self {
            ready: yes(Kind::Ready),
            reconciling: None,
            stalled: None,
            rolled_out: yes(Kind::RolledOut),
            in_sync: yes(Kind::InSync),
        }
    }

    fn working(reason: Reason, message: String) -> Self {
        let say = |kind, truth| Said::Now(Answer::new(kind, truth, reason, message.clone()));
        Self {
            ready: say(Kind::Ready, Truth::False),
            rolled_out: say(Kind::RolledOut, Truth::Unknown),
            in_sync: say(Kind::InSync, Truth::Unknown),
            reconciling: Some((reason, message)),
            stalled: None,
        }
    }

    fn stalled(reason: Reason, message: String) -> Self {
        Self {
            ready: Said::Now(Answer::new(Kind::Ready, Truth::False, reason, message.clone())),
            rolled_out: Said::Kept(Kind::RolledOut),
            in_sync: Said::Now(Answer::new(Kind::InSync, Truth::Unknown, reason, message.clone())),
            reconciling: None,
            stalled: Some((reason, message)),
        }
    }

    fn failed(reason: Reason, message: String) -> Self {
        let no = |kind| Said::Now(Answer::new(kind, Truth::False, reason, message.clone()));
        Self { rolled_out: no(Kind::RolledOut), in_sync: no(Kind::InSync), ..Self::stalled(reason, message.clone()) }
    }

    /// Cannot look, and no change is pending: what was known is kept.
    fn blind(message: String) -> Self {
        Self {
            ready: Said::Kept(Kind::Ready),
            rolled_out: Said::Kept(Kind::RolledOut),
            in_sync: Said::Now(Answer::new(Kind::InSync, Truth::Unknown, Reason::NotSeen, message)),
            reconciling: None,
            stalled: None,
        }
    }

    fn said(&self) -> Vec<Said> {
        let present = |kind, part: &Option<(Reason, String)>| {
            part.as_ref().map(|(reason, message)| Said::Now(Answer::new(kind, Truth::True, *reason, message.clone())))
        };
        let mut all = vec![self.ready.clone()];
        all.extend(present(Kind::Reconciling, &self.reconciling));
        all.extend(present(Kind::Stalled, &self.stalled));
        all.extend([self.rolled_out.clone(), self.in_sync.clone()]);
        all
    }
}

/// Whether the last rollout that was recorded is the wanted one, and done.
fn settled(record: &ServiceStatus, pass: &Pass<'_>) -> bool {
    let same = |rollout: &&RolloutStatus| match pass.wanted {
        Some(wanted) => begun(pass.desired, wanted, record) == Some(*rollout),
        None => record.observed_generation == pass.desired.generation,
    };
    record.rollout.as_ref().filter(same).is_some_and(|rollout| rollout.phase == RolloutPhase::Done)
}

fn tell(record: &ServiceStatus, pass: &Pass<'_>, fault: Option<&Fault>) -> Tell {
    match fault {
        Some(fault) if fault.is_terminal() => Tell::stalled(reason_of(fault), fault.to_string()),
        Some(fault) if settled(record, pass) => Tell::blind(fault.to_string()),
        Some(fault) => Tell::working(Reason::Unavailable, fault.to_string()),
        None => tell_state(record, pass),
    }
}

/// The word for a terminal fault.
pub fn reason_of(fault: &Fault) -> Reason {
    match fault.remedy {
        _ if fault.is_denied() => Reason::AccessDenied,
        Remedy::AskOperator if fault.code.contains("Limit") => Reason::QuotaReached,
        Remedy::AskOperator | Remedy::AskUser => Reason::AwsRefused,
        Remedy::Retry | Remedy::LookAgain => Reason::Unavailable,
    }
}

fn tell_state(record: &ServiceStatus, pass: &Pass<'_>) -> Tell {
    match pass.state {
        State::Refused(refusal) => Tell::stalled(refusal.reason(), refusal.to_string()),
        State::NoImage(why) if settled(record, pass) => Tell::blind(format!("{why}; what runs is kept")),
        State::NoImage(why) => Tell::working(Reason::WaitingForImage, why.clone()),
        State::Blind(fault) if settled(record, pass) => Tell::blind(fault.to_string()),
        State::Blind(fault) if fault.is_denied() => Tell::working(Reason::AccessDenied, fault.to_string()),
        State::Blind(fault) => Tell::working(Reason::Unavailable, fault.to_string()),
        State::OldGrant { seen } => Tell::blind(format!("the stage shows grant {seen}, older than the one that was rolled: waiting for a newer one")),
        State::NotOurs { owner } => Tell::stalled(Reason::NotOurs, not_ours(owner)),
        State::Unchangeable(why) => Tell::stalled(Reason::InvalidSpec, why.clone()),
        State::Draining => Tell::working(Reason::Draining, "an ECS service of this name is being deleted: waiting until its tasks have ended".into()),
        State::Unguarded | State::Guarded | State::Unregistered | State::Unrecorded | State::Absent { .. } | State::Outdated { .. } => {
            Tell::working(Reason::Rolling, format!("bringing {} to {}", pass.desired.ecs_name, target(pass)))
        }
        State::Settling(sent) => Tell::working(Reason::Rolling, format!("{} was sent at {}: waiting until AWS shows it", sent.effect, sent.at.0)),
        State::Rolling(deployment) => Tell::working(Reason::Rolling, rolling(pass, deployment)),
        State::Waiting(deployment) => Tell::working(
            Reason::WaitingForRollout,
            format!("another rollout is in progress since {} ({}): waiting for its end", deployment.created_at, deployment.arn),
        ),
        State::Failed { deployment, stopped } => {
            let message = format!("{}: {}; held until the commit, the spec or spec.rollout.retry changes", target(pass), why(deployment, stopped));
            Tell::failed(failure(&deployment.status), message)
        }
        State::Held => held(record, pass),
        State::Adjustable { .. } | State::Untagged { .. } => drifted(record, pass),
        State::InSync { .. } => Tell::well(format!("{} runs {}", pass.desired.ecs_name, target(pass))),
        State::Doomed | State::Ending => Tell::working(
            Reason::Deleting,
            "the ECS service is being deleted (deletionPolicy Delete); to let this object go without that: kubectl annotate --overwrite this object launchway.dev/abandon=true".into(),
        ),
    }
}

fn failure(status: &DeploymentStatus) -> Reason {
    if *status == DeploymentStatus::RollbackSuccessful { Reason::RolledBack } else { Reason::RolloutFailed }
}

/// Held still: the words of the pass that found the failure stand.
fn held(record: &ServiceStatus, pass: &Pass<'_>) -> Tell {
    let stalled =
        crate::condition::find(&record.conditions, Kind::RolledOut).filter(|condition| condition.status == "False");
    let rolled_back = stalled.is_none_or(|condition| condition.reason == Reason::RolledBack.as_str());
    let reason = if rolled_back { Reason::RolledBack } else { Reason::RolloutFailed };
    let why = record.rollout.as_ref().and_then(|rollout| rollout.reason.clone()).unwrap_or_default();
    Tell::failed(
        reason,
        format!("{}: {why}; held until the commit, the spec or spec.rollout.retry changes", target(pass)),
    )
}

fn drifted(record: &ServiceStatus, pass: &Pass<'_>) -> Tell {
    let message = format!("{} runs {}; what starts no rollout is being set right", pass.desired.ecs_name, target(pass));
    let well = Tell::well(message.clone());
    let in_sync = Said::Now(Answer::new(Kind::InSync, Truth::False, Reason::Drifted, message));
    let _ = record;
    Tell { in_sync, ..well }
}

fn rolling(pass: &Pass<'_>, deployment: &crate::world::Deployment) -> String {
    let failures = deployment.breaker.as_ref().filter(|breaker| breaker.failures > 0);
    let so_far = failures
        .map(|breaker| format!("; {} of {} tolerated failures so far", breaker.failures, breaker.threshold))
        .unwrap_or_default();
    format!("ECS brings {} to {} since {}{so_far}", pass.desired.ecs_name, target(pass), whole(deployment.created_at))
}

/// What is rolled, for people: the commit where there is one, else the image.
fn target(pass: &Pass<'_>) -> String {
    let Some(wanted) = pass.wanted else { return "what its spec says".to_owned() };
    let image = wanted.task_definition.containers.first().map(|container| container.image.clone()).unwrap_or_default();
    match &wanted.commit {
        Some(commit) => format!("commit {} ({})", &commit[..commit.len().min(12)], short(&image)),
        None => short(&image),
    }
}

/// An image without its registry, and with twelve digits of its digest.
pub fn short(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@sha256:{}", &digest[..digest.len().min(12)]),
        None => name.to_owned(),
    }
}

fn summary(wanted: Option<&Wanted>, tell: &Tell, next: &ServiceStatus) -> Summary {
    let ready = crate::condition::find(&next.conditions, Kind::Ready);
    let own =
        |part: &Option<(Reason, String)>| part.as_ref().map(|(reason, message)| (reason.to_string(), message.clone()));
    let (reason, message) = own(&tell.stalled)
        .or_else(|| own(&tell.reconciling))
        .or_else(|| ready.map(|condition| (condition.reason.clone(), condition.message.clone())))
        .unwrap_or_default();
    let before = next.summary.clone().unwrap_or_default();
    Summary {
        commit: wanted
            .map_or(before.commit, |wanted| wanted.commit.clone().unwrap_or_default().chars().take(12).collect()),
        stage: wanted.map_or(before.stage, |wanted| wanted.stage.clone().unwrap_or_default()),
        reason: cut(&reason, 63),
        message: cut(&message, 1024),
    }
}
