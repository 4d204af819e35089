//! ECS's service scheduler: brings one service to a time, step by step. Tasks are started and stopped in `scaling`, judged in `verdicts`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::clusters::Cluster;
use super::definitions::Family;
use super::obstacles;
use super::state::{
    CrashLoops, DeploymentStatus, EcsState, FailedDeployments, Launches, RolloutState, RolloutStatus, Service,
    ServiceStatus, Unplaced, Unrollable,
};
use super::stories::Library;
use super::tasks::{Counted, Task};
use super::timing::Timing;
use crate::ids::Ids;
use crate::logs::LogsState;
use crate::{Place, World};

/// What a service is settled with.
pub(super) struct Scheduler<'a> {
    pub place: &'a Place,
    pub families: &'a BTreeMap<String, Family>,
    pub timing: &'a Timing,
    pub unrollable: Unrollable,
    pub crash_loops: CrashLoops,
    pub unplaced: Unplaced,
    pub failed_deployments: FailedDeployments,
    pub library: Library<'a>,
    pub ids: &'a mut Ids,
    pub logs: &'a mut BTreeMap<Place, LogsState>,
    /// CPU that the tasks of other services have in use on Fargate, in units of 1/1024 vCPU; counted only if there is a bound.
    pub used_beside: u64,
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
    let library = Library { ecr: &world.ecr, told: &world.image_story, iam: &world.iam, place, lacks: &state.lacks };
    let used_beside = state.lacks.most_vcpus().map_or(0, |_| used_beside(&state, (cluster, name), now));
    let mut scheduler = Scheduler {
        place,
        families: &state.families,
        timing: &state.timing,
        unrollable: state.unrollable,
        crash_loops: state.crash_loops,
        unplaced: state.unplaced,
        failed_deployments: state.failed_deployments,
        library,
        ids: &mut world.ids,
        logs: &mut world.logs,
        used_beside,
        now,
    };
    let due = state.clusters.get_mut(cluster).and_then(|cluster| touched(cluster, name, &mut scheduler, act));
    if let Some((before, after)) = due {
        let entry = |due| (due, cluster.to_owned(), name.to_owned());
        before.map(|due| state.agenda.remove(&entry(due)));
        after.map(|due| state.agenda.insert(entry(due)));
    }
    world.ecs.insert(place.clone(), state);
}

fn used_beside(state: &EcsState, (cluster, name): (&str, &str), now: Timestamp) -> u64 {
    let clusters = state.clusters.iter();
    let used = clusters.map(|(its_name, found)| {
        let others = found.services.values().filter(|service| its_name != cluster || service.name != name);
        obstacles::used(others.flat_map(|service| &service.tasks).chain(&found.runs), now)
    });
    used.sum()
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

    /// INACTIVE once every task is STOPPING or STOPPED [API_DeleteService].
    fn drain(&mut self, service: &mut Service) {
        let by = service.primary().map_or(0, |primary| primary.number);
        self.stop_tasks(service, by, usize::MAX, |_| true);
        let leaves = |task: &Task| task.end.as_ref().is_some_and(|end| end.drained_at <= self.now);
        let yielded = self.yields_at(service).is_none_or(|at| at <= self.now);
        if yielded && service.tasks.iter().all(leaves) {
            service.status = ServiceStatus::Inactive;
            service.inactive_at = Some(self.now);
            service.deployments.clear();
            service.rollouts.clear();
        }
    }

    /// Until when a deleted service is DRAINING at the least.
    fn yields_at(&self, service: &Service) -> Option<Timestamp> {
        Some(service.draining_since? + self.timing.yielding)
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
        [tasks, rollouts, steady, retry, self.yields_at(service)]
            .into_iter()
            .flatten()
            .filter(|at| *at > self.now)
            .min()
    }
}
