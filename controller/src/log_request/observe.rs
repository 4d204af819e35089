//! Reads the log that a LogRequest asks for: what it is of from Kubernetes, where it is from AWS, then the log itself.

use crate::context::Context;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kube_api;
use crate::unreachable::Unreachable;
use launchway_cloud::{Cloud, LogText};
use launchway_crds::log_request::{LogPart, LogRequestSpec, TEXT_MAX};
use launchway_crds::name::{Name, PageToken};
use launchway_crds::release::{Release, StepStatus};
use launchway_crds::{LogRequest, Service};
use launchway_plan::account::{self, AccountSeen, Scope};
use launchway_plan::allow;
use launchway_plan::fault::Fault;
use launchway_plan::log::{Answered, NoLog, Stopped, build, container_log, is_own, is_written, step, stopped};
use launchway_plan::rank::Rank;
use launchway_plan::refusal::Refusal;
use launchway_plan::service::{Desired, Observed, reach};
use launchway_plan::world::{BuildStatus, LogStream};

/// What came of the request.
pub async fn answered(request: &LogRequest, context: &Context) -> Result<Answered, Unreachable> {
    let namespace = request.metadata.namespace.as_deref().unwrap_or_default();
    let spec = &request.spec;
    match (&spec.release, &spec.service) {
        (Some(name), _) => of_release(name, namespace, spec, context).await,
        (None, Some(name)) => of_service(name, namespace, spec, context).await,
        (None, None) => Ok(Answered::Refused(Refusal::unknown("spec", "release and service"))),
    }
}

/// Why reading ended before there was a log.
enum Stop {
    None(NoLog),
    Refused(Refusal),
    Failed(Fault),
}

impl From<NoLog> for Stop {
    fn from(no: NoLog) -> Self {
        Self::None(no)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// A part of a log, and what the log is of.
struct Found {
    of: String,
    part: LogPart,
}

fn answer(read: Result<Found, Stop>) -> Answered {
    match read {
        Ok(Found { of, part }) => Answered::Read { of, part },
        Err(Stop::None(no)) => Answered::None(no),
        Err(Stop::Refused(refusal)) => Answered::Refused(refusal),
        Err(Stop::Failed(fault)) => Answered::Failed(fault),
    }
}

/// An object of the namespace; else that it is not there, or cannot be read.
fn there<K>(item: Option<Item<K>>, kind: &str, name: &str) -> Result<K, NoLog> {
    match item {
        Some(Item::Read(object)) => Ok(object),
        Some(Item::Unreadable(unreadable)) => Err(NoLog(unreadable.note())),
        None => Err(NoLog(format!("there is no {kind} {name} in this namespace"))),
    }
}

async fn of_release(
    name: &str,
    namespace: &str,
    spec: &LogRequestSpec,
    context: &Context,
) -> Result<Answered, Unreachable> {
    let key = Key { kind: Kind::Release, namespace: namespace.to_owned(), name: name.to_owned() };
    let release = match there(kube_api::item::<Release>(&key, context).await?, "Release", name) {
        Ok(release) => release,
        Err(no) => return Ok(Answered::None(no)),
    };
    let status = release.status.as_ref();
    let Some(plan) = status.and_then(|status| status.plan.as_ref()) else {
        let is_over = status.is_some_and(|status| status.ended_at.is_some());
        return Ok(if is_over { never_began(name) } else { waiting(format!("Release {name}"), None) });
    };
    let seen = kube_api::watched_account(&plan.account, namespace, context).await?;
    let read = async {
        let Some(step) = step(spec.step.as_ref(), &release)? else {
            return Ok(Found { of: format!("Release {name}"), part: LogPart { running: true, ..LogPart::default() } });
        };
        let scope = account::scope(&seen, Some(&plan.region))?;
        of_step(step, &release, spec, &scope, &context.clouds.at(&scope.place, namespace, Rank::Look)).await
    };
    Ok(answer(read.await))
}

fn never_began(name: &str) -> Answered {
    Answered::None(NoLog(format!("Release {name} ended before it began: its own conditions say why")))
}

/// There is no log yet, and one may come.
fn waiting(of: String, step: Option<Name>) -> Answered {
    Answered::Read { of, part: LogPart { step, running: true, ..LogPart::default() } }
}

/// A step that has not begun, and a build that has no machine yet, have no log so far.
async fn of_step(
    step: &StepStatus,
    release: &Release,
    spec: &LogRequestSpec,
    scope: &Scope,
    cloud: &Cloud,
) -> Result<Found, Stop> {
    let empty = LogPart { step: Some(step.name.clone()), ..LogPart::default() };
    let Some(id) = build(spec.build.as_ref(), step)? else {
        return Ok(Found { of: format!("step {}", step.name), part: LogPart { running: true, ..empty } });
    };
    let of = format!("build {id} (step {})", step.name);
    let project = id.split(':').next().unwrap_or_default();
    scope.refuse(allow::PROJECTS.missing(&scope.allow, &[project]).into_iter().collect())?;
    let seen = cloud.build(id).await?.filter(|build| is_own(build, step, release));
    let Some(build) = seen else {
        let why = "CodeBuild keeps builds for a year, and only those that this Release started are shown";
        return Err(NoLog(format!("there is no build {id} of step {}: {why}", step.name)).into());
    };
    let ended = if build.status == BuildStatus::InProgress { None } else { build.ended_at };
    let empty = LogPart { build: Some(id.into()), running: is_written(ended, cloud.now()), ..empty };
    let read = match &build.log {
        Some(log) => cloud.log_part(log, spec.page.as_deref(), TEXT_MAX).await?,
        None => None,
    };
    match (read, build.log) {
        (Some(read), Some(log)) => Ok(Found { of, part: part(empty, log, read)? }),
        (_, _) if empty.running => Ok(Found { of, part: empty }),
        (_, Some(log)) => Err(no_stream(&log).into()),
        (_, None) => Err(NoLog(format!(
            "the build {id} wrote no log into CloudWatch Logs: it got no machine, or logsConfig.cloudWatchLogs of the project is DISABLED"
        ))
        .into()),
    }
}

async fn of_service(
    name: &str,
    namespace: &str,
    spec: &LogRequestSpec,
    context: &Context,
) -> Result<Answered, Unreachable> {
    let key = Key { kind: Kind::Service, namespace: namespace.to_owned(), name: name.to_owned() };
    let service = match there(kube_api::item::<Service>(&key, context).await?, "Service", name) {
        Ok(service) => service,
        Err(no) => return Ok(Answered::None(no)),
    };
    let desired = Desired::parse(&service);
    let account = kube_api::watched_account(&desired.account, namespace, context).await?;
    let observed = Observed::at((context.clock)(), account, None);
    let read = async {
        let scope = reach(&desired, &observed)?;
        let cloud = context.clouds.at(&scope.place, namespace, Rank::Look);
        let live = cloud.service(&desired.spec.cluster, &desired.ecs_name).await?;
        let tasks = cloud.stopped_tasks(&desired.spec.cluster, &desired.ecs_name).await?;
        let stopped = stopped(spec, &desired, live.as_ref(), &tasks, &context.installation)?;
        of_task(&stopped, spec, &observed.account, &scope.place.region, context).await
    };
    Ok(answer(read.await))
}

async fn of_task(
    stopped: &Stopped,
    spec: &LogRequestSpec,
    seen: &AccountSeen,
    region: &str,
    context: &Context,
) -> Result<Found, Stop> {
    let at = |region| {
        let scope = account::scope(seen, Some(region))?;
        let cloud = context.clouds.at(&scope.place, &seen.namespace, Rank::Look);
        Ok::<_, Refusal>((scope, cloud))
    };
    let (_, cloud) = at(region)?;
    let Some(definition) = cloud.task_definition(&stopped.definition).await? else {
        return Err(NoLog(format!("the task definition {} is not there any more", stopped.definition)).into());
    };
    let found = container_log(stopped, &definition.members)?;
    let (scope, cloud) = at(found.region.as_deref().unwrap_or(region))?;
    scope.refuse(allow::LOG_GROUPS.missing_name(&scope.allow, &found.stream.group).into_iter().collect())?;
    let of = format!("container {} of task {}", found.container, stopped.task);
    let empty = LogPart {
        task: Some(stopped.task.clone()),
        container: Some(found.container),
        running: is_written(stopped.at, cloud.now()),
        ..LogPart::default()
    };
    match cloud.log_part(&found.stream, spec.page.as_deref(), TEXT_MAX).await? {
        Some(read) => Ok(Found { of, part: part(empty, found.stream, read)? }),
        None if empty.running => Ok(Found { of, part: empty }),
        None => Err(no_stream(&found.stream).into()),
    }
}

fn no_stream(LogStream { group, stream }: &LogStream) -> NoLog {
    NoLog(format!(
        "there is no stream {stream} in log group {group}: nothing was logged, or what was is deleted by now"
    ))
}

/// What was read of that log.
fn part(empty: LogPart, log: LogStream, read: LogText) -> Result<LogPart, NoLog> {
    let next = read.next.unwrap_or_default();
    if next.is_empty() || next.len() > PageToken::MAX || !next.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NoLog("CloudWatch Logs gave no page token that Launchway knows: please report it".to_owned()));
    }
    Ok(LogPart {
        group: Some(log.group),
        stream: Some(log.stream),
        text: read.text,
        next: Some(next.into()),
        more: read.more,
        ..empty
    })
}
