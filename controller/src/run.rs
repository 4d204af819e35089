//! The wiring: kube-runtime's Controllers around `pass`, one watch for each kind, and who wakes whom.

use crate::context::Context;
use crate::wake::{self, Key, Kind};
use crate::{Unreachable, pass};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::{FutureExt, TryFutureExt};
use futures::stream::{StreamExt, TryStreamExt};
use kube::api::Api;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Resource, ResourceExt as _};
use launchway_crds::{AwsAccount, Pipeline, Release, Service};
use launchway_plan::wake::Wake;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How many passes over objects of one kind may go on at once. They wait for the network, not for the processor: so many
/// that a few slow git servers do not hold the others up.
const AT_ONCE: u16 = 64;
/// How many kinds are watched.
const KINDS: usize = 4;
/// How long passes that are under way may take to end after the signal: kubelet kills after 30 seconds.
const GRACE: Duration = Duration::from_secs(25);

/// The caches that the watches fill, and the channels that wake objects.
struct Hub {
    pipelines: Store<Pipeline>,
    releases: Store<Release>,
    services: Store<Service>,
    senders: Senders,
}

struct Senders {
    pipelines: UnboundedSender<ObjectRef<Pipeline>>,
    releases: UnboundedSender<ObjectRef<Release>>,
    services: UnboundedSender<ObjectRef<Service>>,
}

impl Hub {
    /// Wakes all of them but the changed object itself, which its own watch wakes.
    fn wake(&self, own: &Key, keys: Vec<Key>) {
        for key in keys.into_iter().filter(|key| key != own) {
            // A closed channel means that the controller is ending.
            let _ = match key.kind {
                Kind::AwsAccount => Ok(()),
                Kind::Pipeline => self.senders.pipelines.unbounded_send(reference(&key)).map_err(drop),
                Kind::Release => self.senders.releases.unbounded_send(reference(&key)).map_err(drop),
                Kind::Service => self.senders.services.unbounded_send(reference(&key)).map_err(drop),
            };
        }
    }

    fn account_changed(&self, account: &AwsAccount) {
        let (pipelines, services, releases) = (self.pipelines.state(), self.services.state(), self.releases.state());
        let keys = wake::of_account(account, deref(&pipelines), deref(&services), deref(&releases));
        self.wake(&Key::of(Kind::AwsAccount, account), keys);
    }

    fn pipeline_changed(&self, pipeline: &Pipeline) {
        let (releases, services) = (self.releases.state(), self.services.state());
        let keys = wake::of_pipeline(pipeline, deref(&releases), deref(&services));
        self.wake(&Key::of(Kind::Pipeline, pipeline), keys);
    }

    fn release_changed(&self, release: &Release) {
        self.wake(&Key::of(Kind::Release, release), wake::of_release(release));
    }

    fn service_changed(&self, service: &Service) {
        let releases = self.releases.state();
        self.wake(&Key::of(Kind::Service, service), wake::of_service(service, deref(&releases)));
    }
}

fn deref<K>(all: &[Arc<K>]) -> impl Iterator<Item = &K> {
    all.iter().map(AsRef::as_ref)
}

fn reference<K: Resource<DynamicType = ()>>(key: &Key) -> ObjectRef<K> {
    let reference = ObjectRef::new(&key.name);
    if key.namespace.is_empty() { reference } else { reference.within(&key.namespace) }
}

/// Runs until the token is cancelled, then lets the passes that are under way end. `ready` is called once all watches
/// have listed.
pub async fn run(context: Arc<Context>, stop: CancellationToken, ready: impl Fn() + Send + Sync + 'static) {
    let kube = || context.kube.clone();
    let (accounts, _, _) = Wiring::new(Kind::AwsAccount, Api::all(kube()));
    let (pipelines, pipeline_store, pipeline_sender) = Wiring::new(Kind::Pipeline, Api::all(kube()));
    let (releases, release_store, release_sender) = Wiring::new(Kind::Release, Api::all(kube()));
    let (services, service_store, service_sender) = Wiring::new(Kind::Service, Api::all(kube()));
    let hub = Arc::new(Hub {
        pipelines: pipeline_store,
        releases: release_store,
        services: service_store,
        senders: Senders { pipelines: pipeline_sender, releases: release_sender, services: service_sender },
    });
    let listed = Arc::new(Listed { kinds: Mutex::default(), ready });
    let all = futures::future::join4(
        accounts.run(&context, &stop, &listed, {
            let hub = Arc::clone(&hub);
            move |one| hub.account_changed(one)
        }),
        pipelines.run(&context, &stop, &listed, {
            let hub = Arc::clone(&hub);
            move |one| hub.pipeline_changed(one)
        }),
        releases.run(&context, &stop, &listed, {
            let hub = Arc::clone(&hub);
            move |one| hub.release_changed(one)
        }),
        services.run(&context, &stop, &listed, {
            let hub = Arc::clone(&hub);
            move |one| hub.service_changed(one)
        }),
    );
    // kube's graceful shutdown waits for the first list: with no API server it would wait for ever.
    tokio::select! {
        _ = all => {}
        () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => tracing::warn!("passes were still under way after {GRACE:?}"),
    }
}

/// Which watches have listed. Seen in their streams: of several who wait for one `Store`, kube-runtime 5.0 wakes only
/// the one who asked last, and that may be us instead of the Controller.
struct Listed<F> {
    kinds: Mutex<BTreeSet<Kind>>,
    ready: F,
}

impl<F: Fn()> Listed<F> {
    fn note(&self, kind: Kind) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.insert(kind) && kinds.len() == KINDS {
            (self.ready)();
        }
    }
}

/// What the Controller of one kind is made of.
struct Wiring<K: Resource<DynamicType = ()> + Clone + 'static> {
    kind: Kind,
    api: Api<K>,
    store: Store<K>,
    writer: reflector::store::Writer<K>,
    woken: UnboundedReceiver<ObjectRef<K>>,
}

impl<K> Wiring<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Without a watch yet: the cache that it will fill, and the way to wake objects of the kind.
    fn new(kind: Kind, api: Api<K>) -> (Self, Store<K>, UnboundedSender<ObjectRef<K>>) {
        let (store, writer) = reflector::store();
        let (sender, woken) = unbounded();
        (Self { kind, api, store: store.clone(), writer, woken }, store, sender)
    }

    async fn run(
        self,
        context: &Arc<Context>,
        stop: &CancellationToken,
        listed: &Arc<Listed<impl Fn() + Send + Sync + 'static>>,
        changed: impl Fn(&K) + Send + Sync + 'static,
    ) {
        let (kind, own) = (self.kind, Arc::clone(context));
        let listed = Arc::clone(listed);
        let stream = watcher(self.api, watcher::Config::default())
            .default_backoff()
            .modify(prune)
            .reflect(self.writer)
            .inspect_ok(move |event| {
                if matches!(event, watcher::Event::InitDone) {
                    listed.note(kind);
                }
            })
            .applied_objects()
            .inspect(move |seen| match seen {
                Ok(object) => changed(object),
                Err(error) => tracing::warn!(?kind, %error, "the watch broke and is taken up again"),
            })
            .try_filter(move |object| std::future::ready(!is_own(kind, object, &own)));
        let stop = stop.clone();
        Controller::for_stream(stream, self.store)
            .with_config(Config::default().concurrency(AT_ONCE))
            .reconcile_on(self.woken)
            .graceful_shutdown_on(async move { stop.cancelled().await })
            .run(
                move |object: Arc<K>, context| guarded(Key::of(kind, object.as_ref()), context),
                again(kind),
                Arc::clone(context),
            )
            .for_each(|result| async move {
                if let Err(error) = result {
                    tracing::debug!(%error, "a pass did not take place");
                }
            })
            .await;
    }
}

/// Whether a pass over the object made this version of it. It has said itself when it comes again.
fn is_own<K: Resource<DynamicType = ()>>(kind: Kind, object: &K, context: &Context) -> bool {
    let version = object.resource_version().unwrap_or_default();
    context.own.contains(&Key::of(kind, object), &version)
}

/// What no pass looks at is not kept: it is most of an object's size.
fn prune<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}

/// A pass whose panic ends that pass and not the controller.
async fn guarded(key: Key, context: Arc<Context>) -> Result<Action, Unreachable> {
    let began = Instant::now();
    let due = pass(&key, &context).map_ok(|wake| {
        tracing::debug!(%key, ?wake, took = ?began.elapsed(), "pass");
        context.delay(&key, wake)
    });
    let result = AssertUnwindSafe(due).catch_unwind().await;
    let (outcome, delay) = match result {
        Ok(Ok(delay)) => ("done", delay),
        Ok(Err(error)) => {
            context.metrics.pass(key.kind, "unreachable", began.elapsed());
            return Err(error);
        }
        Err(_) => {
            tracing::error!(%key, "a pass panicked: this is a bug of Launchway; the object is left alone for a while");
            ("panic", context.delay(&key, Wake::Operator))
        }
    };
    context.metrics.pass(key.kind, outcome, began.elapsed());
    Ok(delay.map_or_else(Action::await_change, Action::requeue))
}

fn again<K: Resource<DynamicType = ()>>(kind: Kind) -> impl Fn(Arc<K>, &Unreachable, Arc<Context>) -> Action {
    move |object, error, context| {
        let key = Key::of(kind, object.as_ref());
        tracing::warn!(%key, error = %chain(error), "Kubernetes could not be reached");
        context.delay(&key, Wake::Backoff).map_or_else(Action::await_change, Action::requeue)
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
    text
}
