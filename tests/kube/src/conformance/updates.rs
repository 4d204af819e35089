//! PUT and merge patches on the whole object. What they change, what they must not, when they are refused.

use std::collections::BTreeMap;

use anyhow::ensure;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{Cluster, ensure_equal, ensure_refused, version, widget};

async fn put(cluster: &Cluster, object: &DynamicObject) -> kube::Result<DynamicObject> {
    let name = object.metadata.name.clone().unwrap_or_default();
    cluster.widgets().replace(&name, &PostParams::default(), object).await
}

async fn patch(cluster: &Cluster, name: &str, patch: Value) -> kube::Result<DynamicObject> {
    cluster.widgets().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await
}

pub(super) async fn a_put_of_an_old_version_is_a_conflict(cluster: Cluster) -> anyhow::Result<()> {
    let first = cluster.widget("conflict", "red").await?;
    let (mut blue, mut green) = (first.clone(), first);
    blue.data["spec"]["colour"] = json!("blue");
    green.data["spec"]["colour"] = json!("green");
    put(&cluster, &blue).await?;
    ensure_refused(put(&cluster, &green).await, 409, "Conflict")?;
    let there = cluster.widgets().get("conflict").await?;
    ensure_equal("colour", &there.data["spec"]["colour"], &json!("blue"))
}

pub(super) async fn a_put_without_a_version_is_invalid(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("unconditional", "red").await?;
    object.metadata.resource_version = None;
    object.data["spec"]["colour"] = json!("blue");
    ensure_refused(put(&cluster, &object).await, 422, "Invalid")
}

pub(super) async fn only_what_is_wanted_raises_the_generation(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("generation", "red").await?;
    object.metadata.labels = Some(BTreeMap::from([("a".into(), "b".into())]));
    object.metadata.annotations = Some(BTreeMap::from([("c".into(), "d".into())]));
    let mut labelled = put(&cluster, &object).await?;
    ensure_equal("generation after a label", labelled.metadata.generation, Some(1))?;
    ensure!(version(&labelled) != version(&object), "the version stays");
    labelled.data["spec"]["colour"] = json!("blue");
    let painted = put(&cluster, &labelled).await?;
    ensure_equal("generation after a change of spec", painted.metadata.generation, Some(2))?;
    ensure_equal("labels", painted.metadata.labels, labelled.metadata.labels)
}

pub(super) async fn an_equal_put_writes_nothing(cluster: Cluster) -> anyhow::Result<()> {
    let made = put(&cluster, &cluster.widget("equal", "red").await?).await?;
    let again = put(&cluster, &made).await?;
    ensure_equal("version", version(&again), version(&made))?;
    let mut bare = widget("equal", json!({"colour": "red", "unknown": 1}));
    bare.metadata.resource_version = made.metadata.resource_version.clone();
    let again = put(&cluster, &bare).await?;
    ensure_equal("version after what is equal once it is settled", version(&again), version(&made))
}

pub(super) async fn the_first_put_stores_the_default_status(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("first", "red").await?;
    let stored = put(&cluster, &made).await?;
    ensure!(version(&stored) != version(&made), "the version stays");
    ensure_equal("generation", stored.metadata.generation, Some(1))?;
    ensure_equal("content", &stored.data, &made.data)?;
    let again = put(&cluster, &stored).await?;
    ensure_equal("version", version(&again), version(&stored))
}

pub(super) async fn a_put_leaves_the_status_alone(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("status", "red").await?;
    object.data["status"] = json!({"observedGeneration": 1, "phase": "Done"});
    let mut reported = cluster.widgets().replace_status("status", &PostParams::default(), &object).await?;
    reported.data["spec"]["colour"] = json!("blue");
    reported.data["status"] = json!({"observedGeneration": 9, "phase": "Lie"});
    let painted = put(&cluster, &reported).await?;
    ensure_equal("status", &painted.data["status"], &json!({"observedGeneration": 1, "phase": "Done"}))?;
    let mut without = painted;
    without.data = json!({"spec": {"colour": "green"}});
    let painted = put(&cluster, &without).await?;
    ensure_equal("status", &painted.data["status"], &json!({"observedGeneration": 1, "phase": "Done"}))
}

pub(super) async fn a_put_for_another_uid_is_a_conflict(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("uid", "red").await?;
    object.metadata.uid = Some("00000000-1111-4222-8333-444444444444".into());
    object.data["spec"]["colour"] = json!("blue");
    ensure_refused(put(&cluster, &object).await, 409, "Conflict")
}

pub(super) async fn a_put_under_another_name_is_refused(cluster: Cluster) -> anyhow::Result<()> {
    let object = cluster.widget("one", "red").await?;
    cluster.widget("two", "red").await?;
    let refused = cluster.widgets().replace("two", &PostParams::default(), &object).await;
    ensure_refused(refused, 400, "BadRequest")
}

pub(super) async fn a_put_of_nothing_is_not_found(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = widget("nothing", json!({}));
    object.metadata.resource_version = Some("1".into());
    ensure_refused(put(&cluster, &object).await, 404, "NotFound")?;
    ensure_refused(patch(&cluster, "nothing", json!({"spec": {}})).await, 404, "NotFound")
}

pub(super) async fn the_servers_own_metadata_stays(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("own", "red").await?;
    let mut object = widget("own", json!({"colour": "blue"}));
    object.metadata.resource_version = made.metadata.resource_version.clone();
    object.metadata.generation = Some(77);
    let put = put(&cluster, &object).await?;
    ensure_equal("uid", put.metadata.uid, made.metadata.uid)?;
    ensure_equal("creationTimestamp", put.metadata.creation_timestamp, made.metadata.creation_timestamp)?;
    ensure_equal("generation", put.metadata.generation, Some(2))
}

pub(super) async fn a_merge_patch_changes_what_it_names(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("patched", "red").await?;
    let first = json!({"metadata": {"annotations": {"a": "1", "b": "2"}}, "spec": {"size": 8}});
    let object = patch(&cluster, "patched", first).await?;
    ensure_equal("spec", &object.data["spec"], &json!({"colour": "red", "size": 8}))?;
    let object = patch(&cluster, "patched", json!({"metadata": {"annotations": {"a": null}}})).await?;
    ensure_equal("annotations", object.metadata.annotations, Some(BTreeMap::from([("b".into(), "2".into())])))?;
    ensure_equal("generation", object.metadata.generation, Some(2))
}

pub(super) async fn an_equal_patch_writes_nothing(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("same", "red").await?;
    let made = patch(&cluster, "same", json!({"spec": {"size": 4}})).await?;
    let again = patch(&cluster, "same", json!({"spec": {"colour": "red"}})).await?;
    ensure_equal("version", version(&again), version(&made))
}

pub(super) async fn a_patch_of_an_old_version_is_a_conflict(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("old", "red").await?;
    patch(&cluster, "old", json!({"spec": {"colour": "blue"}})).await?;
    let late = json!({"metadata": {"resourceVersion": version(&made)}, "spec": {"colour": "green"}});
    ensure_refused(patch(&cluster, "old", late).await, 409, "Conflict")
}

pub(super) async fn the_time_of_creation_cannot_be_changed(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("time", "red").await?;
    let made = object.metadata.creation_timestamp.clone();
    object.metadata.creation_timestamp = "2001-02-03T04:05:06Z".parse().ok().map(Time);
    object.data["spec"]["colour"] = json!("blue");
    let put = put(&cluster, &object).await?;
    ensure_equal("creationTimestamp", put.metadata.creation_timestamp, made)
}

pub(super) async fn a_version_that_never_was_is_a_conflict(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("future", "red").await?;
    object.data["spec"]["colour"] = json!("blue");
    object.metadata.resource_version = Some("999999999".into());
    ensure_refused(put(&cluster, &object).await, 409, "Conflict")
}

pub(super) async fn a_patch_of_status_changes_the_status_alone(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("patched-status", "red").await?;
    let patch = Patch::Merge(json!({"spec": {"colour": "blue"}, "status": {"phase": "Done"}}));
    let patched = cluster.widgets().patch_status("patched-status", &PatchParams::default(), &patch).await?;
    ensure_equal("status", &patched.data["status"], &json!({"observedGeneration": -1, "phase": "Done"}))?;
    ensure_equal("colour", &patched.data["spec"]["colour"], &json!("red"))
}
