//! The quick start's stories, on the real parts: a Kubernetes API server, git, and the controller as a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use launchway_tests::quickstart::{Options, Parts, play};

/// Two minutes on two idle cores; nothing that ends well takes longer on a busy machine.
const DEADLINE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_story_of_the_quick_start_ends_as_it_should() {
    let parts = Parts::start(Options::default()).await.unwrap();
    let played = tokio::time::timeout(DEADLINE, parts.unless_ended(play(&parts))).await;
    played.expect("the stories end in time").unwrap();
}
