//! The tower service in front of the store: from a request to an answer, at once. Wrap it to cut, count or delay.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use serde_json::{Value, json};

use super::failure::Failure;
use super::hooks::Asked;
use super::kinds::{BuiltIn, Kind, Origin, Scope};
use super::object::Object;
use super::read::{Listing, one};
use super::request::{self, Query, Target};
use super::watch::Watch;
use super::world::{KindId, Verb};
use super::write::{Deletion, Part, Writing};
use super::{Store, World};

/// The body of an answer: whole, or a watch that goes on.
pub type Body = Either<Full<Bytes>, Watch>;

/// The store as a service for [`kube::Client::new`]. A request takes effect when its future is first polled.
#[derive(Clone)]
pub struct StoreService {
    store: Store,
}

/// What is answered when nothing is refused.
enum Answer {
    Text(StatusCode, Bytes),
    Watch(Box<Watch>),
}

/// A request whose kind is known.
struct Call<'a> {
    store: &'a Store,
    target: &'a Target,
    query: Query,
    id: KindId,
    kind: Arc<Kind>,
}

impl Store {
    /// The store as a tower service.
    pub fn service(&self) -> StoreService {
        StoreService { store: self.clone() }
    }

    /// Answers one request at once, without a client and without a runtime (watches need one when they are read).
    pub fn answer(&self, method: &Method, uri: &http::Uri, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
        let answer = self.answer_or_refuse(method, uri, headers, body);
        let (code, body) = match answer {
            Ok(Answer::Text(code, text)) => (code, Either::Left(Full::new(text))),
            Ok(Answer::Watch(watch)) => (StatusCode::OK, Either::Right(*watch)),
            Err(failure) => (failure.code, Either::Left(Full::new(Bytes::from(failure.status().to_string())))),
        };
        let mut response = Response::new(body);
        *response.status_mut() = code;
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }

    fn answer_or_refuse(
        &self,
        method: &Method,
        uri: &http::Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let target = Target::parse(uri.path())?;
        let call = Call::of(self, &target, Query::parse(uri)?)?;
        match (method, &target.name, target.subresource.as_deref()) {
            (&Method::GET, None, None) => call.collection(),
            (&Method::GET, Some(name), None | Some("status")) => call.get(name),
            (&Method::POST, None, None) => call.create(request::json(body)?),
            (&Method::PUT, Some(name), part) => {
                let (body, part) = (request::json(body)?, whole_or_status(part)?);
                call.write(StatusCode::OK, |writing| match part {
                    Part::Whole => writing.replace(name, body, Verb::Update),
                    Part::Status => writing.replace_status(name, body, Verb::UpdateStatus),
                })
            }
            (&Method::PATCH, Some(name), part) => {
                let part = whole_or_status(part)?;
                check_merge_patch(headers)?;
                let patch = request::json(body)?;
                call.write(StatusCode::OK, |writing| writing.patch(name, part, &patch))
            }
            (&Method::DELETE, Some(name), None) => call.delete(name, &request::json(body)?),
            (&Method::DELETE, None, None) => Err(Failure::not_served("the deletion of a collection")),
            _ => Err(Failure::method_not_allowed(&call.kind)),
        }
    }
}

fn whole_or_status(subresource: Option<&str>) -> Result<Part, Failure> {
    match subresource {
        None => Ok(Part::Whole),
        Some("status") => Ok(Part::Status),
        Some(other) => Err(Failure::not_served(format!("the subresource {other}"))),
    }
}

fn check_merge_patch(headers: &HeaderMap) -> Result<(), Failure> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match media.split(';').next().unwrap_or_default() {
        "application/merge-patch+json" => Ok(()),
        other if other.ends_with("patch+json") || other.ends_with("patch+yaml") => {
            Err(Failure::not_served(format!("a patch of the type {other}")))
        }
        _ => Err(Failure::media_type()),
    }
}

impl<'a> Call<'a> {
    fn of(store: &'a Store, target: &'a Target, query: Query) -> Result<Call<'a>, Failure> {
        let world = &store.state().world;
        let id = world.kind_id(|kind| {
            kind.plural == target.plural && kind.group == target.group && kind.version == target.version
        });
        let id = id.ok_or_else(Failure::no_such_path)?;
        let kind = world.kinds[id].clone();
        match (kind.scope, &target.namespace) {
            (Scope::Cluster, Some(_)) => Err(Failure::no_such_path()),
            (Scope::Namespaced, None) if target.name.is_some() => Err(Failure::no_such_path()),
            (Scope::Cluster | Scope::Namespaced, _) => Ok(Call { store, target, query, id, kind }),
        }
    }

    fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }

    /// The world to read from, and as of which version it is to be read.
    fn view(&self, asked: Asked) -> (Arc<World>, Option<u64>) {
        let now = (self.store.shared.clock)();
        let state = self.store.state();
        (state.world.clone(), state.stale_version(self.id, asked, now))
    }

    fn is_cached(&self) -> bool {
        self.query.text("resourceVersion") == "0"
    }

    fn get(&self, name: &str) -> Result<Answer, Failure> {
        let (world, stale) = self.view(if self.is_cached() { Asked::CachedGet } else { Asked::Get });
        let key = (self.id, self.namespace().to_owned(), name.to_owned());
        one(&world, &key, &self.query, stale).map(|object| Answer::Text(StatusCode::OK, object.text()))
    }

    fn collection(&self) -> Result<Answer, Failure> {
        if self.query.is_on("watch") {
            let watch = Watch::open(self.store, self.id, self.target.namespace.clone(), &self.query)?;
            return Ok(Answer::Watch(Box::new(watch)));
        }
        let (world, stale) = self.view(if self.is_cached() { Asked::CachedList } else { Asked::List });
        let namespace = self.target.namespace.as_deref();
        let listing = Listing { world: &world, id: self.id, namespace, query: &self.query, stale };
        listing.text().map(|text| Answer::Text(StatusCode::OK, text))
    }

    fn create(&self, body: Value) -> Result<Answer, Failure> {
        if (self.kind.scope, &self.target.namespace) == (Scope::Namespaced, &None) {
            return Err(Failure::method_not_allowed(&self.kind));
        }
        self.write(StatusCode::CREATED, |writing| writing.create(body))
    }

    fn write(
        &self,
        code: StatusCode,
        write: impl FnOnce(&mut Writing<'_>) -> Result<Arc<Object>, Failure>,
    ) -> Result<Answer, Failure> {
        self.writing(write).map(|object| Answer::Text(code, object.text()))
    }

    fn writing<T>(&self, write: impl FnOnce(&mut Writing<'_>) -> T) -> T {
        let at = (self.store.shared.clock)();
        let (kind, id, namespace) = (self.kind.clone(), self.id, self.namespace());
        self.store.change(|world| write(&mut Writing { world, kind, id, namespace, at }))
    }

    fn delete(&self, name: &str, options: &Value) -> Result<Answer, Failure> {
        if let Origin::BuiltIn(BuiltIn::Namespace) = self.kind.origin {
            return Err(Failure::not_served("the deletion of a namespace"));
        }
        if let Some("Foreground" | "Orphan") = options["propagationPolicy"].as_str() {
            return Err(Failure::not_served("deletion in the foreground, or of the owner alone"));
        }
        let deletion = self.writing(|writing| writing.delete(name, options, Verb::Delete))?;
        let text = match deletion {
            Deletion::Held(object) => object.text(),
            Deletion::Gone(object) => {
                let details = json!({
                    "name": name, "group": self.kind.group, "kind": self.kind.plural, "uid": object.meta("uid"),
                });
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
                });
                Bytes::from(status.to_string())
            }
        };
        Ok(Answer::Text(StatusCode::OK, text))
    }
}

impl tower::Service<Request<kube::client::Body>> for StoreService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let store = self.store.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            // A body that breaks off is one that the server cannot parse.
            let body = body.collect_bytes().await.unwrap_or_else(|_| Bytes::from_static(b"{"));
            Ok(store.answer(&parts.method, &parts.uri, &parts.headers, &body))
        })
    }
}
