//! What differs between the live service and the wanted one, as requests that name the differences and nothing else.

use super::canonical::Members;
use super::desired::Desired;
use super::members::{Class, differences};
use super::wanted::{OWNER_TAG, Wanted};
use crate::hash;
use crate::world::{CreateServiceRequest, LiveService, RegisterRequest, UpdateServiceRequest};
use launchway_crds::service::Effect;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What registers the wanted task definition, with tags beside those that the spec names.
pub fn register(wanted: &Wanted, tags: &BTreeMap<String, String>) -> RegisterRequest {
    let mut body = wanted.task_definition.clone();
    let mut all = body.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    all.extend(tag_list(tags));
    body.insert("tags".to_owned(), Value::Array(all));
    RegisterRequest { family: wanted.family.clone(), body }
}

/// What creates the service: what the spec names, and what Launchway sets by itself on a service that it creates (docs/services.md).
pub fn create(desired: &Desired, wanted: &Wanted, arn: &str, creation: i64) -> CreateServiceRequest {
    let mut body = wanted.service.clone();
    let owner = wanted.tags.get(OWNER_TAG).cloned().unwrap_or_default();
    for (name, value) in [
        ("cluster", json!(desired.spec.cluster)),
        ("serviceName", json!(desired.ecs_name)),
        ("clientToken", json!(hash::of(&(&owner, creation)))),
        ("taskDefinition", json!(arn)),
        ("tags", Value::Array(service_tags(desired, owner))),
    ] {
        body.insert(name.to_owned(), value);
    }
    body.entry("desiredCount").or_insert(json!(1));
    // AWS's default is to rebalance; then ECS moves tasks outside of any rollout, and refuses a maximum of 100 %.
    body.entry("availabilityZoneRebalancing").or_insert(json!("DISABLED"));
    let configuration = body.entry("deploymentConfiguration").or_insert(json!({}));
    if let Some(configuration) = configuration.as_object_mut() {
        // Without it a crash loop has no end.
        let on = json!({"enable": true, "rollback": true});
        configuration.entry("deploymentCircuitBreaker").or_insert(on);
    }
    CreateServiceRequest { cluster: desired.spec.cluster.to_string(), name: desired.ecs_name.clone(), body }
}

/// The UpdateService request that starts the rollout. Members that start a rollout are sent only where they differ. The
/// deployment configuration is sent with them, because ECS reads it when a deployment starts.
pub fn update(desired: &Desired, wanted: &Wanted, arn: &str, live: &LiveService) -> UpdateServiceRequest {
    let mut body = differences(&wanted.service, &live.members, Class::Rolls);
    if live.task_definition != arn {
        body.insert("taskDefinition".to_owned(), json!(arn));
    }
    // The only way to try a deployment again that hangs. And: "making a change to a capacity provider strategy …, you must force
    // a new deployment." Source: UpdateService's error.
    if body.is_empty() || body.contains_key("capacityProviderStrategy") {
        body.insert("forceNewDeployment".to_owned(), json!(true));
    }
    let adjusts = differences(&wanted.service, &live.members, Class::Adjusts);
    body.extend(adjusts.into_iter().filter(|(name, _)| name == "deploymentConfiguration"));
    named(desired, body)
}

/// Members that start no rollout and differ: the number of tasks, then the others.
pub fn adjustments(
    desired: &Desired,
    wanted: &Wanted,
    live: &LiveService,
) -> impl Iterator<Item = (Effect, UpdateServiceRequest)> {
    let others = differences(&wanted.service, &live.members, Class::Adjusts);
    let (count, others): (Members, Members) = others.into_iter().partition(|(name, _)| name == "desiredCount");
    let all = [(Effect::Scale, count), (Effect::Adjust, others)].into_iter().filter(|(_, body)| !body.is_empty());
    all.map(|(effect, body)| (effect, named(desired, body)))
}

/// The wanted tags that are missing or have another value. Tags that are not named are left alone.
pub fn tags(wanted: &Wanted, live: &LiveService) -> BTreeMap<String, String> {
    let missing = wanted.tags.iter().filter(|(key, value)| live.tags.get(*key) != Some(value));
    missing.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn named(desired: &Desired, body: Members) -> UpdateServiceRequest {
    UpdateServiceRequest { cluster: desired.spec.cluster.to_string(), name: desired.ecs_name.clone(), body }
}

/// The tags of a service: the spec's as they are written, and its owner's.
fn service_tags(desired: &Desired, owner: String) -> Vec<Value> {
    let named = desired.service.tags.iter().flat_map(|tags| tags.iter()).map(|tag| json!(tag));
    named.chain([json!({"key": OWNER_TAG, "value": owner})]).collect()
}

/// Tags as AWS's requests have them.
fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}
