//! From a life's clients to the world: three wires, each through the gate. None waits for anything.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http::{Method, Response};
use launchway::web::{Web, WebFault};
use launchway_plan::address::Rules;
use launchway_test_aws::door::Connector;
use launchway_test_kube::store::Body;
use tower::service_fn;

use super::gate::{Broken, Gate, Nature};
use crate::world::sample::{HEALTH, URL};
use crate::world::{World, is_changing};

/// The wire to AWS: what the SDK's clients take for the network.
#[derive(Clone)]
pub(super) struct Aws {
    world: World,
    connector: Connector,
    gate: Gate,
}

impl Aws {
    pub(super) fn new(world: &World, gate: &Gate) -> Aws {
        let time = world.time.clone();
        let connector = Connector::new(world.aws.clone(), world.time.clock());
        let connector = connector.on_delay(Arc::new(move |delay| time.pass(delay.try_into().expect("a short delay"))));
        Aws { world: world.clone(), connector, gate: gate.clone() }
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (service, operation) = operation(&request);
        let nature = if is_changing(&service, &operation) { Nature::Change } else { Nature::Look };
        let (world, connector, gate) = (self.world.clone(), self.connector.clone(), self.gate.clone());
        HttpConnectorFuture::new(async move {
            let content = request.body().bytes().map(<[u8]>::to_vec).unwrap_or_default();
            let name = format!("{service}:{operation}");
            let sent = gate.send(name, nature, &content, || connector.call(request)).await;
            match sent {
                Ok(answer) => answer.await,
                Err(broken) => {
                    if nature == Nature::Change {
                        // Whoever does not know that a change was refused asks for it again.
                        world.progress().fresh.push(world.now());
                    }
                    Err(ConnectorError::io(broken.into()))
                }
            }
        })
    }
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Service and operation, from the header of the JSON protocols or from the body of the query protocol.
fn operation(request: &HttpRequest) -> (String, String) {
    if let Some((target, operation)) = request.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
        let services =
            [("Container", "ecs"), ("ContainerRegistry", "ecr"), ("CodeBuild", "codebuild"), ("Logs", "logs")];
        let known = services.iter().rev().find(|(part, _)| target.contains(part));
        return (known.map_or("aws", |(_, service)| service).to_owned(), operation.to_owned());
    }
    let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    ("sts".to_owned(), action.unwrap_or_default().to_owned())
}

type Answered<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;
type KubeRequest = http::Request<kube::client::Body>;

/// The wire to Kubernetes.
pub(super) fn kube(
    world: &World,
    gate: &Gate,
) -> impl tower::Service<KubeRequest, Response = Response<Body>, Error = Broken, Future = Answered<Response<Body>, Broken>>
+ Clone
+ Send
+ 'static {
    let (world, gate) = (world.clone(), gate.clone());
    service_fn(move |request: KubeRequest| {
        let (world, store, gate) = (world.clone(), world.store.clone(), gate.clone());
        let answered: Answered<Response<Body>, Broken> = Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.map_err(|_| Broken)?;
            let name = format!("{} {}", parts.method, short(parts.uri.path()));
            let nature = if parts.method == Method::GET { Nature::Look } else { Nature::Change };
            let sent =
                gate.send(name, nature, &body, || store.answer(&parts.method, &parts.uri, &parts.headers, &body));
            let sent = sent.await;
            if sent.is_err() {
                // A pass whose write may not have come through is made again, with the calls that it makes.
                world.progress().fresh.push(world.now());
            }
            sent
        });
        answered
    })
}

/// A path without the group and the namespace.
fn short(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let namespaced = parts.iter().position(|part| *part == "namespaces").filter(|at| parts.len() > at + 2);
    let versioned = parts.iter().position(|part| part.starts_with('v')).map_or(0, |at| at + 1);
    parts[namespaced.map_or(versioned, |at| at + 2)..].join("/")
}

/// The wire to git remotes and to what is verified, and to nothing else.
pub(super) fn web(world: &World, gate: &Gate, rules: Rules) -> Web {
    let (world, gate) = (world.clone(), gate.clone());
    let exchange = service_fn(move |request: http::Request<Bytes>| {
        let (world, gate) = (world.clone(), gate.clone());
        async move {
            let url = request.uri().to_string();
            let name = format!("{} {}", request.method(), url.split('?').next().unwrap_or_default());
            let is_told = url.contains("/statuses/");
            let asks_refs = request.method() == Method::POST && !is_told;
            let nature = if is_told { Nature::Change } else { Nature::Look };
            let sent = gate.send(name, nature, request.body(), || answer(&world, &request, &url)).await;
            let reply = sent.unwrap_or(Err(WebFault::Broken))?;
            if asks_refs && reply.status().is_success() {
                let head = world.git.head(URL, "main");
                world.progress().answered.extend(head);
            }
            Ok(reply)
        }
    });
    Web::over(rules, exchange)
}

fn answer(world: &World, request: &http::Request<Bytes>, url: &str) -> Result<Response<Bytes>, WebFault> {
    if url.starts_with(HEALTH) {
        return Ok(Response::new(Bytes::from_static(br#"{"ok": true}"#)));
    }
    world.remote(request)
}
