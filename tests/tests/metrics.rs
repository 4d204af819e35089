//! The metrics of a controller at work: they say what became of the world, in words of ours and of AWS's alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use launchway::metrics::Format;
use launchway_test_kube::real::prometheus;
use launchway_tests::running::Running;
use launchway_tests::world::{World, is_effect, sample};
use serde_json::Value;

/// The samples of a scrape: each series with its value.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    fn of(running: &Running) -> Self {
        let text = running.context().scraped(Format::Plain);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let parts = samples.map(|line| line.rsplit_once(' ').unwrap());
        Self(parts.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect())
    }

    /// The value of a series; 0, as long as there was nothing to count.
    #[track_caller]
    fn is(&self, series: &str, value: f64) {
        let seen = self.0.get(&format!("launchway_{series}")).copied().unwrap_or_default();
        assert!((seen - value).abs() < 1e-9, "{series} is {seen} and not {value}: {:#?}", self.0);
    }

    /// The sum over the series whose name and labels contain all of these.
    fn sum(&self, parts: &[&str]) -> f64 {
        self.0.iter().filter(|(series, _)| parts.iter().all(|part| series.contains(part))).map(|(_, value)| value).sum()
    }
}

fn failed(world: &World, release: &str) -> bool {
    world.is("Release", release, "Stalled", "True")
}

/// A world in which one commit was released, one could not be built, and one crashed and was rolled back.
async fn told() -> (World, Running) {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let running = Running::start(&world, world.store.client());
    running.until(|world| world.is("Pipeline", "greeter", "Released", "True")).await;
    sample::push(&world, "broken-1");
    running.until(|world| failed(world, "greeter-2")).await;
    sample::push(&world, "crashing-1");
    running.until(|world| failed(world, "greeter-3")).await;
    (world, running)
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_commits_is_counted_once_and_timed() {
    let (world, running) = told().await;
    // Another pass over what has ended counts nothing again.
    running.for_minutes(30).await;
    let scrape = Scrape::of(&running);
    scrape.is("releases_total{outcome=\"succeeded\"}", 1.0);
    scrape.is("releases_total{outcome=\"failed\"}", 2.0);
    for (reached, times) in [("image", 2.0), ("stage_1", 1.0), ("stage_2", 1.0), ("released", 1.0)] {
        scrape.is(&format!("commit_duration_seconds_count{{reached=\"{reached}\"}}"), times);
    }
    let took = |reached: &str| scrape.sum(&["commit_duration_seconds_sum", reached]);
    assert!(took("stage_1") < took("stage_2") && took("stage_2") <= took("released"), "{:?}", scrape.0);
    scrape.is("build_duration_seconds_count{outcome=\"succeeded\"}", 2.0);
    scrape.is("build_duration_seconds_count{outcome=\"failed\"}", 1.0);
    scrape.is("build_duration_seconds_sum{outcome=\"failed\"}", 40.0);
    scrape.is("check_duration_seconds_count{outcome=\"succeeded\"}", 3.0);
    scrape.is("rollout_duration_seconds_count{outcome=\"succeeded\"}", 2.0);
    scrape.is("rollout_duration_seconds_count{outcome=\"rolled_back\"}", 1.0);
    let calls = world.aws().log.iter().filter(|entry| is_effect(entry)).count();
    let effects = scrape.sum(&["launchway_effects_total", "outcome=\"done\""]);
    assert!((effects - f64::from(u32::try_from(calls).unwrap())).abs() < 1e-9, "{calls} calls, {effects} counted");
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn every_call_to_aws_is_counted_with_what_came_of_it() {
    let (world, running) = told().await;
    let (scrape, log) = (Scrape::of(&running), world.aws().log.to_vec());
    for entry in &log {
        let (service, operation) =
            (format!("service=\"{}\"", entry.service), format!("operation=\"{}\"", entry.operation));
        let made = log.iter().filter(|one| one.operation == entry.operation).count();
        let counted = scrape.sum(&["launchway_aws_calls_total", &service, &operation]);
        assert!((counted - f64::from(u32::try_from(made).unwrap())).abs() < 1e-9, "{operation}: {made}, {counted}");
    }
    scrape.is(
        "aws_calls_total{service=\"codebuild\",operation=\"StartBuild\",bucket=\"BuildModify\",outcome=\"done\"}",
        6.0,
    );
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn what_stalls_or_is_held_is_counted_by_reason_until_it_goes_on_or_is_gone() {
    let (world, running) = told().await;
    let scrape = Scrape::of(&running);
    scrape.is("stalled_objects{kind=\"Release\",reason=\"BuildFailed\"}", 1.0);
    scrape.is("stalled_objects{kind=\"Release\",reason=\"RolledBack\"}", 1.0);
    scrape.is("objects{kind=\"AwsAccount\",ready=\"True\"}", 1.0);
    scrape.is("oldest_at_work_age_seconds{kind=\"Release\"}", 0.0);
    world.edit("Pipeline", "greeter", |spec| spec["suspend"] = true.into());
    running.until(|world| world.is("Pipeline", "greeter", "Held", "True")).await;
    running.for_minutes(1).await;
    Scrape::of(&running).is("held_objects{kind=\"Pipeline\",reason=\"Suspended\"}", 1.0);
    world.edit("Pipeline", "greeter", |spec| spec["suspend"] = false.into());
    sample::push(&world, "slow-1");
    running.until(|world| world.object("Release", "greeter-4").is_some()).await;
    running.for_minutes(10).await;
    let scrape = Scrape::of(&running);
    scrape.is("held_objects{kind=\"Pipeline\",reason=\"Suspended\"}", 0.0);
    let age = scrape.sum(&["oldest_at_work_age_seconds", "Release"]);
    assert!((500.0..700.0).contains(&age), "{age}");
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_superseded_before_it_begins_has_ended_too() {
    let world = sample::world(7);
    sample::push(&world, "slow-1");
    sample::apply(&world);
    let running = Running::start(&world, world.store.client());
    for (number, commit) in ["good-1", "good-2"].iter().enumerate() {
        running.until(|world| world.object("Release", &format!("greeter-{}", number + 1)).is_some()).await;
        running.for_minutes(1).await;
        sample::push(&world, commit);
    }
    running.until(|world| world.is("Release", "greeter-3", "Verified", "True")).await;
    let phases = ["greeter-1", "greeter-2", "greeter-3"]
        .map(|name| world.object("Release", name).unwrap().value()["status"]["phase"].clone());
    assert_eq!(phases[1], "Superseded", "{phases:?}");
    let ended = Scrape::of(&running).sum(&["launchway_releases_total"]);
    assert!((ended - 3.0).abs() < 1e-9, "{phases:?}, {ended} counted");
    running.stopped().await;
}

/// A word that a person wrote does not come into a label, however it stands in a status.
#[tokio::test(start_paused = true)]
async fn labels_hold_words_of_tables_alone() {
    let (world, running) = told().await;
    let mut service = world.object("Service", sample::SERVICES[0]).unwrap().value().clone();
    service["status"]["conditions"].as_array_mut().unwrap().push(serde_json::json!({"type": "Held", "status": "True",
        "reason": "SomebodysWord", "message": "", "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}));
    let text = running.context().scraped(Format::Plain);
    for word in ["greeter", "shop", "staging", &sample::commit("good-1"), sample::ACCOUNT, sample::REGION] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let stand = launchway::metrics::Stand::of(&conditions(&service), None);
    assert!(!format!("{stand:?}").contains("SomebodysWord") && format!("{stand:?}").contains("Other"), "{stand:?}");
    running.stopped().await;
}

fn conditions(object: &Value) -> Vec<launchway_crds::condition::Condition> {
    serde_json::from_value(object["status"]["conditions"].clone()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn promtool_finds_no_fault_with_a_scrape() {
    let (_, running) = told().await;
    let text = running.context().scraped(Format::Plain);
    assert_eq!(prometheus::checked(&["check", "metrics"], &text).unwrap(), "");
    let modern = running.context().scraped(Format::OpenMetrics);
    assert!(modern.ends_with("# EOF\n"), "{modern}");
    running.stopped().await;
}
