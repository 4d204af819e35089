//! A watch: JSON lines of what was written after a version, until the client's time is up. Changes nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use serde_json::{Value, json};
use tokio::time::Sleep;

use super::failure::Failure;
use super::kinds::Kind;
use super::object::Object;
use super::request::Query;
use super::selector::Selector;
use super::world::{Change, KindId, World, Write};
use super::{State, Store};

/// A real server ends a watch after 30 to 60 minutes when the client names no time.
const LONGEST: u64 = 1800;

/// The body of an answer to a watch.
pub struct Watch {
    store: Store,
    filter: Filter,
    kind: Arc<Kind>,
    ready: VecDeque<Bytes>,
    /// Up to which write it was told.
    next: usize,
    epoch: u64,
    /// Up to which call for bookmarks it was told; absent when the client wants none.
    bookmarks: Option<u64>,
    lasts: Duration,
    /// Made at the first poll, so that opening a watch needs no runtime.
    deadline: Option<Pin<Box<Sleep>>>,
    is_over: bool,
}

/// Which writes a watch is told.
struct Filter {
    id: KindId,
    namespace: Option<String>,
    selector: Selector,
}

/// From where a watch begins.
enum Start {
    /// With all that is there, then what comes.
    State,
    /// The same, with a bookmark between the two.
    StateThenBookmark,
    /// After a version.
    After(u64),
    /// Not at all: that version is forgotten.
    Expired(Failure),
}

impl Filter {
    fn event(&self, write: &Write) -> Option<(Change, Bytes)> {
        let is_elsewhere = self.namespace.as_ref().is_some_and(|namespace| *namespace != write.namespace);
        if write.id != self.id || is_elsewhere {
            return None;
        }
        let admits = |object: &Arc<Object>| self.selector.admits(object);
        let (was, is) = (write.before.as_ref().is_some_and(admits), admits(&write.object));
        let change = match (write.change, was, is) {
            (Change::Added, _, true) | (Change::Modified, false, true) => Change::Added,
            (Change::Modified, true, true) => Change::Modified,
            (Change::Modified, true, false) | (Change::Deleted, true, _) => Change::Deleted,
            (Change::Added | Change::Modified, _, false) | (Change::Deleted, false, _) => return None,
        };
        Some((change, write.object.text()))
    }
}

impl Watch {
    pub(super) fn open(store: &Store, id: KindId, namespace: Option<String>, query: &Query) -> Result<Watch, Failure> {
        let state = store.state();
        let kind = state.world.kinds[id].clone();
        let selector = Selector::parse(&kind, query.text("labelSelector"), query.text("fieldSelector"))?;
        let wants_bookmarks = query.is_on("allowWatchBookmarks");
        let mut watch = Watch {
            store: store.clone(),
            filter: Filter { id, namespace, selector },
            kind,
            ready: VecDeque::new(),
            next: state.world.writes.len(),
            epoch: state.epoch,
            bookmarks: wants_bookmarks.then_some(state.bookmarks),
            lasts: Duration::from_secs(query.number("timeoutSeconds")?.unwrap_or(LONGEST)),
            deadline: None,
            is_over: false,
        };
        watch.begin(&state.world, start(&state.world, query)?);
        Ok(watch)
    }

    fn begin(&mut self, world: &World, start: Start) {
        match start {
            Start::State => self.tell_state(world),
            Start::StateThenBookmark => {
                self.tell_state(world);
                self.tell_bookmark(world.version, json!({"k8s.io/initial-events-end": "true"}));
            }
            Start::After(version) => {
                self.next = world.writes.partition_point(|write| write.resource_version <= version);
            }
            Start::Expired(failure) => {
                self.ready.push_back(line("ERROR", failure.status().to_string().as_bytes()));
                self.is_over = true;
            }
        }
    }

    fn tell_state(&mut self, world: &World) {
        let namespace = self.filter.namespace.as_deref();
        let all = world.objects_now(self.filter.id, namespace);
        let admitted = all.filter(|(_, object)| self.filter.selector.admits(object));
        self.ready.extend(admitted.map(|(_, object)| line(Change::Added.word(), &object.text())));
    }

    fn tell_bookmark(&mut self, version: u64, annotations: Value) {
        let metadata =
            json!({"resourceVersion": version.to_string(), "creationTimestamp": null, "annotations": annotations});
        let object = json!({"apiVersion": self.kind.api_version(), "kind": &*self.kind.kind, "metadata": metadata});
        self.ready.push_back(line("BOOKMARK", object.to_string().as_bytes()));
    }

    /// Takes over what was written since the last look.
    fn catch_up(&mut self, state: &State) {
        if state.epoch != self.epoch {
            self.is_over = true;
            return;
        }
        for write in &state.world.writes[self.next..] {
            if let Some((change, text)) = self.filter.event(write) {
                self.ready.push_back(line(change.word(), &text));
            }
        }
        self.next = state.world.writes.len();
        if self.bookmarks.is_some_and(|told| told != state.bookmarks) {
            self.bookmarks = Some(state.bookmarks);
            self.tell_bookmark(state.world.version, json!({}));
        }
    }

    /// When the client's time is up, a last bookmark, as from a real server.
    fn end_in_time(&mut self, state: &State, cx: &mut Context<'_>) {
        let lasts = self.lasts;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(lasts)));
        if deadline.as_mut().poll(cx).is_ready() {
            self.is_over = true;
            if self.bookmarks.is_some() {
                self.tell_bookmark(state.world.version, json!({}));
            }
        }
    }
}

impl http_body::Body for Watch {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ready.is_empty() && !self.is_over {
            let store = self.store.clone();
            let mut state = store.state();
            self.catch_up(&state);
            if self.ready.is_empty() && !self.is_over {
                self.end_in_time(&state, cx);
            }
            if self.ready.is_empty() && !self.is_over {
                state.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(self.ready.pop_front().map(|line| Ok(Frame::data(line))))
    }
}

fn start(world: &World, query: &Query) -> Result<Start, Failure> {
    let version = query.number("resourceVersion")?;
    if query.is_on("sendInitialEvents") {
        if query.text("resourceVersionMatch") != "NotOlderThan" {
            return Err(Failure::bad_request("sendInitialEvents requires resourceVersionMatch=NotOlderThan"));
        }
        let wants_bookmarks = query.is_on("allowWatchBookmarks");
        return Ok(if wants_bookmarks { Start::StateThenBookmark } else { Start::State });
    }
    Ok(match version {
        None | Some(0) => Start::State,
        Some(version) if version < world.oldest => Start::Expired(Failure::expired(version, world.oldest)),
        Some(version) => Start::After(version),
    })
}

fn line(word: &str, object: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(object.len() + 40);
    text.extend_from_slice(format!(r#"{{"type":"{word}","object":"#).as_bytes());
    text.extend_from_slice(object);
    text.extend_from_slice(b"}\n");
    Bytes::from(text)
}
