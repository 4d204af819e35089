//! The controller as it runs, kube-runtime and all, over the Kubernetes in memory and on tokio's paused time. The order of
//! its passes is its own: only ends are judged here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use jiff::SignedDuration;
use kube::runtime::watcher::Event;
use launchway::item::Item;
use launchway::key::{Key, Kind};
use launchway::lease::fence::Fence;
use launchway::lease::term::Term;
use launchway::metrics::Format;
use launchway_crds::AwsAccount;
use launchway_test_kube::store::Body;
use launchway_tests::life::context;
use launchway_tests::life::gate::{Broken, Gate};
use launchway_tests::running::{KILL, Running};
use launchway_tests::world::sample;
use launchway_tests::world::{World, is_effect};
use serde_json::{Value, json};
use tower::{Layer, Service, service_fn};

fn released(world: &World) -> bool {
    world.is("Pipeline", "greeter", "Released", "True")
}

fn runs(world: &World, commit: &str) -> bool {
    sample::SERVICES.iter().all(|service| world.running(service) == [sample::commit(commit)])
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_released_and_the_next_one_too() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let running = Running::start(&world, world.store.client());
    running.until(released).await;
    assert!(running.is_ready(), "all watches have listed");
    running.until(|world| runs(world, "good-1")).await;
    sample::push(&world, "good-2");
    running.until(|world| world.is("Release", "greeter-2", "Verified", "True")).await;
    running.until(|world| released(world) && runs(world, "good-2")).await;
    assert!(running.stopped().await < KILL);
}

#[tokio::test(start_paused = true)]
async fn watches_that_break_and_versions_that_are_forgotten_lose_nothing() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let running = Running::start(&world, world.store.client());
    // All along: the watches end every half minute, and what they would go on from is forgotten.
    for _ in 0..20 {
        running.until(|_| true).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        world.time.pass(SignedDuration::from_secs(30));
        world.store.compact();
        world.store.drop_watches();
    }
    running.until(released).await;
    running.until(|world| runs(world, "good-1")).await;
    // A change that is made while nobody watches.
    world.store.compact();
    world.store.drop_watches();
    world.edit("Pipeline", "greeter", |spec| spec["suspend"] = true.into());
    running.until(|world| world.is("Pipeline", "greeter", "Held", "True")).await;
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_comes_late_wakes_all_that_wait_for_it() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    for manifest in [sample::pipeline(), sample::service(0), sample::service(1)] {
        world.store.apply_json(&manifest).unwrap();
    }
    let running = Running::start(&world, world.store.client());
    running.until(|world| world.is("Pipeline", "greeter", "Stalled", "True")).await;
    running.for_minutes(60).await;
    assert!(world.aws().log.is_empty(), "AWS was asked without an account");
    world.store.apply_json(&sample::aws_account()).unwrap();
    running.until(|world| released(world) && runs(world, "good-1")).await;
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_has_no_more_at_work_than_its_account_allows_and_all_of_it_is_done_in_the_end() {
    let world = sample::world(7);
    (1..=7).rev().for_each(|number| sample::push(&world, &format!("good-{number}")));
    sample::apply(&world);
    world.edit("AwsAccount", "default", |spec| {
        spec["budget"] = json!({"perNamespace": {"releases": 3, "builds": 1}});
    });
    let running = Running::start(&world, world.store.client());
    running.until(released).await;
    let names: Vec<String> = (2..=7).map(|number| format!("by-hand-{number}")).collect();
    for (number, name) in (2..).zip(&names) {
        world.store.apply_json(&by_hand(name, &format!("good-{number}"))).unwrap();
    }
    let (most, waited) = (AtomicUsize::new(0), AtomicBool::new(false));
    running
        .until(|world| {
            let running = world.builds().iter().filter(|build| !build.is_complete()).count();
            most.fetch_max(running, Ordering::Relaxed);
            let says = |name: &String| world.said("Release", name, "Ready").2.contains("perNamespace");
            waited.fetch_or(names.iter().any(says), Ordering::Relaxed);
            names.iter().all(|name| !["", "Active"].contains(&&*world.phase(name)))
        })
        .await;
    let phases: Vec<_> = names.iter().map(|name| (world.phase(name), world.said("Release", name, "Ready").2)).collect();
    assert!(phases.iter().all(|(phase, _)| ["Succeeded", "Superseded"].contains(&&**phase)), "{phases:?}");
    assert_eq!(most.load(Ordering::Relaxed), 1, "builds at a time");
    assert!(waited.load(Ordering::Relaxed), "who waits says so");
    running.stopped().await;
}

fn by_hand(name: &str, commit: &str) -> Value {
    json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": name, "namespace": sample::NAMESPACE},
        "spec": {"pipeline": sample::PIPELINE, "commit": sample::commit(commit), "reason": "Manual"},
    })
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_panics_ends_that_pass_and_nothing_else() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    // Only a pass reads one object by its name: what schedules passes does not.
    let (client, asked) = (world.store.client(), Arc::new(AtomicUsize::new(0)));
    let asks = Arc::clone(&asked);
    let buggy = service_fn(move |request: http::Request<kube::client::Body>| {
        let path = request.uri().path();
        let is_it =
            request.method() == "GET" && ["pipelines/greeter", "services/greeter"].iter().any(|it| path.ends_with(it));
        let panics = is_it && matches!(asks.fetch_add(1, Ordering::Relaxed), 0 | 2 | 5);
        let client = client.clone();
        async move { if panics { panic!("a bug") } else { client.send(request).await } }
    });
    let running = Running::start(&world, kube::Client::new(buggy, sample::NAMESPACE));
    running.until(|world| released(world) && runs(world, "good-1")).await;
    assert!(asked.load(Ordering::Relaxed) > 5, "three passes panicked");
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_never_ends_is_ended_and_the_object_gets_another() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let (client, asked) = (world.store.client(), Arc::new(AtomicUsize::new(0)));
    let asks = Arc::clone(&asked);
    let hanging = service_fn(move |request: http::Request<kube::client::Body>| {
        let is_it = request.method() == "GET" && request.uri().path().ends_with("/pipelines/greeter");
        let hangs = is_it && asks.fetch_add(1, Ordering::Relaxed) == 0;
        let client = client.clone();
        async move { if hangs { std::future::pending().await } else { client.send(request).await } }
    });
    let running = Running::start(&world, kube::Client::new(hanging, sample::NAMESPACE));
    running.until(|world| released(world) && runs(world, "good-1")).await;
    assert!(asked.load(Ordering::Relaxed) > 1);
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn it_stops_in_time_also_while_no_api_server_answers() {
    let world = sample::world(7);
    sample::apply(&world);
    let nobody =
        service_fn(|_: http::Request<kube::client::Body>| std::future::ready(Err::<Response<Body>, Broken>(Broken)));
    let running = Running::start(&world, kube::Client::new(nobody, sample::NAMESPACE));
    running.for_minutes(5).await;
    assert!(!running.is_ready(), "it is not ready without a list");
    assert!(running.stopped().await < KILL);
    let silent =
        service_fn(|_: http::Request<kube::client::Body>| std::future::pending::<Result<Response<Body>, Broken>>());
    let running = Running::start(&world, kube::Client::new(silent, sample::NAMESPACE));
    running.for_minutes(5).await;
    assert!(running.stopped().await < KILL);
}

#[tokio::test(start_paused = true)]
async fn it_stops_in_time_in_the_middle_of_work_and_the_next_one_goes_on() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let running = Running::start(&world, world.store.client());
    running.until(|world| !world.builds().is_empty()).await;
    assert!(running.stopped().await < KILL);
    let next = Running::start(&world, world.store.client());
    next.until(|world| released(world) && runs(world, "good-1")).await;
    assert_eq!(world.builds().len(), 2, "one check and one build, in two lives");
    next.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_what_is_in_sync_is_looked_at_in_tens_without_a_trace_and_a_change_goes_first() {
    let world = sample::world(7);
    let names: Vec<String> = (0..40).map(|number| format!("web-{number}")).collect();
    let manifests = names.iter().map(|name| sample::services::literal(name, "web:1")).chain([sample::aws_account()]);
    for manifest in manifests {
        world.store.apply_json(&manifest).unwrap();
    }
    let running = Running::start(&world, world.store.client());
    running.until(|world| names.iter().all(|name| world.is("Service", name, "RolledOut", "True"))).await;
    running.for_minutes(3).await;
    running.stopped().await;
    let (asked, written) = (world.aws().log.len(), world.store.version());
    let running = Running::start(&world, world.store.client());
    running.for_minutes(2).await;
    assert_eq!(looks(&world, asked), [10; 4]);
    assert_eq!(world.store.version(), written, "nothing is written");
    let assumed = world.aws().log[asked..].iter().filter(|entry| entry.operation == "AssumeRole").count();
    assert_eq!(assumed, 1, "credentials are asked for once, however many need them");
    running.stopped().await;
    world.edit("Service", "web-39", |spec| sample::services::set_memory(spec, 1024));
    let asked = world.aws().log.len();
    let running = Running::start(&world, world.store.client());
    running.until(|world| world.aws().log[asked..].iter().any(|entry| entry.operation == "UpdateService")).await;
    running.for_minutes(2).await;
    let operations: Vec<String> = world.aws().log[asked..].iter().map(|entry| entry.operation.clone()).collect();
    let registered = operations.iter().position(|operation| operation == "RegisterTaskDefinition");
    let looked = operations.iter().rposition(|operation| operation == "DescribeServices");
    assert!(registered.is_some() && registered < looked, "{operations:?}");
    running.stopped().await;
}

#[tokio::test]
async fn an_account_that_was_revoked_is_used_for_no_change_whatever_its_watch_still_shows() {
    let world = sample::world(7);
    let mut account = sample::aws_account();
    for manifest in [&account, &sample::services::literal("web", "web:1")] {
        world.store.apply_json(manifest).unwrap();
    }
    let context = context(&world, &Gate::new(&world.time), 1, 600);
    let shown = |account: &Value| serde_json::from_value::<Item<AwsAccount>>(account.clone()).unwrap();
    for event in [Event::Init, Event::InitApply(shown(&account)), Event::InitDone] {
        context.accounts.follow(&event);
    }
    account["spec"]["namespaces"]["names"] = json!(["another"]);
    world.store.apply_json(&account).unwrap();
    let key = Key { kind: Kind::Service, namespace: sample::NAMESPACE.to_owned(), name: "web".to_owned() };
    key.pass(&context).await.unwrap();
    context.accounts.follow(&Event::Apply(shown(&account)));
    key.pass(&context).await.unwrap();
    assert!(world.is("Service", "web", "Stalled", "True"), "it says that it may not");
    assert!(!world.aws().log.iter().any(is_effect), "{:?}", world.aws().log);
}

/// Without optimising each function that awaits it has a copy on its stack, and a stack of two megabytes was not enough.
#[tokio::test]
async fn what_awaits_a_pass_does_not_carry_all_of_it() {
    let world = sample::world(7);
    let context = context(&world, &Gate::new(&world.time), 1, 600);
    for kind in Kind::ALL {
        let key = Key { kind: *kind, namespace: sample::NAMESPACE.to_owned(), name: "web".to_owned() };
        let size = size_of_val(&key.pass(&context));
        assert!(size < 1024, "{kind:?}: {size} bytes");
    }
}

/// Puts a time into an object's status that the API server keeps and that cannot be read.
fn obscure(world: &World, kind: &str, name: &str) {
    let mut object = world.object(kind, name).unwrap().value().clone();
    let condition = json!({"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": "2026-01-02T03:04:05+99:00"});
    object["status"] = json!({"observedGeneration": 1, "conditions": [condition]});
    put_status(world, &object);
}

fn put_status(world: &World, object: &Value) {
    let answer = world.put_status(object);
    assert!(answer.is_success(), "{object}: {answer}");
}

/// What Events say of an object.
fn told(world: &World, name: &str) -> Vec<String> {
    let events = world.store.objects("Event").into_iter().filter(|event| event.value()["regarding"]["name"] == name);
    events.map(|event| format!("{}: {}", event.value()["reason"], event.value()["note"])).collect()
}

#[tokio::test(start_paused = true)]
async fn objects_that_cannot_be_read_stop_nobody_and_are_told_also_after_a_restart() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let mut account = sample::aws_account();
    account["metadata"]["name"] = json!("odd");
    for manifest in [account, sample::services::literal("odd", "web:1")] {
        world.store.apply_json(&manifest).unwrap();
    }
    obscure(&world, "AwsAccount", "odd");
    obscure(&world, "Service", "odd");
    for commit in ["good-1", "good-2"] {
        sample::push(&world, commit);
        let running = Running::start(&world, world.store.client());
        running.until(|world| released(world) && runs(world, commit)).await;
        assert!(running.is_ready());
        running.until(|world| told(world, "odd").len() >= 2).await;
        let metrics = running.context().scraped(Format::Plain);
        for kind in ["AwsAccount", "Service"] {
            assert!(metrics.contains(&format!("launchway_unreadable_objects{{kind=\"{kind}\"}} 1")), "{metrics}");
        }
        running.stopped().await;
    }
    let notes = told(&world, "odd");
    assert!(notes.iter().all(|note| note.contains("Unreadable") && note.contains("lastTransitionTime")), "{notes:?}");
    let mut odd = world.object("Service", "odd").unwrap().value().clone();
    assert!(odd["status"]["conditions"][0]["lastTransitionTime"] == "2026-01-02T03:04:05+99:00", "it is left as it is");
    let running = Running::start(&world, world.store.client());
    let counted = |number: u8| format!("launchway_unreadable_objects{{kind=\"Service\"}} {number}");
    running.until(|_| running.context().scraped(Format::Plain).contains(&counted(1))).await;
    odd["status"] = json!({"observedGeneration": -1});
    put_status(&world, &odd);
    running.until(|world| world.is("Service", "odd", "RolledOut", "True")).await;
    let metrics = running.context().scraped(Format::Plain);
    assert!(metrics.contains(&counted(0)), "{metrics}");
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_cannot_be_read_stops_no_newer_one() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let running = Running::start(&world, world.store.client());
    running.until(|world| released(world) && runs(world, "good-1")).await;
    obscure(&world, "Release", "greeter-1");
    sample::push(&world, "good-2");
    running.until(|world| released(world) && runs(world, "good-2")).await;
    assert!(world.object("Release", "greeter-1").is_some(), "it is not deleted");
    running.stopped().await;
}

/// Requests for Releases whose query is such fail for a minute, after all watches have ended.
async fn shows_that_releases_are_not_watched(fails: fn(&str) -> bool) {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let broken = Arc::new(AtomicBool::new(false));
    let (service, is_broken) = (world.store.service(), Arc::clone(&broken));
    let kube = service_fn(move |request: http::Request<kube::client::Body>| {
        let (mut service, is_broken) = (service.clone(), Arc::clone(&is_broken));
        async move {
            let uri = request.uri();
            if is_broken.load(Ordering::Relaxed)
                && uri.path().ends_with("/releases")
                && fails(uri.query().unwrap_or_default())
            {
                return Err(Broken);
            }
            service.call(request).await.map_err(|never| match never {})
        }
    });
    let running = Running::start(&world, kube::Client::new(kube, sample::NAMESPACE));
    running.until(|world| released(world) && runs(world, "good-1")).await;
    assert_eq!(running.context().watches.broken(), [].into());
    broken.store(true, Ordering::Relaxed);
    // After the last Release: their watch goes on from a version that is forgotten, and they are listed again.
    world.store.create_namespace("later");
    world.store.compact();
    world.store.drop_watches();
    running.for_minutes(1).await;
    assert_eq!(running.context().watches.broken(), [Kind::Release].into());
    broken.store(false, Ordering::Relaxed);
    running.for_minutes(1).await;
    assert_eq!(running.context().watches.broken(), [].into());
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_does_not_work_shows_within_a_minute_and_no_longer_once_it_works() {
    shows_that_releases_are_not_watched(|_| true).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_work_shows_within_a_minute_and_no_longer_once_it_works() {
    shows_that_releases_are_not_watched(|query| !query.contains("watch=")).await;
}

/// The time in which a replica leads, and what moves its clock.
fn term() -> (Arc<Term>, Arc<AtomicU64>) {
    let seconds = Arc::<AtomicU64>::default();
    let clock = Arc::clone(&seconds);
    (Term::awaited(Arc::new(move || Duration::from_secs(clock.load(Ordering::Relaxed)))), seconds)
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_stands_by_is_ready_and_does_nothing_and_does_all_when_it_leads_and_nothing_afterwards() {
    let world = sample::world(7);
    sample::push(&world, "good-1");
    sample::apply(&world);
    let (term, seconds) = term();
    let kube = kube::Client::new(Fence(Arc::clone(&term)).layer(world.store.service()), sample::NAMESPACE);
    let running = Running::start_within(&world, kube, Arc::clone(&term));
    let version = world.store.version();
    running.for_minutes(30).await;
    assert!(running.is_ready(), "its watches have listed");
    assert!(world.aws().log.is_empty() && world.store.version() == version, "it asks nothing and writes nothing");
    term.extend(Duration::from_secs(10));
    running.until(|world| released(world) && runs(world, "good-1")).await;
    seconds.store(10, Ordering::Relaxed);
    let (version, effects) = (world.store.version(), effects(&world));
    sample::push(&world, "good-2");
    world.edit("Service", "greeter", |spec| sample::services::set_memory(spec, 1024));
    running.for_minutes(30).await;
    assert_eq!((world.store.version(), self::effects(&world)), (version + 1, effects), "the edit alone was written");
    running.stopped().await;
}

fn effects(world: &World) -> usize {
    world.aws().log.iter().filter(|entry| is_effect(entry)).count()
}

#[tokio::test(start_paused = true)]
async fn when_a_replica_begins_to_lead_what_is_at_rest_is_looked_at_in_tens() {
    let world = sample::world(7);
    let names: Vec<String> = (0..40).map(|number| format!("web-{number}")).collect();
    world.store.apply_json(&sample::aws_account()).unwrap();
    let (term, _) = term();
    let standby = Running::start_within(&world, world.store.client(), Arc::clone(&term));
    let leader = Running::start(&world, world.store.client());
    for name in &names {
        world.store.apply_json(&sample::services::literal(name, "web:1")).unwrap();
    }
    leader.until(|world| names.iter().all(|name| world.is("Service", name, "RolledOut", "True"))).await;
    leader.for_minutes(3).await;
    leader.stopped().await;
    standby.for_minutes(20).await;
    let (asked, written) = (world.aws().log.len(), world.store.version());
    term.extend(Duration::from_secs(10));
    standby.for_minutes(2).await;
    assert_eq!(looks(&world, asked), [10; 4]);
    assert_eq!(world.store.version(), written, "nothing is written");
    standby.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn namespaces_that_are_not_watched_are_left_alone_and_each_list_speaks_of_its_own() {
    let world = sample::world(7);
    let mut account = sample::aws_account();
    account["spec"]["namespaces"]["names"] = json!(["shop", "second", "third"]);
    world.store.apply_json(&account).unwrap();
    for namespace in ["second", "third"] {
        world.store.create_namespace(namespace);
    }
    for namespace in ["shop", "second", "third"] {
        let mut service = sample::services::literal(&format!("web-{namespace}"), "web:1");
        service["metadata"]["namespace"] = json!(namespace);
        world.store.apply_json(&service).unwrap();
    }
    let running = Running::start_in(&world, world.store.client(), &["shop", "second"]);
    let made = |world: &World, name: &str| world.service(name).is_some();
    running.until(|world| made(world, "web-shop") && made(world, "web-second")).await;
    assert!(running.is_ready());
    for _ in 0..3 {
        world.store.compact();
        world.store.drop_watches();
        running.for_minutes(10).await;
    }
    assert!(!made(&world, "web-third"));
    let of = |namespace: &str| {
        let all = world.store.objects("Service");
        let one = all.into_iter().find(|one| one.meta("namespace") == namespace).unwrap();
        one.value()["status"]["conditions"].as_array().map_or(0, Vec::len)
    };
    assert!(of("shop") > 0 && of("second") > 0);
    assert_eq!(of("third"), 0, "it is not touched");
    // Who uses what is still known of both after their watches were made anew.
    account["spec"]["namespaces"]["names"] = json!(["another"]);
    world.store.apply_json(&account).unwrap();
    let stalled = |namespace: &'static str| {
        move |world: &World| {
            let all = world.store.objects("Service");
            let one = all.into_iter().find(|one| one.meta("namespace") == namespace).unwrap();
            one.value()["status"]["conditions"].to_string().contains("Stalled")
        }
    };
    let (shop, second) = (stalled("shop"), stalled("second"));
    running.until(move |world| shop(world) && second(world)).await;
    running.stopped().await;
}

/// How many services each look since then was about.
fn looks(world: &World, since: usize) -> Vec<usize> {
    let world = world.aws();
    let looks = world.log[since..].iter().filter(|entry| entry.operation == "DescribeServices");
    looks.map(|entry| entry.input["services"].as_array().map_or(0, Vec::len)).collect()
}
