//! Places for passes, shared fairly by the namespaces: a namespace with a thousand objects, or with slow ones, does not keep
//! the others waiting.
//!
//! A namespace takes one more place while it holds fewer than are free. So however many it could use, half of what the others
//! leave stays free, and whoever comes finds a place at once. Where several wait, the one that holds the fewest is next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// So many places, and who has them.
#[derive(Debug)]
pub struct Places {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// How many ever had to wait.
    came: u64,
    /// Those that hold a place or wait for one.
    namespaces: BTreeMap<String, Namespace>,
}

#[derive(Debug, Default)]
struct Namespace {
    holds: usize,
    waiting: VecDeque<(u64, oneshot::Sender<Place>)>,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    namespace: String,
}

impl Places {
    /// So many places, all free.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { free: most, came: 0, namespaces: BTreeMap::new() }) })
    }

    /// Waits for a place. Who stops waiting gives up nothing but its turn.
    pub async fn enter(self: &Arc<Self>, namespace: &str) -> Place {
        loop {
            let turn = {
                let (sender, turn) = oneshot::channel();
                let mut state = self.state();
                state.came += 1;
                let came = state.came;
                state.namespaces.entry(namespace.to_owned()).or_default().waiting.push_back((came, sender));
                turn
            };
            self.hand_out();
            // Nobody drops a sender but by sending.
            if let Ok(place) = turn.await {
                return place;
            }
        }
    }

    /// Gives the free places to those whose turn it is. One that waits no more gives its place back at once.
    fn hand_out(self: &Arc<Self>) {
        loop {
            let next = self.state().next();
            let Some((namespace, turn)) = next else { return };
            let place = Place { places: Arc::clone(self), namespace };
            // Not under the lock: a place that nobody takes comes back here.
            drop(turn.send(place));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a place for whoever is next.
    fn next(&mut self) -> Option<(String, oneshot::Sender<Place>)> {
        let Self { free, namespaces, .. } = self;
        namespaces.retain(|_, one| one.holds > 0 || one.first().is_some());
        let may = namespaces.iter_mut().filter(|(_, one)| one.holds < *free);
        let next = may.filter_map(|(name, one)| Some(((one.holds, one.first()?), name, one)));
        let (name, one) = next.min_by_key(|(turn, ..)| *turn).map(|(_, name, one)| (name.clone(), one))?;
        let (_, turn) = one.waiting.pop_front()?;
        one.holds += 1;
        *free -= 1;
        Some((name, turn))
    }
}

impl Namespace {
    /// When the first one came that still waits.
    fn first(&mut self) -> Option<u64> {
        while self.waiting.front().is_some_and(|(_, turn)| turn.is_closed()) {
            self.waiting.pop_front();
        }
        self.waiting.front().map(|(came, _)| *came)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.places.state();
            state.free += 1;
            if let Some(one) = state.namespaces.get_mut(&self.namespace) {
                one.holds -= 1;
            }
        }
        self.places.hand_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::BoxFuture;

    type Waiting = BoxFuture<'static, Place>;

    /// So many of a namespace that want a place: those that got one, and those that wait.
    fn come(places: &Arc<Places>, namespace: &'static str, count: usize) -> (Vec<Place>, Vec<Waiting>) {
        let (mut in_place, mut waiting) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let places = Arc::clone(places);
            let mut one: Waiting = async move { places.enter(namespace).await }.boxed();
            match one.as_mut().now_or_never() {
                Some(place) => in_place.push(place),
                None => waiting.push(one),
            }
        }
        (in_place, waiting)
    }

    #[test]
    fn however_many_a_namespace_has_the_others_find_a_place_at_once() {
        let places = Places::new(256);
        let mut held = Vec::new();
        for (namespace, gets) in [("flood", 128), ("second", 64), ("third", 32)] {
            let (got, waiting) = come(&places, namespace, 1000);
            assert_eq!(got.len(), gets, "{namespace}");
            held.push((got, waiting));
        }
        let (victim, _) = come(&places, "victim", 1);
        assert_eq!(victim.len(), 1);
    }

    #[test]
    fn a_place_that_comes_free_goes_to_the_namespace_that_holds_the_fewest() {
        let places = Places::new(4);
        let (mut flood, mut flooding) = come(&places, "flood", 9);
        let (mut small, _) = come(&places, "small", 1);
        let (last, mut second) = come(&places, "second", 1);
        assert_eq!((flood.len(), small.len(), last.len(), second.len()), (2, 1, 1, 0));
        let (_, mut third) = come(&places, "third", 1);
        flood.pop();
        assert!(third[0].as_mut().now_or_never().is_some(), "it holds none");
        second.clear();
        small.clear();
        drop(last);
        assert!(flooding[0].as_mut().now_or_never().is_some(), "all others are served");
    }

    #[test]
    fn who_waits_no_more_is_passed_over_and_nothing_is_kept_of_who_is_gone() {
        let places = Places::new(2);
        let (held, mut waiting) = come(&places, "a", 3);
        assert_eq!((held.len(), waiting.len()), (1, 2));
        drop(waiting.remove(0));
        drop(held);
        assert!(waiting[0].as_mut().now_or_never().is_some());
        drop(waiting);
        let state = places.state();
        assert!(state.free == 2 && state.namespaces.is_empty(), "{state:?}");
    }
}
