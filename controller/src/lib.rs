//! What runs: one pass for every kind, and the wiring that starts passes. What is decided stands in `launchway-plan`,
//! what is asked of AWS in `launchway-cloud`.
//!
//! A pass looks (`observe`), lets the pure room decide, does at most one effect (`act`), and writes the status once
//! ([`status`], the only writer of statuses and of events).

pub mod account;
pub mod backoff;
pub mod context;
pub mod git;
pub mod kube_api;
pub mod logs;
pub mod metrics;
pub mod own;
pub mod pace;
pub mod pipeline;
pub mod release;
pub mod run;
pub mod serve;
pub mod service;
pub mod status;
pub mod wake;
pub mod web;

pub use context::Context;
pub use kube_api::Unreachable;
pub use wake::{Key, Kind};

use launchway_plan::wake::Wake;

/// One pass over one object: everything but wiring.
///
/// # Errors
/// Kubernetes could not be reached. Every other failure is written into the object's status.
pub async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    match key.kind {
        Kind::AwsAccount => account::pass(key, context).await,
        Kind::Pipeline => pipeline::pass(key, context).await,
        Kind::Release => release::pass(key, context).await,
        Kind::Service => service::pass(key, context).await,
    }
}
