//! Every question and every effect once, asked of an AWS in memory over the SDK's own wire. What a pass makes of the
//! answers is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "aws/artifacts.rs"]
mod artifacts;
#[path = "aws/builds.rs"]
mod builds;
#[path = "aws/doubt.rs"]
mod doubt;
#[path = "aws/identity.rs"]
mod identity;
#[path = "aws/scans.rs"]
mod scans;
#[path = "aws/services.rs"]
mod services;
#[path = "aws/sharing.rs"]
mod sharing;
#[path = "aws/site.rs"]
mod site;
