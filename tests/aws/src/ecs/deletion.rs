//! DeleteService: ACTIVE, DRAINING, INACTIVE, gone. The draining itself is in `scheduler`.

use super::clusters::meant;
use super::scheduler;
use super::service_calls::{may, not_found, target, view_of};
use super::service_rules::invalid;
use super::state::{RolloutStatus, Service, ServiceStatus};
use crate::{Answer, Call, World};

/// `DeleteService`: without `force`, only what is scaled to nothing.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    let (cluster, name) = target(call)?;
    may(world, call, "ecs:DeleteService", &cluster, &name, &[])?;
    meant(world.ecs.get(&call.place()), call)?;
    let place = call.place();
    let service = world
        .ecs
        .get_mut(&place)
        .and_then(|state| state.clusters.get_mut(&cluster)?.services.get_mut(&name))
        .ok_or_else(not_found)?;
    match service.status {
        ServiceStatus::Inactive => return Err(not_found()),
        ServiceStatus::Draining => {}
        ServiceStatus::Active if !call.flag("force") && scaled(service, call) => {
            return Err(invalid("The service cannot be stopped while it is scaled above 0."));
        }
        ServiceStatus::Active => begin(service, call),
    }
    scheduler::settle(world, &place, &cluster, &name);
    view_of(world, call, &cluster, &name)
}

fn scaled(service: &Service, call: &Call) -> bool {
    service.desired > 0 || service.total(call.now).running > 0
}

fn begin(service: &mut Service, call: &Call) {
    service.status = ServiceStatus::Draining;
    service.draining_since = Some(call.now);
    service.desired = 0;
    service.steady_at = None;
    for rollout in service.rollouts.iter_mut().filter(|rollout| !rollout.status.over()) {
        rollout.status = RolloutStatus::Stopped;
        rollout.moves_at = None;
        (rollout.stopped_at, rollout.finished_at, rollout.updated_at) = (Some(call.now), Some(call.now), call.now);
    }
}
