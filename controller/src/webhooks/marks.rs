//! The time of the last webhook, in the status of its Pipeline: at once, and then at most once in ten seconds, however many come.

use crate::context::Clock;
use crate::fair::Places;
use crate::key::Key;
use jiff::Timestamp;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use launchway_crds::Pipeline;
use launchway_crds::condition::Time;
use launchway_plan::condition::whole;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after a mark the next one follows at the earliest.
const PAUSE: Duration = Duration::from_secs(10);

/// How often a mark is tried while passes write the same status, and how many times more, each after a pause, where it could not be
/// made at all.
const TRIES: usize = 5;
const AGAIN: usize = 6;

/// How many marks are made at a time. Namespaces share them fairly.
const AT_ONCE: usize = 8;

/// The Pipelines that were marked in the last ten seconds, and whether another webhook has come since. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Marks {
    known: Arc<Mutex<BTreeMap<Key, bool>>>,
    places: Arc<Places>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { known: Arc::default(), places: Places::new(AT_ONCE) }
    }
}

impl Marks {
    /// Marks the Pipeline now, or when ten seconds have gone by since its last mark.
    pub fn note(&self, key: Key, kube: &kube::Client, clock: &Clock) {
        let mut all = self.all();
        if let Some(again) = all.get_mut(&key) {
            *again = true;
            return;
        }
        all.insert(key.clone(), false);
        drop(all);
        let (marks, kube, clock) = (self.clone(), kube.clone(), Arc::clone(clock));
        tokio::spawn(async move {
            let mut failed = 0;
            loop {
                failed = if marks.mark(&key, &kube, clock()).await { 0 } else { failed + 1 };
                tokio::time::sleep(PAUSE).await;
                let is_owed = (1..=AGAIN).contains(&failed);
                if !marks.goes_on(&key, is_owed) {
                    return;
                }
            }
        });
    }

    /// Makes the marks that wait for their ten seconds, because nobody will when this process has ended.
    pub async fn finish(&self, kube: &kube::Client, now: Timestamp) {
        let owed: Vec<Key> = self.all().iter().filter(|(_, again)| **again).map(|(key, _)| key.clone()).collect();
        futures::future::join_all(owed.iter().map(|key| self.mark(key, kube, now))).await;
    }

    /// Whether another mark is to be made; if none is, the Pipeline is forgotten.
    fn goes_on(&self, key: &Key, is_owed: bool) -> bool {
        let mut all = self.all();
        let has_come = all.get_mut(key).is_some_and(std::mem::take);
        if !has_come && !is_owed {
            all.remove(key);
        }
        has_come || is_owed
    }

    /// Whether the mark was made, or there is nothing to mark.
    async fn mark(&self, key: &Key, kube: &kube::Client, now: Timestamp) -> bool {
        let _place = self.places.enter(&key.namespace).await;
        match mark(key, kube, now).await {
            Ok(()) => true,
            Err(kube::Error::Api(status)) if status.is_not_found() => true,
            Err(error) => {
                tracing::warn!(%key, %error, "a webhook came, and the Pipeline's status could not be marked");
                false
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, bool>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written on the version that was read, so that nothing of what a pass writes at the same time is lost. Of the spec nothing has
/// to be understood.
async fn mark(key: &Key, kube: &kube::Client, now: Timestamp) -> kube::Result<()> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(kube.clone(), &key.namespace, &ApiResource::erase::<Pipeline>(&()));
    let mut tries = 0;
    loop {
        let mut pipeline = api.get(&key.name).await?;
        pipeline.data["status"]["webhookAt"] = json!(Time(whole(now)));
        tries += 1;
        match api.replace_status(&key.name, &PostParams::default(), &pipeline).await {
            Err(kube::Error::Api(status)) if status.is_conflict() && tries < TRIES => {}
            written => return written.map(drop),
        }
    }
}
