//! The rollout of a meaning, judged from ECS's own deployments (docs/effects.md). Steady states and equal counts prove
//! nothing.

use super::members::{Class, difference, differences, is_rolled};
use super::observed::SeenDeployment;
use super::wanted::Wanted;
use crate::moment::{after, before};
use crate::world::{Deployment, DeploymentStatus, End, LiveService, Revision, StoppedContainer, StoppedTask};
use jiff::Timestamp;
use launchway_crds::service::RolloutStatus;

/// What ECS's deployments say of the rollout of a meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The service runs it and nothing is in progress.
    Runs(Option<Box<Deployment>>),
    /// ECS brings it.
    Follows(Box<Deployment>),
    /// ECS gave it up.
    Failed(Box<Deployment>),
    /// ECS brings something else, and gets on with it.
    Other(Box<Deployment>),
    /// What was seen is not consistent, or not yet; the message says how.
    Unclear(String),
    /// ECS was never asked for it, or what it was asked for was abandoned.
    NotAsked,
    /// ECS was asked for it and has ended it well, and its revision says something else: what, for people.
    Differs(String),
}

/// What is needed for a verdict, beside the deployments.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is wanted.
    pub wanted: &'a Wanted,
    /// The ARN of the task definition that says it.
    pub task_definition: &'a str,
    /// Only deployments created after this count as failed.
    pub after: Option<Timestamp>,
    /// Only deployments created after this are proof, because the same thing is rolled once more; none: all are.
    pub proves_after: Option<Timestamp>,
    /// The rollout that was recorded for what is wanted: then ECS must show a deployment of it, and the one that is recorded.
    pub begun: Option<&'a RolloutStatus>,
    /// When ECS was asked for it, if that is so long ago that reads show it.
    pub asked: Option<Timestamp>,
    /// When a deployment that cannot end by itself counts as failed, in seconds after its creation.
    pub deadline: i64,
    /// The time, by AWS's clock.
    pub at: Timestamp,
}

/// How far AWS's clock and ours may be apart where times of both are compared, in seconds. No deployment fails so soon.
const APART: i64 = 5;

/// How long after the end of a deployment that was stopped ECS may take to show what is newer, in seconds. Source: none; ECS
/// is eventually consistent and names no figure.
const SHOWN: i64 = 60;

/// What is said while ECS's list is older than the record.
const HIDDEN: &str = "waiting for ECS to list the deployment that is recorded: the list that it gave is an older one";

/// The verdict on the newest deployment of the meaning that counts. Deployments are newest first.
pub fn verdict(question: &Question<'_>, live: &LiveService, all: &[SeenDeployment]) -> Verdict {
    let busy = all.iter().find(|seen| !seen.deployment.status.is_final());
    if question.is_before(all) {
        return match busy.filter(|other| question.worth_waiting_for(&other.deployment)) {
            Some(other) => Verdict::Other(Box::new(other.deployment.clone())),
            None if question.hides(all) => Verdict::Unclear(HIDDEN.to_owned()),
            None => Verdict::NotAsked,
        };
    }
    if busy.is_none() && runs(question, live, all) {
        return Verdict::Runs(
            all.iter().find(|seen| question.brings(seen)).map(|seen| Box::new(seen.deployment.clone())),
        );
    }
    let own = all.iter().find(|seen| {
        question.brings(seen) && (question.in_progress(&seen.deployment) || question.counts(&seen.deployment))
    });
    match own {
        Some(seen) if question.in_progress(&seen.deployment) => {
            return Verdict::Follows(Box::new(seen.deployment.clone()));
        }
        Some(seen) if question.failed(seen, all) => return Verdict::Failed(Box::new(seen.deployment.clone())),
        Some(_) | None => {}
    }
    if let Some(other) = busy.filter(|other| question.worth_waiting_for(&other.deployment)) {
        return Verdict::Other(Box::new(other.deployment.clone()));
    }
    if busy.is_none()
        && let Some(what) = question.differs(all)
    {
        return Verdict::Differs(what);
    }
    unclear(question, live, all).map_or(Verdict::NotAsked, Verdict::Unclear)
}

/// What must become clear before ECS is asked again. A revision that cannot be read may be the wanted one. A service that names
/// the wanted task definition without a deployment that brought it was read in the middle of a change.
fn unclear(question: &Question<'_>, live: &LiveService, all: &[SeenDeployment]) -> Option<String> {
    if let Some(seen) = all.iter().find(|seen| seen.target.is_none() && question.counts(&seen.deployment)) {
        return Some(format!("the revision of deployment {} cannot be read yet", seen.deployment.arn));
    }
    if let Some(stopped) = all.iter().find(|seen| question.brings(seen) && question.is_just_stopped(seen, all)) {
        return Some(format!(
            "ECS stopped deployment {}: waiting a minute for a newer one that may have caused it",
            stopped.deployment.arn
        ));
    }
    if question.hides(all) {
        return Some(HIDDEN.to_owned());
    }
    let newest = all.first();
    let brought = newest.is_some_and(|seen| question.brings(seen));
    let came_to_nothing = newest.is_some_and(|seen| {
        matches!(seen.deployment.status, DeploymentStatus::Stopped | DeploymentStatus::RollbackFailed)
    });
    let named = live_means(question.wanted, question.task_definition, live);
    let succeeded = newest.is_some_and(|seen| brought && seen.deployment.status == DeploymentStatus::Successful);
    // ECS takes a service back to what ran before. One that names what was rolled back was asked for it again, a moment ago.
    let again = newest.is_some_and(|seen| brought && seen.deployment.status.end() == Some(End::RolledBack))
        && question.begun.is_some_and(|begun| question.at <= after(begun.started_at.0, SHOWN));
    if (named && !brought && !came_to_nothing) || succeeded || (named && again) {
        return Some("waiting for ECS to list the deployment that was just requested".to_owned());
    }
    None
}

/// Whether the revision that the service is left with means what is wanted, nothing being in progress.
fn runs(question: &Question<'_>, live: &LiveService, all: &[SeenDeployment]) -> bool {
    let named = live.task_definition == question.task_definition;
    let Some(newest) = all.first() else {
        return question.begun.is_none()
            && live.deployments <= 1
            && live_means(question.wanted, question.task_definition, live);
    };
    let left_with = match newest.deployment.status.end() {
        Some(End::Successful) => newest.target.as_ref(),
        // The same thing ran before, and was to be rolled once more: that was not done.
        Some(End::RolledBack) => newest.source.as_ref().filter(|_| question.proves_after.is_none()),
        Some(End::RollbackFailed | End::Stopped) | None => None,
    };
    named && left_with.is_some_and(|revision| question.means(revision))
}

/// Whether the service itself names the wanted task definition, and all else that starts a rollout. Proves nothing of what runs.
pub fn live_means(wanted: &Wanted, task_definition: &str, live: &LiveService) -> bool {
    live.task_definition == task_definition && is_rolled(&wanted.service, &live.members)
}

/// Whether the deployment was there when the same thing was asked for once more, at `after`, in place of what `from` had brought.
pub fn is_older(deployment: &Deployment, after: Timestamp, from: Option<&str>) -> bool {
    deployment.created_at <= after || from == Some(deployment.arn.as_str())
}

/// Whether the newest deployment alone proves that the service runs what is wanted: it brought it, and ended well.
pub fn proves(wanted: &Wanted, task_definition: &str, live: &LiveService, newest: &SeenDeployment) -> bool {
    newest.deployment.status == DeploymentStatus::Successful
        && live_means(wanted, task_definition, live)
        && newest.target.as_ref().is_some_and(|revision| means(wanted, task_definition, revision))
}

fn means(wanted: &Wanted, task_definition: &str, revision: &Revision) -> bool {
    revision.task_definition == task_definition
        && differences(&wanted.service, &revision.members, Class::Rolls).is_empty()
}

impl Question<'_> {
    /// Whether the list of deployments is older than the record: it reaches back far enough, and lacks the deployment that was
    /// seen before.
    fn hides(&self, all: &[SeenDeployment]) -> bool {
        let Some((rollout, arn)) = self.begun.and_then(|rollout| Some((rollout, rollout.deployment.as_ref()?))) else {
            return false;
        };
        let later = all.last().is_some_and(|oldest| oldest.deployment.created_at > rollout.started_at.0);
        !later && all.iter().all(|seen| seen.deployment.arn != *arn)
    }

    /// What ECS shows differently from what it was asked for, if the only deployment since then succeeded with the wanted task
    /// definition. Asking again would only repeat that.
    fn differs(&self, all: &[SeenDeployment]) -> Option<String> {
        let asked = before(self.asked?, APART);
        let mut since = all.iter().filter(|seen| seen.deployment.created_at > asked);
        let (Some(seen), None) = (since.next(), since.next()) else { return None };
        let revision = seen.target.as_ref().filter(|revision| revision.task_definition == self.task_definition)?;
        let differs = differences(&self.wanted.service, &revision.members, Class::Rolls);
        let named: Vec<_> = differs
            .keys()
            .map(|name| difference(name, self.wanted.service.get(name), revision.members.get(name)))
            .collect();
        (seen.deployment.status == DeploymentStatus::Successful && !named.is_empty()).then(|| named.join("; "))
    }

    /// Whether the same thing is to be rolled once more, and no deployment was created since that was asked for.
    fn is_before(&self, all: &[SeenDeployment]) -> bool {
        let from = self.begun.and_then(|begun| begun.from.as_deref());
        let newest = all.first().map(|newest| &newest.deployment);
        self.proves_after.is_some_and(|after| newest.is_none_or(|newest| is_older(newest, after, from)))
    }

    fn means(&self, revision: &Revision) -> bool {
        means(self.wanted, self.task_definition, revision)
    }

    fn brings(&self, seen: &SeenDeployment) -> bool {
        seen.target.as_ref().is_some_and(|revision| self.means(revision))
    }

    fn counts(&self, deployment: &Deployment) -> bool {
        self.after.is_none_or(|since| deployment.created_at > before(since, APART))
    }

    fn in_progress(&self, deployment: &Deployment) -> bool {
        in_progress(deployment, self.deadline, self.at)
    }

    /// Whether it was stopped so short a time ago that what stopped it may not be shown yet.
    fn is_just_stopped(&self, seen: &SeenDeployment, all: &[SeenDeployment]) -> bool {
        let stopped = seen.deployment.status.end() == Some(End::Stopped);
        stopped && self.counts(&seen.deployment) && is_newest(seen, all) && self.at <= late(&seen.deployment)
    }

    /// Still in progress and within the deadline; without failures to count, ECS may never end it.
    fn worth_waiting_for(&self, deployment: &Deployment) -> bool {
        self.in_progress(deployment) && !overdue(deployment, self.deadline, self.at)
    }

    /// Whether it was rolled back, hangs for ever, or stopped without anything newer that could have stopped it.
    fn failed(&self, seen: &SeenDeployment, all: &[SeenDeployment]) -> bool {
        match seen.deployment.status.end() {
            Some(End::RolledBack | End::RollbackFailed) => true,
            Some(End::Stopped) => is_newest(seen, all) && self.at > late(&seen.deployment),
            Some(End::Successful) => false,
            None => !self.in_progress(&seen.deployment),
        }
    }
}

fn is_newest(seen: &SeenDeployment, all: &[SeenDeployment]) -> bool {
    all.first().is_some_and(|newest| newest.deployment.arn == seen.deployment.arn)
}

/// From when on a deployment that was stopped counts as stopped for good. What is newer and stopped it may be shown late.
fn late(stopped: &Deployment) -> Timestamp {
    after(stopped.finished_at.unwrap_or(stopped.created_at), SHOWN)
}

/// Whether ECS is at work on it and it may still end by itself.
pub fn in_progress(deployment: &Deployment, deadline: i64, at: Timestamp) -> bool {
    !deployment.status.is_final() && !hopeless(deployment, deadline, at)
}

/// Whether a deployment that is in progress will never end by itself: there is nothing to roll back to, and its circuit
/// breaker tripped or its deadline passed. ECS then launches no more tasks and stays IN_PROGRESS. If what it replaces never
/// completed either, a tripped breaker after the deadline is the only sign.
fn hopeless(deployment: &Deployment, deadline: i64, at: Timestamp) -> bool {
    let tripped = deployment.breaker.as_ref().is_some_and(|breaker| breaker.status == "TRIGGERED");
    let overdue = overdue(deployment, deadline, at);
    let alone = deployment.sources.is_empty();
    let begins = matches!(deployment.status, DeploymentStatus::Pending | DeploymentStatus::InProgress);
    begins && ((alone && (tripped || overdue)) || (tripped && overdue))
}

/// Whether a deployment takes longer than it may.
pub fn overdue(deployment: &Deployment, deadline: i64, at: Timestamp) -> bool {
    at > after(deployment.created_at, deadline)
}

/// Why a deployment failed, for people: what became of it, ECS's reason, and the stopped tasks' or what is known in place of
/// them.
pub fn why(deployment: &Deployment, stopped: &[StoppedTask], hint: Option<&str>) -> String {
    let mut text = match deployment.status.end() {
        Some(End::RolledBack) => "ECS rolled it back".to_owned(),
        Some(End::RollbackFailed) => "ECS tried to roll it back, and failed".to_owned(),
        Some(End::Stopped) => "ECS stopped it".to_owned(),
        Some(End::Successful) | None => "it does not come up, and there is nothing to roll back to".to_owned(),
    };
    for reason in [&deployment.rollback_reason, &deployment.reason].into_iter().flatten().take(1) {
        text.push_str(&format!(": {reason}"));
    }
    if let Some(breaker) = deployment.breaker.as_ref().filter(|breaker| breaker.status == "TRIGGERED") {
        text.push_str(&format!(" ({} of {} tolerated failures)", breaker.failures, breaker.threshold));
    }
    for task in stopped.iter().take(1) {
        text.push_str(&format!("; task {}", told(task)));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("; {hint}"));
    }
    text
}

/// A stopped task, in one line: code, reason, and the container that ended first.
fn told(task: &StoppedTask) -> String {
    let mut text = task.id.clone();
    for part in [&task.code, &task.reason].into_iter().flatten() {
        text.push_str(&format!(", {part}"));
    }
    if let Some(container) = container(task) {
        text.push_str(&format!(", {container}"));
    }
    text
}

/// The container that made the task stop, with its exit code and ECS's reason.
pub fn container(task: &StoppedTask) -> Option<String> {
    let container = guilty(task)?;
    let exit = container.exit_code.map(|code| format!(" exited with code {code}")).unwrap_or_default();
    let reason = container.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("container {}{exit}{reason}", container.name))
}

/// The container that made the task stop.
pub fn guilty(task: &StoppedTask) -> Option<&StoppedContainer> {
    let failed =
        |container: &&StoppedContainer| container.exit_code.is_some_and(|code| code != 0) || container.reason.is_some();
    task.containers.iter().find(failed).or_else(|| task.containers.first())
}

/// The stopped tasks of a deployment: those that it started, told by the number in their `startedBy`; all of them where
/// none can be told.
pub fn of_deployment(deployment: &Deployment, stopped: &[StoppedTask]) -> Vec<StoppedTask> {
    let number =
        deployment.target.as_deref().and_then(|arn| arn.rsplit('/').next()).map(|number| format!("ecs-svc/{number}"));
    let own: Vec<_> =
        stopped.iter().filter(|task| task.started_by.is_some() && task.started_by == number).cloned().collect();
    let later = |task: &&StoppedTask| task.stopped_at.is_none_or(|at| at >= deployment.created_at);
    if own.is_empty() { stopped.iter().filter(later).cloned().collect() } else { own }
}
