//! A life of the controller: one Context and one runtime over a world. It ends by being dropped; nothing of it is left but
//! what it did to the world.

pub mod gate;
mod wires;

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use launchway::context::Context;
use launchway::git::Polls;
use launchway::images::ImageLists;
use launchway::lease::fence::Fence;
use launchway::metrics::Metrics;
use launchway_cloud::{Clouds, Settings, Tell};
use launchway_plan::address::Rules;
use tower::Layer;

use crate::world::{Time, World, sample};
use gate::Gate;

/// A controller's Context over `world`, all of whose requests pass `gate`; it looks at an object that needs nothing every
/// `resync` seconds. Needs a tokio runtime around it.
pub fn context(world: &World, gate: &Gate, seed: u64, resync: i64) -> Context {
    let rules = Rules::strict();
    let web = wires::web(world, gate, rules.clone());
    let metrics = Arc::<Metrics>::default();
    Context {
        kube: kube::Client::new(Fence(gate.term()).layer(wires::kube(world, gate)), sample::NAMESPACE),
        clouds: Clouds::new(Settings { tell: counted(&metrics), ..settings(world, gate, seed) }),
        polls: Polls::new(web.clone()),
        git_hosts: launchway::git_hosts::GitHosts::new(web.clone()),
        images: ImageLists::default(),
        webhooks: Arc::default(),
        web,
        rules,
        badges: Arc::default(),
        unbound_secrets: launchway_plan::secret::Unbound::Sent,
        clock: world.time.clock(),
        backoff: launchway::backoff::Backoff::new(seed),
        pace: launchway::pace::Pace::new(seed),
        sweep: launchway::sweep::Sweep::default(),
        accounts: launchway::accounts::Accounts::default(),
        crowds: launchway::crowd::Crowds::default(),
        log_requests: launchway::log_request::kept::LogRequests::default(),
        events: launchway::events::Events::default(),
        own: launchway::own::OwnWrites::default(),
        installation: sample::INSTALLATION.to_owned(),
        resync,
        namespaces: Vec::new(),
        term: gate.term(),
        watches: launchway::watches::Watches::default(),
        metrics,
    }
}

/// Has calls to AWS counted.
pub fn counted(metrics: &Arc<Metrics>) -> Tell {
    let metrics = Arc::clone(metrics);
    Arc::new(move |told| metrics.told(told))
}

/// What its calls to AWS go by: the world's time, the gate, and no lingering, as one pass runs at a time.
pub fn settings(world: &World, gate: &Gate, seed: u64) -> Settings {
    let key = Credentials::new(sample::KEY, "secret", None, None, "tests");
    let base = SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(key))
        .region(Region::new(sample::REGION))
        .build();
    let term = gate.term();
    Settings {
        http_client: Some(SharedHttpClient::new(wires::Aws::new(world, gate))),
        time_source: Some(SharedTimeSource::new(VirtualTime(world.time.clone()))),
        sleep_impl: Some(SharedAsyncSleep::new(VirtualSleep { time: world.time.clone(), gate: gate.clone() })),
        seed,
        linger: Duration::ZERO,
        sweep: Duration::ZERO,
        may_change: Arc::new(move || term.is_sure()),
        ..Settings::new(base)
    }
}

#[derive(Debug)]
struct VirtualTime(Time);

impl TimeSource for VirtualTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.now().into()
    }
}

/// Who sleeps moves the time. It is only waited for when nothing else can go on, as every answer is there at once.
#[derive(Debug)]
struct VirtualSleep {
    time: Time,
    gate: Gate,
}

impl AsyncSleep for VirtualSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        let (time, gate) = (self.time.clone(), self.gate.clone());
        Sleep::new(async move {
            gate.unless_cut().await;
            time.pass(duration.try_into().unwrap_or(jiff::SignedDuration::MAX));
        })
    }
}
