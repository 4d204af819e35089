//! Looks that share a call. The first caller waits a moment and then sends one call for all who have asked by then. A
//! call that was sent cannot be joined, and no answer is cached: a look answers only those who asked before it was sent
//! (docs/effects.md, rule 4).
//!
//! A shared call has the highest rank among its callers: it is one call, and the others need none of their own.

use launchway_plan::rank::Rank;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The answers of one call, by what was asked for.
pub(crate) type Answers<K, V> = HashMap<K, V>;

/// Batches of looks. Each group (a cluster, say) has calls of its own.
#[derive(Debug)]
pub(crate) struct Batcher<K, V, E> {
    most: usize,
    /// Whether a failed call says something about everybody who shared it. If not, one of them may have spoilt it for the
    /// others.
    concerns_all: fn(&E) -> bool,
    open: Mutex<Open<K, V, E>>,
}

/// The batches that can still be joined, by group.
type Open<K, V, E> = HashMap<String, Arc<Batch<K, V, E>>>;

/// Those who wait for one call.
#[derive(Debug)]
struct Batch<K, V, E> {
    asked: Mutex<Vec<Asked<K, V, E>>>,
}

/// One of those who wait.
#[derive(Debug)]
struct Asked<K, V, E> {
    key: K,
    rank: Rank,
    reply: Reply<V, E>,
}

/// Where an answer goes. `None` tells a caller to ask alone.
type Reply<V, E> = oneshot::Sender<Option<Result<Option<V>, E>>>;

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Batcher<K, V, E> {
    /// Calls for at most so many keys.
    pub fn new(most: usize, concerns_all: fn(&E) -> bool) -> Self {
        Self { most, concerns_all, open: Mutex::new(HashMap::new()) }
    }

    /// Asks for a key, in one call with whoever else asks while the first of them lingers; `send` gets the highest of
    /// their ranks. `Ok(None)`: the answer did not mention the key. Safe to drop: if the one who calls is dropped, the
    /// others ask again.
    pub async fn ask<L, G, S, F>(&self, group: &str, key: K, rank: Rank, linger: L, send: S) -> Result<Option<V>, E>
    where
        L: Fn() -> G,
        G: Future<Output = ()>,
        S: Fn(Rank, Vec<K>) -> F,
        F: Future<Output = Result<Answers<K, V>, E>>,
    {
        loop {
            let (reply, answer) = oneshot::channel();
            let Some(lead) = self.join(group, Asked { key: key.clone(), rank, reply }) else {
                match answer.await {
                    Ok(Some(answer)) => return answer,
                    Ok(None) => return Ok(send(rank, vec![key.clone()]).await?.remove(&key)),
                    Err(_) => continue,
                }
            };
            linger().await;
            return lead.call(key, rank, &send).await;
        }
    }

    /// Joins the open batch of the group; the first one opens it and leads.
    fn join(&self, group: &str, one: Asked<K, V, E>) -> Option<Lead<'_, K, V, E>> {
        let mut open = locked(&self.open);
        if let Some(batch) = open.get(group) {
            let mut asked = locked(&batch.asked);
            asked.push(one);
            // The leader's own key is one of the most.
            let full = asked.len() + 1 >= self.most;
            drop(asked);
            if full {
                open.remove(group);
            }
            return None;
        }
        let batch = Arc::new(Batch { asked: Mutex::new(Vec::new()) });
        open.insert(group.to_owned(), batch.clone());
        Some(Lead { batcher: self, group: group.to_owned(), batch })
    }
}

/// The caller that sends the call of a batch. If it is dropped before the answer came, the others notice and ask again.
struct Lead<'a, K, V, E> {
    batcher: &'a Batcher<K, V, E>,
    group: String,
    batch: Arc<Batch<K, V, E>>,
}

impl<K, V, E> Lead<'_, K, V, E> {
    /// Lets nobody join any more.
    fn close(&self) -> Vec<Asked<K, V, E>> {
        let mut open = locked(&self.batcher.open);
        if open.get(&self.group).is_some_and(|batch| Arc::ptr_eq(batch, &self.batch)) {
            open.remove(&self.group);
        }
        std::mem::take(&mut *locked(&self.batch.asked))
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Lead<'_, K, V, E> {
    async fn call<S, F>(self, key: K, rank: Rank, send: &S) -> Result<Option<V>, E>
    where
        S: Fn(Rank, Vec<K>) -> F,
        F: Future<Output = Result<Answers<K, V>, E>>,
    {
        let others = self.close();
        let keys = distinct(&key, &others);
        let highest = others.iter().map(|other| other.rank).fold(rank, Rank::max);
        let several = keys.len() > 1;
        match send(highest, keys).await {
            Err(failed) if several && !(self.batcher.concerns_all)(&failed) => {
                others.into_iter().for_each(|other| tell(other.reply, None));
                Ok(send(rank, vec![key.clone()]).await?.remove(&key))
            }
            Err(failed) => {
                others.into_iter().for_each(|other| tell(other.reply, Some(Err(failed.clone()))));
                Err(failed)
            }
            Ok(answers) => {
                others.into_iter().for_each(|other| tell(other.reply, Some(Ok(answers.get(&other.key).cloned()))));
                Ok(answers.get(&key).cloned())
            }
        }
    }
}

impl<K, V, E> Drop for Lead<'_, K, V, E> {
    fn drop(&mut self) {
        self.close();
    }
}

fn distinct<K: Clone + Eq, V, E>(first: &K, others: &[Asked<K, V, E>]) -> Vec<K> {
    let mut keys = vec![first.clone()];
    for other in others {
        if !keys.contains(&other.key) {
            keys.push(other.key.clone());
        }
    }
    keys
}

/// A caller that was dropped does not need the answer.
fn tell<T>(reply: oneshot::Sender<T>, answer: T) {
    let _ = reply.send(answer);
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
