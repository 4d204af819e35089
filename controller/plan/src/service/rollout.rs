//! The rollout of a meaning, judged from ECS's own deployments (EFFECTS). Steady states and equal counts prove nothing.

use super::observed::SeenDeployment;
use super::wanted::Wanted;
use crate::world::{Deployment, DeploymentStatus, LiveService, Placement, Revision, StoppedTask};
use jiff::{SignedDuration, Timestamp};

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
    /// ECS was never asked for it, or what it was asked for was abandoned.
    NotAsked,
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
    /// When a deployment without anything to roll back to counts as failed, in seconds after its creation.
    pub deadline: i64,
    /// The time, by AWS's clock.
    pub at: Timestamp,
}

/// The verdict on the newest deployment of the meaning that counts. Deployments are newest first.
pub fn verdict(question: &Question<'_>, live: &LiveService, all: &[SeenDeployment]) -> Verdict {
    let in_progress = all.iter().find(|seen| !seen.deployment.status.is_final());
    if in_progress.is_none() && runs(question, live, all) {
        return Verdict::Runs(
            all.iter().find(|seen| question.brings(seen)).map(|seen| Box::new(seen.deployment.clone())),
        );
    }
    let newest = all.iter().find(|seen| question.brings(seen) && question.counts(&seen.deployment));
    match newest {
        Some(seen) if !seen.deployment.status.is_final() && !question.hopeless(&seen.deployment) => {
            return Verdict::Follows(Box::new(seen.deployment.clone()));
        }
        Some(seen) if failed(seen, all) || question.hopeless(&seen.deployment) => {
            return Verdict::Failed(Box::new(seen.deployment.clone()));
        }
        Some(_) | None => {}
    }
    match in_progress {
        Some(other) if !question.hopeless(&other.deployment) => Verdict::Other(Box::new(other.deployment.clone())),
        Some(_) | None => Verdict::NotAsked,
    }
}

/// Whether it was rolled back, or stopped without anything newer that could have stopped it.
fn failed(seen: &SeenDeployment, all: &[SeenDeployment]) -> bool {
    match seen.deployment.status {
        DeploymentStatus::RollbackSuccessful | DeploymentStatus::RollbackFailed => true,
        DeploymentStatus::Stopped => all.first().is_some_and(|newest| newest.deployment.arn == seen.deployment.arn),
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::Successful
        | DeploymentStatus::StopRequested
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress
        | DeploymentStatus::Unknown(_) => false,
    }
}

/// Whether the revision that the service is left with means what is wanted, nothing being in progress.
fn runs(question: &Question<'_>, live: &LiveService, all: &[SeenDeployment]) -> bool {
    let newest = all.first();
    match newest.map(|seen| &seen.deployment.status) {
        Some(DeploymentStatus::Successful) => newest.is_some_and(|seen| question.brings(seen)),
        Some(DeploymentStatus::RollbackSuccessful) => {
            newest.and_then(|seen| seen.source.as_ref()).is_some_and(|revision| question.means(revision))
        }
        Some(DeploymentStatus::RollbackFailed) => false,
        None
        | Some(
            DeploymentStatus::Stopped
            | DeploymentStatus::Pending
            | DeploymentStatus::InProgress
            | DeploymentStatus::StopRequested
            | DeploymentStatus::RollbackRequested
            | DeploymentStatus::RollbackInProgress
            | DeploymentStatus::Unknown(_),
        ) => newest.is_none() && live.deployments <= 1 && live_means(question.wanted, question.task_definition, live),
    }
}

/// Whether the service itself names the wanted task definition and placement. Proves nothing of what runs.
pub fn live_means(wanted: &Wanted, task_definition: &str, live: &LiveService) -> bool {
    live.task_definition == task_definition && same(&wanted.placement, &live.placement)
}

/// Whether a placement is the wanted one, as far as the wanted one says anything.
pub fn same(wanted: &Placement, live: &Placement) -> bool {
    let network = match (&wanted.network, &live.network) {
        (None, None) => true,
        (Some(wanted), Some(live)) => {
            wanted.subnets == live.subnets
                && wanted.public_ip == live.public_ip
                && (wanted.security_groups.is_empty() || wanted.security_groups == live.security_groups)
        }
        (None, Some(_)) | (Some(_), None) => false,
    };
    let platform = wanted.platform_version.is_none() || wanted.platform_version == live.platform_version;
    network && platform && wanted.load_balancers == live.load_balancers
}

impl Question<'_> {
    fn means(&self, revision: &Revision) -> bool {
        revision.task_definition == self.task_definition && same(&self.wanted.placement, &revision.placement)
    }

    fn brings(&self, seen: &SeenDeployment) -> bool {
        seen.target.as_ref().is_some_and(|revision| self.means(revision))
    }

    fn counts(&self, deployment: &Deployment) -> bool {
        self.after.is_none_or(|after| deployment.created_at > after)
    }

    fn hopeless(&self, deployment: &Deployment) -> bool {
        hopeless(deployment, self.deadline, self.at)
    }
}

/// Whether a deployment that is in progress will never end by itself: it has nothing to roll back to, and its circuit
/// breaker tripped or its deadline passed. ECS then launches no more tasks and stays IN_PROGRESS.
pub fn hopeless(deployment: &Deployment, deadline: i64, at: Timestamp) -> bool {
    let tripped = deployment.breaker.as_ref().is_some_and(|breaker| breaker.status == "TRIGGERED");
    let overdue = at > deployment.created_at + SignedDuration::from_secs(deadline);
    let alone = deployment.sources.is_empty();
    match deployment.status {
        DeploymentStatus::Pending | DeploymentStatus::InProgress => alone && (tripped || overdue),
        DeploymentStatus::StopRequested
        | DeploymentStatus::Stopped
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress
        | DeploymentStatus::RollbackSuccessful
        | DeploymentStatus::RollbackFailed
        | DeploymentStatus::Successful
        | DeploymentStatus::Unknown(_) => false,
    }
}

/// Why a deployment failed, for people: what became of it, ECS's reason, and the stopped tasks'.
pub fn why(deployment: &Deployment, stopped: &[StoppedTask]) -> String {
    let mut text = match deployment.status {
        DeploymentStatus::RollbackSuccessful => "ECS rolled it back".to_owned(),
        DeploymentStatus::RollbackFailed => "ECS tried to roll it back, and failed".to_owned(),
        DeploymentStatus::Stopped => "ECS stopped it".to_owned(),
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::Successful
        | DeploymentStatus::StopRequested
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress
        | DeploymentStatus::Unknown(_) => "it does not come up, and there is nothing to roll back to".to_owned(),
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
    text
}

/// A stopped task, in one line: code, reason, and the container that ended first.
pub fn told(task: &StoppedTask) -> String {
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
    let guilty = |container: &&crate::world::StoppedContainer| {
        container.exit_code.is_some_and(|code| code != 0) || container.reason.is_some()
    };
    let container = task.containers.iter().find(guilty).or_else(|| task.containers.first())?;
    let exit = container.exit_code.map(|code| format!(" exited with code {code}")).unwrap_or_default();
    let reason = container.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("container {}{exit}{reason}", container.name))
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
