//! The real API server, etcd, kubectl and controllers, on loopback and without containers: found or built, started,
//! spoken to, and gone with the process that started them. Knows nothing of Launchway.

#![allow(clippy::expect_used, reason = "for tests, whose harness catches what cannot be")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod answers;
mod apply;
mod archive;
mod audit;
mod cache;
mod cluster;
pub mod gitea;
mod golang;
pub mod helm;
pub mod kstatus;
mod programs;
pub mod prometheus;
mod running;
mod say;

pub use audit::AuditEvent;
pub use cluster::{Cluster, Controllers, Options};
pub use programs::{Program, Programs, programs};
pub use say::Say;

use tokio::sync::OnceCell;

static SHARED: OnceCell<Cluster> = OnceCell::const_new();

/// The one cluster of this process, started by whoever asks first. Take a namespace of your own ([`Cluster::namespace`]);
/// objects without a namespace need names of their own.
///
/// # Errors
/// The cluster could not be started: see [`Cluster::start`].
pub async fn shared() -> anyhow::Result<&'static Cluster> {
    SHARED.get_or_try_init(|| Cluster::start(Options::default())).await
}
