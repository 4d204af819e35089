#![allow(clippy::unwrap_used)]

use super::*;
use crate::item::Item;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request};
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tower::{ServiceExt, service_fn};

/// A small Kubernetes: Secrets that can be read, and Pipelines whose status can be marked.
#[derive(Debug, Default)]
struct World {
    now: i64,
    secrets: BTreeMap<String, Value>,
    /// How often a Secret was read.
    read: usize,
    /// What was written into the status of each Pipeline.
    marks: Vec<(String, Value)>,
    /// What is wrong with Kubernetes.
    trouble: Option<Trouble>,
    /// How often it was asked for anything.
    asked: usize,
    /// How many marks it refuses.
    unmarkable: usize,
    /// The type of the Secrets.
    kind: Option<String>,
    /// Whether a pass writes the status before the next mark does.
    conflicts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Broken,
    Silent,
}

type Shared = Arc<Mutex<World>>;

fn of_kubernetes(world: &Shared, request: &Request<Bytes>) -> (u16, Value) {
    let mut world = world.lock().unwrap();
    let path = request.uri().path().to_owned();
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    world.asked += 1;
    if world.trouble.is_some() {
        return (500, json!({"kind": "Status", "status": "Failure", "code": 500, "message": "etcd", "reason": "x"}));
    }
    if *request.method() == Method::PUT {
        let written: Value = serde_json::from_slice(request.body()).unwrap();
        if std::mem::take(&mut world.conflicts) {
            return (
                409,
                json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict", "message": "no"}),
            );
        }
        if world.unmarkable > 0 {
            world.unmarkable -= 1;
            return (
                500,
                json!({"kind": "Status", "status": "Failure", "code": 500, "message": "etcd", "reason": "x"}),
            );
        }
        assert_eq!(written["metadata"]["resourceVersion"], "7", "the version that was read");
        let name = path.rsplit('/').nth(1).unwrap_or_default().to_owned();
        world.marks.push((name, written["status"].clone()));
        return (200, written);
    }
    if path.contains("/pipelines/") {
        let object = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "spec": "of another version",
            "metadata": {"name": name, "namespace": "shop", "resourceVersion": "7"}, "status": {"making": "kept"}});
        return (200, object);
    }
    world.read += 1;
    match world.secrets.get(&name) {
        Some(data) => (200, json!({"metadata": {"name": name}, "type": world.kind, "data": data})),
        None => {
            (404, json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "no"}))
        }
    }
}

fn client(world: &Shared) -> kube::Client {
    let world = Arc::clone(world);
    let service = service_fn(move |request: Request<kube::client::Body>| {
        let world = Arc::clone(&world);
        async move {
            let (parts, body) = request.into_parts();
            let request = Request::from_parts(parts, body.collect_bytes().await.unwrap());
            if world.lock().unwrap().trouble == Some(Trouble::Silent) {
                std::future::pending::<()>().await;
            }
            let (status, value) = of_kubernetes(&world, &request);
            let body = kube::client::Body::from(value.to_string().into_bytes());
            Ok::<_, tower::BoxError>(http::Response::builder().status(status).body(body).unwrap())
        }
    });
    kube::Client::new(service, "default")
}

struct Site {
    world: Shared,
    known: Arc<Webhooks>,
    marker: Marks,
    app: Router,
}

fn pipeline(name: &str, webhook: &Value) -> Event<Item<launchway_crds::Pipeline>> {
    let source = json!({"git": {"url": "https://git.example.com/a", "branch": "main"}, "webhook": webhook});
    let spec = json!({"source": source, "build": {"codeBuild": {"project": "ab"}}, "images": [{"name": "a", "repository": "ab"}],
        "stages": [{"name": "prod", "targets": [{"service": "a"}]}]});
    let object = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec});
    Event::Apply(serde_json::from_value(object).unwrap())
}

fn site() -> Site {
    let world = Shared::default();
    let encoded = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, text)| ((*key).to_owned(), json!(STANDARD.encode(text))))
            .collect::<serde_json::Map<_, _>>()
    };
    let keys = [("token", "new"), ("previousToken", "old")];
    world.lock().unwrap().secrets.insert("hook".into(), encoded(&keys).into());
    let known = Arc::new(Webhooks::default());
    known.follow(&pipeline("web", &json!({"provider": "GitHub", "secretRef": {"name": "hook"}})));
    known.follow(&pipeline("lost", &json!({"provider": "GitHub", "secretRef": {"name": "nothing"}})));
    known.follow(&pipeline("plain", &Value::Null));
    let time = Arc::clone(&world);
    let receiver = Receiver {
        known: Arc::clone(&known),
        kube: client(&world),
        clock: Arc::new(move || Timestamp::from_second(time.lock().unwrap().now).unwrap()),
        metrics: Arc::default(),
        marks: Marks::default(),
    };
    Site { world, known, marker: receiver.marks.clone(), app: router(receiver) }
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

impl Site {
    async fn send(&self, path: &str, signature: &str, body: Body) -> Response {
        let request = Request::post(path).header("x-hub-signature-256", signature).body(body).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        // What was accepted is marked by a task of its own.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        response
    }

    async fn push(&self, path: &str, secret: &str) -> u16 {
        self.send(path, &signature(secret, "{}"), Body::from("{}")).await.status().as_u16()
    }

    fn marks(&self) -> Vec<String> {
        self.world.lock().unwrap().marks.iter().map(|(name, patch)| format!("{name} {patch}")).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_signed_push_marks_its_pipeline_with_either_secret() {
    let site = site();
    site.world.lock().unwrap().conflicts = true;
    assert_eq!(site.push("/hooks/shop/web", "new").await, 202);
    assert_eq!(site.marks(), [r#"web {"making":"kept","webhookAt":"1970-01-01T00:00:00Z"}"#]);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(site.push("/hooks/shop/web", "old").await, 202);
    assert_eq!(site.marks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_know_the_secret_is_told_the_same_whatever_is_there() {
    let site = site();
    for path in ["/hooks/shop/web", "/hooks/shop/plain", "/hooks/shop/nobody", "/hooks/other/web", "/hooks/shop/lost"] {
        let response = site.send(path, &signature("guess", "{}"), Body::from("{}")).await;
        assert_eq!(response.status(), 401, "{path}");
        let told = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert_eq!(told, Outcome::Refused.answer().1, "{path}");
    }
    assert_eq!(site.send("/hooks/shop/web", "sha256=", Body::from("{}")).await.status(), 401);
    assert_eq!(site.send("/hooks/shop", &signature("new", "{}"), Body::from("{}")).await.status(), 404);
    assert_eq!(site.marks(), [""; 0]);
    assert_eq!(site.world.lock().unwrap().read, 2, "each Secret that a Pipeline names, once");
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_that_takes_no_webhook_any_more_takes_none() {
    let site = site();
    site.known.follow(&pipeline("web", &Value::Null));
    assert_eq!(site.push("/hooks/shop/web", "new").await, 401);
    site.known.follow(&pipeline("web", &json!({"provider": "GitHub", "secretRef": {"name": "hook"}})));
    assert_eq!(site.push("/hooks/shop/web", "new").await, 202);
    site.known.gone(&Key { kind: Kind::Pipeline, namespace: "shop".into(), name: "web".into() });
    assert_eq!(site.push("/hooks/shop/web", "new").await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_was_taken_out_is_not_accepted_for_longer_than_half_a_minute() {
    let site = site();
    assert_eq!(site.push("/hooks/shop/web", "old").await, 202);
    site.world.lock().unwrap().secrets.insert("hook".into(), json!({"token": STANDARD.encode("newest")}));
    site.world.lock().unwrap().now = 31;
    assert_eq!(site.push("/hooks/shop/web", "old").await, 401);
    assert_eq!(site.push("/hooks/shop/web", "newest").await, 202);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_pushes_in_a_moment_are_two_marks() {
    let site = site();
    for _ in 0..1000 {
        assert_eq!(site.push("/hooks/shop/web", "new").await, 202);
    }
    assert_eq!(site.marks().len(), 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(site.marks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_be_long_and_not_longer_and_has_to_come_in_time() {
    let site = site();
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let pieces =
        |count| Body::from_stream(futures::stream::iter(vec![piece.clone(); count]).map(Ok::<_, std::io::Error>));
    let signed = signature("new", &"x".repeat(25 << 20));
    assert_eq!(site.send("/hooks/shop/web", &signed, pieces(25)).await.status(), 202);
    assert_eq!(site.send("/hooks/shop/web", &signed, pieces(26)).await.status(), 413);
    let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(site.send("/hooks/shop/web", &signed, never).await.status(), 408);
}

#[tokio::test(start_paused = true)]
async fn while_kubernetes_does_not_answer_nothing_is_taken_and_it_is_not_asked_for_each_request() {
    let site = site();
    site.world.lock().unwrap().trouble = Some(Trouble::Broken);
    for _ in 0..100 {
        assert_eq!(site.push("/hooks/shop/web", "new").await, 401);
    }
    assert_eq!(site.world.lock().unwrap().asked, 1);
    site.world.lock().unwrap().trouble = Some(Trouble::Silent);
    site.world.lock().unwrap().now += 6;
    let began = tokio::time::Instant::now();
    assert_eq!(site.push("/hooks/shop/web", "new").await, 401);
    assert!(began.elapsed() < PATIENCE, "the sender is told in time");
    site.world.lock().unwrap().trouble = None;
    site.world.lock().unwrap().now += 6;
    assert_eq!(site.push("/hooks/shop/web", "new").await, 202);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_could_not_be_made_is_made_later() {
    let site = site();
    assert_eq!(site.push("/hooks/shop/lost", "new").await, 401, "its Secret is not there");
    site.world.lock().unwrap().unmarkable = 3;
    assert_eq!(site.push("/hooks/shop/web", "new").await, 202);
    assert_eq!(site.marks().len(), 0);
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(site.marks().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_waits_is_made_before_the_end() {
    let site = site();
    for _ in 0..2 {
        assert_eq!(site.push("/hooks/shop/web", "new").await, 202);
    }
    assert_eq!(site.marks().len(), 1);
    site.marker.finish(&client(&site.world), Timestamp::from_second(5).unwrap()).await;
    assert_eq!(site.marks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn how_a_request_ends_says_nothing_of_what_is_there() {
    let site = site();
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    for path in ["/hooks/shop/web", "/hooks/shop/nobody"] {
        let pieces = futures::stream::iter(vec![piece.clone(); 26]).map(Ok::<_, std::io::Error>);
        let long = site.send(path, "sha256=", Body::from_stream(pieces)).await;
        let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let never = site.send(path, "sha256=", never).await;
        assert_eq!((long.status().as_u16(), never.status().as_u16()), (413, 408), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_kubernetes_own_is_no_secret_of_a_webhook() {
    let site = site();
    site.world.lock().unwrap().kind = Some("kubernetes.io/service-account-token".to_owned());
    assert_eq!(site.push("/hooks/shop/web", "new").await, 401);
}
