//! The Launchway controller: a git commit becomes a running Amazon ECS service.

pub mod git;
pub mod web;
