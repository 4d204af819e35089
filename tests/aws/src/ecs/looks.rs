//! Ways to look at a service, for its views and for tests that judge.

use std::sync::Arc;

use jiff::Timestamp;

use super::state::{Counts, Deployment, DeploymentStatus, Revision, Rollout, Service};
use super::tasks::TaskStatus;

impl Service {
    /// The PRIMARY deployment; a deleted service has none.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.status == DeploymentStatus::Primary)
    }

    /// The rollout that was asked for last.
    pub fn latest_rollout(&self) -> Option<&Rollout> {
        self.rollouts.last()
    }

    /// A revision by its number.
    pub fn revision(&self, number: u64) -> Option<&Arc<Revision>> {
        self.revisions.iter().find(|revision| revision.number == number)
    }

    /// The counts of one revision's tasks.
    pub fn counts(&self, number: u64, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        for task in self.tasks.iter().filter(|task| task.revision() == Some(number)) {
            match task.status(now) {
                TaskStatus::Running => counts.running += 1,
                TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => counts.pending += 1,
                TaskStatus::Deactivating | TaskStatus::Stopping | TaskStatus::Deprovisioning | TaskStatus::Stopped => {}
            }
        }
        counts.requested = self.requested(number, now);
        counts
    }

    /// How many tasks are asked of a revision: all of the PRIMARY one, what is left of the others.
    fn requested(&self, number: u64, now: Timestamp) -> usize {
        let status =
            self.deployments.iter().find(|deployment| deployment.number == number).map(|deployment| deployment.status);
        match status {
            Some(DeploymentStatus::Primary) => self.desired,
            Some(DeploymentStatus::Active) => {
                self.tasks.iter().filter(|task| task.revision() == Some(number) && task.wanted(now)).count()
            }
            None => 0,
        }
    }

    /// The counts of all tasks.
    pub fn total(&self, now: Timestamp) -> Counts {
        let parts = self.deployments.iter().map(|deployment| self.counts(deployment.number, now));
        parts.fold(Counts { requested: self.desired, ..Counts::default() }, |sum, part| Counts {
            requested: sum.requested,
            running: sum.running + part.running,
            pending: sum.pending + part.pending,
        })
    }

    /// The images, with digests, of the tasks that are RUNNING.
    pub fn running_images(&self, now: Timestamp) -> Vec<String> {
        let running = self.tasks.iter().filter(|task| task.status(now) == TaskStatus::Running);
        running
            .flat_map(|task| {
                task.containers
                    .iter()
                    .map(|container| container.digest.clone().unwrap_or_else(|| container.image.clone()))
            })
            .collect()
    }
}
