//! Events on their way to Kubernetes. They are sent beside the passes that told them: nobody waits for them, and while Kubernetes
//! takes none, the newest are dropped and counted. The status says the same.

use crate::metrics::Metrics;
use crate::unreachable::{is_fenced, words};
use futures::stream::{self, StreamExt};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, PostParams};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many may wait.
const MOST: usize = 1000;
/// How many are sent at once.
const AT_ONCE: usize = 4;

/// Events that are to be sent.
#[derive(Debug, Default)]
pub struct Events {
    waiting: Mutex<VecDeque<Event>>,
    came: Notify,
}

impl Events {
    /// Takes an event to be sent, if there is room.
    pub fn tell(&self, event: Event, metrics: &Metrics) {
        let mut waiting = self.waiting();
        if waiting.len() < MOST {
            waiting.push_back(event);
            self.came.notify_one();
        } else {
            metrics.dropped_event();
        }
    }

    /// Sends whatever comes, for ever.
    pub async fn run(&self, kube: &kube::Client) {
        loop {
            self.came.notified().await;
            self.send(kube).await;
        }
    }

    /// Sends all that wait.
    pub async fn send(&self, kube: &kube::Client) {
        let all = stream::iter(std::iter::from_fn(|| self.waiting().pop_front()));
        all.for_each_concurrent(AT_ONCE, |event| sent(event, kube)).await;
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event that cannot be written is logged and forgotten.
async fn sent(event: Event, kube: &kube::Client) {
    let api: Api<Event> = Api::namespaced(kube.clone(), event.metadata.namespace.as_deref().unwrap_or_default());
    if let Err(error) = api.create(&PostParams::default(), &event).await
        && !matches!(&error, kube::Error::Api(status) if status.is_already_exists())
        && !is_fenced(&error)
    {
        let of = event.regarding.and_then(|object| object.name).unwrap_or_default();
        tracing::warn!(object = of, error = words(&error), "could not write an event");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Format;

    #[test]
    fn when_too_many_wait_the_newest_are_dropped_and_counted() {
        let (events, metrics) = (Events::default(), Metrics::default());
        for _ in 0..MOST + 2 {
            events.tell(Event::default(), &metrics);
        }
        assert_eq!(events.waiting().len(), MOST);
        let text = metrics.text(Format::Plain, jiff::Timestamp::UNIX_EPOCH);
        assert!(text.contains("launchway_dropped_events_total 2"), "{text}");
    }
}
