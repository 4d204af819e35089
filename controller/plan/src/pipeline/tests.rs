//! Decisions about Pipelines, tested with values.

mod heads;
mod holding;
mod rows;
