//! ECS's service scheduler: brings one service to a time, step by step. Which deployment has failed is judged in `verdicts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::arns::arn;
use super::clusters::Cluster;
use super::definitions::Family;
use super::events::named;
use super::service_calls::task_tags;
use super::state::{
    Breaker, BreakerStatus, Counts, Deployment, DeploymentStatus, Launches, Revision, Rollout, RolloutState,
    RolloutStatus, Service, ServiceStatus,
};
use super::stories::Library;
use super::tasks::{Counted, Owner, Start, Task, Watched};
use super::timing::Timing;
use crate::ids::Ids;
use crate::{Place, World};

/// What a service is settled with.
pub(super) struct Scheduler<'a> {
    pub place: &'a Place,
    pub families: &'a BTreeMap<String, Family>,
    pub timing: &'a Timing,
    pub library: Library<'a>,
    pub ids: &'a mut Ids,
    pub now: Timestamp,
}

/// ECS keeps service deployments for 90 days.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Brings every service whose time has come to `now`.
pub(super) fn advance(world: &mut World, now: Timestamp) {
    let places: Vec<Place> = world
        .ecs
        .iter()
        .filter(|(_, state)| state.next_event().is_some_and(|due| due <= now))
        .map(|(place, _)| place.clone())
        .collect();
    for place in places {
        while let Some((_, cluster, name)) = next_due(world, &place, now) {
            settle(world, &place, &cluster, &name);
        }
    }
}

fn next_due(world: &World, place: &Place, now: Timestamp) -> Option<(Timestamp, String, String)> {
    world.ecs.get(place)?.agenda.first().filter(|(due, _, _)| *due <= now).cloned()
}

/// Brings one service to the world's time.
pub(super) fn settle(world: &mut World, place: &Place, cluster: &str, name: &str) {
    with_service(world, place, cluster, name, |scheduler, service| scheduler.settle(service));
}

/// Starts a deployment of the service as it now is set, and brings it to the world's time.
pub(super) fn begin_deployment(world: &mut World, place: &Place, cluster: &str, name: &str) {
    with_service(world, place, cluster, name, |scheduler, service| {
        scheduler.begin(service);
        scheduler.settle(service);
    });
}

/// Runs `act` on a service and writes down when it moves next.
pub(super) fn with_service(
    world: &mut World,
    place: &Place,
    cluster: &str,
    name: &str,
    act: impl FnOnce(&mut Scheduler<'_>, &mut Service),
) {
    let now = world.now();
    let Some(mut state) = world.ecs.get_mut(place).map(std::mem::take) else {
        return;
    };
    let library = Library { ecr: &world.ecr, told: &world.image_story };
    let mut scheduler =
        Scheduler { place, families: &state.families, timing: &state.timing, library, ids: &mut world.ids, now };
    let due = state.clusters.get_mut(cluster).and_then(|cluster| touched(cluster, name, &mut scheduler, act));
    if let Some((before, after)) = due {
        let entry = |due| (due, cluster.to_owned(), name.to_owned());
        before.map(|due| state.agenda.remove(&entry(due)));
        after.map(|due| state.agenda.insert(entry(due)));
    }
    world.ecs.insert(place.clone(), state);
}

type Due = Option<Timestamp>;

fn touched(
    cluster: &mut Cluster,
    name: &str,
    scheduler: &mut Scheduler<'_>,
    act: impl FnOnce(&mut Scheduler<'_>, &mut Service),
) -> Option<(Due, Due)> {
    let service = cluster.services.get_mut(name)?;
    let before = service.due;
    act(scheduler, service);
    if scheduler.gone(service) {
        cluster.services.remove(name);
        return Some((before, None));
    }
    service.due = scheduler.next(service);
    Some((before, service.due))
}

impl Scheduler<'_> {
    /// A new revision, its deployment and its rollout; what was under way is superseded.
    fn begin(&mut self, service: &mut Service) {
        let sources = self.sources(service);
        let number = self.ids.number();
        service.revisions.push(Arc::new(self.revision(service, number)));
        self.supersede(service);
        service.deployments.insert(0, self.deployment(number));
        let rollout = self.rollout(service, number, sources);
        service.rollouts.push(rollout);
        service.steady_at = None;
        service.steady_said = false;
    }

    fn sources(&self, service: &Service) -> Vec<(u64, Counts)> {
        let counted = service
            .deployments
            .iter()
            .map(|deployment| (deployment.number, service.counts(deployment.number, self.now)));
        counted.filter(|(_, counts)| counts.running + counts.pending > 0).collect()
    }

    fn revision(&self, service: &Service, number: u64) -> Revision {
        let definition = service.settings.text("taskDefinition").to_owned();
        let images = self.definition(&definition).map(|definition| definition.images()).unwrap_or_default();
        Revision {
            number,
            arn: arn(self.place, &format!("service-revision/{}/{}/{number}", service.cluster, service.name)),
            definition,
            settings: service.settings.clone(),
            images: images.into_iter().map(|(name, image)| (name, image, None)).collect(),
            created_at: self.now,
        }
    }

    fn deployment(&self, number: u64) -> Deployment {
        Deployment {
            number,
            status: DeploymentStatus::Primary,
            created_at: self.now,
            updated_at: self.now,
            failed_tasks: 0,
            state: RolloutState::InProgress,
            reason: format!("ECS deployment ecs-svc/{number} in progress."),
            rounds: 0,
            retry_at: None,
            launches: Launches::Later,
        }
    }

    fn rollout(&mut self, service: &Service, target: u64, sources: Vec<(u64, Counts)>) -> Rollout {
        let configuration = service.settings.member("deploymentConfiguration").clone();
        let enabled = configuration["deploymentCircuitBreaker"]["enable"] == json!(true);
        let status = if enabled { BreakerStatus::Monitoring } else { BreakerStatus::Disabled };
        let id = self.ids.letters(21);
        Rollout {
            arn: arn(self.place, &format!("service-deployment/{}/{}/{id}", service.cluster, service.name)),
            target,
            sources,
            status: RolloutStatus::Pending,
            status_reason: None,
            created_at: self.now,
            started_at: None,
            finished_at: None,
            stopped_at: None,
            updated_at: self.now,
            rollback: None,
            breaker: Breaker { status, failures: 0 },
            configuration: Arc::new(configuration),
            visible_at: self.now + self.timing.pending,
            moves_at: Some(self.now + self.timing.pending),
            final_counts: None,
        }
    }

    fn supersede(&self, service: &mut Service) {
        for deployment in &mut service.deployments {
            deployment.status = DeploymentStatus::Active;
            deployment.launches = Launches::Ended;
            deployment.updated_at = self.now;
        }
        for rollout in service
            .rollouts
            .iter_mut()
            .filter(|rollout| !rollout.status.over() && rollout.status != RolloutStatus::StopRequested)
        {
            rollout.status = RolloutStatus::StopRequested;
            rollout.status_reason =
                Some("Service deployment was stopped because a new service deployment was started.".to_owned());
            rollout.updated_at = self.now;
            rollout.moves_at = Some(self.now + self.timing.yielding);
        }
    }

    /// Brings the service to `now`, which is at most one of its events away.
    pub(super) fn settle(&mut self, service: &mut Service) {
        self.move_rollouts(service);
        self.note_tasks(service);
        self.judge(service);
        match service.status {
            ServiceStatus::Active => {
                self.scale(service);
                self.complete(service);
            }
            ServiceStatus::Draining => self.drain(service),
            ServiceStatus::Inactive => {}
        }
        self.forget(service);
    }

    fn move_rollouts(&mut self, service: &mut Service) {
        for index in 0..service.rollouts.len() {
            let counts = service.counts(service.rollouts[index].target, self.now);
            let rollout = &mut service.rollouts[index];
            if rollout.moves_at.is_none_or(|at| at > self.now) {
                continue;
            }
            rollout.moves_at = None;
            rollout.updated_at = self.now;
            match rollout.status {
                RolloutStatus::Pending => self.start_rollout(service, index),
                RolloutStatus::StopRequested => {
                    rollout.status = RolloutStatus::Stopped;
                    rollout.stopped_at = Some(self.now);
                    rollout.finished_at = Some(self.now);
                    rollout.final_counts = Some(counts);
                }
                RolloutStatus::RollbackRequested => self.roll_back_as_asked(service, index),
                RolloutStatus::InProgress
                | RolloutStatus::RollbackInProgress
                | RolloutStatus::Stopped
                | RolloutStatus::Successful
                | RolloutStatus::RollbackSuccessful
                | RolloutStatus::RollbackFailed => {}
            }
        }
    }

    fn start_rollout(&mut self, service: &mut Service, index: usize) {
        let rollout = &mut service.rollouts[index];
        rollout.status = RolloutStatus::InProgress;
        rollout.started_at = Some(self.now);
        let target = rollout.target;
        if let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == target) {
            deployment.launches = Launches::Allowed;
        }
    }

    /// Starts what is missing of the PRIMARY deployment and stops what is too much, within the two percents.
    fn scale(&mut self, service: &mut Service) {
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
        let started: Vec<String> = (0..count).filter_map(|_| self.start_task(service, primary.number)).collect();
        if !started.is_empty() {
            let names = named(started.iter().map(String::as_str));
            service.events.say(&service.name, self.now, &format!("has started {} tasks: {names}.", started.len()));
            service.steady_said = false;
        }
    }

    fn start_task(&mut self, service: &mut Service, number: u64) -> Option<String> {
        let revision = service.revisions.iter().position(|revision| revision.number == number)?;
        let kept = service.revisions[revision].clone();
        let definition = self.definition(&kept.definition)?.clone();
        let watched = match kept.settings.target_group() {
            Some(group) => Watched::TargetGroup(group.to_owned()),
            None if definition.containers().iter().any(|container| container.get("healthCheck").is_some()) => {
                Watched::Container
            }
            None => Watched::No,
        };
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
                launch_type: kept.settings.text("launchType").to_owned(),
                grace: kept.settings.grace(),
                timing: self.timing,
                now: self.now,
            },
            self.library,
        );
        pin(&mut service.revisions[revision], &task);
        service.tasks.push(task);
        Some(id)
    }

    pub(super) fn definition(&self, arn: &str) -> Option<&Arc<super::definitions::Definition>> {
        let (family, revision) = arn.rsplit_once('/')?.1.split_once(':')?;
        self.families.get(family)?.revisions.get(revision.parse::<usize>().ok()?.checked_sub(1)?)
    }

    fn wanted(&self, service: &Service, number: u64) -> usize {
        service.tasks.iter().filter(|task| task.revision() == Some(number) && task.wanted(self.now)).count()
    }

    /// Stops up to `count` of the wanted tasks that `which` names: those that are not healthy first, then the oldest.
    fn stop_tasks(&self, service: &mut Service, by: u64, count: usize, which: impl Fn(&Task) -> bool) {
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
        if let Some(group) = service.settings.target_group().map(str::to_owned) {
            service.events.say(
                &service.name,
                self.now,
                &format!("deregistered {} targets in (target-group {group})", chosen.len()),
            );
            service.events.say(
                &service.name,
                self.now,
                &format!("has begun draining connections on {} tasks.", chosen.len()),
            );
        }
    }

    /// A steady state: everything that is wanted is healthy, everything else is STOPPED, for a moment.
    fn complete(&mut self, service: &mut Service) {
        let Some(primary) = service.primary().filter(|primary| primary.launches == Launches::Allowed) else {
            return;
        };
        let number = primary.number;
        let healthy =
            service.tasks.iter().filter(|task| task.revision() == Some(number) && task.healthy(self.now)).count();
        let wanted = self.wanted(service, number);
        let gone = |task: &Task| {
            task.revision() == Some(number) || task.end.as_ref().is_some_and(|end| end.stopped_at <= self.now)
        };
        let asked_back =
            service.latest_rollout().is_some_and(|rollout| rollout.status == RolloutStatus::RollbackRequested);
        if asked_back || healthy < service.desired || wanted != service.desired || !service.tasks.iter().all(gone) {
            service.steady_at = None;
            service.steady_said = false;
            return;
        }
        let steady_at = *service.steady_at.get_or_insert(self.now + self.timing.steady);
        if steady_at <= self.now && !service.steady_said {
            self.reach_steady_state(service, number);
        }
    }

    fn drain(&mut self, service: &mut Service) {
        let by = service.primary().map_or(0, |primary| primary.number);
        self.stop_tasks(service, by, usize::MAX, |_| true);
        if service.tasks.iter().all(|task| task.end.as_ref().is_some_and(|end| end.stopped_at <= self.now)) {
            service.status = ServiceStatus::Inactive;
            service.inactive_at = Some(self.now);
            service.deployments.clear();
            service.rollouts.clear();
        }
    }

    fn forget(&self, service: &mut Service) {
        service.tasks.retain(|task| task.counted != Counted::Ended || task.visible(self.now));
        let oldest = self.now - HISTORY;
        if service.rollouts.first().is_some_and(|rollout| rollout.created_at < oldest) {
            let last = service.rollouts.len() - 1;
            let mut index = 0;
            service.rollouts.retain(|rollout| {
                index += 1;
                index > last || rollout.created_at >= oldest
            });
        }
        // Deployments that came to nothing leave at once; one that failed stays until its rollback is over.
        let tasks = &service.tasks;
        let lives = |number: u64| {
            tasks.iter().any(|task| {
                task.revision() == Some(number) && task.end.as_ref().is_none_or(|end| end.stopped_at > self.now)
            })
        };
        service.deployments.retain(|deployment| {
            deployment.status == DeploymentStatus::Primary
                || deployment.state == RolloutState::Failed
                || lives(deployment.number)
        });
    }

    fn gone(&self, service: &Service) -> bool {
        service.inactive_at.is_some_and(|at| at + self.timing.inactive <= self.now)
    }

    /// When the service moves next.
    fn next(&self, service: &Service) -> Option<Timestamp> {
        if let Some(at) = service.inactive_at {
            return Some(at + self.timing.inactive);
        }
        let tasks = service.tasks.iter().filter_map(|task| task.next(self.now)).min();
        let rollouts = service.rollouts.iter().filter_map(|rollout| rollout.moves_at).min();
        let steady = service.steady_at.filter(|_| !service.steady_said);
        let retry = service.primary().and_then(|primary| primary.retry_at);
        [tasks, rollouts, steady, retry].into_iter().flatten().filter(|at| *at > self.now).min()
    }
}

/// The first task of a revision fixes its digests.
fn pin(revision: &mut Arc<Revision>, task: &Task) {
    if revision.images.iter().all(|(_, _, digest)| digest.is_some()) {
        return;
    }
    for ((_, _, digest), container) in Arc::make_mut(revision).images.iter_mut().zip(task.containers.iter()) {
        if digest.is_none() {
            digest.clone_from(&container.digest);
        }
    }
}
