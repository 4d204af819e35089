//! Which tasks a service starts and stops, within its two percents. Whether it is steady then is in `scheduler`.

use std::sync::Arc;

use super::definitions::Definition;
use super::events::named;
use super::health::Watched;
use super::obstacles::{self, Asked, Obstacle, Room};
use super::scheduler::Scheduler;
use super::service_calls::task_tags;
use super::state::{Deployment, Launches, Revision, RolloutState, Service, Unplaced};
use super::stories::Library;
use super::tasks::{Owner, Start, Task};

impl Scheduler<'_> {
    /// Starts what is missing of the PRIMARY deployment and stops what is too much, within the two percents.
    pub(super) fn scale(&mut self, service: &mut Service) {
        let Some(primary) = service.primary().cloned() else {
            return;
        };
        self.stop_failed(service, &primary);
        match primary.launches {
            Launches::Later | Launches::Ended => {}
            Launches::Allowed => {
                self.stop_surplus(service, &primary);
                self.stop_old(service, &primary);
                self.launch(service, &primary);
            }
        }
    }

    /// Tasks of deployments that have failed and are not yet healthy serve nobody.
    fn stop_failed(&self, service: &mut Service, primary: &Deployment) {
        let failed: Vec<u64> = service
            .deployments
            .iter()
            .filter(|other| other.state == RolloutState::Failed && other.number != primary.number)
            .map(|other| other.number)
            .collect();
        let doomed =
            |task: &Task, now| task.revision().is_some_and(|revision| failed.contains(&revision)) && !task.healthy(now);
        let now = self.now;
        self.stop_tasks(service, primary.number, usize::MAX, |task| doomed(task, now));
    }

    fn stop_surplus(&self, service: &mut Service, primary: &Deployment) {
        let own = self.wanted(service, primary.number);
        let surplus = own.saturating_sub(service.desired);
        self.stop_tasks(service, primary.number, surplus, |task| task.revision() == Some(primary.number));
    }

    /// Old tasks go when healthy new ones are there, or when there is no room for new ones otherwise.
    fn stop_old(&self, service: &mut Service, primary: &Deployment) {
        let all = service.tasks.iter().filter(|task| task.wanted(self.now)).count();
        let own = self.wanted(service, primary.number);
        let old = all - own;
        if old == 0 {
            return;
        }
        let (minimum, maximum) = service.settings.bounds(service.desired);
        let healthy = |service: &Service, own: bool| {
            service
                .tasks
                .iter()
                .filter(|task| task.healthy(self.now) && (task.revision() == Some(primary.number)) == own)
                .count()
        };
        let (own_healthy, old_healthy) = (healthy(service, true), healthy(service, false));
        let replaced = (own_healthy + old).saturating_sub(service.desired);
        let missing = service.desired.saturating_sub(own);
        let in_the_way = if missing > 0 { missing.saturating_sub(maximum.saturating_sub(all)) } else { 0 };
        let unhealthy = old - old_healthy;
        let spare = (own_healthy + old_healthy).saturating_sub(minimum);
        let count = replaced.max(in_the_way).min(unhealthy + spare);
        if count == 0 && in_the_way > 0 && in_the_way == missing && spare == 0 && unhealthy == 0 {
            self.stuck(service);
        }
        self.stop_tasks(service, primary.number, count, |task| task.revision() != Some(primary.number));
    }

    fn stuck(&self, service: &mut Service) {
        const SENTENCE: &str = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
        if !service.events.iter().next().is_some_and(|event| event.message.ends_with(SENTENCE)) {
            service.events.say(&service.name, self.now, SENTENCE);
        }
    }

    fn launch(&mut self, service: &mut Service, primary: &Deployment) {
        if primary.retry_at.is_some_and(|at| at > self.now) {
            return;
        }
        let all = service.tasks.iter().filter(|task| task.wanted(self.now)).count();
        let missing = service.desired.saturating_sub(self.wanted(service, primary.number));
        let (_, maximum) = service.settings.bounds(service.desired);
        let count = missing.min(maximum.saturating_sub(all));
        let mut started = Vec::new();
        for _ in 0..count {
            match self.start_task(service, primary.number) {
                Some(Ok(id)) => started.push(id),
                Some(Err(obstacle)) => {
                    self.miss(service, primary.number, &obstacle);
                    break;
                }
                None => break,
            }
        }
        if !started.is_empty() {
            let names = named(started.iter().map(String::as_str));
            service.events.say(&service.name, self.now, &format!("has started {} tasks: {names}.", started.len()));
            service.steady_said = false;
        }
    }

    /// No task comes of it for now: the event says why, and it is tried again.
    fn miss(&self, service: &mut Service, number: u64, obstacle: &Obstacle) {
        service.events.say_once(&service.name, self.now, &obstacle.event());
        match self.unplaced {
            Unplaced::Counted => self.count_failure(service, number),
            Unplaced::Overlooked => {}
        }
        if let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == number) {
            deployment.retry_at = Some(self.now + self.timing.unplaced);
        }
    }

    fn start_task(&mut self, service: &mut Service, number: u64) -> Option<Result<String, Obstacle>> {
        let revision = service.revisions.iter().position(|revision| revision.number == number)?;
        let kept = service.revisions[revision].clone();
        let definition = self.definition(&kept.definition)?.clone();
        if let Err(obstacle) = self.room(service, &kept, &definition) {
            return Some(Err(obstacle));
        }
        let targets = kept.settings.targets();
        let sick = targets.iter().map(|(group, _)| group.clone());
        let sick = sick.filter(|group| self.library.lacks.healthy_targets(group)).collect();
        let watched = Watched::Service { targets, sick, grace: kept.settings.grace() };
        let id = self.ids.hex(32);
        let task = Task::start(
            Start {
                id: id.clone(),
                tags: task_tags(service, &definition),
                definition,
                owner: Owner::Service { name: service.name.clone(), revision: number },
                images: kept.images.clone(),
                watched,
                network: Arc::new(kept.settings.member("networkConfiguration").clone()),
                launch_type: kept.settings.launch_type().to_owned(),
                platform: kept.settings.platform().map(str::to_owned),
                execute_command: service.settings.member("enableExecuteCommand") == true,
                timing: self.timing,
                crash_loops: self.crash_loops,
                now: self.now,
            },
            self.library,
        );
        pin(&mut service.revisions[revision], &task);
        service.tasks.push(task);
        Some(Ok(id))
    }

    fn room(&self, service: &Service, revision: &Revision, definition: &Definition) -> Result<(), Obstacle> {
        let Library { lacks, iam, .. } = self.library;
        let network = revision.settings.member("networkConfiguration");
        let used = self.used_beside + obstacles::used(service.tasks.iter(), self.now);
        let (launch_type, strategy) =
            (revision.settings.launch_type(), revision.settings.member("capacityProviderStrategy"));
        obstacles::none(&Asked { lacks, iam, definition, network }, Room { launch_type, strategy, used })
    }

    pub(super) fn definition(&self, arn: &str) -> Option<&Arc<Definition>> {
        let (family, revision) = arn.rsplit_once('/')?.1.split_once(':')?;
        self.families.get(family)?.revisions.get(revision.parse::<usize>().ok()?.checked_sub(1)?)
    }

    pub(super) fn wanted(&self, service: &Service, number: u64) -> usize {
        service.tasks.iter().filter(|task| task.revision() == Some(number) && task.wanted(self.now)).count()
    }

    /// Stops up to `count` of the wanted tasks that `which` names: those that are not healthy first, then the oldest.
    pub(super) fn stop_tasks(&self, service: &mut Service, by: u64, count: usize, which: impl Fn(&Task) -> bool) {
        let mut chosen: Vec<usize> = (0..service.tasks.len())
            .filter(|index| service.tasks[*index].wanted(self.now) && which(&service.tasks[*index]))
            .collect();
        chosen.sort_by_key(|index| service.tasks[*index].healthy(self.now));
        chosen.truncate(count);
        if chosen.is_empty() {
            return;
        }
        let reason = format!("Scaling activity initiated by (deployment ecs-svc/{by})");
        for index in &chosen {
            service.tasks[*index].stop(self.now, "ServiceSchedulerInitiated", reason.clone(), self.timing);
        }
        let names = named(chosen.iter().map(|index| &*service.tasks[*index].id));
        service.events.say(&service.name, self.now, &format!("has stopped {} running tasks: {names}.", chosen.len()));
        let targets = service.settings.targets();
        for (group, _) in &targets {
            let said = format!("deregistered {} targets in (target-group {group})", chosen.len());
            service.events.say(&service.name, self.now, &said);
        }
        if !targets.is_empty() {
            let said = format!("has begun draining connections on {} tasks.", chosen.len());
            service.events.say(&service.name, self.now, &said);
        }
    }
}

/// The first task of a revision fixes its digests, but of containers whose `versionConsistency` is disabled.
fn pin(revision: &mut Arc<Revision>, task: &Task) {
    if revision.images.iter().all(|(_, _, digest)| digest.is_some()) {
        return;
    }
    let given = task.definition.containers().iter();
    let pinned = task
        .containers
        .iter()
        .zip(given)
        .map(|(container, given)| container.digest.clone().filter(|_| given["versionConsistency"] != "disabled"));
    for ((_, _, digest), pinned) in Arc::make_mut(revision).images.iter_mut().zip(pinned) {
        *digest = digest.take().or(pinned);
    }
}
