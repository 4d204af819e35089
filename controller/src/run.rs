//! The wiring: a watch and a kube-runtime Controller for each kind, or for each kind and namespace, around its passes. Which change wakes whom is known in
//! [`crate::wake`].

use crate::context::Context;
use crate::fair::Places;
use crate::hub::{Ends, Hub, Rest};
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kind::{Listed, Reconciled};
use crate::kube_api::PAGE;
use crate::metrics::Stand;
use crate::unreachable::{Cause, Unreachable, words};
use crate::watches::{QUIET, Watch};
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::{BoxFuture, FutureExt, join_all, ready};
use futures::stream::{StreamExt, TryStreamExt, select};
use kube::api::{Api, ObjectMeta, PartialObjectMeta};
use kube::core::PartialObjectMetaExt;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Resource, ResourceExt};
use launchway_cloud::on_behalf_of;
use launchway_plan::condition::{MESSAGE_MAX, cut};
use launchway_plan::wake::Wake;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How many passes over objects of one kind may be under way at once, shared by the namespaces. They wait for the network, not
/// for the processor: enough that who waits for a token of our share of AWS's quotas does not hold the others up.
const AT_ONCE: usize = 256;
/// How long one pass may take. Each call that it makes has a limit of its own, of seconds; all of them together take some
/// minutes at most, where each waits for a token of AWS's quotas. What takes longer never ends, and keeps a place from the
/// others. To end it is as safe as a crash there: what was sent without an answer is in doubt, and the next pass looks first.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How long passes that are under way may take to end after the signal: kubelet kills after 30 seconds.
const GRACE: Duration = Duration::from_secs(25);

/// Runs until the token is cancelled, then lets the passes that are under way end. `ready` is called once all watches
/// have listed.
pub async fn run(context: Arc<Context>, stop: CancellationToken, ready: impl Fn() + Send + Sync + 'static) {
    let mut hub = Hub::new(ready);
    let watches = Watch::all(&context.namespaces);
    let queues: Vec<_> = watches.into_iter().map(|watch| (hub.queue(&watch), watch)).collect();
    let hub = Arc::new(hub);
    let places: BTreeMap<_, _> = Kind::ALL.iter().map(|kind| (*kind, Places::new(AT_ONCE))).collect();
    let wiring = |((woken, rested), watch): (Ends, Watch)| {
        let (context, stop, hub) = (Arc::clone(&context), stop.clone(), Arc::clone(&hub));
        Wiring { context, stop, hub, places: Arc::clone(&places[&watch.kind]), watch, woken, rested }
    };
    let all = join_all(queues.into_iter().map(|one| controller_of(one.1.kind, wiring(one))));
    let begun = async {
        context.term.begun().await;
        hub.begin(&context);
        std::future::pending().await
    };
    let all = async {
        tokio::select! { _ = all => {}, () = context.events.run(&context.kube) => {}, () = begun => {} }
        context.events.send(&context.kube).await;
    };
    // kube's graceful shutdown waits for the first list: with no API server it would wait for ever.
    tokio::select! {
        () = all => {}
        () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => tracing::warn!("passes were still under way after {GRACE:?}"),
    }
}

/// Brings the events of one watch into the index.
struct Feed {
    hub: Arc<Hub>,
    context: Arc<Context>,
    /// The objects of a list that is being read.
    list: BTreeSet<Key>,
    watch: Watch,
}

impl Feed {
    /// Updates the index, and wakes whom the event concerns.
    fn take<K: Reconciled>(&mut self, event: &Event<Item<K>>) {
        K::followed(event, &self.context);
        // A list that is about to be asked for has shown nothing yet.
        if !matches!(event, Event::Init) {
            self.context.watches.worked(&self.watch);
        }
        match event {
            Event::Init => self.list.clear(),
            Event::InitApply(item) => {
                let key = Key::named(K::KIND, item.meta());
                let is_new = !self.hub.index().knows(&key);
                self.list.insert(key);
                self.seen(item);
                if let Item::Read(object) = item
                    && is_new
                {
                    self.found(object);
                }
            }
            Event::Apply(item) => self.seen(item),
            Event::Delete(item) => self.gone(&Key::named(K::KIND, item.meta())),
            Event::InitDone => {
                let missing = self.hub.index().missing(K::KIND, &std::mem::take(&mut self.list));
                missing.iter().filter(|key| self.watch.shows(key)).for_each(|key| self.gone(key));
                self.hub.note_listed(&self.watch);
            }
        }
    }

    /// An object that cannot be read stays what it was to those that depend on it. Its own pass tells that it cannot be read.
    fn seen<K: Reconciled>(&self, item: &Item<K>) {
        match item {
            Item::Read(object) => {
                self.count_unreadable(&Key::of(object), BTreeSet::remove);
                self.note_rest(object);
                self.changed(object);
            }
            Item::Unreadable(unreadable) => {
                let key = Key::named(K::KIND, &unreadable.metadata);
                self.count_unreadable(&key, |all, key| all.insert(key.clone()));
                let woken = self.hub.index().obscured(&key);
                self.hub.wake(woken, Some(&key));
            }
        }
    }

    /// Notes whether the object has something to do, for when this replica leads.
    fn note_rest<K: Reconciled>(&self, object: &K) {
        if !self.context.term.is_sure() {
            let (key, mut resting) = (Key::of(object), self.hub.resting());
            if object.is_at_rest() {
                resting.insert(key)
            } else {
                resting.remove(&key)
            };
        }
    }

    fn count_unreadable(&self, key: &Key, change: impl FnOnce(&mut BTreeSet<Key>, &Key) -> bool) {
        let mut all = self.hub.unreadable();
        if change(&mut all, key) {
            self.context.metrics.unreadable(key.kind, all.iter().filter(|one| one.kind == key.kind).count());
        }
    }

    /// Forgets an object that is gone, and wakes whom that concerns; if it was the one that tries often in an outage, another
    /// one does.
    fn gone(&self, key: &Key) {
        self.context.forget(key);
        self.context.metrics.stands(key, None);
        self.count_unreadable(key, BTreeSet::remove);
        let mut woken = self.hub.outage().passed(key);
        woken.append(&mut self.hub.index().gone(key));
        self.hub.wake(woken, Some(key));
    }

    /// An object that a list shows for the first time, and that is at rest, is checked when the sweep comes to it: after a
    /// start those go first that have something to do. Its version counts as one of ours, which it is.
    fn found<K: Reconciled>(&self, object: &K) {
        let key = Key::of(object);
        let comes_now = || object.is_at_rest() && self.context.term.is_sure();
        let Some(version) = object.resource_version().filter(|_| comes_now()) else { return };
        if self.hub.index().is_done(&key) {
            self.context.own.remember(&key, &version);
            self.hub.rest(key, &self.context);
        }
    }

    fn changed<K: Reconciled>(&self, object: &K) {
        let key = Key::of(object);
        let conditions = object.status().map(K::conditions).unwrap_or_default();
        self.context.metrics.stands(&key, Some(Stand::of(conditions, object.at_work_since())));
        if conditions.is_empty() {
            // Somebody wiped it: what it said is said again, and not only after a back-off.
            self.context.backoff.forget(&key);
        }
        let woken = self.hub.index().changed(&key, object.all_links());
        self.hub.wake(woken, Some(&key));
    }
}

/// What the Controller of one kind is wired to.
struct Wiring {
    context: Arc<Context>,
    stop: CancellationToken,
    hub: Arc<Hub>,
    places: Arc<Places>,
    watch: Watch,
    woken: UnboundedReceiver<Key>,
    rested: UnboundedReceiver<Rest>,
}

/// An object as the caches keep it: its name and version. A pass reads the object live.
type Named<K> = PartialObjectMeta<K>;

macro_rules! controllers {
    ($($kind:ident),*) => {
        fn controller_of(kind: Kind, wiring: Wiring) -> BoxFuture<'static, ()> {
            match kind { $(Kind::$kind => controller::<launchway_crds::$kind>(wiring).boxed()),* }
        }
    };
}

launchway_crds::kinds!(controllers);

/// How long a watch that broke waits before it is made anew, in seconds: twice as long each time, and never so long that an
/// outage of the API server is noticed to be over much later than it was.
#[derive(Debug, Default)]
struct Reconnect {
    seconds: u64,
    last: Option<tokio::time::Instant>,
}

impl Iterator for Reconnect {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = tokio::time::Instant::now();
        let again = self.last.replace(now).is_some_and(|last| now - last <= QUIET);
        self.seconds = if again { (self.seconds * 2).min(4) } else { 1 };
        Some(Duration::from_secs(self.seconds))
    }
}

impl Backoff for Reconnect {
    /// Only time makes it begin again: kube resets it before each list, also one that then fails.
    fn reset(&mut self) {}
}

/// Watches the objects of a kind, everywhere or in one namespace, and makes passes over them.
async fn controller<K: Reconciled>(wiring: Wiring) {
    let Wiring { context, stop, hub, places, watch, woken, rested } = wiring;
    let (store, writer) = reflector::store::<Named<K>>();
    let mut feed =
        Feed { hub: Arc::clone(&hub), context: Arc::clone(&context), list: BTreeSet::new(), watch: watch.clone() };
    // In the order in which they come: the later, the later they are due.
    let rested = rested.then(|(due, key)| tokio::time::sleep_until(due).map(|()| key));
    let (own, broken, ending) = (Arc::clone(&context), Arc::clone(&context), stop.clone());
    let api: Api<Item<K>> = K::Scope::listed(&watch.namespace, &context.kube);
    let stream = watcher(api, watcher::Config::default().page_size(PAGE))
        .backoff(Reconnect::default())
        .inspect_ok(move |event| feed.take::<K>(event))
        .inspect_err(move |error| {
            broken.watches.failed(&watch);
            tracing::warn!(kind = %K::KIND.name(), namespace = watch.namespace, error = trouble(error), "the watch broke; it is being restarted");
        })
        .map_ok(named)
        .reflect(writer)
        .applied_objects()
        .try_filter(move |object| is_others(key(object), object.resource_version(), Arc::clone(&own)))
        // A failure has been told. kube's controller would make up to 30 seconds of pause of it, for all that wakes a pass.
        .filter(|seen| ready(seen.is_ok()));
    Controller::for_stream(stream, store)
        // Who goes first is for `Places` to say, and not for the order in which they come.
        .with_config(Config::default().concurrency(0))
        .reconcile_on(select(woken, rested.boxed()).map(|key| reference(&key)))
        .graceful_shutdown_on(async move { ending.cancelled().await })
        .run(
            move |object, context| {
                placed(key(object.as_ref()), Arc::clone(&places), stop.clone(), Arc::clone(&hub), context)
            },
            |_, never, _| match *never {},
            context,
        )
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::debug!(%error, "a pass did not take place");
            }
        })
        .await;
}

/// The event with what is kept of its object.
fn named<K: Reconciled>(event: Event<Item<K>>) -> Event<Named<K>> {
    let named = |object: Item<K>| {
        let ObjectMeta { name, namespace, resource_version, .. } = object.meta().clone();
        ObjectMeta { name, namespace, resource_version, ..ObjectMeta::default() }.into_response_partial()
    };
    match event {
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(named(object)),
        Event::Apply(object) => Event::Apply(named(object)),
        Event::Delete(object) => Event::Delete(named(object)),
        Event::InitDone => Event::InitDone,
    }
}

fn key<K: Reconciled>(object: &Named<K>) -> Key {
    Key::named(K::KIND, object.meta())
}

fn reference<K: Resource<DynamicType = ()>>(key: &Key) -> ObjectRef<K> {
    let reference = ObjectRef::new(&key.name);
    if key.namespace.is_empty() { reference } else { reference.within(&key.namespace) }
}

/// Whether somebody else than a pass over the object wrote this version of it: such a pass has said when the object comes
/// again.
async fn is_others(key: Key, version: Option<String>, context: Arc<Context>) -> bool {
    !context.own.made(&key, &version.unwrap_or_default()).await
}

/// A pass, when there is a place for one of its namespace; none while another replica leads. At the end of the controller
/// nobody waits for a place any more.
async fn placed(
    key: Key,
    places: Arc<Places>,
    stop: CancellationToken,
    hub: Arc<Hub>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    if !context.term.is_sure() {
        return Ok(Action::await_change());
    }
    let queued = context.metrics.queued(key.kind);
    let _place = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(Action::await_change()),
        place = places.enter(&key.namespace) => place,
    };
    queued.begins();
    guarded(key, hub, context).await
}

/// A pass whose panic ends that pass and not the controller, and which is ended if it takes too long.
async fn guarded(key: Key, hub: Arc<Hub>, context: Arc<Context>) -> Result<Action, Infallible> {
    let (began, asks) = (Instant::now(), hub.index().asks(&key));
    if let Some(left) = context.left_alone(&key, &asks) {
        return Ok(Action::requeue(left));
    }
    let pass = async {
        let wake = on_behalf_of(&key.to_string(), key.pass(&context)).await?;
        tracing::debug!(%key, ?wake, took = ?began.elapsed(), "pass");
        Ok(context.delay(&key, wake, &asks))
    };
    let pass = tokio::time::timeout(LONGEST, AssertUnwindSafe(pass).catch_unwind());
    let (outcome, delay) = match pass.await {
        Ok(Ok(Ok(delay))) => {
            let after_outage = hub.outage().passed(&key);
            after_outage.iter().for_each(|key| context.backoff.forget(key));
            hub.wake(after_outage, None);
            ("done", delay)
        }
        Ok(Ok(Err(Unreachable { operation, object, source: Cause::Unreadable(member) }))) => {
            tracing::warn!(%key, operation, object, member, "an object cannot be read; its Event says more");
            ("unreadable", context.delay(&key, Wake::Operator, &asks))
        }
        Ok(Ok(Err(Unreachable { source: Cause::NotLeading(_), .. }))) => {
            context.metrics.pass(key.kind, "not_leading", began.elapsed());
            tracing::debug!(%key, "a pass ended because this replica does not lead any more");
            return Ok(Action::await_change());
        }
        Ok(Ok(Err(error))) => {
            context.metrics.pass(key.kind, "unreachable", began.elapsed());
            tracing::warn!(%key, error = %chain(&error), "Kubernetes could not be reached");
            let delay = match hub.outage().failed(&key, &error) {
                Some(delay) => Some(delay),
                None => context.delay(&key, Wake::Backoff, &asks),
            };
            return Ok(delay.map_or_else(Action::await_change, Action::requeue));
        }
        Ok(Err(_)) => {
            tracing::error!(%key, "a pass panicked, which is a bug in Launchway; the object is retried in some minutes");
            ("panic", context.delay(&key, Wake::Operator, &asks))
        }
        Err(_) => {
            tracing::error!(%key, "a pass was ended because it had not ended after {LONGEST:?}; the object is retried in some minutes");
            ("overdue", context.delay(&key, Wake::Operator, &asks))
        }
    };
    context.metrics.pass(key.kind, outcome, began.elapsed());
    Ok(delay.map_or_else(Action::await_change, Action::requeue))
}

/// What broke a watch. Of an answer that is no answer of Kubernetes nothing is shown.
fn trouble(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error) => format!("listing: {}", words(error)),
        watcher::Error::WatchStartFailed(error) => format!("starting: {}", words(error)),
        watcher::Error::WatchFailed(error) => format!("watching: {}", words(error)),
        watcher::Error::WatchError(status) => format!("watching: {} ({})", status.reason, status.code),
        watcher::Error::NoResourceVersion => "listing: the API server gave no version".to_owned(),
    }
}

/// An error with its causes, in one line. kube's own errors print theirs, so equal tails are not repeated.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    cut(&text, MESSAGE_MAX)
}
