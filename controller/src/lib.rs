//! What runs: the passes of every kind ([`kind`] lists them), and the wiring that starts passes. What is decided stands in
//! `launchway-plan`, what is asked of AWS in `launchway-cloud`.
//!
//! A pass looks (`observe`), lets the pure room decide, does at most one effect (`act`), and writes the status once
//! ([`status`], the only writer of statuses, but for the time of a webhook, and of events).

pub mod access;
pub mod account;
pub mod accounts;
pub mod backoff;
pub mod badges;
pub mod check;
pub mod context;
pub mod crowd;
pub mod events;
mod fair;
pub mod git;
pub mod git_hosts;
mod hub;
pub mod images;
pub mod item;
pub mod key;
pub mod kind;
pub mod kube_api;
pub mod lease;
pub mod log_request;
pub mod logs;
pub mod metrics;
pub mod other;
mod outage;
pub mod own;
pub mod pace;
pub mod pipeline;
pub mod release;
pub mod run;
pub mod serve;
pub mod service;
pub mod status;
pub mod sweep;
pub mod unreachable;
pub mod wake;
pub mod watches;
pub mod web;
pub mod webhooks;

pub use context::Context;
pub use key::{Key, Kind};
pub use unreachable::Unreachable;
