//! What differs between the live service and the wanted one, as requests that name the differences and nothing else.

use super::desired::Desired;
use super::rollout::same_network;
use super::wanted::Wanted;
use crate::world::{Force, LiveService, UpdateServiceRequest};
use std::collections::BTreeMap;

/// What brings the service to the wanted revision. What starts a rollout is named only where it differs; the deployment
/// configuration rides along, because ECS reads it when a deployment starts.
pub fn update(desired: &Desired, wanted: &Wanted, arn: &str, live: &LiveService) -> UpdateServiceRequest {
    let (placement, now) = (&wanted.placement, &live.placement);
    let version = placement.platform_version.clone();
    let update = UpdateServiceRequest {
        task_definition: (live.task_definition != arn).then(|| arn.to_owned()),
        network: placement.network.clone().filter(|_| !same_network(placement, now)),
        platform_version: version.filter(|version| now.platform_version.as_ref() != Some(version)),
        load_balancers: (now.load_balancers != placement.load_balancers).then(|| placement.load_balancers.clone()),
        rolling: (live.rolling != wanted.rolling).then_some(wanted.rolling),
        ..named(desired)
    };
    let nothing = update.task_definition.is_none()
        && update.network.is_none()
        && update.platform_version.is_none()
        && update.load_balancers.is_none();
    UpdateServiceRequest { force: if nothing { Force::NewDeployment } else { Force::Never }, ..update }
}

/// Members that start no rollout and differ.
pub fn adjustment(desired: &Desired, wanted: &Wanted, live: &LiveService) -> Option<UpdateServiceRequest> {
    let update = UpdateServiceRequest {
        desired: desired.spec.desired_count.filter(|count| *count != live.desired),
        rolling: (live.rolling != wanted.rolling).then_some(wanted.rolling),
        grace_seconds: wanted.grace_seconds.filter(|grace| live.grace_seconds != Some(*grace)),
        ..named(desired)
    };
    let differs = update.desired.is_some() || update.rolling.is_some() || update.grace_seconds.is_some();
    differs.then_some(update)
}

/// The wanted tags that are missing or have another value. Tags that are not named are left alone.
pub fn tags(wanted: &Wanted, live: &LiveService) -> BTreeMap<String, String> {
    let missing = wanted.tags.iter().filter(|(key, value)| live.tags.get(*key) != Some(value));
    missing.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn named(desired: &Desired) -> UpdateServiceRequest {
    UpdateServiceRequest {
        cluster: desired.spec.cluster.to_string(),
        name: desired.ecs_name.clone(),
        ..UpdateServiceRequest::default()
    }
}
