//! A task: a timeline that is known when it starts and cut short when it is told to stop. How it lives and ends by its story is in `health` and
//! `ends`; who starts and stops tasks is in `scheduler`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::definitions::Definition;
use super::ends::End;
use super::health::{Watched, span};
use super::resources::Getting;
use super::state::CrashLoops;
use super::stories::{Library, Resolved, of_task, pulling};
use super::timing::Timing;
use crate::TaskStory;

/// Stopped tasks can be seen for an hour.
pub(super) const VISIBLE: SignedDuration = SignedDuration::from_hours(1);

/// `lastStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TaskStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl TaskStatus {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Whose task it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The service revision's number.
    Service {
        /// The service's name.
        name: String,
        /// The number in `ecs-svc/<n>`.
        revision: u64,
    },
    /// RunTask's caller.
    Run {
        /// `group`.
        group: String,
        /// `startedBy`, if given.
        started_by: Option<String>,
        /// `overrides`.
        overrides: Arc<Value>,
    },
}

/// One of a task's containers.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image as the task definition gives it.
    pub image: String,
    /// The image's digest.
    pub digest: Option<String>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// 32 hex digits.
    pub id: Arc<str>,
    /// Its task definition.
    pub definition: Arc<Definition>,
    /// Whose it is.
    pub owner: Owner,
    /// Its containers.
    pub containers: Arc<[Container]>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is PENDING.
    pub pending_at: Timestamp,
    /// When its image is pulled.
    pub pulled_at: Timestamp,
    /// When it is RUNNING, if it gets there.
    pub running_at: Timestamp,
    /// When it counts as healthy, if it gets there.
    pub healthy_at: Option<Timestamp>,
    /// How it ends, as far as is known.
    pub end: Option<End>,
    /// `networkConfiguration`, for its attachment.
    pub network: Arc<Value>,
    /// `launchType`.
    pub launch_type: String,
    /// `platformVersion`, on Fargate.
    pub platform: Option<String>,
    /// `enableExecuteCommand`.
    pub execute_command: bool,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// When which container's health check has failed, whatever comes of that.
    pub(super) sick: Option<(Timestamp, usize)>,
    pub(super) watched: Watched,
    pub(super) counted: Counted,
}

/// How far the scheduler has taken note of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Started,
    Healthy,
    Ended,
}

/// What a task is started with.
pub(super) struct Start<'a> {
    pub id: String,
    pub definition: Arc<Definition>,
    pub owner: Owner,
    pub images: Vec<(String, String, Option<String>)>,
    pub watched: Watched,
    pub network: Arc<Value>,
    pub launch_type: String,
    pub platform: Option<String>,
    pub execute_command: bool,
    pub tags: Vec<(String, String)>,
    pub timing: &'a Timing,
    pub crash_loops: CrashLoops,
    pub now: Timestamp,
}

/// Why the task does not get what it needs, if it does not.
fn got(start: &Start<'_>, library: Library<'_>) -> Option<String> {
    let Library { place, lacks, iam, .. } = library;
    let (definition, network, task) = (&*start.definition, &*start.network, start.id.as_str());
    Getting { place, lacks, iam, definition, network, task }.fault()
}

impl Task {
    /// Starts a task: its images are resolved, and its timeline is laid out.
    pub(super) fn start(start: Start<'_>, library: Library<'_>) -> Self {
        let resolved: Vec<Resolved> =
            start.images.iter().map(|(_, image, pinned)| library.resolved(image, pinned.as_deref())).collect();
        let (story, container) = match got(&start, library) {
            Some(reason) => (TaskStory::NeverStarts { reason }, 0),
            None => of_task(start.definition.containers(), &resolved),
        };
        let named = start.images.into_iter().zip(&resolved);
        let containers = named
            .map(|((name, image, _), resolved)| Container { name, image, digest: resolved.digest.clone() })
            .collect();
        let timing = start.timing;
        let pending_at = start.now + timing.provisioning;
        let usual = if matches!(story, TaskStory::NeverStarts { .. }) { timing.failing_pull() } else { timing.pulling };
        let pulled_at = pending_at + pulling(&resolved).map_or(usual, span);
        let running_at = if start.watched.balanced() { pulled_at + timing.activating } else { pulled_at };
        let mut task = Self {
            id: start.id.into(),
            definition: start.definition,
            owner: start.owner,
            containers,
            created_at: start.now,
            pending_at,
            pulled_at,
            running_at,
            healthy_at: None,
            end: None,
            network: start.network,
            launch_type: start.launch_type,
            platform: start.platform,
            execute_command: start.execute_command,
            tags: start.tags,
            sick: None,
            watched: start.watched,
            counted: Counted::Started,
        };
        task.live(story, container, timing, start.crash_loops);
        task.fail_targets(timing);
        task
    }

    /// The number of the service revision it belongs to.
    pub fn revision(&self) -> Option<u64> {
        match &self.owner {
            Owner::Service { revision, .. } => Some(*revision),
            Owner::Run { .. } => None,
        }
    }

    /// Whether it is still wanted: `desiredStatus` is RUNNING.
    pub fn wanted(&self, now: Timestamp) -> bool {
        self.end.as_ref().is_none_or(|end| now < end.at)
    }

    /// Whether it is wanted and healthy.
    pub fn healthy(&self, now: Timestamp) -> bool {
        self.wanted(now) && self.healthy_at.is_some_and(|at| at <= now)
    }

    /// `lastStatus`.
    pub fn status(&self, now: Timestamp) -> TaskStatus {
        match &self.end {
            Some(end) if end.at <= now => end.status(now),
            Some(_) | None if now < self.pending_at => TaskStatus::Provisioning,
            Some(_) | None if now < self.pulled_at => TaskStatus::Pending,
            Some(_) | None if now < self.running_at => TaskStatus::Activating,
            Some(_) | None => TaskStatus::Running,
        }
    }

    /// Whether it can still be described.
    pub fn visible(&self, now: Timestamp) -> bool {
        self.end.as_ref().is_none_or(|end| end.stopped_at.checked_add(VISIBLE).is_ok_and(|until| now < until))
    }

    /// Tells it to stop; one that has ended already stays as it is.
    pub(super) fn stop(&mut self, now: Timestamp, code: &'static str, reason: String, timing: &Timing) {
        if !self.wanted(now) {
            return;
        }
        let ran = self.pulled_at <= now;
        let draining =
            if self.watched.balanced() && self.running_at <= now { timing.draining } else { SignedDuration::ZERO };
        let drained_at = now + draining;
        let exited_at = if ran { drained_at + timing.stopping } else { drained_at };
        let stopped_at = exited_at + timing.deprovisioning;
        let exit = ran.then(|| (143, usize::MAX, String::new()));
        self.end = Some(End {
            code,
            reason,
            at: now,
            drained_at,
            exited_at,
            stopped_at,
            exit,
            output: Vec::new(),
            failed: false,
            group: None,
        });
    }

    /// The next time after `now` at which the scheduler has to look at it.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let healthy = self.healthy_at.filter(|_| self.wanted(now));
        let ends = self.end.iter().flat_map(|end| [end.at, end.drained_at, end.exited_at, end.stopped_at]);
        ends.chain(healthy).filter(|at| *at > now).min()
    }
}
