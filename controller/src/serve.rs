//! HTTP for whoever reaches a port, and on one of them health, readiness and metrics: each connection is short, each address has few, and
//! none holds up the end. Nothing from users' objects is shown.

use crate::context::Context;
use crate::metrics::Format;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a client may take to send the head of a request, and how long a connection may wait for the next request. kubelet and
/// Prometheus send at once.
const HEAD: Duration = Duration::from_secs(5);
/// How long it may be, in bytes. hyper would keep 400 KiB for each connection.
const LONGEST_HEAD: usize = 16 << 10;
/// How long a connection may last, whatever its client does: a client that keeps one is told to make another.
const LASTS: Duration = Duration::from_secs(60);
/// How many connections there may be, and how many from one address, so that one client leaves room for the others.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    all: usize,
    of_one: usize,
}

/// kubelet and Prometheus need one each.
pub const OF_HEALTH: Room = Room { all: 64, of_one: 8 };
/// Whoever sends webhooks often comes through one address, that of an ingress.
pub const OF_WEBHOOKS: Room = Room { all: 512, of_one: 256 };
/// How long connections may take to end after the signal.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait when the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether all watches have completed their first list.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Notes that they have.
    pub fn announce(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they have, and work; else why not.
    fn answer(&self, context: &Context) -> (StatusCode, String) {
        if !self.0.load(Ordering::Relaxed) {
            return (StatusCode::SERVICE_UNAVAILABLE, "not all watches have listed yet".to_owned());
        }
        let broken: Vec<_> = context.watches.broken().into_iter().map(|kind| kind.name()).collect();
        if broken.is_empty() {
            return (StatusCode::OK, "ok".to_owned());
        }
        (StatusCode::SERVICE_UNAVAILABLE, format!("these watches do not work: {}; the log says why", broken.join(", ")))
    }
}

/// The paths of health, readiness and metrics.
pub fn health(context: Arc<Context>, ready: Ready) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(move |State(context): State<Arc<Context>>| async move { ready.answer(&context) }))
        .route("/metrics", get(metrics))
        .with_state(context)
}

/// Serves until the token is cancelled, and for two seconds after it at most.
pub async fn serve(listener: TcpListener, app: Router, room: Room, stop: CancellationToken) {
    let mut open = Connections::new(room);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = open.tasks.join_next_with_id() => open.note_end(ended.map_or_else(|error| error.id(), |(id, ())| id)),
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => open.add(stream, from.ip(), app.clone(), stop.clone()),
                // Too many open files, or a client that has left already: the next one may fare better.
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
        }
    }
    // Whoever has not ended by then is cut off when the set is dropped.
    let _ = timeout(GRACE, async { while open.tasks.join_next().await.is_some() {} }).await;
}

/// The open connections, the oldest first.
struct Connections {
    room: Room,
    tasks: JoinSet<()>,
    open: Vec<(AbortHandle, IpAddr)>,
}

impl Connections {
    fn new(room: Room) -> Self {
        Self { room, tasks: JoinSet::new(), open: Vec::new() }
    }

    /// Serves a connection. Where there is no room for it, the oldest one is closed, so that whoever keeps connections keeps
    /// nobody out: kubelet's and Prometheus' last for milliseconds.
    fn add(&mut self, stream: TcpStream, from: IpAddr, app: Router, stop: CancellationToken) {
        let is_own = |(_, address): &&(AbortHandle, IpAddr)| *address == from;
        let oldest = if self.open.iter().filter(is_own).count() >= self.room.of_one {
            self.open.iter().position(|(_, address)| *address == from)
        } else {
            (self.open.len() >= self.room.all).then_some(0)
        };
        if let Some(oldest) = oldest {
            self.open.remove(oldest).0.abort();
        }
        self.open.push((self.tasks.spawn(connection(stream, app, stop)), from));
    }

    fn note_end(&mut self, task: Id) {
        self.open.retain(|(open, _)| open.id() != task);
    }
}

/// Serves one connection. That a client went away, or was too slow, is nobody's business.
async fn connection(stream: TcpStream, app: Router, stop: CancellationToken) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LONGEST_HEAD);
    let mut served = std::pin::pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    let ends = async {
        tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(LASTS) => {} }
    };
    tokio::select! {
        _ = served.as_mut() => return,
        () = ends => served.as_mut().graceful_shutdown(),
    }
    let _ = timeout(GRACE, served).await;
}

/// OpenMetrics for who asks for it, as Prometheus does.
async fn metrics(State(context): State<Arc<Context>>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (format, said) = if accept.contains("application/openmetrics-text") {
        (Format::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    } else {
        (Format::Plain, "text/plain; version=0.0.4; charset=utf-8")
    };
    ([(header::CONTENT_TYPE, said)], context.scraped(format))
}
