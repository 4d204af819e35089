//! The crash search: a life is cut at every request to AWS, git and Kubernetes, and the world's own log is asked what
//! harm came of it.

use launchway_tests::search::{Extent, SEED, once, prelude, search, table};
use launchway_tests::story::{STORIES, beginning};

#[test]
fn no_cut_at_any_request_of_any_story_does_harm() {
    let threads = std::thread::available_parallelism().map_or(2, Into::into);
    let all: Vec<_> = STORIES.iter().copied().map(|story| search(story, Extent::All, threads)).collect();
    println!("{}", table::table(&all));
    let harm: Vec<String> = all.iter().flat_map(|one| &one.found).map(table::line).collect();
    assert!(harm.is_empty(), "{} points did harm:\n{}", harm.len(), harm.join("\n"));
    assert!(all.iter().all(|one| one.points > one.requests), "a story was not searched");
}

#[test]
fn the_same_seed_gives_the_same_log_twice() {
    for story in STORIES.iter().copied() {
        let hash = || {
            let world = beginning(prelude(story).as_ref(), SEED);
            once(story, &world);
            world.log_hash()
        };
        assert_eq!(hash(), hash(), "{}", story.name);
    }
}
