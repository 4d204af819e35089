//! What several answers of ECS have in common, in our words.

use crate::aws::words::text;
use aws_sdk_ecs::types::{AssignPublicIp, LoadBalancer, NetworkConfiguration, Tag};
use launchway_plan::world::{LoadBalancerRequest, NetworkRequest, Placement};
use std::collections::BTreeMap;

/// Tags, by key.
pub(crate) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// Tags, as they are sent.
pub(crate) fn tag_list(tags: &BTreeMap<String, String>) -> Option<Vec<Tag>> {
    Some(tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect())
}

/// What starts a rollout beside the task definition, of a service or a revision.
pub(crate) fn placement(
    network: Option<&NetworkConfiguration>,
    platform_version: Option<&str>,
    load_balancers: &[LoadBalancer],
) -> Placement {
    let mut load_balancers: Vec<_> = load_balancers.iter().filter_map(load_balancer).collect();
    load_balancers.sort();
    Placement { network: network.and_then(self::network), platform_version: text(platform_version), load_balancers }
}

fn network(given: &NetworkConfiguration) -> Option<NetworkRequest> {
    let given = given.awsvpc_configuration()?;
    let mut subnets = given.subnets().to_vec();
    let mut security_groups = given.security_groups().to_vec();
    subnets.sort();
    security_groups.sort();
    let public_ip = given.assign_public_ip() == Some(&AssignPublicIp::Enabled);
    Some(NetworkRequest { subnets, security_groups, public_ip })
}

/// Classic load balancers have no target group and are not ours.
fn load_balancer(given: &LoadBalancer) -> Option<LoadBalancerRequest> {
    Some(LoadBalancerRequest {
        target_group: text(given.target_group_arn())?,
        container: given.container_name().unwrap_or_default().to_owned(),
        port: given.container_port().unwrap_or_default(),
    })
}
