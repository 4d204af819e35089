//! What the store offers beside an API server: staleness, hooks, the log, snapshots, and what it refuses to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, GetParams, ListParams, PostParams};
use kube::runtime::watcher;
use launchway_test_kube::conformance;
use launchway_test_kube::store::{Age, Change, Reads, Store, Verb};
use serde_json::{Value, json};

/// A store whose clock stands at `seconds`.
fn store_at(seconds: &Arc<AtomicI64>) -> Store {
    let seconds = seconds.clone();
    let store = Store::new(Arc::new(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap()));
    store.register(&conformance::crd()).unwrap();
    store
}

fn store() -> Store {
    store_at(&Arc::new(AtomicI64::new(1_800_000_000)))
}

fn map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"},
        "data": {"value": value},
    })
}

fn maps(store: &Store) -> Api<ConfigMap> {
    Api::namespaced(store.client(), "default")
}

fn value(map: &ConfigMap) -> &str {
    map.data.as_ref().map_or("", |data| data["value"].as_str())
}

async fn listed(maps: &Api<ConfigMap>, params: &ListParams) -> Vec<String> {
    let list = maps.list(params).await.unwrap();
    list.items.iter().map(|map| format!("{}={}", map.metadata.name.as_deref().unwrap(), value(map))).collect()
}

#[tokio::test]
async fn reads_are_as_old_as_asked_and_fresh_again_afterwards() {
    let seconds = Arc::new(AtomicI64::new(1_800_000_000));
    let store = store_at(&seconds);
    for (name, value) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1")] {
        seconds.fetch_add(10, Ordering::SeqCst);
        store.apply_json(&map(name, value)).unwrap();
    }
    store.delete::<ConfigMap>("default", "b").unwrap();
    let third = store.writes()[4].resource_version;
    let maps = maps(&store);
    let all = ListParams::default();
    let rows: [(Age, &[&str]); 6] = [
        (Age::WritesBehind(0), &["a=2", "c=1"]),
        (Age::WritesBehind(1), &["a=2", "b=1", "c=1"]),
        (Age::WritesBehind(3), &["a=1", "b=1"]),
        (Age::WritesBehind(99), &[]),
        (Age::Version(third), &["a=2", "b=1"]),
        (Age::Span(SignedDuration::from_secs(20)), &["a=1", "b=1"]),
    ];
    for (age, wanted) in rows {
        store.serve_stale("ConfigMap", Reads::All, age).unwrap();
        assert_eq!(listed(&maps, &all).await, wanted, "{age:?}");
    }
    store.serve_stale("ConfigMap", Reads::All, Age::WritesBehind(3)).unwrap();
    assert_eq!(value(&maps.get("a").await.unwrap()), "1");
    assert!(maps.get_opt("c").await.unwrap().is_none());
    assert_eq!(value(&store.object::<ConfigMap>("default", "a").unwrap()), "2");
    store.serve_fresh();
    assert_eq!(listed(&maps, &all).await, ["a=2", "c=1"]);
}

#[tokio::test]
async fn wavering_reads_go_back_and_forth_and_do_so_again_with_the_same_seed() {
    let seen = async |seed: u64| {
        let store = store();
        for value in ["1", "2", "3"] {
            store.apply_json(&map("a", value)).unwrap();
        }
        store.serve_stale("ConfigMap", Reads::Lists, Age::Wavering { most: 2, seed }).unwrap();
        let maps = maps(&store);
        let mut all = Vec::new();
        for _ in 0..20 {
            all.push(listed(&maps, &ListParams::default()).await.concat());
        }
        all
    };
    let first = seen(1).await;
    for value in ["a=1", "a=2", "a=3"] {
        assert!(first.iter().any(|one| one == value), "{value} is never seen: {first:?}");
    }
    assert!(first.windows(2).any(|pair| pair[1] < pair[0]), "no read is older than the one before: {first:?}");
    assert_eq!(first, seen(1).await);
    assert_ne!(first, seen(2).await);
}

#[tokio::test]
async fn only_the_reads_that_were_named_are_made_old() {
    let store = store();
    store.apply_json(&map("a", "1")).unwrap();
    store.apply_json(&map("a", "2")).unwrap();
    let maps = maps(&store);
    let seen = async || {
        let live = value(&maps.get("a").await.unwrap()).to_owned();
        let cached = value(&maps.get_with("a", &GetParams::any()).await.unwrap()).to_owned();
        let listed =
            (listed(&maps, &ListParams::default()).await, listed(&maps, &ListParams::default().match_any()).await);
        (live, cached, listed.0.concat(), listed.1.concat())
    };
    let wanted = |a: &str, b: &str, c: &str, d: &str| (a.into(), b.into(), c.into(), d.into());
    store.serve_stale("ConfigMap", Reads::Lists, Age::WritesBehind(1)).unwrap();
    assert_eq!(seen().await, wanted("2", "2", "a=1", "a=1"));
    store.serve_stale("ConfigMap", Reads::Cached, Age::WritesBehind(1)).unwrap();
    assert_eq!(seen().await, wanted("2", "1", "a=2", "a=1"));
}

#[tokio::test]
async fn what_is_written_on_an_old_read_is_a_conflict() {
    let store = store();
    store.apply_json(&map("a", "1")).unwrap();
    store.apply_json(&map("a", "2")).unwrap();
    store.serve_stale("ConfigMap", Reads::All, Age::WritesBehind(1)).unwrap();
    let maps = maps(&store);
    let old = maps.get("a").await.unwrap();
    let refused = maps.replace("a", &PostParams::default(), &old).await;
    assert!(matches!(refused, Err(kube::Error::Api(status)) if status.is_conflict()));
}

#[tokio::test]
async fn hooks_hear_of_every_write_that_changed_something_and_may_use_the_store() {
    let store = store();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (ears, inside) = (heard.clone(), store.clone());
    store.on_write(move |write| {
        let there = inside.objects(&write.kind).len();
        ears.lock().unwrap().push((write.verb, write.change, write.name.clone(), there));
    });
    store.apply_json(&map("a", "1")).unwrap();
    store.apply_json(&map("a", "1")).unwrap();
    store.apply_json(&map("a", "2")).unwrap();
    store.create_json(&map("a", "3")).unwrap_err();
    store.delete::<ConfigMap>("default", "a").unwrap();
    let wanted = [
        (Verb::Create, Change::Added, "a".to_owned(), 1),
        (Verb::Update, Change::Modified, "a".to_owned(), 1),
        (Verb::Delete, Change::Deleted, "a".to_owned(), 0),
    ];
    assert_eq!(*heard.lock().unwrap(), wanted);
    assert_eq!(store.writes_after(store.version() - 2).len(), 2);
}

#[test]
fn the_same_writes_have_the_same_hash_and_other_writes_another() {
    let run = |values: &[&str]| {
        let store = store();
        values.iter().for_each(|value| drop(store.apply_json(&map("a", value)).unwrap()));
        store.log_hash()
    };
    assert_eq!(run(&["1", "2"]), run(&["1", "2"]));
    assert_ne!(run(&["1", "2"]), run(&["1", "3"]));
    assert_ne!(run(&["1", "2"]), run(&["1"]));
}

#[test]
fn a_world_put_back_goes_on_as_if_nothing_had_come_between() {
    let store = store();
    store.apply_json(&map("a", "1")).unwrap();
    let then = store.snapshot();
    store.apply_json(&map("a", "2")).unwrap();
    let once = store.log_hash();
    let other = Store::fork(&then, Arc::new(|| Timestamp::from_second(1_800_000_000).unwrap()));
    store.restore(&then);
    assert_eq!(value(&store.object::<ConfigMap>("default", "a").unwrap()), "1");
    store.apply_json(&map("a", "2")).unwrap();
    assert_eq!(store.log_hash(), once);
    assert_eq!(value(&other.object::<ConfigMap>("default", "a").unwrap()), "1");
    other.apply_json(&map("a", "2")).unwrap();
    assert_eq!(other.log_hash(), once);
}

#[tokio::test]
async fn kubes_own_watcher_lists_again_after_a_410_and_misses_nothing() {
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let store = store();
        store.apply_json(&map("a", "1")).unwrap();
        let (reader, writer) = kube::runtime::reflector::store();
        let events = kube::runtime::reflector(writer, watcher(maps(&store), config));
        let follow = tokio::spawn(events.for_each(|_| std::future::ready(())));
        reader.wait_until_ready().await.unwrap();
        assert_eq!(reader.state().len(), 1);
        store.apply_json(&map("b", "1")).unwrap();
        store.drop_watches();
        store.apply_json(&map("a", "2")).unwrap();
        store.delete::<ConfigMap>("default", "b").unwrap();
        store.compact();
        store.apply_json(&map("c", "1")).unwrap();
        let settled = async {
            while reader.state().len() != 2 || !reader.state().iter().any(|map| value(map) == "2") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), settled).await.expect("the cache follows");
        follow.abort();
    }
}

#[tokio::test]
async fn bookmarks_come_when_asked_for() {
    let store = store();
    let params = kube::api::WatchParams::default();
    let mut watch = maps(&store).watch(&params, &store.version().to_string()).await.unwrap().boxed();
    store.create_namespace("elsewhere");
    store.send_bookmarks();
    let Some(kube::api::WatchEvent::Bookmark(bookmark)) = watch.try_next().await.unwrap() else {
        panic!("no bookmark")
    };
    assert_eq!(bookmark.metadata.resource_version, store.version().to_string());
}

#[test]
fn what_is_not_served_is_said() {
    let store = store();
    store.apply_json(&map("a", "1")).unwrap();
    let path = "/api/v1/namespaces/default/configmaps";
    let code = |method: Method, path: &str, media: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(media));
        store.answer(&method, &path.parse().unwrap(), &headers, b"{}").status().as_u16()
    };
    let rows = [
        (Method::PATCH, format!("{path}/a?fieldManager=x"), "application/apply-patch+yaml", 501),
        (Method::PATCH, format!("{path}/a"), "application/json-patch+json", 501),
        (Method::PATCH, format!("{path}/a"), "text/plain", 415),
        (Method::DELETE, path.to_owned(), "application/json", 501),
        (Method::DELETE, "/api/v1/namespaces/default".to_owned(), "application/json", 501),
        (Method::PUT, format!("{path}/a?dryRun=All"), "application/json", 501),
        (Method::PUT, format!("{path}/a/scale"), "application/json", 501),
        (Method::PUT, path.to_owned(), "application/json", 405),
        (Method::GET, "/api/v1/namespaces/default/pods".to_owned(), "application/json", 404),
        (Method::GET, "/apis".to_owned(), "application/json", 501),
    ];
    for (method, path, media, wanted) in rows {
        assert_eq!(code(method.clone(), &path, media), wanted, "{method} {path}");
    }
}

#[test]
fn a_reader_is_told_nothing_it_did_not_ask_for() {
    let store = store();
    let names: Vec<_> = store.all::<Namespace>().into_iter().filter_map(|namespace| namespace.metadata.name).collect();
    assert_eq!(names, ["default", "kube-system"]);
    assert!(store.objects("Widget").is_empty());
    assert!(store.objects("Nothing").is_empty());
}
