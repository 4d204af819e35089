//! Decisions about Releases, tested with values.

mod building;
mod records;
mod rows;
mod sizes;
mod staging;
