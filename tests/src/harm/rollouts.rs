//! Harm of rollouts: a failed meaning rolled again, the same thing rolled once more, a service that goes back in time.

use std::collections::BTreeMap;

use launchway_test_aws::ecs::{Rollout, RolloutStatus, Service};
use serde_json::Value;

use super::content::{circumstances, definitions, plain, services};
use crate::world::{World, is_by_person, sample};

/// The members of a service that start a rollout, beside its task definition, and where its tasks run, which a rollout
/// that was forced may change.
const ROLLED: [&str; 11] = [
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "monitoring",
    "gatewayConnectors",
    "launchType",
    "capacityProviderStrategy",
];

/// Rollouts of what an earlier one had brought or failed with, in the same circumstances. What was left in between for
/// something else that came to its end may be rolled again.
pub(super) fn rerolls(world: &World) -> Vec<String> {
    let (definitions, writes) = (definitions(world), world.store.writes());
    let mut again = Vec::new();
    for service in services(world) {
        let when = |rollout: &Rollout| circumstances(&writes, &service.name, rollout.created_at);
        let what: Vec<Value> = service.rollouts.iter().map(|one| rolled(&service, one, &definitions)).collect();
        for (at, rollout) in service.rollouts.iter().enumerate() {
            if by_person(world, &service.name, rollout) {
                continue;
            }
            let left = (0..at).rev().find(|&earlier| {
                let same = what[earlier] == what[at];
                same && (failed(&service.rollouts[earlier]) || earlier + 1 == at)
            });
            if left.is_some_and(|earlier| when(&service.rollouts[earlier]) == when(rollout)) {
                again.push(format!("{} rolls what it has rolled before, in {}", service.name, rollout.arn));
            }
        }
    }
    again
}

/// Whether a person asked for it.
fn by_person(world: &World, service: &str, rollout: &Rollout) -> bool {
    world.aws().log.iter().any(|entry| {
        let of = entry.input["service"].as_str().is_some_and(|named| named.rsplit('/').next() == Some(service));
        entry.operation == "UpdateService" && of && entry.at == rollout.created_at && is_by_person(entry)
    })
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

/// What a rollout brings: the content of its task definition, and the settings that start one.
fn rolled(service: &Service, rollout: &Rollout, definitions: &BTreeMap<String, Value>) -> Value {
    let Some(revision) = service.revision(rollout.target) else { return Value::Null };
    let content = definitions.get(&revision.definition).cloned().unwrap_or_default();
    let settings = ROLLED.map(|name| plain(revision.settings.member(name)));
    Value::from([vec![content], settings.to_vec()].concat())
}

/// Services that rolled to commits in another order than a story allows. Images that no build pushed are not looked at.
pub(super) fn backwards(world: &World, order: &[&str]) -> Vec<String> {
    let names = world.commits_by_digest();
    let order: Vec<(&str, String)> = order.iter().map(|name| (*name, sample::commit(name))).collect();
    let mut wrong = Vec::new();
    for service in services(world) {
        let mut rest = order.iter().peekable();
        for rollout in &service.rollouts {
            let Some(revision) = service.revision(rollout.target) else { continue };
            let digests = revision.images.iter().filter_map(|(_, image, _)| image.split_once('@'));
            let Some(commit) = digests.filter_map(|(_, digest)| names.get(digest)).next() else { continue };
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

/// Services that rolled to an image that a build pushed which did not succeed.
pub(super) fn left(world: &World) -> Vec<String> {
    let pushed = world.builders_by_digest();
    let bad: BTreeMap<String, &'static str> = world
        .builds()
        .into_iter()
        .filter(|build| build.status() != "SUCCEEDED")
        .map(|build| (build.id.clone(), build.status()))
        .collect();
    let mut wrong = Vec::new();
    for service in services(world) {
        for rollout in &service.rollouts {
            let Some(revision) = service.revision(rollout.target) else { continue };
            let digests = revision.images.iter().filter_map(|(_, image, _)| image.split_once('@'));
            let by = digests.filter_map(|(_, digest)| pushed.get(digest)).find_map(|by| Some((by, bad.get(by)?)));
            wrong.extend(by.map(|(by, how)| format!("{} rolled what build {by} left, which is {how}", service.name)));
        }
    }
    wrong
}
