//! The quick start: a whole Launchway on loopback, from a git server to an AWS in memory, on a real Kubernetes API
//! server, with stories that walk through it. The product is started from outside, as in a cluster; nothing of it is
//! linked in here but the kinds of its API.

pub mod aws;
pub mod chart;
mod clone;
pub(crate) mod controller;
mod figures;
mod health;
pub mod live;
mod manifests;
mod monitor;
mod next;
mod parts;
mod picture;
pub(crate) mod place;
mod play;
pub mod plugin;
pub mod pod;
mod prepare;
mod process;
pub mod screen;
mod wait;

pub use figures::Figures;
pub use monitor::Monitor;
pub use parts::{Options, Parts, Program};
pub use picture::svg;
pub use play::{first_release, next_release, play};
pub use plugin::Onlooker;
pub use process::Process;
pub use screen::Screen;

use live::Live;

/// The namespace that the sample lives in.
pub const NAMESPACE: &str = "demo";
/// The name of this installation: the first part of owner tags and families.
pub const INSTALLATION: &str = "quickstart";
/// The name of the sample's git repository, of its Pipeline and of its image there.
pub const NAME: &str = "greeter";
/// How many times as fast as AWS's the builds and tasks are, unless somebody wants it otherwise.
pub const SPEED: u32 = 20;
/// The controller's polling speed-up factor then.
pub const PACE: u32 = 10;
/// The sample's stages, in order.
pub const STAGES: [&str; 2] = ["staging", "prod"];

/// The Service of a stage, and its ECS service.
pub fn service(stage: &str) -> String {
    format!("{NAME}-{stage}")
}

/// Shows the first release live, says what to try next, and stays until it is cancelled.
///
/// # Errors
/// A part could not be started, or the first release did not go as it should: the message says where to look.
pub async fn stay(parts: &Parts) -> anyhow::Result<()> {
    let screen = &parts.screen;
    screen.title("The first commit goes to prod");
    let _live = Live::start(parts.cluster.client(), NAMESPACE, screen.clone());
    parts.apply_sample().await?;
    let first = parts.head()?;
    parts.unless_ended(play::first_release(parts, &first)).await?;
    screen.blank();
    screen.verbatim(&next::text(parts));
    parts.until_ended().await
}
