//! Decisions about Releases, tested with values.

mod building;
mod crowds;
mod origins;
mod projects;
mod records;
mod rows;
mod said;
mod sizes;
mod staging;
