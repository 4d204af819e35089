//! A controller that runs, kube-runtime and all, over the Kubernetes in memory and on tokio's paused time. The order of its
//! passes is its own, so that nothing is replayed here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_types::SdkConfig;
use jiff::SignedDuration;
use launchway::Context;
use launchway::context::Clock;
use launchway::git::Polls;
use launchway::git_hosts::GitHosts;
use launchway::images::ImageLists;
use launchway::lease::term::Term;
use launchway_cloud::{Clouds, Settings};
use launchway_plan::address::Rules;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::life::gate::Gate;
use crate::life::{context, counted, settings};
use crate::scenario::{RESYNC, Sites};
use crate::world::World;
use crate::world::sample::HEALTH;

/// kubelet waits so long before it kills.
pub const KILL: Duration = Duration::from_secs(30);
const SEED: u64 = 1;

/// A controller that runs. Needs a tokio runtime around it whose time is paused.
pub struct Running {
    world: World,
    context: Arc<Context>,
    stop: CancellationToken,
    ready: Arc<AtomicBool>,
    controller: JoinHandle<()>,
}

impl Running {
    /// Starts one over a world, with this Kubernetes client.
    pub fn start(world: &World, kube: kube::Client) -> Running {
        Running::begin(world, kube, |context| context)
    }

    /// The same, with another clock than the world's.
    pub fn start_with(world: &World, kube: kube::Client, clock: Clock) -> Running {
        Running::begin(world, kube, |context| Context { clock, ..context })
    }

    /// One that watches only these namespaces.
    pub fn start_in(world: &World, kube: kube::Client, namespaces: &[&str]) -> Running {
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        Running::begin(world, kube, |context| Context { namespaces, ..context })
    }

    /// One that leads for that time.
    pub fn start_within(world: &World, kube: kube::Client, term: Arc<Term>) -> Running {
        Running::begin(world, kube, |context| Context { term, ..context })
    }

    fn begin(world: &World, kube: kube::Client, but: impl FnOnce(Context) -> Context) -> Running {
        let gate = Gate::new(&world.time);
        let sites = Sites::default();
        sites.set(HEALTH, 200, r#"{"ok": true}"#);
        let web = sites.web(world, &gate, Rules::strict());
        // Looks wait for others as in the product, on tokio's time.
        let Settings { linger, sweep, .. } = Settings::new(SdkConfig::builder().build());
        let metrics = Arc::default();
        let tell = counted(&metrics);
        let clouds = Settings { sleep_impl: None, linger, sweep, tell, ..settings(world, &gate, SEED) };
        let context = Context {
            kube,
            clouds: Clouds::new(clouds),
            polls: Polls::new(web.clone()),
            git_hosts: GitHosts::new(web.clone()),
            images: ImageLists::default(),
            webhooks: Arc::default(),
            web,
            term: Term::always(),
            metrics,
            ..context(world, &gate, SEED, RESYNC)
        };
        let (stop, ready) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let announced = Arc::clone(&ready);
        let context = Arc::new(but(context));
        let run =
            launchway::run::run(Arc::clone(&context), stop.clone(), move || announced.store(true, Ordering::Relaxed));
        Running { world: world.clone(), context, stop, ready, controller: tokio::spawn(run) }
    }

    /// What it is made of.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether all watches have listed.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Lets time go by until the world is so, for a day at most.
    ///
    /// # Panics
    /// A day is not enough, or the controller has ended.
    pub async fn until(&self, so: impl Fn(&World) -> bool) {
        for _ in 0..24 * 3600 {
            if so(&self.world) {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.world.time.pass(SignedDuration::from_secs(1));
            assert!(!self.controller.is_finished(), "the controller has ended");
        }
        panic!("a day is not enough");
    }

    /// Lets so much time go by.
    pub async fn for_minutes(&self, minutes: i64) {
        let end = self.world.now() + SignedDuration::from_mins(minutes);
        self.until(|world| world.now() >= end).await;
    }

    /// Tells it to stop; how long that takes.
    ///
    /// # Panics
    /// It does not end before it is killed, or it panics.
    pub async fn stopped(self) -> Duration {
        let began = tokio::time::Instant::now();
        self.stop.cancel();
        tokio::time::timeout(KILL, self.controller)
            .await
            .expect("it ends before it is killed")
            .expect("it does not panic");
        began.elapsed()
    }
}
