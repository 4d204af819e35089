//! A service's events: AWS's sentences, newest first, the last hundred.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::epoch;

/// One line of a service's `events[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// A UUID's worth of an ID.
    pub id: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// `(service web) has reached a steady state.`
    pub message: Arc<str>,
}

/// AWS returns the latest hundred.
const KEPT: usize = 100;

/// A service's events, newest first.
#[derive(Clone, Debug, Default)]
pub struct Events {
    kept: VecDeque<Event>,
    count: u64,
}

impl Events {
    /// Says `(service NAME) WHAT`.
    pub(super) fn say(&mut self, service: &str, at: Timestamp, what: &str) {
        self.count += 1;
        let id = format!("{:08x}-0000-4000-8000-{:012x}", at.as_second() as u32, self.count);
        self.kept.push_front(Event { id: id.into(), at, message: format!("(service {service}) {what}").into() });
        self.kept.truncate(KEPT);
    }

    /// Newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.kept.iter()
    }

    pub(super) fn view(&self) -> Value {
        self.kept
            .iter()
            .map(|event| json!({"id": &*event.id, "createdAt": epoch(event.at), "message": &*event.message}))
            .collect()
    }
}

/// `(task a) (task b)`.
pub(super) fn named<'a>(tasks: impl Iterator<Item = &'a str>) -> String {
    tasks.map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}
