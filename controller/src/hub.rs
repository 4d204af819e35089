//! What the Controllers share: who depends on whom, and the queues through which objects are woken. Who wakes and who listens is
//! wired in [`crate::run`].

use crate::context::Context;
use crate::key::Key;
use crate::outage::Outage;
use crate::wake::Index;
use crate::watches::Watch;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An object with nothing to do, and when it is to be checked.
pub type Rest = (tokio::time::Instant, Key);

/// The ends of a watch's queues where keys come out.
pub type Ends = (UnboundedReceiver<Key>, UnboundedReceiver<Rest>);

/// What the Controllers share: who depends on whom, and a queue for each watch whose objects are to be woken.
pub struct Hub {
    index: Mutex<Index>,
    outage: Mutex<Outage>,
    queues: BTreeMap<Watch, UnboundedSender<Key>>,
    /// Where those go that have time: when each is to be checked.
    rests: BTreeMap<Watch, UnboundedSender<Rest>>,
    /// Which watches have listed. Seen in their streams: of several who wait for one `Store`, kube-runtime 5.0 wakes only
    /// the one who asked last, and that may be us instead of the Controller.
    listed: Mutex<BTreeSet<Watch>>,
    /// The objects that have nothing to do, as long as another replica leads.
    resting: Mutex<BTreeSet<Key>>,
    /// The objects that are there and cannot be read.
    unreadable: Mutex<BTreeSet<Key>>,
    ready: Box<dyn Fn() + Send + Sync>,
}

impl Hub {
    /// Nothing is known yet. `ready` is called once all watches have listed.
    pub fn new(ready: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            index: Mutex::default(),
            outage: Mutex::default(),
            queues: BTreeMap::new(),
            rests: BTreeMap::new(),
            listed: Mutex::default(),
            resting: Mutex::default(),
            unreadable: Mutex::default(),
            ready: Box::new(ready),
        }
    }

    /// Makes the queues of a watch; their other ends.
    pub fn queue(&mut self, watch: &Watch) -> Ends {
        let ((sender, woken), (rests, rested)) = (unbounded(), unbounded());
        self.queues.insert(watch.clone(), sender);
        self.rests.insert(watch.clone(), rests);
        (woken, rested)
    }

    /// Has an object with nothing to do checked when the sweep comes to it.
    pub fn rest(&self, key: Key, context: &Context) {
        let after = context.sweep.after(&key, Duration::from_secs(context.resync.unsigned_abs()));
        if let Some(queue) = of_watch(&self.rests, &key) {
            // A closed queue means that the controller is ending.
            let _ = queue.unbounded_send((tokio::time::Instant::now() + after, key));
        }
    }

    /// Who depends on whom.
    pub fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outage of the API server, if there is one.
    pub fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes these objects, but for the changed object itself: its own watch wakes that.
    pub fn wake(&self, woken: BTreeSet<Key>, changed: Option<&Key>) {
        for key in woken.into_iter().filter(|key| Some(key) != changed) {
            if let Some(queue) = of_watch(&self.queues, &key) {
                // A closed queue means that the controller is ending.
                let _ = queue.unbounded_send(key);
            }
        }
    }

    /// Makes a pass over each object, as after a start, now that this replica leads: over those at rest when the sweep comes to
    /// them.
    pub fn begin(&self, context: &Context) {
        let resting = std::mem::take(&mut *self.resting());
        let all = self.index().keys();
        let (rests, woken): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|key| resting.contains(key) && self.index().is_done(key));
        self.wake(woken.into_iter().collect(), None);
        rests.into_iter().for_each(|key| self.rest(key, context));
    }

    /// The objects that have nothing to do, as long as another replica leads.
    pub fn resting(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects that are there and cannot be read.
    pub fn unreadable(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a watch has listed.
    pub fn note_listed(&self, watch: &Watch) {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if listed.insert(watch.clone()) && listed.len() == self.queues.len() {
            (self.ready)();
        }
    }
}

/// The queue of the watch that shows an object; none: nobody watches its namespace.
fn of_watch<'a, T>(queues: &'a BTreeMap<Watch, T>, key: &Key) -> Option<&'a T> {
    let of = |namespace: &str| queues.get(&Watch { kind: key.kind, namespace: namespace.to_owned() });
    of("").or_else(|| of(&key.namespace))
}
