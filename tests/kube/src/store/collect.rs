//! Garbage collection, on request alone: what the controller manager does beside a real API server.
//! References to owners that are gone are not removed from objects that have another owner left.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::world::{Key, Verb, World};
use super::write::Writing;

/// Deletes every object all of whose owners are gone, and what those owned, until none is left.
pub(super) fn collect(world: &mut World, at: Timestamp) {
    loop {
        let orphans = orphans(world);
        if orphans.is_empty() {
            return;
        }
        for (id, namespace, name) in orphans {
            let kind = world.kinds[id].clone();
            let mut writing = Writing { world, kind, id, namespace: &namespace, at };
            // The object was there a line ago, and no precondition is given.
            let _ = writing.delete(&name, &Value::Null, Verb::Collect);
        }
    }
}

/// Orphans held by finalizers and already marked are left out: nothing more can be done for them.
fn orphans(world: &World) -> Vec<Key> {
    let alive: BTreeSet<&str> = world.objects.values().map(|object| object.meta("uid")).collect();
    let is_owner_alive = |owner: &Value| {
        let known = world
            .kinds
            .iter()
            .any(|kind| owner["kind"] == *kind.kind && owner["apiVersion"].as_str() == Some(&kind.api_version()));
        !known || owner["uid"].as_str().is_some_and(|uid| alive.contains(uid))
    };
    let orphaned = world.objects.iter().filter(|(_, object)| {
        let owners = object.value()["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
        !owners.is_empty() && !owners.iter().any(is_owner_alive) && !object.is_deleting()
    });
    orphaned.map(|(key, _)| key.clone()).collect()
}
