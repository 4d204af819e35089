//! Decisions about Releases, tested with values.

mod building;
mod rows;
mod sizes;
mod staging;
