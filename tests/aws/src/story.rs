//! How the tasks of an image behave. When a task moves is in `ecs::tasks`.

use std::time::Duration;

/// What becomes of a task that runs an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskStory {
    /// It runs, and is healthy after this long.
    Healthy {
        /// From RUNNING to healthy.
        after: Duration,
    },
    /// It runs for a while, then its essential container exits.
    Crashes {
        /// From RUNNING to the exit.
        after: Duration,
        /// The container's exit code.
        exit_code: i32,
        /// `containers[].reason`, e.g. `OutOfMemoryError: Container killed due to memory usage`; may be empty.
        reason: String,
        /// What it prints before that, a line each.
        output: Vec<String>,
    },
    /// It stops before any container runs.
    NeverStarts {
        /// `stoppedReason`, e.g. `CannotPullContainerError: …`.
        reason: String,
    },
    /// Its images take this long to pull, silently; then it goes on. Takes the place of `Timing::pulling`.
    Pulls {
        /// From PENDING until the images are there, or the pull is given up.
        during: Duration,
        /// What becomes of it then.
        then: Box<TaskStory>,
    },
    /// It runs, but fails the load balancer's or the container's health checks and is replaced.
    NeverHealthy,
}

impl Default for TaskStory {
    fn default() -> Self {
        Self::Healthy { after: Duration::ZERO }
    }
}
