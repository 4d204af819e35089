//! Harm of asking twice: ECS is asked for what it was asked for before, and nothing happened in between that would be a
//! reason. That an answer was lost or old is no reason: that is what looking first is for.

use std::collections::BTreeMap;

use launchway_test_aws::LogEntry;
use serde_json::{Map, Value};

use super::Hidden;
use super::content::{Circumstances, circumstances, definitions, plain};
use crate::world::{World, is_by_person, is_effect};

/// What ECS was asked to make of a service, member by member, and in which circumstances last.
struct Asked {
    members: BTreeMap<String, Value>,
    circumstances: Circumstances,
}

/// Requests that ask for what was asked for before, but for one where an effect was hidden from whoever asked again.
pub(super) fn twice(world: &World, hidden: Hidden) -> Vec<String> {
    let allowed = match hidden {
        Hidden::Nothing | Hidden::Revision => 0,
        Hidden::Effect => 1,
    };
    updates(world).into_iter().chain(tags(world)).skip(allowed).collect()
}

/// Requests to UpdateService that ask for nothing that was not asked for before.
fn updates(world: &World) -> Vec<String> {
    let (definitions, writes) = (definitions(world), world.store.writes());
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    let mut twice = Vec::new();
    let log = world.aws().log.clone();
    for entry in log.iter().filter(|entry| entry.service == "ecs" && is_effect(entry)) {
        let Some(name) = service(entry) else { continue };
        let circumstances = circumstances(&writes, &name, entry.at);
        let members = members(entry, &definitions);
        match entry.operation.as_str() {
            "CreateService" => drop(asked.insert(name, Asked { members, circumstances })),
            "DeleteService" => drop(asked.remove(&name)),
            "UpdateService" => {
                let Some(known) = asked.get_mut(&name) else { continue };
                let new = members.iter().any(|(member, value)| known.members.get(member) != Some(value));
                if !new && known.circumstances == circumstances && !is_by_person(entry) {
                    let what: Vec<&str> = members.keys().map(String::as_str).collect();
                    twice.push(format!("{name} was asked again for the same {}, by call {}", what.join(", "), entry.n));
                }
                known.members.extend(members);
                known.circumstances = circumstances;
            }
            _ => {}
        }
    }
    twice
}

/// Requests to TagResource that set the tags that the same request had set before.
fn tags(world: &World) -> Vec<String> {
    let mut set: BTreeMap<(String, String), Value> = BTreeMap::new();
    let mut twice = Vec::new();
    let log = world.aws().log.clone();
    for entry in log.iter().filter(|entry| entry.operation == "TagResource" && is_effect(entry)) {
        let resource = entry.input["resourceArn"].as_str().unwrap_or_default();
        let mut new = false;
        for tag in entry.input["tags"].as_array().into_iter().flatten() {
            let key = (resource.to_owned(), tag["key"].to_string());
            new |= set.insert(key, tag["value"].clone()).as_ref() != Some(&tag["value"]);
        }
        if !new && !is_by_person(entry) {
            twice.push(format!("{resource} was given the same tags again by call {}", entry.n));
        }
    }
    twice
}

/// The ECS service that a request is about.
fn service(entry: &LogEntry) -> Option<String> {
    let text = |member: &str| entry.input[member].as_str();
    let named = text("serviceName").or_else(|| text("service"))?;
    named.rsplit('/').next().map(str::to_owned)
}

/// What a request asks for, with a task definition's content in place of its name.
fn members(entry: &LogEntry, definitions: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let empty = Map::new();
    let input = entry.input.as_object().unwrap_or(&empty);
    let kept = input.iter().filter(|(name, _)| !["cluster", "service", "serviceName"].contains(&name.as_str()));
    let said = kept.map(|(name, value)| match (name.as_str(), value.as_str()) {
        ("taskDefinition", Some(arn)) => (name.clone(), definitions.get(arn).unwrap_or(value).clone()),
        (_, _) => (name.clone(), plain(value)),
    });
    said.collect()
}
