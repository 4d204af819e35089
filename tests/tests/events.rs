//! What `kubectl describe` shows below an object: an event for each condition that turned, in its words, and none else.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use launchway_tests::play::Quota;
use launchway_tests::search::{once, prelude};
use launchway_tests::story::{After, STORIES, beginning};
use launchway_tests::world::World;
use serde_json::Value;

/// What was told, and how often.
type Told = BTreeMap<String, usize>;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn told(world: &World) -> Told {
    let mut told = Told::new();
    for write in world.store.writes().iter().filter(|write| &*write.kind == "Event") {
        let event = write.object.value();
        let line = format!(
            "{} {}: {}",
            text(&event["regarding"]["kind"]),
            text(&event["regarding"]["name"]),
            text(&event["note"])
        );
        *told.entry(line).or_default() += 1;
    }
    told
}

/// What has to be told of all statuses that there ever were. A condition that is not there is unknown.
fn turned(world: &World) -> Told {
    let mut told = Told::new();
    let mut before: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for write in world.store.writes() {
        let object = write.object.value();
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let known = before.entry(text(&object["metadata"]["uid"]).to_owned()).or_default();
        for condition in &conditions {
            let (kind, status) = (text(&condition["type"]), text(&condition["status"]));
            if known.get(kind).map_or("Unknown", String::as_str) != status {
                let line = format!("{} {}: {kind}={status}: {}", write.kind, write.name, text(&condition["message"]));
                *told.entry(line).or_default() += 1;
            }
        }
        let status = |condition: &Value| (text(&condition["type"]).to_owned(), text(&condition["status"]).to_owned());
        *known = conditions.iter().map(status).collect();
    }
    told
}

#[test]
fn each_condition_that_turned_is_told_in_its_own_words_and_nothing_else_is() {
    for story in STORIES {
        let world = beginning(prelude(story).as_ref(), 1);
        once(story, &world, Quota::Whole);
        let told = told(&world);
        match story.after {
            After::Nothing | After::Story(_) => {
                assert!(!told.is_empty(), "{}", story.name);
                assert_eq!(told, turned(&world), "{}", story.name);
            }
            // What had turned was told by the earlier version.
            After::EarlierVersion => assert_eq!(told, Told::new(), "{}", story.name),
        }
    }
}
