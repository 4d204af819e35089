//! Harm of rollouts: a failed meaning rolled again, a service that goes back in time.

use jiff::Timestamp;
use launchway_test_aws::ecs::{Rollout, RolloutStatus, Service};

use crate::world::World;
use crate::world::sample::{self, place};

fn services(world: &World) -> Vec<Service> {
    let aws = world.aws();
    let clusters = aws.ecs.get(&place()).into_iter().flat_map(|ecs| ecs.clusters.values());
    clusters.flat_map(|cluster| cluster.services.values().cloned()).collect()
}

/// Rollouts of what an earlier one had failed with, while nothing was granted in between.
pub(super) fn rerolls(world: &World) -> Vec<String> {
    let mut again = Vec::new();
    for service in services(world) {
        for (at, rollout) in service.rollouts.iter().enumerate() {
            let earlier = service.rollouts[..at].iter().filter(|earlier| failed(earlier));
            let same = earlier.filter(|earlier| definition(&service, earlier) == definition(&service, rollout));
            let granted = |when: Timestamp| grant(world, &service.name, when);
            let mut same = same.filter(|earlier| granted(earlier.created_at) == granted(rollout.created_at));
            if same.next().is_some() {
                again.push(format!("{} rolls {} again", service.name, definition(&service, rollout)));
            }
        }
    }
    again
}

fn failed(rollout: &Rollout) -> bool {
    match rollout.status {
        RolloutStatus::RollbackRequested
        | RolloutStatus::RollbackInProgress
        | RolloutStatus::RollbackSuccessful
        | RolloutStatus::RollbackFailed => true,
        RolloutStatus::Pending
        | RolloutStatus::InProgress
        | RolloutStatus::StopRequested
        | RolloutStatus::Stopped
        | RolloutStatus::Successful => false,
    }
}

fn definition(service: &Service, rollout: &Rollout) -> String {
    service.revision(rollout.target).map(|revision| revision.definition.clone()).unwrap_or_default()
}

/// The grant of the Service's stage at that time, and the generation of the Service.
fn grant(world: &World, service: &str, when: Timestamp) -> (i64, i64) {
    let stage = if service == sample::SERVICES[0] { "staging" } else { "prod" };
    let writes = world.store.writes();
    let before = || writes.iter().rev().filter(|write| write.at <= when);
    let stages =
        before().find(|write| &*write.kind == "Pipeline").map(|write| &write.object.value()["status"]["stages"]);
    let stages = stages.and_then(|stages| stages.as_array()).into_iter().flatten();
    let grant = stages.filter(|one| one["name"] == stage).find_map(|one| one["grant"]["number"].as_i64());
    let object = before().find(|write| &*write.kind == "Service" && write.name == service);
    let generation = object.and_then(|write| write.object.value()["metadata"]["generation"].as_i64());
    (grant.unwrap_or_default(), generation.unwrap_or_default())
}

/// Services that rolled to commits in another order than a story allows.
pub(super) fn backwards(world: &World, order: &[&str]) -> Vec<String> {
    let names = world.commits_by_digest();
    let order: Vec<(&str, String)> = order.iter().map(|name| (*name, sample::commit(name))).collect();
    let mut wrong = Vec::new();
    for service in services(world) {
        let mut rest = order.iter().peekable();
        for rollout in &service.rollouts {
            let Some(revision) = service.revision(rollout.target) else { continue };
            let image = revision.images.first().map_or("", |(_, image, _)| image.as_str());
            let digest = image.split_once('@').map_or(image, |(_, digest)| digest);
            let commit = names.get(digest).map_or(digest, String::as_str);
            while rest.peek().is_some_and(|(_, next)| next != commit) {
                rest.next();
            }
            if rest.peek().is_none() {
                wrong.push(format!("{} went to {commit} after what came later", service.name));
                break;
            }
        }
    }
    wrong
}
