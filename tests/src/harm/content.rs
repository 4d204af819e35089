//! What things say, whatever marks they carry: a revision by what was registered, a request by what it asks for. And what
//! has to change before the same may be asked for once more.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use launchway_test_aws::ecs::Service;
use launchway_test_kube::store::{Change, Write};
use serde_json::{Map, Value};

use crate::world::World;
use crate::world::sample::{INSTALLATION, place};

/// A value without what makes no difference: nulls, empty lists and objects, and the order of lists of objects.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), plain(value)));
            let kept: Map<String, Value> = members.filter(|(_, value)| !value.is_null()).collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(plain).collect();
            if items.iter().any(Value::is_object) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// What every task definition says that was ever registered, by its ARN. Tags are no part of it.
pub(super) fn definitions(world: &World) -> BTreeMap<String, Value> {
    let aws = world.aws();
    let families = aws.ecs.get(&place()).into_iter().flat_map(|ecs| ecs.families.values());
    let revisions = families.flat_map(|family| &family.revisions);
    revisions.map(|one| (one.arn.clone(), plain(&Value::Object((*one.body).clone())))).collect()
}

/// All ECS services, deleted ones too.
pub(super) fn services(world: &World) -> Vec<Service> {
    let aws = world.aws();
    let clusters = aws.ecs.get(&place()).into_iter().flat_map(|ecs| ecs.clusters.values());
    clusters.flat_map(|cluster| cluster.services.values().cloned()).collect()
}

/// The name of the ECS service that a Service stands for.
pub(super) fn ecs_name(write: &Write) -> &str {
    write.object.value()["spec"]["name"].as_str().unwrap_or(&write.name)
}

/// The family that a Service registers in.
pub(super) fn family(write: &Write) -> String {
    let named = write.object.value()["spec"]["taskDefinition"]["family"].as_str();
    named.map_or_else(|| format!("{INSTALLATION}_{}_{}", write.namespace, write.name), str::to_owned)
}

/// The first member of that name, however deep.
fn found<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name).or_else(|| members.values().find_map(|member| found(member, name))),
        Value::Array(items) => items.iter().find_map(|item| found(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A grant's number, where a status shows one.
pub(super) fn number(grant: &Value) -> Option<i64> {
    grant.as_i64().or_else(|| grant["number"].as_i64())
}

/// What entitles a Service to ask ECS once more for what it has asked before: another grant of its stage, or another
/// `spec.rollout`, where people ask for a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Circumstances {
    grant: Option<i64>,
    rollout: String,
}

/// The circumstances of an ECS service at a time.
pub(super) fn circumstances(writes: &[Arc<Write>], service: &str, when: Timestamp) -> Circumstances {
    let before = || writes.iter().rev().filter(|write| write.at <= when);
    let object = before().find(|write| &*write.kind == "Service" && ecs_name(write) == service);
    let spec = object.map_or(&Value::Null, |write| &write.object.value()["spec"]);
    let source = found(spec, "imageFrom").unwrap_or(&Value::Null);
    let pipeline = before().find(|write| &*write.kind == "Pipeline" && source["pipeline"] == *write.name);
    let stages = pipeline.and_then(|write| write.object.value()["status"]["stages"].as_array());
    let stage = stages.into_iter().flatten().find(|stage| stage["name"] == source["stage"]);
    Circumstances {
        grant: stage.and_then(|stage| number(&stage["grant"]["number"])),
        rollout: spec["rollout"].to_string(),
    }
}

/// Whether any such object was there at a time.
pub(super) fn was_there(writes: &[Arc<Write>], when: Timestamp, is_it: impl Fn(&Write) -> bool) -> bool {
    let mut last: BTreeMap<(&str, &str), Change> = BTreeMap::new();
    for write in writes.iter().filter(|write| write.at <= when && is_it(write)) {
        last.insert((&write.kind, write.object.meta("uid")), write.change);
    }
    last.values().any(|change| *change != Change::Deleted)
}
