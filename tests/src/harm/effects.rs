//! Harm of single effects: made twice, or for objects that are gone.

use std::collections::BTreeMap;

use launchway_test_aws::LogEntry;
use launchway_test_kube::store::{Change, Write};
use serde_json::Value;

use super::Revisions;
use crate::world::sample::place;
use crate::world::{World, is_effect};

const MARKER: &str = "LAUNCHWAY_BUILD";
const MEANING: &str = "launchway.dev/meaning";
const OWNER: &str = "launchway.dev/owner";

/// Markers of which there was more than one build.
pub(super) fn builds(world: &World) -> Vec<String> {
    let builds = world.builds();
    let mut by_marker: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for build in &builds {
        by_marker.entry(build.variable(MARKER).unwrap_or("no marker")).or_default().push(&build.id);
    }
    let several = by_marker.into_iter().filter(|(_, builds)| builds.len() > 1);
    several.map(|(marker, builds)| format!("{} builds of {marker}: {}", builds.len(), builds.join(", "))).collect()
}

/// Services that were created, with another token, while they had not been deleted.
pub(super) fn services(world: &World) -> Vec<String> {
    let mut there: BTreeMap<String, String> = BTreeMap::new();
    let mut twice = Vec::new();
    let aws = world.aws();
    for entry in aws.log.iter().filter(|entry| is_effect(entry)) {
        let text = |member: &str| entry.input[member].as_str().unwrap_or_default().to_owned();
        match entry.operation.as_str() {
            "CreateService" => {
                let before = there.insert(text("serviceName"), text("clientToken"));
                if before.is_some_and(|token| token != text("clientToken")) {
                    twice.push(format!("{} was created again by call {}", text("serviceName"), entry.n));
                }
            }
            "DeleteService" => {
                let service = text("service");
                there.remove(service.rsplit('/').next().unwrap_or_default());
            }
            _ => {}
        }
    }
    twice
}

/// Meanings of which a family has more revisions than it may.
pub(super) fn revisions(world: &World, most: Revisions) -> Vec<String> {
    let most = match most {
        Revisions::One => 1,
        Revisions::OneExtra => 2,
    };
    let aws = world.aws();
    let mut by_meaning: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let families = aws.ecs.get(&place()).into_iter().flat_map(|ecs| &ecs.families);
    for (name, family) in families {
        for revision in &family.revisions {
            let meaning = revision.tags.get(MEANING).map_or("no meaning", String::as_str);
            *by_meaning.entry((name, meaning)).or_default() += 1;
        }
    }
    let several = by_meaning.into_iter().filter(|(_, count)| *count > most);
    several.map(|((family, meaning), count)| format!("{count} revisions of {family} mean {meaning}")).collect()
}

/// Effects on AWS for objects that were gone.
pub(super) fn gone(world: &World) -> Vec<String> {
    let writes = world.store.writes();
    let builds: BTreeMap<String, String> = world
        .builds()
        .iter()
        .filter_map(|build| Some((build.id.clone(), build.variable(MARKER)?.split('/').next()?.to_owned())))
        .collect();
    let aws = world.aws();
    let late = aws.log.iter().filter(|entry| is_effect(entry)).filter_map(|entry| {
        let (whose, is_there) = there(entry, &writes, &builds)?;
        (!is_there).then(|| format!("{} (call {}) for {whose}, which was gone", entry.operation, entry.n))
    });
    late.collect()
}

/// For whom a call was, and whether that object was there then; none: it cannot be told from the call.
fn there(
    entry: &LogEntry,
    writes: &[std::sync::Arc<Write>],
    builds: &BTreeMap<String, String>,
) -> Option<(String, bool)> {
    let text = |member: &str| entry.input[member].as_str();
    let uid = match entry.operation.as_str() {
        "StartBuild" => {
            let variables = entry.input["environmentVariablesOverride"].as_array()?;
            let marker = variables.iter().find(|variable| variable["name"] == MARKER)?["value"].as_str()?;
            Some(marker.split('/').next()?.to_owned())
        }
        "StopBuild" => builds.get(text("id")?).cloned(),
        _ => None,
    };
    if let Some(uid) = uid {
        let is_it = |write: &Write| write.object.meta("uid") == uid;
        return Some((format!("Release {uid}"), was_there(entry, writes, is_it)));
    }
    let name = match entry.operation.as_str() {
        "RegisterTaskDefinition" | "CreateService" => owner(&entry.input["tags"])?,
        "UpdateService" | "DeleteService" => text("service")?.rsplit('/').next()?.to_owned(),
        _ => return None,
    };
    let is_it = |write: &Write| &*write.kind == "Service" && write.name == name;
    Some((format!("Service {name}"), was_there(entry, writes, is_it)))
}

fn owner(tags: &Value) -> Option<String> {
    let tag = tags.as_array()?.iter().find(|tag| tag["key"] == OWNER)?;
    Some(tag["value"].as_str()?.rsplit('/').next()?.to_owned())
}

fn was_there(entry: &LogEntry, writes: &[std::sync::Arc<Write>], is_it: impl Fn(&Write) -> bool) -> bool {
    let last = writes.iter().rev().filter(|write| write.at <= entry.at).find(|write| is_it(write));
    last.is_some_and(|write| write.change != Change::Deleted)
}
