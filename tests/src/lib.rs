//! What Launchway promises: scenarios, searches, cluster tests and the quick start's world.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod git;
