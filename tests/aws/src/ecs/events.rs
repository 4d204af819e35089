//! A service's events: AWS's sentences, newest first, the last hundred.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
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

/// A cause that lasts is said again after this long.
const REPEATED: SignedDuration = SignedDuration::from_hours(6);

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

    /// The same, unless nothing but that was said in the last six hours since tasks were last started
    /// [developer guide, "Viewing Amazon ECS service event messages": duplicates are left out until the cause is resolved].
    pub(super) fn say_once(&mut self, service: &str, at: Timestamp, what: &str) {
        let recent = self.kept.iter().take_while(|event| event.at > at - REPEATED);
        let since = recent.take_while(|event| !event.message.contains(" has started "));
        if !since.into_iter().any(|event| event.message.ends_with(what)) {
            self.say(service, at, what);
        }
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
