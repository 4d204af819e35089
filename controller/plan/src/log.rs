//! LogRequests: which log one asks for, and what its status says. What was chosen stays chosen: the answer names the step, or the
//! task and its container, and the next page is asked for with these.

use crate::condition::{Answer, Statement, Truth, merge};
use crate::fault::Fault;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::release::record;
use crate::service::Desired;
use crate::service::rollout::guilty;
use crate::service::wanted::OWNER_TAG;
use crate::start::Attempt;
use crate::world::{LiveBuild, LiveService, LogStream, Members, StoppedTask};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::log_request::{LogPart, LogRequestSpec, LogRequestStatus};
use launchway_crds::name::{BuildId, EcsName, Name, TaskId};
use launchway_crds::release::{Release, StepPhase, StepStatus};
use serde_json::Value;
use std::fmt;

#[cfg(test)]
mod tests;

/// For how long a LogRequest is kept: long enough to be read by hand, and not for ever.
pub const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// How many of a namespace are kept, the newest: one for each of some people who read at the same time. Each may have 256 KiB.
pub const KEPT_OF_NAMESPACE: usize = 16;

/// How long after the end of what writes a log its last lines may take to be shown. CloudWatch Logs takes seconds; how many at most is
/// not documented.
const SHOWN: SignedDuration = SignedDuration::from_secs(30);

/// How many names a message lists: more than a Service has containers, as a rule.
const NAMES: usize = 10;

/// Why there is no log to read, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoLog(pub String);

impl fmt::Display for NoLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What came of a LogRequest.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// A part of the log of this.
    Read {
        /// What the log is of.
        of: String,
        /// The part.
        part: LogPart,
    },
    /// There is none.
    None(NoLog),
    /// The account refuses it.
    Refused(Refusal),
    /// AWS could not be asked, or refused.
    Failed(Fault),
}

/// The step of the Release whose log is meant; `None`: it has none yet.
pub fn step<'a>(asked: Option<&Name>, release: &'a Release) -> Result<Option<&'a StepStatus>, NoLog> {
    let steps = release.status.as_ref().map_or(&[][..], |status| &status.steps);
    let name = release.metadata.name.as_deref().unwrap_or_default();
    if let Some(plan) = release.status.as_ref().and_then(|status| status.plan.as_ref())
        && record::steps(plan).next().is_none()
    {
        return Err(NoLog(format!(
            "Release {name} runs nothing on CodeBuild: its image is built elsewhere, and its Pipeline has no checks"
        )));
    }
    let Some(asked) = asked else {
        let is = |phase| steps.iter().find(move |step| step.phase == phase);
        let ran = || steps.iter().rev().find(|step| step.started.is_some());
        return Ok(is(StepPhase::Failed).or_else(|| is(StepPhase::Running)).or_else(ran).or_else(|| steps.last()));
    };
    if steps.is_empty() {
        return Ok(None);
    }
    steps.iter().find(|step| step.name == *asked).map(Some).ok_or_else(|| {
        let known = list(steps.iter().map(|step| step.name.as_str()));
        NoLog(format!("spec.step: Release {name} has no step {asked}: its steps are {known}"))
    })
}

/// Whether something may still be written into the step's log, or the step may still begin.
pub fn is_under_way(step: &StepStatus) -> bool {
    matches!(step.phase, StepPhase::Waiting | StepPhase::Intended | StepPhase::Running)
}

/// The build of the step whose log is meant, by its ID: the one that is asked for, or that of the newest attempt; `None`: none was
/// started yet.
pub fn build<'a>(asked: Option<&BuildId>, step: &'a StepStatus) -> Result<Option<&'a str>, NoLog> {
    let Some(asked) = asked else {
        return match &step.started {
            Some(started) => Ok(Some(&started.id)),
            None if is_under_way(step) => Ok(None),
            None => Err(NoLog(format!("step {} has no build{}", step.name, said(step.message.as_deref())))),
        };
    };
    let mut known = step.started.iter().chain(&step.earlier).map(|started| started.id.as_str());
    known.find(|id| *id == asked.as_str()).map(Some).ok_or_else(|| {
        NoLog(format!(
            "spec.build: step {} knows no build {asked}: leave build and page out for that of its newest attempt",
            step.name
        ))
    })
}

fn said(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// Whether the build carries the marker of an attempt at the step. Of another build nothing is shown, whatever a status names.
pub fn is_own(build: &LiveBuild, step: &StepStatus, release: &Release) -> bool {
    let (Some(owner), Some(marker)) = (&release.metadata.uid, &build.marker) else { return false };
    (1..=step.attempt).any(|number| Attempt { owner, step: &step.name, number }.marker() == *marker)
}

/// Whether more may be written into a log: what writes it is at work, or ended a moment ago.
pub fn is_written(ended: Option<Timestamp>, now: Timestamp) -> bool {
    ended.is_none_or(|ended| now.duration_since(ended) < SHOWN)
}

/// A container of a stopped task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The task.
    pub task: TaskId,
    /// The ARN of its task definition.
    pub definition: String,
    /// When it stopped.
    pub at: Option<Timestamp>,
    /// The container that was asked for, or that made the task stop.
    pub container: Option<EcsName>,
}

/// The stopped task of the Service whose log is meant: of those that ECS shows, the newest first. `live` is the ECS service of that
/// name, and the Service's only if it has its owner's tag: tasks of another one are not its.
pub fn stopped(
    spec: &LogRequestSpec,
    desired: &Desired,
    live: Option<&LiveService>,
    seen: &[StoppedTask],
    installation: &str,
) -> Result<Stopped, NoLog> {
    let name = &desired.name;
    let owner = desired.owner(installation);
    if live.is_none_or(|live| live.tags.get(OWNER_TAG) != Some(&owner)) {
        return Err(NoLog(format!(
            "there is no ECS service {} in cluster {} that is Service {name}'s: its own conditions say more",
            desired.ecs_name, desired.spec.cluster
        )));
    }
    let failed = || seen.iter().filter(|task| task.failed);
    let found = match &spec.task {
        None => failed().next().ok_or_else(|| {
            NoLog(format!("no task of Service {name} is known that failed: ECS shows stopped tasks for about an hour"))
        })?,
        Some(asked) => seen.iter().find(|task| task.id == asked.as_str()).ok_or_else(|| {
            let known = list(failed().map(|task| task.id.as_str()));
            NoLog(format!(
                "spec.task: ECS shows no stopped task {asked} of Service {name}; those that failed are: {known}"
            ))
        })?,
    };
    let container = spec.container.clone().or_else(|| guilty(found).map(|container| container.name.as_str().into()));
    Ok(Stopped {
        task: found.id.as_str().into(),
        definition: found.task_definition.clone(),
        at: found.stopped_at,
        container,
    })
}

/// Where a container of a task logs to, and the Region of that, if the definition names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLog {
    /// The container.
    pub container: EcsName,
    /// The stream.
    pub stream: LogStream,
    /// The Region.
    pub region: Option<String>,
}

/// Where the container of the stopped task logs to, by the task definition. The stream's name is that of awslogs with a prefix:
/// `PREFIX/CONTAINER/TASK` (Amazon ECS developer guide, "awslogs-stream-prefix").
pub fn container_log(stopped: &Stopped, definition: &Members) -> Result<ContainerLog, NoLog> {
    let all: Vec<&Value> =
        definition.get("containerDefinitions").and_then(Value::as_array).into_iter().flatten().collect();
    let named = |container: &Value, name: &str| container["name"].as_str() == Some(name);
    let names = || list(all.iter().filter_map(|container| container["name"].as_str()));
    let container = match &stopped.container {
        Some(name) => all.iter().find(|container| named(container, name)).ok_or_else(|| {
            NoLog(format!("spec.container: the task definition has no container {name}: it has {}", names()))
        })?,
        None if all.len() == 1 => &all[0],
        None => {
            return Err(NoLog(format!(
                "spec.container: ECS does not say which container failed: name one of {}",
                names()
            )));
        }
    };
    let name = container["name"].as_str().unwrap_or_default();
    let logs = &container["logConfiguration"];
    let option = |key: &str| logs["options"][key].as_str();
    if logs["logDriver"].as_str() != Some("awslogs") {
        let driver =
            logs["logDriver"].as_str().map_or("no log driver".to_owned(), |driver| format!("log driver {driver}"));
        return Err(NoLog(format!(
            "container {name} has {driver}: only logs of awslogs can be read here; look where that driver sends them"
        )));
    }
    let (Some(group), Some(prefix)) = (option("awslogs-group"), option("awslogs-stream-prefix")) else {
        return Err(NoLog(format!(
            "container {name} logs without awslogs-stream-prefix, so that its stream has a name that ECS does not tell: set the prefix in logConfiguration.options"
        )));
    };
    Ok(ContainerLog {
        container: name.into(),
        stream: LogStream { group: group.to_owned(), stream: format!("{prefix}/{name}/{}", stopped.task) },
        region: option("awslogs-region").map(str::to_owned),
    })
}

/// The next status.
pub fn report(
    record: Option<&LogRequestStatus>,
    generation: i64,
    answered: &Answered,
    at: Timestamp,
) -> LogRequestStatus {
    let previous = record.map_or(&[][..], |status| &status.conditions);
    let ready =
        |truth, reason, message: &str| Statement::New(Answer::new(ConditionType::Ready, truth, reason, message));
    let failed = |kind, reason, message: String| {
        let goes_along = Statement::New(Answer::new(kind, Truth::True, reason, message.clone()));
        vec![ready(Truth::False, reason, &message), goes_along]
    };
    let said = match answered {
        Answered::Read { of, part } => vec![ready(Truth::True, Reason::Succeeded, &told(of, part))],
        Answered::None(no) => failed(ConditionType::Stalled, Reason::NoLog, no.to_string()),
        Answered::Refused(refusal) => failed(ConditionType::Stalled, refusal.reason(), refusal.to_string()),
        Answered::Failed(fault) if fault.is_terminal() => {
            failed(ConditionType::Stalled, Reason::of(fault), fault.to_string())
        }
        Answered::Failed(fault) => failed(ConditionType::Reconciling, Reason::Unavailable, fault.to_string()),
    };
    let (of, log) = match answered {
        Answered::Read { of, part } => (Some(of.clone()), Some(part.clone())),
        Answered::None(_) | Answered::Refused(_) | Answered::Failed(_) => (None, None),
    };
    LogRequestStatus { observed_generation: generation, conditions: merge(previous, &said, generation, at), of, log }
}

fn told(of: &str, part: &LogPart) -> String {
    match (part.more, part.running, &part.next) {
        (true, ..) => format!("a part of the log of {of}; to go on, ask with page: status.log.next"),
        (false, true, Some(_)) => format!("the log of {of} so far; for more, ask later with page: status.log.next"),
        (false, true, None) => format!("{of} has no log yet: ask again later"),
        (false, false, _) => format!("the log of {of}, up to the end"),
    }
}

/// In how many seconds a LogRequest that was made then goes; none: now.
pub fn kept_for(made: Timestamp, now: Timestamp) -> Option<i64> {
    let left = KEPT - now.duration_since(made);
    left.is_positive().then(|| left.as_secs() + 1)
}

/// The names, in one line.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.take(NAMES + 1).collect();
    match all.len() {
        0 => "none".to_owned(),
        many if many > NAMES => format!("{} and more", all[..NAMES].join(", ")),
        _ => all.join(", "),
    }
}
