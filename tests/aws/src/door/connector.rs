//! The door in the process: an HTTP client for SDK clients, on whatever clock it is given. It never waits.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use jiff::Timestamp;

use crate::{Fate, WireReply, WireRequest, World};

/// A clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// An HTTP client whose far end is a [`World`].
#[derive(Clone)]
pub struct Connector {
    world: Arc<Mutex<World>>,
    clock: Clock,
    delayed: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl Connector {
    /// A client of this world on this clock. Delays are not waited for: see [`Connector::on_delay`].
    pub fn new(world: Arc<Mutex<World>>, clock: Clock) -> Self {
        Self { world, clock, delayed: Arc::new(|_| ()) }
    }

    /// Calls `delayed` with the delay of each reply that has one: virtual time moves there.
    #[must_use]
    pub fn on_delay(mut self, delayed: Arc<dyn Fn(Duration) + Send + Sync>) -> Self {
        self.delayed = delayed;
        self
    }

    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = wire_request(request)?;
        let reply =
            self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner).answer((self.clock)(), &request);
        if !reply.delay.is_zero() {
            (self.delayed)(reply.delay);
        }
        match reply.fate {
            Fate::Arrives => response(reply),
            Fate::Reset => Err(ConnectorError::io("connection reset by peer".into())),
        }
    }
}

fn wire_request(request: &HttpRequest) -> Result<WireRequest, ConnectorError> {
    let body =
        request.body().bytes().ok_or_else(|| ConnectorError::user("the simulator takes no streamed bodies".into()))?;
    let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (method, uri) = (request.method().to_owned(), request.uri().to_owned());
    Ok(WireRequest { method, uri, headers, body: Bytes::copy_from_slice(body) })
}

fn response(reply: WireReply) -> Result<HttpResponse, ConnectorError> {
    let status = reply.status.try_into().map_err(|_| ConnectorError::user("a status that is none".into()))?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.exchange(&request))
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
