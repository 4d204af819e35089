//! Decisions, tested with values.
