//! Looks that share a call. Nobody waits for others who may not come: the first caller lets those go on who are ready, and
//! then sends one call for all who have asked by then. Whoever comes while a call of the group is under way gathers for the
//! next one, and so does who asks while the first has to wait for a token. A look at an object that has nothing to do is in no
//! hurry: it waits a moment longer, so that drift checks go out in full calls.
//!
//! A call that was sent cannot be joined, and no answer is cached: a look answers only those who asked before it was sent
//! (docs/effects.md, rule 4). A shared call has the highest rank among its callers: it is one call, and the others need none
//! of their own.

use launchway_plan::rank::Rank;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;

/// The answers of one call, by what was asked for.
pub(crate) type Answers<K, V> = HashMap<K, V>;

/// The way to AWS that a shared call takes.
pub(crate) trait Line<K, V, E> {
    /// What a call needs before it may be sent.
    type Token;

    /// Waits as long as one of that rank would for others.
    fn linger(&self, rank: Rank) -> impl Future<Output = ()> + Send;

    /// Waits for a token.
    fn token(&self, rank: Rank) -> impl Future<Output = Result<Self::Token, E>> + Send;

    /// Sends the call.
    fn send(
        &self,
        rank: Rank,
        token: Self::Token,
        keys: Vec<K>,
    ) -> impl Future<Output = Result<Answers<K, V>, E>> + Send;
}

/// Batches of looks. Each group (a cluster, say) has calls of its own.
#[derive(Debug)]
pub(crate) struct Batcher<K, V, E> {
    most: usize,
    /// Whether a failed call says something about everybody who shared it. If not, one of them may have spoilt it for the
    /// others.
    concerns_all: fn(&E) -> bool,
    groups: Mutex<HashMap<String, Group<K, V, E>>>,
}

/// The calls of a group. One that has neither is not kept.
#[derive(Debug)]
struct Group<K, V, E> {
    /// The batch that can still be joined.
    open: Option<Arc<Batch<K, V, E>>>,
    /// How many calls were sent and not answered yet.
    under_way: usize,
}

/// Those who wait for one call.
#[derive(Debug)]
struct Batch<K, V, E> {
    asked: Mutex<Vec<Asked<K, V, E>>>,
    /// It is full, it matters more than before, or no call of its group is under way any more.
    changed: Notify,
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
        Self { most, concerns_all, groups: Mutex::new(HashMap::new()) }
    }

    /// Asks for a key, in one call with whoever else asks before it is sent; it has the highest of their ranks. `Ok(None)`:
    /// the answer did not mention the key. Safe to drop: if the one who calls is dropped, the others ask again.
    pub async fn ask<L: Line<K, V, E>>(&self, group: &str, key: K, rank: Rank, line: &L) -> Result<Option<V>, E> {
        loop {
            let (reply, answer) = oneshot::channel();
            let Some(lead) = self.join(group, Asked { key: key.clone(), rank, reply }) else {
                match answer.await {
                    Ok(Some(answer)) => return answer,
                    Ok(None) => return alone(key, rank, line).await,
                    Err(_) => continue,
                }
            };
            yield_now().await;
            lead.gather(line).await;
            let token = lead.token(line).await;
            return lead.call(key, token, line).await;
        }
    }

    /// Joins the open batch of the group; the first one opens it and leads.
    fn join(&self, group: &str, one: Asked<K, V, E>) -> Option<Lead<'_, K, V, E>> {
        let mut groups = locked(&self.groups);
        let of = groups.entry(group.to_owned()).or_insert(Group { open: None, under_way: 0 });
        if let Some(batch) = &of.open {
            let mut asked = locked(&batch.asked);
            let raises = asked.iter().all(|other| other.rank < one.rank);
            asked.push(one);
            // The leader's own key is one of the most.
            let full = asked.len() + 1 >= self.most;
            drop(asked);
            if full || raises {
                batch.changed.notify_one();
            }
            if full {
                of.open = None;
            }
            return None;
        }
        let batch = Arc::new(Batch { asked: Mutex::new(Vec::new()), changed: Notify::new() });
        of.open = Some(batch.clone());
        Some(Lead { batcher: self, group: group.to_owned(), batch, rank: one.rank })
    }

    /// Changes what is under way in a group, and forgets a group that has nothing.
    fn with(&self, group: &str, then: impl FnOnce(&mut Group<K, V, E>)) {
        let mut groups = locked(&self.groups);
        if let Some(of) = groups.get_mut(group) {
            then(of);
            if of.open.is_none() && of.under_way == 0 {
                groups.remove(group);
            }
        }
    }
}

/// The caller that sends the call of a batch. If it is dropped before the answer came, the others notice and ask again.
struct Lead<'a, K: Clone + Eq + Hash, V: Clone, E: Clone> {
    batcher: &'a Batcher<K, V, E>,
    group: String,
    batch: Arc<Batch<K, V, E>>,
    /// Its own.
    rank: Rank,
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Lead<'_, K, V, E> {
    /// The highest rank of all who have asked.
    fn highest(&self) -> Rank {
        locked(&self.batch.asked).iter().map(|other| other.rank).fold(self.rank, Rank::max)
    }

    /// Waits for others, where there is reason to.
    async fn gather<L: Line<K, V, E>>(&self, line: &L) {
        loop {
            let (rank, changed) = (self.highest(), self.batch.changed.notified());
            if self.is_due(rank) {
                return;
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = line.linger(rank) => return,
            }
        }
    }

    /// Whether nobody is worth waiting for: the batch is full, or it has to get on and no call of the group is under way.
    fn is_due(&self, rank: Rank) -> bool {
        let groups = locked(&self.batcher.groups);
        let Some(of) = groups.get(&self.group) else { return true };
        let is_open = of.open.as_ref().is_some_and(|open| Arc::ptr_eq(open, &self.batch));
        !is_open || rank >= Rank::Rollout && of.under_way == 0
    }

    /// Waits for a token by the highest rank; others may still join meanwhile, and raise it.
    async fn token<L: Line<K, V, E>>(&self, line: &L) -> Result<(Rank, L::Token), E> {
        loop {
            let rank = self.highest();
            tokio::select! {
                biased;
                () = self.raised(rank) => {}
                token = line.token(rank) => return token.map(|token| (rank, token)),
            }
        }
    }

    /// Returns when the batch matters more than that.
    async fn raised(&self, rank: Rank) {
        loop {
            let changed = self.batch.changed.notified();
            if self.highest() > rank {
                return;
            }
            changed.await;
        }
    }

    /// Lets nobody join any more.
    fn close(&self) -> Vec<Asked<K, V, E>> {
        self.batcher.with(&self.group, |of| {
            of.open.take_if(|open| Arc::ptr_eq(open, &self.batch));
        });
        std::mem::take(&mut *locked(&self.batch.asked))
    }

    async fn call<L: Line<K, V, E>>(
        self,
        key: K,
        token: Result<(Rank, L::Token), E>,
        line: &L,
    ) -> Result<Option<V>, E> {
        let under_way = UnderWay::begin(self.batcher, &self.group);
        let others = self.close();
        let keys = distinct(&key, &others);
        let several = keys.len() > 1;
        let answer = match token {
            Ok((rank, token)) => line.send(rank, token, keys).await,
            Err(none) => Err(none),
        };
        drop(under_way);
        match answer {
            Err(failed) if several && !(self.batcher.concerns_all)(&failed) => {
                others.into_iter().for_each(|other| tell(other.reply, None));
                alone(key, self.rank, line).await
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

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Drop for Lead<'_, K, V, E> {
    fn drop(&mut self) {
        self.close();
    }
}

/// A call that was sent and not answered yet.
struct UnderWay<'a, K: Clone + Eq + Hash, V: Clone, E: Clone> {
    batcher: &'a Batcher<K, V, E>,
    group: String,
}

impl<'a, K: Clone + Eq + Hash, V: Clone, E: Clone> UnderWay<'a, K, V, E> {
    fn begin(batcher: &'a Batcher<K, V, E>, group: &str) -> Self {
        let mut groups = locked(&batcher.groups);
        groups.entry(group.to_owned()).or_insert(Group { open: None, under_way: 0 }).under_way += 1;
        Self { batcher, group: group.to_owned() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Drop for UnderWay<'_, K, V, E> {
    fn drop(&mut self) {
        self.batcher.with(&self.group, |of| {
            of.under_way -= 1;
            if let Some(open) = of.open.as_ref().filter(|_| of.under_way == 0) {
                open.changed.notify_one();
            }
        });
    }
}

/// Asks for one key by itself.
async fn alone<K, V, E, L>(key: K, rank: Rank, line: &L) -> Result<Option<V>, E>
where
    K: Clone + Eq + Hash,
    L: Line<K, V, E>,
{
    let token = line.token(rank).await?;
    Ok(line.send(rank, token, vec![key.clone()]).await?.remove(&key))
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
