//! Decisions about Releases, tested with values.

mod building;
mod origins;
mod records;
mod rows;
mod sizes;
mod staging;
