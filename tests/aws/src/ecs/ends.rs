//! How tasks end: by themselves, or for health checks that fail. That they are told to stop is in `tasks`.

use jiff::{SignedDuration, Timestamp};

use super::tasks::TaskStatus;
use super::timing::Timing;

/// How a task ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// `stopCode`.
    pub code: &'static str,
    /// `stoppedReason`.
    pub reason: String,
    /// From when on it is no longer wanted.
    pub at: Timestamp,
    /// Until when its targets are drained.
    pub drained_at: Timestamp,
    /// When its containers are gone.
    pub exited_at: Timestamp,
    /// When it is STOPPED.
    pub stopped_at: Timestamp,
    /// The exit code, if a container ran, with the index of the container it is about and that container's reason.
    pub exit: Option<(i32, usize, String)>,
    /// What the container of `exit` printed.
    pub output: Vec<String>,
    /// Whether the scheduler counts it as a failed task.
    pub failed: bool,
    /// The target group whose health checks failed, if it ends for that.
    pub group: Option<String>,
}

impl End {
    pub(super) fn status(&self, now: Timestamp) -> TaskStatus {
        match now {
            now if now < self.drained_at => TaskStatus::Deactivating,
            now if now < self.exited_at => TaskStatus::Stopping,
            now if now < self.stopped_at => TaskStatus::Deprovisioning,
            _ => TaskStatus::Stopped,
        }
    }

    /// No container ever ran.
    pub(super) fn never_started(at: Timestamp, reason: String, timing: &Timing) -> Self {
        Self {
            code: "TaskFailedToStart",
            reason,
            at,
            drained_at: at,
            exited_at: at,
            stopped_at: at + timing.deprovisioning,
            exit: None,
            output: Vec::new(),
            failed: true,
            group: None,
        }
    }

    /// An essential container exited.
    pub(super) fn crashed(at: Timestamp, exit: (i32, usize, String), failed: bool, timing: &Timing) -> Self {
        Self {
            code: "EssentialContainerExited",
            reason: "Essential container in task exited".to_owned(),
            at,
            drained_at: at,
            exited_at: at,
            stopped_at: at.checked_add(timing.deprovisioning).unwrap_or(at),
            exit: Some(exit),
            output: Vec::new(),
            failed,
            group: None,
        }
    }

    /// Health checks failed: a target group's, or without one a container's. A task behind a target group is drained first.
    pub(super) fn unhealthy(at: Timestamp, group: Option<String>, draining: SignedDuration, timing: &Timing) -> Self {
        let reason = match &group {
            Some(group) => format!("Task failed ELB health checks in (target-group {group})"),
            None => "Task failed container health checks".to_owned(),
        };
        let drained_at = at + draining;
        let exited_at = drained_at + timing.stopping;
        Self {
            code: "ServiceSchedulerInitiated",
            reason,
            at,
            drained_at,
            exited_at,
            stopped_at: exited_at + timing.deprovisioning,
            exit: Some((143, usize::MAX, String::new())),
            output: Vec::new(),
            failed: true,
            group,
        }
    }
}
