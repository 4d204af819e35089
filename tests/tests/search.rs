//! The crash search: a life is cut at every request to AWS, git and Kubernetes, and the world's own log is asked what
//! harm came of it.

#![allow(clippy::unwrap_used)]

use launchway_tests::sabotage::{SABOTAGES, Sabotaged};
use launchway_tests::search::{Extent, search, table};
use launchway_tests::story::STORIES;
use launchway_tests::threads;

/// Each eighteenth point and each eighteenth life with old reads: some minutes. `cargo crash-search` goes through all of them.
const STEP: usize = 18;

#[test]
fn no_cut_at_a_request_of_any_story_does_harm() {
    let search = |story| search(story, Extent::Every(STEP), threads::all());
    let all: Vec<_> = STORIES.iter().copied().map(search).collect();
    println!("{}", table::table(&all));
    let harm: Vec<String> = all.iter().flat_map(|one| &one.found).map(table::line).collect();
    assert!(harm.is_empty(), "{} points did harm:\n{}", harm.len(), harm.join("\n"));
    // As dense as the step lets it be: with every point searched there are more than five to each request.
    assert!(all.iter().all(|one| one.points * STEP > one.requests * 5), "a story was not searched");
    assert!(all.iter().any(|one| one.throttled > 0), "no story was ever throttled");
    let other: Vec<_> = all.iter().filter(|one| !one.replays()).map(|one| one.story).collect();
    assert!(other.is_empty(), "the same seed gave another log the second time: {other:?}");
}

#[test]
fn each_sabotage_is_caught() {
    let program = Sabotaged::build().unwrap();
    let uncaught = SABOTAGES.iter().filter(|sabotage| {
        let caught = program.caught(sabotage).unwrap();
        println!("{}: {}", sabotage.what, caught.as_deref().unwrap_or("nothing catches it"));
        caught.is_none()
    });
    let uncaught: Vec<_> = uncaught.map(|sabotage| sabotage.name).collect();
    assert!(uncaught.is_empty(), "nothing catches {uncaught:?}");
}
