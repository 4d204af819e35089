//! Harm of single effects: made twice, or for objects that are gone. Counted by what AWS holds, not by our marks on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use launchway_test_aws::LogEntry;
use launchway_test_aws::codebuild::Build;
use launchway_test_aws::ecs::DefinitionStatus;
use launchway_test_kube::store::Write;

use super::Hidden;
use super::content::{ecs_name, family, plain, was_there};
use crate::world::sample::place;
use crate::world::{World, is_by_person, is_effect, released_commit};

/// Commits that were built more often in a project than there was reason to: once for each Release of the commit, and
/// once more for each build that met a fault of CodeBuild.
pub fn builds(world: &World) -> Vec<String> {
    let (writes, builds) = (world.store.writes(), world.builds());
    let mut by_commit: BTreeMap<(&str, &str), Vec<&Build>> = BTreeMap::new();
    for build in &builds {
        let commit = build.source_version.as_deref().unwrap_or("no commit");
        by_commit.entry((&build.project, commit)).or_default().push(build);
    }
    let mut wrong = Vec::new();
    for ((project, commit), builds) in by_commit {
        let faults = builds.iter().filter(|build| build.status() == "FAULT").count();
        let most = releases(&writes, commit) + faults;
        if builds.len() > most {
            let ids: Vec<&str> = builds.iter().map(|build| build.id.as_str()).collect();
            wrong.push(format!("{} builds of {commit} in {project}, not {most}: {}", builds.len(), ids.join(", ")));
        }
    }
    wrong
}

/// How many Releases of a commit there ever were.
fn releases(writes: &[Arc<Write>], of: &str) -> usize {
    let releases = writes.iter().filter(|write| &*write.kind == "Release" && released_commit(&write.object) == of);
    let mut uids: Vec<&str> = releases.map(|write| write.object.meta("uid")).collect();
    uids.sort_unstable();
    uids.dedup();
    uids.len()
}

/// Services that were created while they were there, and services that no Service stands for.
pub(super) fn services(world: &World) -> Vec<String> {
    let writes = world.store.writes();
    let mut there: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    let log = world.aws().log.clone();
    for entry in log.iter().filter(|entry| is_effect(entry)) {
        let text = |member: &str| entry.input[member].as_str().unwrap_or_default().to_owned();
        match entry.operation.as_str() {
            "CreateService" => {
                let (name, token) = (text("serviceName"), text("clientToken"));
                if there.insert(name.clone(), token.clone()).is_some_and(|before| before != token) {
                    wrong.push(format!("{name} was created again by call {}", entry.n));
                }
                let is_it = |write: &Write| &*write.kind == "Service" && ecs_name(write) == name;
                if !is_by_person(entry) && !writes.iter().any(|write| is_it(write)) {
                    wrong.push(format!("{name} was created by call {}, and no Service stands for it", entry.n));
                }
            }
            "DeleteService" => {
                let service = text("service");
                there.remove(service.rsplit('/').next().unwrap_or_default());
            }
            _ => {}
        }
    }
    wrong
}

/// Task definitions of which a family has more active revisions that say the same than it may.
pub(super) fn revisions(world: &World, hidden: Hidden) -> Vec<String> {
    let most = match hidden {
        Hidden::Nothing => 1,
        Hidden::Revision | Hidden::Effect => 2,
    };
    let aws = world.aws();
    let mut wrong = Vec::new();
    let families = aws.ecs.get(&place()).into_iter().flat_map(|ecs| &ecs.families);
    for (name, family) in families {
        let mut by_content: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let active = family.revisions.iter().filter(|revision| revision.status == DefinitionStatus::Active);
        for revision in active {
            let content = plain(&serde_json::Value::Object((*revision.body).clone())).to_string();
            by_content.entry(content).or_default().push(revision.revision);
        }
        let several = by_content.into_values().filter(|same| same.len() > most);
        wrong.extend(several.map(|same| format!("revisions {same:?} of {name} say the same")));
    }
    wrong
}

/// Effects on AWS for objects that were gone.
pub(super) fn gone(world: &World) -> Vec<String> {
    let writes = world.store.writes();
    let builds: BTreeMap<String, String> =
        world.builds().into_iter().filter_map(|build| Some((build.id, build.source_version?))).collect();
    let log = world.aws().log.clone();
    let ours = log.iter().filter(|entry| is_effect(entry) && !is_by_person(entry));
    let late = ours.filter_map(|entry| {
        let (whose, is_there) = there(entry, &writes, &builds)?;
        (!is_there).then(|| format!("{} (call {}) for {whose}, which was gone", entry.operation, entry.n))
    });
    late.collect()
}

/// For whom a call was, and whether that object was there then; none: it cannot be told from the call.
fn there(entry: &LogEntry, writes: &[Arc<Write>], builds: &BTreeMap<String, String>) -> Option<(String, bool)> {
    let text = |member: &str| entry.input[member].as_str();
    let built = match entry.operation.as_str() {
        "StartBuild" => text("sourceVersion").map(str::to_owned),
        "StopBuild" => builds.get(text("id")?).cloned(),
        _ => None,
    };
    if let Some(built) = built {
        let is_it = |write: &Write| &*write.kind == "Release" && released_commit(&write.object) == built;
        return Some((format!("a Release of {built}"), was_there(writes, entry.at, is_it)));
    }
    let name = match entry.operation.as_str() {
        "RegisterTaskDefinition" => {
            let of = text("family")?;
            let is_it = |write: &Write| &*write.kind == "Service" && family(write) == of;
            return Some((format!("the Service of {of}"), was_there(writes, entry.at, is_it)));
        }
        "CreateService" => text("serviceName")?,
        "UpdateService" | "DeleteService" => text("service")?.rsplit('/').next()?,
        _ => return None,
    };
    let is_it = |write: &Write| &*write.kind == "Service" && ecs_name(write) == name;
    Some((format!("Service {name}"), was_there(writes, entry.at, is_it)))
}
