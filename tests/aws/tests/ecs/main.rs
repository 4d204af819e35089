//! The AWS in memory, asked by the real SDK: what it holds after each thing that Launchway and its users do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// For requests with every member.
#![recursion_limit = "256"]

mod capacity;
mod definitions;
mod failures;
mod faults;
mod health;
mod images;
mod lacks;
mod lists;
mod members;
mod ports;
mod rights;
mod rollouts;
mod runs;
mod samples;
mod services;
mod sessions;
mod stage;
mod walks;
