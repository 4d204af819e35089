//! Badges of Pipelines: pictures for READMEs. They are drawn of what the watch shows, so that nobody has Kubernetes asked by asking for
//! one, and a Pipeline without a badge is answered for like one that is not there.

mod picture;

use crate::item::Item;
use crate::key::{Key, Kind};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kube::runtime::watcher::Event;
use launchway_crds::Pipeline;
use launchway_plan::pipeline::badge::{Words, words};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which Pipelines have a badge, and what it says.
#[derive(Debug, Default)]
pub struct Badges(Mutex<BTreeMap<Key, Words>>);

impl Badges {
    /// Follows the watch. A Pipeline that cannot be read has none.
    pub fn follow(&self, event: &Event<Item<Pipeline>>) {
        let (Event::InitApply(item) | Event::Apply(item)) = event else { return };
        let key = Key::named(Kind::Pipeline, kube::Resource::meta(item));
        let words = match item {
            Item::Read(pipeline) if pipeline.metadata.deletion_timestamp.is_none() => words(pipeline),
            Item::Read(_) | Item::Unreadable(_) => None,
        };
        match words {
            Some(words) => self.all().insert(key, words),
            None => self.all().remove(&key),
        };
    }

    /// Notes that a Pipeline is gone.
    pub fn gone(&self, key: &Key) {
        self.all().remove(key);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Words>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The paths that are served.
pub fn router(badges: Arc<Badges>) -> Router {
    Router::new().route("/badges/{namespace}/{picture}", get(badge)).with_state(badges)
}

/// Hosts that show it through a proxy, as GitHub does, keep a picture for long unless they are told not to.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
    (CACHE_CONTROL, "no-cache, max-age=0"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

async fn badge(State(badges): State<Arc<Badges>>, Path((namespace, picture)): Path<(String, String)>) -> Response {
    let name = picture.strip_suffix(".svg").map(str::to_owned);
    let key = name.map(|name| Key { kind: Kind::Pipeline, namespace, name });
    let words = key.and_then(|key| badges.all().get(&key).cloned());
    match words {
        Some(words) => (HEADERS, picture::of(&words)).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            "no badge: check the path /badges/NAMESPACE/PIPELINE.svg, and that the Pipeline says report: {badge: Public}\n",
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests;
