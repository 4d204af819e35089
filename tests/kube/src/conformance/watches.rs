//! Watches: from where, in which order, how they end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt};
use kube::api::{DeleteParams, DynamicObject, PostParams, WatchEvent, WatchParams};
use serde_json::json;

use super::{Cluster, ensure_equal, version, widget};

/// An event as a line: its word and the object's name.
fn told(event: &WatchEvent<DynamicObject>) -> String {
    let (word, name) = match event {
        WatchEvent::Added(object) => ("ADDED", object.metadata.name.clone()),
        WatchEvent::Modified(object) => ("MODIFIED", object.metadata.name.clone()),
        WatchEvent::Deleted(object) => ("DELETED", object.metadata.name.clone()),
        WatchEvent::Bookmark(_) => ("BOOKMARK", None),
        WatchEvent::Error(status) => ("ERROR", Some(status.code.to_string())),
    };
    format!("{word} {}", name.unwrap_or_default()).trim_end().to_owned()
}

/// The first so many events after a version.
async fn events(
    cluster: &Cluster,
    params: &WatchParams,
    after: &str,
    count: usize,
) -> anyhow::Result<Vec<WatchEvent<DynamicObject>>> {
    let watch = cluster.widgets().watch(params, after).await?;
    let first = watch.take(count).try_collect();
    Ok(tokio::time::timeout(Duration::from_secs(20), first).await.context("the events do not come")??)
}

fn lines(events: &[WatchEvent<DynamicObject>]) -> Vec<String> {
    events.iter().map(told).collect()
}

fn versions(events: &[WatchEvent<DynamicObject>]) -> Vec<u64> {
    let objects = events.iter().filter_map(|event| match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) => Some(object),
        WatchEvent::Bookmark(_) | WatchEvent::Error(_) => None,
    });
    objects.filter_map(|object| version(object).parse().ok()).collect()
}

pub(super) async fn a_watch_tells_what_came_after_its_version_in_order(cluster: Cluster) -> anyhow::Result<()> {
    let before = cluster.widget("before", "red").await?;
    let mut object = cluster.widget("a", "red").await?;
    object.data["spec"]["colour"] = json!("blue");
    let mut painted = cluster.widgets().replace("a", &PostParams::default(), &object).await?;
    painted.data["status"] = json!({"phase": "Done"});
    cluster.widgets().replace_status("a", &PostParams::default(), &painted).await?;
    cluster.widgets().delete("a", &DeleteParams::default()).await?;
    cluster.widget("b", "red").await?;
    let seen = events(&cluster, &WatchParams::default(), version(&before), 5).await?;
    ensure_equal(
        "events",
        lines(&seen),
        ["ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a", "ADDED b"].map(String::from).to_vec(),
    )?;
    let versions = versions(&seen);
    ensure!(versions.len() == 5 && versions.is_sorted_by(|a, b| a < b), "versions {versions:?}");
    Ok(())
}

pub(super) async fn a_watch_from_nowhere_begins_with_all_there_is(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("a", "red").await?;
    cluster.widget("b", "red").await?;
    let seen = events(&cluster, &WatchParams::default(), "", 2).await?;
    let mut lines = lines(&seen);
    lines.sort();
    ensure_equal("events", lines, ["ADDED a", "ADDED b"].map(String::from).to_vec())
}

pub(super) async fn a_watch_of_labels_tells_who_comes_and_goes(cluster: Cluster) -> anyhow::Result<()> {
    let start = cluster.widget("other", "red").await?;
    let mut object = cluster.widget("a", "red").await?;
    for label in [Some("yes"), None, Some("yes")] {
        object.metadata.labels = label.map(|label| BTreeMap::from([("shown".into(), label.into())]));
        object = cluster.widgets().replace("a", &PostParams::default(), &object).await?;
    }
    let params = WatchParams::default().labels("shown=yes");
    let seen = events(&cluster, &params, version(&start), 3).await?;
    ensure_equal("events", lines(&seen), ["ADDED a", "DELETED a", "ADDED a"].map(String::from).to_vec())
}

pub(super) async fn a_watch_from_too_long_ago_has_expired(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("a", "red").await?;
    let seen = events(&cluster, &WatchParams::default(), "1", 1).await?;
    ensure_equal("events", lines(&seen), vec!["ERROR 410".to_owned()])
}

pub(super) async fn a_streamed_list_ends_in_a_bookmark(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("a", "red").await?;
    cluster.widget("b", "red").await?;
    let params = WatchParams::default().initial_events();
    let seen = events(&cluster, &params, "", 3).await?;
    ensure_equal("events", lines(&seen), ["ADDED a", "ADDED b", "BOOKMARK"].map(String::from).to_vec())?;
    let Some(WatchEvent::Bookmark(bookmark)) = seen.last() else { anyhow::bail!("no bookmark") };
    let mark = bookmark.metadata.annotations.get("k8s.io/initial-events-end");
    ensure_equal("mark", mark.map(String::as_str), Some("true"))
}

pub(super) async fn a_watch_ends_when_its_time_is_up(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("a", "red").await?;
    let watch = cluster.widgets().watch(&WatchParams::default().timeout(1), version(&made)).await?;
    let all: Vec<_> = tokio::time::timeout(Duration::from_secs(20), watch.try_collect()).await.context("no end")??;
    let all: Vec<WatchEvent<DynamicObject>> = all;
    ensure!(all.iter().all(|event| told(event) == "BOOKMARK"), "events {:?}", lines(&all));
    cluster.widgets().create(&PostParams::default(), &widget("b", json!({}))).await?;
    Ok(())
}

pub(super) async fn a_held_deletion_is_a_change_and_its_end_a_deletion(cluster: Cluster) -> anyhow::Result<()> {
    let start = cluster.widget("start", "red").await?;
    let mut held = widget("held", json!({}));
    held.metadata.finalizers = Some(vec!["conformance.launchway.dev/hold".into()]);
    cluster.widgets().create(&PostParams::default(), &held).await?;
    let marked = cluster.widgets().delete("held", &DeleteParams::default()).await?;
    let mut free = marked.left().context("a held object was answered with a Status")?;
    free.metadata.finalizers = None;
    cluster.widgets().replace("held", &PostParams::default(), &free).await?;
    let seen = events(&cluster, &WatchParams::default(), version(&start), 3).await?;
    ensure_equal("events", lines(&seen), ["ADDED held", "MODIFIED held", "DELETED held"].map(String::from).to_vec())?;
    let Some(WatchEvent::Deleted(last)) = seen.last() else { anyhow::bail!("no deletion") };
    ensure_equal("the finalizers told last", last.metadata.finalizers.clone(), held.metadata.finalizers)?;
    let versions = versions(&seen);
    ensure!(versions.is_sorted_by(|a, b| a < b), "versions {versions:?}");
    Ok(())
}
