//! What a load balancer would show: each ECS service of the world under its name, answering as the image does that its
//! tasks run.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::aws::Aws;
use crate::git::Repository;

/// Open until it is dropped.
pub(super) struct Health {
    address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Behind {
    aws: Aws,
    repository: Repository,
}

impl Health {
    pub(super) async fn start(aws: Aws, repository: Repository) -> anyhow::Result<Health> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port on loopback")?;
        let address = listener.local_addr()?;
        let app = Router::new()
            .route("/{service}/", get(greeting))
            .route("/{service}/api/health-check", get(health))
            .with_state(Behind { aws, repository });
        let task = tokio::spawn(async move {
            let _ends_with_the_task = axum::serve(listener, app).await;
        });
        Ok(Health { address, task })
    }

    /// `127.0.0.1:port`, as an administrator lists it.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn greeting(Path(service): Path<String>, State(behind): State<Behind>) -> Response {
    match behind.running(&service) {
        Some((_, settings)) => format!("{}\n", settings["greeting"].as_str().unwrap_or_default()).into_response(),
        None => nothing_runs(),
    }
}

async fn health(Path(service): Path<String>, State(behind): State<Behind>) -> Response {
    match behind.running(&service) {
        Some((commit, _)) => Json(json!({"success": true, "commit": commit})).into_response(),
        None => nothing_runs(),
    }
}

fn nothing_runs() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "no task runs\n").into_response()
}

impl Behind {
    /// The commit that a service runs, and its settings. Of two, while one replaces the other, the first.
    fn running(&self, service: &str) -> Option<(String, Value)> {
        let digest = self.aws.running(service).into_iter().next()?;
        let commit = self.aws.commit_of(&digest)?;
        let settings = self.repository.file_at(&commit, "app/settings.json").unwrap_or_default();
        Some((commit, serde_json::from_str(&settings).unwrap_or_default()))
    }
}
