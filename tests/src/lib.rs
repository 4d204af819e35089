//! What Launchway promises: scenarios, searches, cluster tests and the quick start's world.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod argo;
pub mod build;
pub mod calls;
pub mod corpus;
pub mod dashboard;
pub mod docs;
pub mod faults;
pub mod fleet;
pub mod git;
pub mod harm;
pub mod life;
pub mod members;
pub mod merges;
pub mod outages;
pub mod play;
pub mod pump;
pub mod quickstart;
pub mod running;
pub mod sabotage;
pub mod scale;
pub mod scenario;
pub mod search;
pub mod shape;
pub mod story;
pub mod threads;
pub mod values;
pub mod world;
