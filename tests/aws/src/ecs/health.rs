//! A task's health: what counts for it, what becomes of the task by its story, and what DescribeTasks says of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::definitions::Definition;
use super::ends::End;
use super::state::CrashLoops;
use super::tasks::Task;
use super::timing::Timing;
use crate::TaskStory;

/// Who looks after a task's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// Nobody: what RunTask started goes on whatever its health.
    No,
    /// The service's scheduler.
    Service {
        /// The target groups, each with the container behind it.
        targets: Vec<(String, String)>,
        /// Those of them in which no target is ever healthy.
        sick: Vec<String>,
        /// How long failing health checks are overlooked after RUNNING: a target group's and the containers'
        /// [API_UpdateService, healthCheckGracePeriodSeconds].
        grace: SignedDuration,
    },
}

impl Watched {
    /// The target groups.
    pub(super) fn groups(&self) -> Vec<String> {
        match self {
            Self::No => Vec::new(),
            Self::Service { targets, .. } => targets.iter().map(|(group, _)| group.clone()).collect(),
        }
    }

    /// Whether it stands behind a target group.
    pub(super) fn balanced(&self) -> bool {
        match self {
            Self::No => false,
            Self::Service { targets, .. } => !targets.is_empty(),
        }
    }
}

/// `healthStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Healthy,
    Unhealthy,
    Unknown,
}

impl Health {
    /// As the API writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Definition {
    /// Whether this container has a health check.
    fn checks(&self, index: usize) -> bool {
        self.containers().get(index).is_some_and(|container| container["healthCheck"].is_object())
    }

    /// From RUNNING until a container's check that always fails is UNHEALTHY: (interval x retries) + startPeriod [API_HealthCheck].
    fn patience(&self, index: usize) -> SignedDuration {
        let number = |member: &str, default: i64| {
            let given = self.containers().get(index).map(|container| &container["healthCheck"][member]);
            given.and_then(Value::as_i64).unwrap_or(default)
        };
        SignedDuration::from_secs(number("interval", 30) * number("retries", 3) + number("startPeriod", 0))
    }

    /// Whether a container that exits so is started again in its task, by its restart policy [API_ContainerRestartPolicy].
    fn restarts(&self, index: usize, after: SignedDuration, code: i32) -> bool {
        let Some(policy) = self.containers().get(index).map(|container| &container["restartPolicy"]) else {
            return false;
        };
        let period = policy["restartAttemptPeriod"].as_i64().unwrap_or(300);
        let ignored = policy["ignoredExitCodes"].as_array().is_some_and(|codes| codes.iter().any(|one| *one == code));
        policy["enabled"] == true && !ignored && after >= SignedDuration::from_secs(period)
    }

    /// The indices of its essential containers.
    fn essential(&self) -> impl Iterator<Item = usize> {
        let containers = self.containers().iter().enumerate();
        containers.filter(|(_, container)| container["essential"] != false).map(|(index, _)| index)
    }
}

impl Task {
    /// Lays out how it lives; `container` is the one that the story is about.
    pub(super) fn live(&mut self, story: TaskStory, container: usize, timing: &Timing, crash_loops: CrashLoops) {
        match story {
            TaskStory::Pulls { then, .. } => self.live(*then, container, timing, crash_loops),
            TaskStory::Healthy { after } => self.healthy_at = self.counts_from(span(after), timing),
            TaskStory::NeverStarts { reason } => self.end = Some(End::never_started(self.pulled_at, reason, timing)),
            TaskStory::Crashes { after, exit_code, .. }
                if self.definition.restarts(container, span(after), exit_code) =>
            {
                self.healthy_at = self.counts_from(SignedDuration::ZERO, timing);
            }
            TaskStory::Crashes { after, exit_code, reason, output } => {
                let at = self.running_at.checked_add(span(after)).unwrap_or(Timestamp::MAX);
                let settled = self.running_at + timing.settled;
                self.healthy_at = (at > settled).then_some(settled);
                let failed = at <= settled && (self.checked() || crash_loops == CrashLoops::Counted);
                let end = End::crashed(at, (exit_code, container, reason), failed, timing);
                self.end = Some(End { output, ..end });
            }
            TaskStory::NeverHealthy => self.fail_checks(container, timing),
        }
    }

    /// Whether something checks its health.
    fn checked(&self) -> bool {
        self.watched.balanced() || self.definition.essential().any(|at| self.definition.checks(at))
    }

    /// From when on it counts as healthy: if something checks it, when that has passed, all of it; else when it has settled
    /// [API_DeploymentConfiguration, minimumHealthyPercent].
    fn counts_from(&self, after: SignedDuration, timing: &Timing) -> Option<Timestamp> {
        let after = if self.checked() { after } else { after.max(timing.settled) };
        self.running_at.checked_add(after).ok()
    }

    /// Fails the checks that there are on a container. One that nothing checks is never found out.
    fn fail_checks(&mut self, container: usize, timing: &Timing) {
        let checked = self.definition.checks(container);
        self.sick = checked.then(|| (self.running_at + self.definition.patience(container), container));
        let name = self.containers.get(container).map_or("", |container| container.name.as_str());
        self.end = match &self.watched {
            Watched::No => None,
            Watched::Service { targets, grace, .. } => {
                let failing = targets.iter().find(|(_, behind)| behind == name).map(|(group, _)| group.clone());
                self.noticed(failing, *grace, timing)
            }
        };
        if self.end.is_none() {
            self.healthy_at = self.counts_from(SignedDuration::ZERO, timing);
        }
    }

    /// The end that failing checks make: the container's own or the target group's, whichever is first.
    fn noticed(&self, group: Option<String>, grace: SignedDuration, timing: &Timing) -> Option<End> {
        let draining = if self.watched.balanced() { timing.draining } else { SignedDuration::ZERO };
        let overlooked = self.running_at.checked_add(grace).unwrap_or(Timestamp::MAX);
        let own = self.sick.map(|(at, _)| (at.max(overlooked), None));
        let targets = group.map(|group| ((self.running_at + timing.unhealthy).max(overlooked), Some(group)));
        let (at, group) = targets.into_iter().chain(own).min_by_key(|(at, _)| *at)?;
        Some(End::unhealthy(at, group, draining, timing))
    }

    /// What a target group in which no target is ever healthy makes of a task that would run well.
    pub(super) fn fail_targets(&mut self, timing: &Timing) {
        let Watched::Service { sick, grace, .. } = &self.watched else {
            return;
        };
        let Some(end) = sick.first().and_then(|group| self.noticed(Some(group.clone()), *grace, timing)) else {
            return;
        };
        if self.end.as_ref().is_none_or(|other| end.at < other.at) {
            self.healthy_at = None;
            self.end = Some(end);
        }
    }

    /// A container's health as it was last heard of.
    pub(super) fn health_of(&self, container: usize, now: Timestamp) -> Health {
        let heard = self.end.as_ref().map_or(now, |end| end.at.min(now));
        if !self.definition.checks(container) {
            return Health::Unknown;
        }
        match self.sick {
            Some((at, sick)) if sick == container => {
                if at <= heard {
                    Health::Unhealthy
                } else {
                    Health::Unknown
                }
            }
            Some(_) if self.running_at <= heard => Health::Healthy,
            None if self.healthy_at.is_some_and(|at| at <= heard) => Health::Healthy,
            Some(_) | None => Health::Unknown,
        }
    }

    /// The task's health: the worst of its essential containers' [API_HealthCheck].
    pub(super) fn health(&self, now: Timestamp) -> Health {
        let all: Vec<Health> = self.definition.essential().map(|index| self.health_of(index, now)).collect();
        let worst = [Health::Unhealthy, Health::Unknown].into_iter().find(|health| all.contains(health));
        worst.unwrap_or(Health::Healthy)
    }
}

pub(super) fn span(after: Duration) -> SignedDuration {
    SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX)
}
