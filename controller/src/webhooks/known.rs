//! Which Pipelines take webhooks, as their watch shows them, and the secrets that prove them. Nobody else's name leads to a call.

use super::Secret;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::other;
use jiff::{SignedDuration, Timestamp};
use kube::runtime::watcher::Event;
use launchway_crds::Pipeline;
use launchway_crds::pipeline::WebhookProvider;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long a Secret counts as it was read: so long a secret that was taken out is still accepted.
const KEPT: SignedDuration = SignedDuration::from_secs(30);
/// How long it counts as one that cannot be read.
const UNREAD: SignedDuration = SignedDuration::from_secs(5);
/// How long Kubernetes may take to answer: git hosts wait for ten seconds in all.
const ANSWERS: Duration = Duration::from_secs(4);

/// What a Pipeline says of its webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Who sends it.
    pub provider: WebhookProvider,
    /// The Secret's name.
    pub secret: String,
}

/// The Pipelines that take webhooks, and what was read of their Secrets.
#[derive(Debug, Default)]
pub struct Webhooks {
    known: Mutex<BTreeMap<Key, Webhook>>,
    secrets: Mutex<BTreeMap<(String, String), Entry>>,
}

/// What was read of a Secret; whoever reads it holds the lock.
type Entry = Arc<tokio::sync::Mutex<Option<Read>>>;

/// What a Secret held; absent: it could not be read.
#[derive(Clone, Debug)]
struct Read {
    at: Timestamp,
    secrets: Option<Vec<Secret>>,
}

impl Webhooks {
    /// Follows the watch. One that cannot be read takes none.
    pub fn follow(&self, event: &Event<Item<Pipeline>>) {
        let (Event::InitApply(item) | Event::Apply(item)) = event else { return };
        let key = Key::named(Kind::Pipeline, kube::Resource::meta(item));
        let webhook = match item {
            Item::Read(pipeline) if pipeline.metadata.deletion_timestamp.is_none() => {
                pipeline.spec.source.webhook.as_ref()
            }
            Item::Read(_) | Item::Unreadable(_) => None,
        };
        let mut known = locked(&self.known);
        match webhook {
            Some(given) => {
                known.insert(key, Webhook { provider: given.provider, secret: given.secret_ref.name.to_string() })
            }
            None => known.remove(&key),
        };
    }

    /// Notes that a Pipeline is gone.
    pub fn gone(&self, key: &Key) {
        locked(&self.known).remove(key);
    }

    /// What the Pipeline says of its webhook; absent: it takes none, or is not there.
    pub fn of(&self, key: &Key) -> Option<Webhook> {
        locked(&self.known).get(key).cloned()
    }

    /// The secrets that a Secret holds now, or did half a minute ago; none: it cannot be read. Whoever asks while it is read waits for
    /// the same answer, a bad one too: strangers must not be able to have Kubernetes asked as often as they like.
    pub async fn secrets(
        &self,
        namespace: &str,
        name: &str,
        kube: &kube::Client,
        now: Timestamp,
    ) -> Option<Vec<Secret>> {
        let entry = self.entry(namespace, name, now);
        let mut entry = entry.lock().await;
        if let Some(read) = entry.as_ref().filter(|read| read.is_young(now)) {
            return read.secrets.clone();
        }
        let found = timeout(ANSWERS, other::webhook_secret(namespace, name, kube)).await;
        let secrets = match found {
            Ok(Ok(texts)) => Some(texts.iter().filter_map(|text| Secret::new(text)).collect()),
            Ok(Err(error)) => {
                tracing::warn!(namespace, secret = name, %error, "the Secret of a webhook cannot be read");
                None
            }
            Err(_) => {
                tracing::warn!(
                    namespace,
                    secret = name,
                    "Kubernetes does not answer: the Secret of a webhook cannot be read"
                );
                None
            }
        };
        *entry = Some(Read { at: now, secrets: secrets.clone() });
        secrets
    }

    fn entry(&self, namespace: &str, name: &str, now: Timestamp) -> Entry {
        let mut all = locked(&self.secrets);
        all.retain(|_, entry| {
            let is_young = |entry: &Option<Read>| entry.as_ref().is_some_and(|read| read.is_young(now));
            Arc::strong_count(entry) > 1 || entry.try_lock().is_ok_and(|entry| is_young(&entry))
        });
        Arc::clone(all.entry((namespace.to_owned(), name.to_owned())).or_default())
    }
}

impl Read {
    fn is_young(&self, now: Timestamp) -> bool {
        now.duration_since(self.at).abs() < if self.secrets.is_some() { KEPT } else { UNREAD }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
