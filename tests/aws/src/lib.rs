//! An AWS that lives in memory, spoken to over the wire: ECS, ECR, CodeBuild, Logs, S3, SSM and STS, as far as Launchway uses them, and the
//! door of CodeCommit's git server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod call;
pub mod codebuild;
pub mod codecommit;
pub mod door;
pub mod ecr;
pub mod ecs;
pub mod faults;
pub mod guesses;
pub mod iam;
pub mod ids;
pub mod limits;
pub mod log;
pub mod logs;
mod misfits;
mod mixed;
pub mod model;
pub mod policy;
mod rest;
pub mod s3;
pub mod snapshots;
pub mod ssm;
pub mod story;
pub mod sts;
pub mod wire;
pub mod world;

pub use call::{Answer, Call, Place, Refusal};
pub use faults::{Fault, Rule, When};
pub use guesses::{GUESSES, Guess};
pub use log::{LogEntry, Outcome};
pub use story::TaskStory;
pub use wire::{Fate, WireReply, WireRequest};
pub use world::{Answers, World};
