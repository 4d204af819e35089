//! Decisions about Releases, tested with values.

mod building;
mod commit_statuses;
mod crowds;
mod origins;
mod projects;
mod pushed;
mod records;
mod reports;
mod required;
mod rows;
mod said;
mod scans;
mod sizes;
mod staging;
mod values;

use crate::condition::find;
use crate::reason::ConditionType;
use crate::samples::codebuild::World;

/// The message of the Release's condition `Ready`.
fn message(world: &World) -> String {
    find(&world.status.conditions, ConditionType::Ready).unwrap().message.clone()
}

/// The digest of the image that the Release has recorded.
fn image(world: &World) -> Option<String> {
    world.status.images.first().map(|image| image.digest.to_string())
}
