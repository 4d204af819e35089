//! Every member of every operation: whether the simulator acts on it, only shows it, or refuses it; and that it takes nothing that the model
//! refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Of all shapes, few hold others.
#![allow(clippy::wildcard_enum_match_arm)]
// For requests with every member.
#![recursion_limit = "256"]

#[path = "../ecs/samples.rs"]
mod members;
mod probes;
mod random;
mod requests;
mod scene;
#[path = "../ecs/stage.rs"]
#[allow(dead_code)]
mod stage;
mod table;
