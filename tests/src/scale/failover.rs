//! What it takes until the second replica goes on: the leader, a process of its own, is killed, asked to end, or paused in the
//! middle of work.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;

use super::bench::{Bench, SYSTEM};
use super::measure::rolled;
use super::seed::{name, service};
use super::{Column, Row};
use crate::quickstart::controller::Controller;

/// The lease that both stand for.
const LEASE: &str = "launchway";
/// Nothing here takes longer, or nobody took over.
const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// How many Services are changed just before a blow, and how many just after it.
const BEFORE: usize = 2;
const AFTER: usize = 2;
/// Enough that each has come to rest when it is its turn again.
const SERVICES: usize = 3 * (BEFORE + AFTER);
/// What befalls the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// SIGKILL.
    Killed,
    /// SIGTERM, as before each upgrade.
    Asked,
    /// SIGSTOP, and SIGCONT when the other one has long gone on.
    Paused,
}

impl Blow {
    /// All of them.
    pub const ALL: [Blow; 3] = [Blow::Asked, Blow::Killed, Blow::Paused];

    fn words(self) -> &'static str {
        match self {
            Blow::Killed => "SIGKILL",
            Blow::Asked => "SIGTERM",
            Blow::Paused => "SIGSTOP, SIGCONT",
        }
    }

    fn signal(self) -> &'static str {
        match self {
            Blow::Killed => "-KILL",
            Blow::Asked => "-TERM",
            Blow::Paused => "-STOP",
        }
    }
}

/// What came of some failovers of one kind.
#[derive(Clone, Debug)]
pub struct Failovers {
    /// What befell the leaders.
    pub blow: Blow,
    /// How long each time until the lease had another holder.
    pub taken: Vec<Duration>,
    /// How long each time until the first change that nobody had begun before.
    pub effect: Vec<Duration>,
    /// How many changes were made twice.
    pub duplicates: usize,
}

impl Failovers {
    /// As a column of a table.
    pub(super) fn column(&self) -> Column {
        let rows = vec![
            Row::new("failovers", "", self.effect.len().to_string()),
            Row::new("until the lease is taken: median, 99th percentile", "2 s, 15 s", words(&self.taken)),
            Row::new("until the next effect: median, 99th percentile", "", words(&self.effect)),
            Row::new("changes made twice", "0", self.duplicates.to_string()),
        ];
        Column { title: self.blow.words().to_owned(), rows }
    }
}

fn words(all: &[Duration]) -> String {
    let mut all: Vec<f64> = all.iter().map(Duration::as_secs_f64).collect();
    all.sort_by(f64::total_cmp);
    let at = |part: f64| all.get(((all.len() as f64 * part).ceil() as usize).saturating_sub(1)).copied();
    format!("{:.2} s, {:.2} s", at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default())
}

/// Two replicas with their worlds.
pub(super) struct Pair {
    bench: Bench,
    replicas: [Option<Controller>; 2],
    /// How long a leader is paused.
    pause: Duration,
    rounds: usize,
}

impl Pair {
    /// Starts both, and some Services that are in sync.
    pub(super) async fn start(bench: Bench, pause: Duration) -> anyhow::Result<Pair> {
        let mut pair = Pair { bench, replicas: [None, None], pause, rounds: 0 };
        for number in [0, 1] {
            pair.begin(number).await?;
        }
        let all = (0..SERVICES).map(|number| service(&name(number))).collect::<anyhow::Result<Vec<_>>>()?;
        pair.bench.create(all).await?;
        let are_up = |bench: &Bench| (0..SERVICES).all(|number| rolled(bench, &name(number)));
        pair.bench.until("the Services are up", PATIENCE, are_up).await?;
        Ok(pair)
    }

    async fn begin(&mut self, number: usize) -> anyhow::Result<()> {
        let replica = self.bench.replica(&format!("{SYSTEM}/{LEASE}"), &host(number))?;
        replica.until_ready().await?;
        self.replicas[number] = Some(replica);
        Ok(())
    }

    /// So many failovers of one kind.
    pub(super) async fn failovers(&mut self, blow: Blow, count: usize) -> anyhow::Result<Failovers> {
        let (mut taken, mut effect, mut duplicates) = (Vec::new(), Vec::new(), 0);
        for _ in 0..count {
            let (one, until_effect, twice) = self.failover(blow).await?;
            taken.push(one);
            effect.push(until_effect);
            duplicates += twice;
        }
        Ok(Failovers { blow, taken, effect, duplicates })
    }

    async fn failover(&mut self, blow: Blow) -> anyhow::Result<(Duration, Duration, usize)> {
        let leader = self.led_by(|_| true).await?;
        let (image, first) = (format!("web:{}", self.rounds + 2), self.rounds * (BEFORE + AFTER));
        self.rounds += 1;
        let names: Vec<String> = (first..first + BEFORE + AFTER).map(|number| name(number % SERVICES)).collect();
        let (before, after) = names.split_at(BEFORE);
        let began = Timestamp::now();
        for name in before {
            self.bench.change(name, &image).await?;
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..100))).await;
        let pid = self.replicas[leader].as_ref().and_then(Controller::pid).context("the leader has ended")?;
        let (struck, at) = (Instant::now(), Timestamp::now());
        signal(blow.signal(), pid)?;
        for name in after {
            self.bench.change(name, &image).await?;
        }
        self.led_by(|one| one != leader).await?;
        let taken = struck.elapsed();
        let is_done = |bench: &Bench| names.iter().all(|name| bench.call("UpdateService", name, began).is_some());
        self.bench.until("the other replica goes on", PATIENCE, is_done).await?;
        let effects = after.iter().filter_map(|name| self.bench.call("RegisterTaskDefinition", name, at));
        let first = effects.map(|call| call.at).min().context("no effect")?;
        if blow == Blow::Paused {
            tokio::time::sleep(self.pause.saturating_sub(struck.elapsed())).await;
            signal("-CONT", pid)?;
        }
        self.until_ended(leader).await?;
        self.bench.until_quiet(Duration::from_secs(1), Duration::from_secs(5)).await;
        let duplicates = names.iter().map(|name| self.twice(name, began)).sum();
        self.begin(leader).await?;
        Ok((taken, first.duration_since(at).max(SignedDuration::ZERO).unsigned_abs(), duplicates))
    }

    /// Who holds the lease, once it is one of those.
    async fn led_by(&self, those: impl Fn(usize) -> bool) -> anyhow::Result<usize> {
        let (began, leases) = (Instant::now(), Api::<Lease>::namespaced(self.bench.kube(), SYSTEM));
        loop {
            let lease = leases.get_opt(LEASE).await?;
            let holder = lease.and_then(|lease| lease.spec?.holder_identity).unwrap_or_default();
            let leader = [0, 1].into_iter().find(|number| holder.starts_with(&host(*number)));
            if let Some(leader) = leader.filter(|leader| those(*leader)) {
                return Ok(leader);
            }
            ensure!(began.elapsed() < PATIENCE, "nobody took the lease: it says {holder:?}");
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn until_ended(&self, number: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.replicas[number].as_ref().is_some_and(|replica| replica.ended().is_none()) {
            ensure!(began.elapsed() < PATIENCE, "the replica that led does not end");
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// How many changes of a Service were made once more since then: it was given one image.
    fn twice(&self, name: &str, since: Timestamp) -> usize {
        let world = self.bench.aws();
        let made = |operation: &str| {
            let those = world.log.iter().filter(|entry| entry.at >= since && entry.operation == operation);
            those.filter(|entry| entry.effective() && entry.input.to_string().contains(name)).count()
        };
        ["RegisterTaskDefinition", "UpdateService"].map(made).iter().map(|made| made.saturating_sub(1)).sum()
    }
}

fn host(number: usize) -> String {
    format!("replica-{number}")
}

fn signal(signal: &str, pid: u32) -> anyhow::Result<()> {
    let sent =
        std::process::Command::new("kill").args([signal, &pid.to_string()]).status().context("kill does not run")?;
    ensure!(sent.success(), "the leader had ended before {signal}");
    Ok(())
}
