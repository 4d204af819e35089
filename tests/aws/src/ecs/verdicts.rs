//! When a deployment has failed and what then: tasks are counted, the circuit breaker trips at AWS's thresholds, the service rolls back or stalls.

use serde_json::{Value, json};

use super::events::named;
use super::output::write_output;
use super::scheduler::Scheduler;
use super::state::{
    BreakerStatus, Deployment, DeploymentStatus, FailedDeployments, Launches, Rollback, Rollout, RolloutState,
    RolloutStatus, Service, Unrollable,
};
use super::tasks::Counted;

const EXCEEDED: &str = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
const ROLLBACK_EXCEEDED: &str =
    "Service deployment rollback failed because the circuit breaker threshold was exceeded.";
const NO_CANDIDATE: &str = "No rollback candidate was found to run the rollback.";
const FAILED_TO_START: &str = "ECS deployment circuit breaker: tasks failed to start.";

impl Scheduler<'_> {
    /// Takes note of tasks that became healthy or ended since the last look.
    pub(super) fn note_tasks(&mut self, service: &mut Service) {
        for index in 0..service.tasks.len() {
            let task = &service.tasks[index];
            let (healthy, ended) = (task.healthy(self.now), !task.wanted(self.now));
            match task.counted {
                Counted::Started if healthy => self.note_healthy(service, index),
                Counted::Started | Counted::Healthy if ended => self.note_ended(service, index),
                Counted::Started | Counted::Healthy | Counted::Ended => {}
            }
        }
    }

    fn note_healthy(&self, service: &mut Service, index: usize) {
        let task = &mut service.tasks[index];
        task.counted = Counted::Healthy;
        let (number, groups) = (task.revision().unwrap_or_default(), task.watched.groups());
        for group in groups {
            service.events.say(&service.name, self.now, &format!("registered 1 targets in (target-group {group})"));
        }
        if let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == number) {
            (deployment.proven, deployment.failed_tasks, deployment.failed_in_a_row) = (true, 0, 0);
            (deployment.rounds, deployment.retry_at) = (0, None);
        }
        let running = service
            .rollouts
            .iter_mut()
            .rev()
            .find(|rollout| rollout.target == number && rollout.status == RolloutStatus::InProgress);
        if let Some(rollout) = running.filter(|rollout| rollout.resets()) {
            rollout.breaker.failures = 0;
        }
    }

    fn note_ended(&mut self, service: &mut Service, index: usize) {
        let task = &mut service.tasks[index];
        task.counted = Counted::Ended;
        let (number, id) = (task.revision().unwrap_or_default(), task.id.clone());
        write_output(task, self.place, self.logs);
        let Some(end) = task.end.clone().filter(|end| end.failed) else {
            return;
        };
        let sentence = match (end.code, end.group.as_deref()) {
            ("TaskFailedToStart", _) => Some(format!("was unable to place a task. Reason: {}.", end.reason)),
            ("ServiceSchedulerInitiated", Some(group)) => Some(format!(
                "(task {id}) (port {}) is unhealthy in (target-group {group}) due to (reason Health checks failed with these codes: [502]).",
                service.settings.port_behind(group)
            )),
            ("ServiceSchedulerInitiated", None) => Some(format!("(task {id}) failed container health checks.")),
            _ => None,
        };
        if let Some(sentence) = sentence {
            service.events.say(&service.name, self.now, &sentence);
        }
        if end.code == "ServiceSchedulerInitiated" {
            service.events.say(
                &service.name,
                self.now,
                &format!("has stopped 1 running tasks: {}.", named(std::iter::once(&*id))),
            );
        }
        self.count_failure(service, number);
    }

    /// One more failed task; all that fail at one time are one round, after which the scheduler pauses.
    pub(super) fn count_failure(&self, service: &mut Service, number: u64) {
        if let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == number) {
            deployment.failed_in_a_row += 1;
            deployment.failed_tasks += usize::from(!deployment.proven);
            deployment.updated_at = self.now;
            if deployment.retry_at.is_none_or(|at| at <= self.now) {
                deployment.rounds += 1;
                deployment.retry_at = Some(self.now + self.timing.pause(deployment.rounds));
                if deployment.rounds == 3 {
                    let sentence = "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
                    service.events.say(&service.name, self.now, sentence);
                }
            }
        }
        let running = service
            .rollouts
            .iter_mut()
            .rev()
            .find(|rollout| rollout.target == number && rollout.status == RolloutStatus::InProgress);
        if let Some(rollout) = running {
            rollout.breaker.failures += 1;
            rollout.updated_at = self.now;
        }
    }

    /// Trips the circuit breaker of the rollout under way, if it is time.
    pub(super) fn judge(&mut self, service: &mut Service) {
        let Some(index) = service.rollouts.len().checked_sub(1) else {
            return;
        };
        let rollout = &service.rollouts[index];
        let threshold = rollout.threshold(service.desired);
        match (rollout.status, rollout.breaker.status) {
            (RolloutStatus::InProgress, BreakerStatus::Monitoring) if rollout.breaker.failures >= threshold => {
                self.trip(service, index)
            }
            (RolloutStatus::RollbackInProgress, BreakerStatus::Triggered)
                if rollback_failures(service) >= threshold =>
            {
                self.fail_rollback(service, index)
            }
            _ => {}
        }
    }

    fn trip(&mut self, service: &mut Service, index: usize) {
        let rollout = &mut service.rollouts[index];
        rollout.breaker.status = BreakerStatus::Triggered;
        rollout.updated_at = self.now;
        let (target, rolls_back) = (rollout.target, rollout.rolls_back());
        service.events.say(
            &service.name,
            self.now,
            &format!("(deployment ecs-svc/{target}) deployment failed: tasks failed to start."),
        );
        self.give_up(service, target, FAILED_TO_START);
        match service.completed {
            Some(to) if rolls_back => self.roll_back(service, index, to, EXCEEDED),
            None if rolls_back => self.miss_rollback(service, index),
            Some(_) | None => {
                let rollout = &mut service.rollouts[index];
                rollout.status = RolloutStatus::StopRequested;
                rollout.status_reason = Some(
                    "Service deployment was stopped because the circuit breaker threshold was exceeded.".to_owned(),
                );
                rollout.moves_at = Some(self.now + self.timing.yielding);
            }
        }
    }

    /// Nothing to roll back to: no new tasks, and the rollout is over or stalls.
    fn miss_rollback(&self, service: &mut Service, index: usize) {
        match self.unrollable {
            Unrollable::RollbackFailed => self.end_unrolled(service, index, NO_CANDIDATE),
            Unrollable::Stalls => {}
        }
    }

    fn end_unrolled(&self, service: &mut Service, index: usize, reason: &str) {
        let counts = service.counts(service.rollouts[index].target, self.now);
        let rollout = &mut service.rollouts[index];
        rollout.status = RolloutStatus::RollbackFailed;
        rollout.status_reason = Some(reason.to_owned());
        (rollout.updated_at, rollout.finished_at, rollout.final_counts) = (self.now, Some(self.now), Some(counts));
    }

    fn fail_rollback(&self, service: &mut Service, index: usize) {
        self.end_unrolled(service, index, ROLLBACK_EXCEEDED);
        if let Some(number) = service.primary().map(|primary| primary.number) {
            service.events.say(
                &service.name,
                self.now,
                &format!("(deployment ecs-svc/{number}) deployment failed: tasks failed to start."),
            );
            self.give_up(service, number, FAILED_TO_START);
        }
    }

    fn give_up(&self, service: &mut Service, number: u64, reason: &str) {
        if let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == number) {
            deployment.state = RolloutState::Failed;
            deployment.reason = reason.to_owned();
            deployment.launches = Launches::Ended;
            deployment.retry_at = None;
            deployment.updated_at = self.now;
        }
    }

    /// What StopServiceDeployment asked for; without anything to go back to, the rollout just stops.
    pub(super) fn roll_back_as_asked(&mut self, service: &mut Service, index: usize) {
        let target = service.rollouts[index].target;
        self.give_up(service, target, "ECS deployment was stopped by StopServiceDeployment.");
        match service.completed {
            Some(to) => self.roll_back(
                service,
                index,
                to,
                "Service deployment rolled back because StopServiceDeployment was called.",
            ),
            None => {
                let rollout = &mut service.rollouts[index];
                rollout.status = RolloutStatus::StopRequested;
                rollout.moves_at = Some(self.now + self.timing.yielding);
            }
        }
    }

    /// The service goes back to an earlier revision, which becomes PRIMARY again under its own number.
    fn roll_back(&mut self, service: &mut Service, index: usize, to: u64, reason: &str) {
        let rollout = &mut service.rollouts[index];
        rollout.status = RolloutStatus::RollbackInProgress;
        rollout.status_reason = Some(reason.to_owned());
        rollout.rollback = Some(Rollback { reason: reason.to_owned(), started_at: self.now, revision: to });
        rollout.updated_at = self.now;
        service.events.say(&service.name, self.now, &format!("rolling back to deployment ecs-svc/{to}."));
        for deployment in &mut service.deployments {
            deployment.status = DeploymentStatus::Active;
            deployment.shown = self.failed_deployments;
        }
        service.deployments.retain(|deployment| deployment.number != to);
        service.deployments.insert(0, self.rolled_back_to(to));
        if let Some(revision) = service.revision(to).cloned() {
            service.settings = service.settings.rolled_back(&revision.settings);
        }
        // While it goes back there is no COMPLETED deployment: what supersedes the rollback and fails has nothing to go back to.
        service.completed = None;
        service.steady_at = None;
        service.steady_said = false;
    }

    fn rolled_back_to(&self, number: u64) -> Deployment {
        Deployment {
            number,
            status: DeploymentStatus::Primary,
            created_at: self.now,
            updated_at: self.now,
            failed_tasks: 0,
            state: RolloutState::InProgress,
            reason: format!("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/{number}."),
            proven: false,
            failed_in_a_row: 0,
            rounds: 0,
            retry_at: None,
            launches: Launches::Allowed,
            shown: FailedDeployments::Failed,
        }
    }

    /// The PRIMARY deployment is completed, all others leave `deployments[]`.
    pub(super) fn reach_steady_state(&mut self, service: &mut Service, number: u64) {
        service.deployments.retain(|deployment| deployment.number == number);
        service.steady_said = true;
        let mut news = false;
        for deployment in
            service.deployments.iter_mut().filter(|deployment| deployment.state != RolloutState::Completed)
        {
            deployment.state = RolloutState::Completed;
            deployment.reason = format!("ECS deployment ecs-svc/{number} completed.");
            deployment.updated_at = self.now;
            news = true;
        }
        service.completed = Some(number);
        if news {
            service.events.say(
                &service.name,
                self.now,
                &format!("(deployment ecs-svc/{number}) deployment completed."),
            );
            self.finish_rollout(service);
        }
        service.events.say(&service.name, self.now, "has reached a steady state.");
    }

    fn finish_rollout(&self, service: &mut Service) {
        let Some(index) = service.rollouts.len().checked_sub(1) else {
            return;
        };
        let counts = service.counts(service.rollouts[index].target, self.now);
        let rollout = &mut service.rollouts[index];
        let end = match rollout.status {
            RolloutStatus::InProgress => RolloutStatus::Successful,
            RolloutStatus::RollbackInProgress => RolloutStatus::RollbackSuccessful,
            RolloutStatus::Pending
            | RolloutStatus::StopRequested
            | RolloutStatus::Stopped
            | RolloutStatus::Successful
            | RolloutStatus::RollbackRequested
            | RolloutStatus::RollbackSuccessful
            | RolloutStatus::RollbackFailed => return,
        };
        rollout.status = end;
        (rollout.updated_at, rollout.finished_at, rollout.final_counts) = (self.now, Some(self.now), Some(counts));
        if rollout.breaker.status == BreakerStatus::Monitoring {
            rollout.breaker.status = BreakerStatus::MonitoringComplete;
        }
    }
}

/// Failed tasks of the revision that is rolled back to.
fn rollback_failures(service: &Service) -> usize {
    service.primary().map_or(0, |primary| primary.failed_in_a_row)
}

impl Rollout {
    fn breaker_setting(&self, name: &str) -> &Value {
        &self.configuration["deploymentCircuitBreaker"][name]
    }

    fn rolls_back(&self) -> bool {
        self.breaker_setting("rollback") == &json!(true)
    }

    fn resets(&self) -> bool {
        self.breaker_setting("resetOnHealthyTask") != &json!(false)
    }

    /// How many failed tasks trip the breaker: by default half of the desired count, at least 3 and at most 200.
    pub fn threshold(&self, desired: usize) -> usize {
        let given = self.breaker_setting("thresholdConfiguration");
        let value = given["value"].as_u64().unwrap_or(50) as usize;
        let percent = (desired * value).div_ceil(100);
        match given["type"].as_str() {
            Some("COUNT") => value,
            Some("UNBOUNDED_PERCENT") => percent.max(1),
            _ => percent.clamp(3, 200),
        }
    }
}
