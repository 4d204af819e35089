//! What is measured, one after the other.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use launchway_crds::Service;
use launchway_plan::condition::is_true;
use launchway_plan::reason::ConditionType;
use launchway_test_aws::LogEntry;

use super::Row;
use super::bench::Bench;
use super::seed::{IMAGE, Template, name, service};
use crate::world::sample::{CLUSTER, place};

/// Longer than a pass leaves a rollout alone, and than a call takes.
const QUIET: Duration = Duration::from_secs(20);
/// How often the first Service is checked, in seconds, until it has come to rest.
const OFTEN: u64 = 10;
/// Nothing here takes longer but what says so.
const PATIENCE: Duration = Duration::from_secs(900);
/// After this nobody waits any more for AWS to be left alone. Shorter than it is between two checks.
const SETTLED: Duration = Duration::from_secs(150);
/// How often image changes come: seldom enough that the share always has a token.
const BETWEEN_EDITS: Duration = Duration::from_millis(1800);
/// RegisterTaskDefinition's burst and rate a second, as AWS documents them: the narrowest of all.
const REGISTERED: (f64, f64) = (20.0, 1.0);

/// So many new Services at once.
pub(super) async fn of_new_ones(mut bench: Bench, count: usize) -> anyhow::Result<Vec<Row>> {
    bench.begin().await?;
    let all = (0..count).map(|number| service(&name(number))).collect::<anyhow::Result<Vec<_>>>()?;
    let (mark, began) = (bench.mark().await?, Timestamp::now());
    bench.create(all).await?;
    let least = least(bench.share, count);
    let are_up = |bench: &Bench| (0..count).all(|number| rolled(bench, &name(number)));
    bench.until("the new Services are up", PATIENCE + 3 * least, are_up).await?;
    let last = last_of(&bench, "CreateService").context("no service was created")?.at;
    bench.until_quiet(QUIET, SETTLED).await;
    let since = bench.since(&mark).await?;
    let took = last.duration_since(began).unsigned_abs();
    let each = |number: usize| format!("{:.2}", number as f64 / count as f64);
    Ok(vec![
        Row::new("new Services: seconds until the last is created", "", format!("{:.0}", took.as_secs_f64())),
        Row::new("the least that the share's rates allow", "", format!("{:.0}", least.as_secs_f64())),
        Row::new("of that", "1.05", format!("{:.3}", took.as_secs_f64() / least.as_secs_f64().max(1.0))),
        Row::new("calls to AWS a new Service", "7", each(since.asked.total())),
        Row::new("calls to AWS of new Services", "", since.asked.words()),
        Row::new("status writes a new Service", "", each(since.wrote.statuses)),
        Row::new("Events a new Service", "2", each(since.wrote.events)),
        Row::new("CPU a new Service", "", format!("{:.0} ms", since.cpu.as_secs_f64() * 1000.0 / count as f64)),
    ])
}

/// So many Services in sync.
pub(super) async fn of_a_fleet(mut bench: Bench, size: usize, edits: usize) -> anyhow::Result<Vec<Row>> {
    let mut rows = seeded(&mut bench, size).await?;
    rows.extend(restarted(&mut bench, size).await?);
    rows.extend(at_rest(&bench, size).await?);
    rows.extend(changed_early(&mut bench, size).await?);
    rows.extend(edited(&bench, edits).await?);
    rows.extend(rolled_once(&bench, size).await?);
    Ok(rows)
}

/// Makes the fleet; what the API server can do alone.
async fn seeded(bench: &mut Bench, size: usize) -> anyhow::Result<Vec<Row>> {
    bench.begin_checking(OFTEN).await?;
    let empty = bench.mark().await?;
    let empty = bench.since(&empty).await?.rss;
    bench.create(vec![service(&name(0))?]).await?;
    bench.until("the first Service is up", PATIENCE, |bench| rolled(bench, &name(0))).await?;
    let first = settled(bench).await?;
    bench.end();
    let names: Vec<String> = (1..size).map(name).collect();
    let services = {
        let mut world = bench.aws();
        let template = Template::of(&world, first)?;
        template.copy_into(&mut world, &names)?;
        names.iter().map(|name| template.copy(&world, name)).collect::<anyhow::Result<Vec<_>>>()?
    };
    let writes = bench.create(services).await?;
    let reads = bench.reads_a_second(&name(0)).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    Ok(vec![
        Row::new("memory without Services", "", format!("{empty} MiB")),
        Row::new("the API server alone: reads and writes a second", "", format!("{reads:.0}, {writes:.0}")),
    ])
}

/// The first Service, once nothing is left in its status of what brought it up.
async fn settled(bench: &Bench) -> anyhow::Result<Service> {
    let began = Instant::now();
    loop {
        let first = bench.services().get(&name(0)).await?;
        let status = first.status.as_ref();
        if status.is_some_and(|status| status.effects.is_empty() && is_true(&status.conditions, ConditionType::Ready)) {
            return Ok(first);
        }
        ensure!(began.elapsed() < SETTLED, "the first Service does not come to rest: {status:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn restarted(bench: &mut Bench, size: usize) -> anyhow::Result<Vec<Row>> {
    let mark = bench.mark().await?;
    bench.begin().await?;
    bench.until("all are looked at", PATIENCE, |bench| bench.aws().log.len() > 1).await?;
    bench.until_quiet(QUIET, SETTLED).await;
    let since = bench.since(&mark).await?;
    let last = bench.aws().log.last().map(|call| Timestamp::now().duration_since(call.at).unsigned_abs());
    let took = since.took.saturating_sub(last.unwrap_or_default());
    Ok(vec![
        Row::new("restart: calls to AWS a Service", "0.11", each(since.asked.total(), size)),
        Row::new("restart: calls to AWS", "", since.asked.words()),
        Row::new("restart: status writes, Events", "0, 0", written(&since)),
        Row::new("restart: reads of Kubernetes a Service", "", each(since.wrote.reads, size)),
        Row::new(
            "restart: seconds until the last look (150 s were watched at the most)",
            "",
            format!("{:.0}", took.as_secs_f64()),
        ),
        Row::new("restart: CPU a Service", "", format!("{:.1} ms", since.cpu.as_secs_f64() * 1000.0 / size as f64)),
        Row::new("memory after it", "", format!("{} MiB", since.rss)),
    ])
}

async fn at_rest(bench: &Bench, size: usize) -> anyhow::Result<Vec<Row>> {
    let mark = bench.mark().await?;
    tokio::time::sleep(Duration::from_secs(bench.resync)).await;
    let since = bench.since(&mark).await?;
    Ok(vec![
        Row::new("check at rest: calls to AWS a Service", "0.11", each(since.asked.total(), size)),
        Row::new("check at rest: calls to AWS", "", since.asked.words()),
        Row::new("check at rest: status writes, Events", "0, 0", written(&since)),
        Row::new(
            "check at rest: CPU a Service",
            "",
            format!("{:.1} ms", since.cpu.as_secs_f64() * 1000.0 / size as f64),
        ),
    ])
}

/// An image that is changed one second after the controller was ready.
async fn changed_early(bench: &mut Bench, size: usize) -> anyhow::Result<Vec<Row>> {
    let changed = name(size / 2);
    bench.end();
    bench.begin().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let at = bench.change(&changed, "web:2").await?;
    let updated = |bench: &Bench| bench.call("UpdateService", &changed, at).is_some();
    bench.until("a change after a restart is served", PATIENCE, updated).await?;
    let after = |operation| bench.call(operation, &changed, at).map(|call| millis(at, call.at));
    let (registered, updated) = (after("RegisterTaskDefinition"), after("UpdateService"));
    bench.until_quiet(QUIET, SETTLED).await;
    Ok(vec![Row::new(
        "a change one second after the start: until RegisterTaskDefinition, UpdateService",
        "1000 ms",
        format!("{:.0} ms, {:.0} ms", registered.unwrap_or_default(), updated.unwrap_or_default()),
    )])
}

/// Images that are changed one after the other.
async fn edited(bench: &Bench, edits: usize) -> anyhow::Result<Vec<Row>> {
    let mut took = Vec::new();
    for number in 0..edits {
        let changed = name(number + 1);
        let at = bench.change(&changed, "web:3").await?;
        tokio::time::sleep(BETWEEN_EDITS).await;
        let updated = |bench: &Bench| bench.call("UpdateService", &changed, at).is_some();
        bench.until("a change is served", PATIENCE, updated).await?;
        took.extend(bench.call("UpdateService", &changed, at).map(|call| millis(at, call.at)));
    }
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took.get(((took.len() as f64 * part).ceil() as usize).saturating_sub(1)).copied();
    let (median, slow) = (at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default());
    Ok(vec![Row::new(
        "a changed image until UpdateService: median, 99th percentile",
        "30 ms, 100 ms",
        format!("{median:.0} ms, {slow:.0} ms"),
    )])
}

/// One roll, from the change of an image to its end.
async fn rolled_once(bench: &Bench, size: usize) -> anyhow::Result<Vec<Row>> {
    let rolled = name(size - 1);
    bench.until_quiet(QUIET, SETTLED).await;
    let mark = bench.mark().await?;
    let at = bench.change(&rolled, &IMAGE.replace('1', "4")).await?;
    bench.until("a roll", PATIENCE, |bench| bench.call("UpdateService", &rolled, at).is_some()).await?;
    tokio::time::sleep(QUIET).await;
    let (asked, wrote) = bench.of_one(&mark, &rolled).await?;
    Ok(vec![
        Row::new("a roll: calls to AWS", "", format!("{}: {}", asked.total(), asked.words())),
        Row::new("a roll: status writes, Events", ", 2", format!("{}, {}", wrote.statuses, wrote.events)),
    ])
}

/// Whether ECS runs a service of that name.
pub(super) fn rolled(bench: &Bench, name: &str) -> bool {
    let world = bench.aws();
    let service = world.ecs.get(&place()).and_then(|ecs| ecs.service(CLUSTER, name));
    service.is_some_and(|service| service.completed.is_some())
}

fn last_of(bench: &Bench, operation: &str) -> Option<LogEntry> {
    bench.aws().log.iter().rev().find(|entry| entry.operation == operation).cloned()
}

/// How long so many registrations take at the least.
fn least(share: u8, count: usize) -> Duration {
    let part = f64::from(share) / 100.0;
    let (burst, rate) = (REGISTERED.0 * part, REGISTERED.1 * part);
    Duration::from_secs_f64(((count as f64 - burst) / rate).max(0.0))
}

fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() * 1000.0
}

fn each(number: usize, size: usize) -> String {
    format!("{:.3}", number as f64 / size as f64)
}

fn written(since: &super::bench::Since) -> String {
    format!("{}, {}", since.wrote.statuses, since.wrote.events)
}
