//! The parts of the bench, and what is done to them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use launchway_crds::{AwsAccount, Service};
use launchway_test_aws::door::Open;
use launchway_test_aws::iam::Role;
use launchway_test_aws::limits::{Enforcement, Limits};
use launchway_test_aws::{LogEntry, World, door};
use launchway_test_kube::real::{AuditEvent, Cluster, Say};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::count::{Asked, Wrote};
use super::flood;
use super::machine::{Used, used};
use crate::calls;
use crate::quickstart::aws::ACCESS_KEY;
use crate::quickstart::chart;
use crate::quickstart::controller::{Controller, Start};
use crate::quickstart::place::Place;
use crate::world::sample::{self, ACCOUNT, CLUSTER, EXTERNAL_ID, NAMESPACE, ROLE, place};

/// Where the chart would be installed, and its service account.
pub(super) const SYSTEM: &str = "launchway-system";
const LAUNCHWAY: &str = "launchway";
/// The controller, as the audit log names it.
const USER: &str = "system:serviceaccount:launchway-system:launchway";
/// Who changes AWS while a fleet is made.
pub(super) const SEEDER: &str = "AKIASEEDER0000000000";
/// How many requests of the bench the API server has to answer at once.
pub(super) const AT_ONCE: usize = 32;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A controller with its worlds.
pub(super) struct Bench {
    controller: Option<Controller>,
    place: Place,
    pub(super) resync: u64,
    pub(super) share: u8,
    world: Arc<Mutex<World>>,
    open: Open,
    cluster: Cluster,
    folder: TempDir,
}

/// A moment, from which is counted.
pub(super) struct Mark {
    pub(super) at: Instant,
    asked: usize,
    wrote: usize,
    used: Option<Used>,
}

/// What came to pass since a moment.
pub(super) struct Since {
    pub(super) took: Duration,
    pub(super) asked: Asked,
    pub(super) wrote: Wrote,
    /// Time on a processor.
    pub(super) cpu: Duration,
    /// MiB.
    pub(super) rss: u64,
}

impl Bench {
    /// An API server, an AWS and an AwsAccount; the controller does not run yet.
    pub(super) async fn start(program: &Path, share: u8, resync: u64) -> anyhow::Result<Bench> {
        let cluster =
            chart::cluster(Say::to(|_| {}), &chart::plainly(SYSTEM, LAUNCHWAY)?, (SYSTEM, LAUNCHWAY), NAMESPACE)
                .await?;
        let other = Namespace {
            metadata: ObjectMeta { name: Some(flood::NAMESPACE.to_owned()), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        Api::<Namespace>::all(cluster.client()).create(&PostParams::default(), &other).await?;
        let account = serde_json::from_value(account(share))?;
        Api::<AwsAccount>::all(cluster.client()).create(&PostParams::default(), &account).await?;
        let world = Arc::new(Mutex::new(aws()));
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port on loopback")?;
        let open = door::serve(listener, Arc::clone(&world), 1.0)?;
        Ok(Bench {
            controller: None,
            place: Place::here(program, &cluster.kubeconfig_for_service_account(SYSTEM, LAUNCHWAY).await?),
            resync,
            share,
            world,
            open,
            cluster,
            folder: tempfile::Builder::new().prefix("launchway-scale-").tempdir()?,
        })
    }

    /// Starts the controller, and returns when it says that it is ready.
    pub(super) async fn begin(&mut self) -> anyhow::Result<()> {
        self.begin_checking(self.resync).await
    }

    /// The same with a controller that checks for drift every so many seconds.
    pub(super) async fn begin_checking(&mut self, resync: u64) -> anyhow::Result<()> {
        self.started(resync, &[], 1, None).await
    }

    /// The same with a controller that may dial these hosts on loopback, and polls so many times as often as usual.
    pub(super) async fn begin_dialling(&mut self, hosts: &[String], pace: u32) -> anyhow::Result<()> {
        self.started(self.resync, hosts, pace, None).await
    }

    /// The same with one that takes webhooks.
    pub(super) async fn begin_hearing(&mut self, hosts: &[String], webhooks: SocketAddr) -> anyhow::Result<()> {
        self.started(self.resync, hosts, 1, Some(webhooks)).await
    }

    async fn started(
        &mut self,
        resync: u64,
        hosts: &[String],
        pace: u32,
        webhooks: Option<SocketAddr>,
    ) -> anyhow::Result<()> {
        let resync = format!("{resync}s");
        let controller = Controller::start(Start {
            place: &self.place,
            aws: &self.open.url(),
            hosts,
            pace,
            webhooks,
            resync: Some(&resync),
            lease: None,
            host: "launchway",
            chart: &[],
            log: self.folder.path().join("controller.log"),
        })?;
        controller.until_ready().await?;
        self.controller = Some(controller);
        Ok(())
    }

    /// One of several controllers, which share a lease, under the name of its host.
    pub(super) fn replica(&self, lease: &str, host: &str) -> anyhow::Result<Controller> {
        Controller::start(Start {
            place: &self.place,
            aws: &self.open.url(),
            hosts: &[],
            pace: 1,
            webhooks: None,
            resync: None,
            lease: Some(lease),
            host,
            chart: &[],
            log: self.folder.path().join(format!("{host}.log")),
        })
    }

    /// Ends the controller.
    pub(super) fn end(&mut self) {
        self.controller = None;
    }

    /// AWS at this moment.
    pub(super) fn aws(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(Timestamp::now());
        world
    }

    /// Kubernetes, as its administrator.
    pub(super) fn kube(&self) -> kube::Client {
        self.cluster.client()
    }

    /// The Services.
    pub(super) fn services(&self) -> Api<Service> {
        Api::namespaced(self.cluster.client(), NAMESPACE)
    }

    /// Creates these Services, with their statuses where they have one; how many requests a second the API server took.
    pub(super) async fn create(&self, all: Vec<Service>) -> anyhow::Result<f64> {
        let (began, api) = (Instant::now(), self.services());
        let requests = all.iter().map(|one| 1 + usize::from(one.status.is_some())).sum::<usize>();
        let put = |service: Service| {
            let api = api.clone();
            async move {
                let mut made = api.create(&PostParams::default(), &service).await?;
                if service.status.is_some() {
                    made.status = service.status;
                    let name = made.metadata.name.clone().unwrap_or_default();
                    api.replace_status(&name, &PostParams::default(), &made).await?;
                }
                Ok::<(), kube::Error>(())
            }
        };
        stream::iter(all).map(put).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(requests as f64 / began.elapsed().as_secs_f64())
    }

    /// How many reads a second the API server answers at the most.
    pub(super) async fn reads_a_second(&self, name: &str) -> anyhow::Result<f64> {
        const READS: usize = 2000;
        let (began, api) = (Instant::now(), self.services());
        let get = |_| {
            let api = api.clone();
            async move { api.get(name).await.map(drop) }
        };
        stream::iter(0..READS).map(get).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(READS as f64 / began.elapsed().as_secs_f64())
    }

    /// Gives a Service another image; when the API server had taken it.
    pub(super) async fn change(&self, name: &str, image: &str) -> anyhow::Result<Timestamp> {
        let spec = json!({"taskDefinition": {"containerDefinitions": [{"name": "web", "image": image}]}});
        let patch = Patch::Merge(json!({"spec": spec}));
        self.services().patch(name, &PatchParams::default(), &patch).await?;
        Ok(Timestamp::now())
    }

    /// Waits until something is so.
    pub(super) async fn until(&self, what: &str, longest: Duration, is: impl Fn(&Bench) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while !is(self) {
            ensure!(began.elapsed() < longest, "{what}: not in {longest:?}\n{}", self.tail());
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// Waits until AWS was not asked for so long, and no longer than `longest`.
    pub(super) async fn until_quiet(&self, quiet: Duration, longest: Duration) {
        let since = || self.aws().log.last().map(|entry| Timestamp::now().duration_since(entry.at));
        let began = Instant::now();
        while began.elapsed() < longest && since().is_none_or(|since| since.unsigned_abs() < quiet) {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// This moment.
    pub(super) async fn mark(&self) -> anyhow::Result<Mark> {
        let wrote = self.cluster.audit().await?.len();
        Ok(Mark { at: Instant::now(), asked: self.aws().log.len(), wrote, used: self.used() })
    }

    /// What came to pass since then.
    pub(super) async fn since(&self, mark: &Mark) -> anyhow::Result<Since> {
        let (took, used) = (mark.at.elapsed(), self.used());
        let before = mark.used.map_or(Duration::ZERO, |used| used.cpu);
        let wrote = Wrote::of(&self.audit_since(mark).await?, USER);
        Ok(Since {
            took,
            asked: Asked::of(&self.aws().log[mark.asked..]),
            wrote,
            cpu: used.map_or(Duration::ZERO, |used| used.cpu.saturating_sub(before)),
            rss: used.map_or(0, |used| used.rss),
        })
    }

    /// The API server's audit log since then.
    pub(super) async fn audit_since(&self, mark: &Mark) -> anyhow::Result<Vec<AuditEvent>> {
        Ok(self.cluster.audit().await?.split_off(mark.wrote))
    }

    /// What was written since then of one object, and the calls that name it.
    pub(super) async fn of_one(&self, mark: &Mark, name: &str) -> anyhow::Result<(Asked, Wrote)> {
        let names = |event: &AuditEvent| event.name == name || event.name.starts_with(&format!("{name}."));
        let events: Vec<AuditEvent> = self.audit_since(mark).await?.into_iter().filter(names).collect();
        let world = self.aws();
        let calls = world.log[mark.asked..].iter().filter(|entry| entry.input.to_string().contains(name));
        Ok((Asked::of(calls), Wrote::of(&events, USER)))
    }

    /// The first call of that operation that names this, at or after that moment.
    pub(super) fn call(&self, operation: &str, name: &str, from: Timestamp) -> Option<LogEntry> {
        let world = self.aws();
        let recent = world.log.iter().rev().take_while(|entry| entry.at >= from);
        let mut those = recent.filter(|entry| entry.operation == operation && entry.effective());
        those.find(|entry| entry.input.to_string().contains(name)).cloned()
    }

    fn used(&self) -> Option<Used> {
        used(self.controller.as_ref()?.pid()?)
    }

    fn tail(&self) -> String {
        self.controller.as_ref().map(Controller::tail).unwrap_or_default()
    }
}

/// The AwsAccount, with a share only where it is not the usual one.
fn account(share: u8) -> Value {
    let mut account = sample::aws_account();
    account["spec"]["namespaces"]["names"] = json!([NAMESPACE, flood::NAMESPACE]);
    if share != 60 {
        account["spec"]["budget"] = json!({"share": share});
    }
    account
}

fn aws() -> World {
    let mut world = World::new(1);
    let user = world.add_user(ACCOUNT, LAUNCHWAY, ACCESS_KEY);
    world.add_user(ACCOUNT, "seeder", SEEDER);
    let role = Role { trusts: vec![user], external_id: Some(EXTERNAL_ID.to_owned()), policy: None };
    world.iam.roles.insert(ROLE.to_owned(), role);
    world.limits = Limits::enforced(Enforcement::Documented);
    let ecs = world.ecs.entry(place()).or_default();
    ecs.add_cluster(CLUSTER);
    ecs.timing = calls::quick();
    world
}
