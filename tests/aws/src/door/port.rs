//! The door on a port: real time, made faster by a factor, over HTTP/1.1 on loopback. Stops when it is dropped.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Fate, WireReply, WireRequest, World};

/// A world's clock: it starts at `start` and runs `speed` times as fast as real time.
#[derive(Clone, Copy, Debug)]
pub struct SpedClock {
    start: Timestamp,
    since: Instant,
    speed: f64,
}

impl SpedClock {
    /// Starts now, at `start`.
    pub fn start(start: Timestamp, speed: f64) -> Self {
        Self { start, since: Instant::now(), speed }
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.start + SignedDuration::from_secs_f64(self.since.elapsed().as_secs_f64() * self.speed)
    }
}

/// An open port; closing is dropping it.
#[derive(Debug)]
pub struct Open {
    /// Where it listens.
    pub address: SocketAddr,
    /// The world's clock.
    pub clock: SpedClock,
    task: JoinHandle<()>,
}

impl Open {
    /// `http://ADDRESS`: the SDK's `endpoint_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Behind {
    world: Arc<Mutex<World>>,
    clock: SpedClock,
}

/// Serves the world on the listener, its time running `speed` times as fast as ours, from ours on or from its own if that is later.
pub fn serve(listener: TcpListener, world: Arc<Mutex<World>>, speed: f64) -> io::Result<Open> {
    let address = listener.local_addr()?;
    let known = world.lock().unwrap_or_else(std::sync::PoisonError::into_inner).now();
    let clock = SpedClock::start(known.max(Timestamp::now()), speed);
    let app = Router::new().fallback(exchange).with_state(Behind { world, clock });
    let task = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    Ok(Open { address, clock, task })
}

async fn exchange(
    State(behind): State<Behind>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let reply = behind
        .world
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .answer(behind.clock.now(), &WireRequest { method: method.to_string(), uri: uri.to_string(), headers, body });
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay.div_f64(behind.clock.speed.max(f64::EPSILON))).await;
    }
    response(reply)
}

fn response(reply: WireReply) -> Response<Body> {
    match reply.fate {
        Fate::Arrives => {}
        Fate::Reset => hang_up(),
    }
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(reply.body)).unwrap_or_default()
}

/// Ends the connection's task, and with it the socket, before a byte of a reply is written; the panic hook is not called.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the connection is reset, as a fault asked for"))
}
