//! What `kubectl describe` shows below an object: an event for each status in which a condition turned, in that
//! condition's words, and none else.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

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

/// What is told of conditions: of a repository whose tags can be moved, an Event says so once and no condition does.
fn told(world: &World) -> Told {
    let mut told = Told::new();
    for write in world.store.writes().iter().filter(|write| &*write.kind == "Event") {
        let event = write.object.value();
        if event["reason"] == "MutableRepository" {
            continue;
        }
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

/// What may be told of each status that there ever was, where a condition turned in it: one of these; and of each head that was passed
/// over. A condition that is not
/// there is unknown.
fn turned(world: &World) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut before: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut passed_over = BTreeSet::new();
    for write in world.store.writes() {
        let object = write.object.value();
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let known = before.entry(text(&object["metadata"]["uid"]).to_owned()).or_default();
        let mut turned = Vec::new();
        for condition in &conditions {
            let (kind, status) = (text(&condition["type"]), text(&condition["status"]));
            if known.get(kind).map_or("Unknown", String::as_str) != status {
                turned.push(format!("{} {}: {kind}={status}: {}", write.kind, write.name, text(&condition["message"])));
            }
        }
        all.extend(Some(turned).filter(|turned| !turned.is_empty()));
        for over in object["status"]["passedOver"].as_array().into_iter().flatten() {
            let (commit, message) = (text(&over["commit"]), text(&over["message"]));
            let line = format!("{} {}: commit {commit} is not released: {message}", write.kind, write.name);
            if passed_over.insert(line.clone()) {
                all.push(vec![line]);
            }
        }
        let status = |condition: &Value| (text(&condition["type"]).to_owned(), text(&condition["status"]).to_owned());
        *known = conditions.iter().map(status).collect();
    }
    all
}

/// What was told that had not turned, and what turned that was not told.
fn wrong(mut told: Told, turned: Vec<Vec<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for lines in turned {
        let line = lines.iter().find(|line| told.contains_key(*line));
        match line.and_then(|line| told.get_mut(line)) {
            Some(times) if *times > 0 => *times -= 1,
            Some(_) | None => wrong.push(format!("not told: {lines:?}")),
        }
    }
    wrong.extend(told.into_iter().filter(|(_, times)| *times > 0).map(|(line, _)| format!("told: {line}")));
    wrong
}

#[test]
fn of_each_status_in_which_a_condition_turned_one_is_told_in_its_own_words_and_nothing_else_is() {
    for story in STORIES {
        let world = beginning(prelude(story).as_ref(), 1);
        once(story, &world, Quota::Whole);
        let told = told(&world);
        match story.after {
            After::Nothing | After::Story(_) => {
                assert!(!told.is_empty(), "{}", story.name);
                assert_eq!(wrong(told, turned(&world)), Vec::<String>::new(), "{}", story.name);
            }
            // What had turned was told by the earlier version.
            After::EarlierVersion => assert_eq!(told, Told::new(), "{}", story.name),
        }
    }
}

#[test]
fn a_release_of_a_service_is_told_in_two_events() {
    let world = beginning(None, 1);
    let story = STORIES.iter().find(|story| story.name == "first release").unwrap();
    once(story, &world, Quota::Whole);
    let of_service = |line: &&String| line.starts_with("Service greeter: ");
    let told: Vec<String> = told(&world).into_keys().collect();
    let told: Vec<&String> = told.iter().filter(of_service).collect();
    assert!(told.len() <= 2, "{told:#?}");
}
