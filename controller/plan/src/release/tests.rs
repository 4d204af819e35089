//! Decisions about Releases, tested with values.

mod building;
mod crowds;
mod origins;
mod records;
mod rows;
mod sizes;
mod staging;
