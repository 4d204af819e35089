//! The plugin as a person or a script runs it, against the real API server: what it shows, what it changes there, how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/person.rs"]
mod person;
#[path = "cli/setting.rs"]
mod setting;
#[path = "cli/status.rs"]
mod status;
#[path = "cli/wait.rs"]
mod wait;
