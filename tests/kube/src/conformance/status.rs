//! PUT on `/status`: what Launchway's every pass ends in.

use std::collections::BTreeMap;

use anyhow::ensure;
use kube::api::{DynamicObject, PostParams};
use serde_json::json;

use super::{Cluster, ensure_equal, ensure_refused, version, widget};

async fn report(cluster: &Cluster, object: &DynamicObject) -> kube::Result<DynamicObject> {
    let name = object.metadata.name.clone().unwrap_or_default();
    cluster.widgets().replace_status(&name, &PostParams::default(), object).await
}

pub(super) async fn a_put_of_status_changes_the_status_alone(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("status", "red").await?;
    let mut object = made.clone();
    object.data["spec"]["colour"] = json!("blue");
    object.data["status"] = json!({"observedGeneration": 1, "phase": "Done"});
    object.metadata.labels = Some(BTreeMap::from([("a".into(), "b".into())]));
    object.metadata.finalizers = Some(vec!["conformance.launchway.dev/hold".into()]);
    let reported = report(&cluster, &object).await?;
    ensure_equal("status", &reported.data["status"], &json!({"observedGeneration": 1, "phase": "Done"}))?;
    ensure_equal("spec", &reported.data["spec"], &made.data["spec"])?;
    ensure_equal("labels", &reported.metadata.labels, &None)?;
    ensure_equal("finalizers", &reported.metadata.finalizers, &None)?;
    ensure_equal("generation", reported.metadata.generation, Some(1))?;
    ensure!(version(&reported).parse::<u64>()? > version(&made).parse()?, "the version stays");
    Ok(())
}

pub(super) async fn an_equal_status_writes_nothing(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("equal", "red").await?;
    object.data["status"] = json!({"observedGeneration": 1, "phase": "Done"});
    let reported = report(&cluster, &object).await?;
    let again = report(&cluster, &reported).await?;
    ensure_equal("version", version(&again), version(&reported))
}

pub(super) async fn a_status_of_an_old_version_is_a_conflict(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("conflict", "red").await?;
    object.data["status"] = json!({"phase": "First"});
    report(&cluster, &object).await?;
    object.data["status"] = json!({"phase": "Second"});
    ensure_refused(report(&cluster, &object).await, 409, "Conflict")?;
    let there = cluster.widgets().get("conflict").await?;
    ensure_equal("phase", &there.data["status"]["phase"], &json!("First"))
}

pub(super) async fn a_status_without_a_version_is_invalid(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("unconditional", "red").await?;
    object.metadata.resource_version = None;
    object.data["status"] = json!({"phase": "Done"});
    ensure_refused(report(&cluster, &object).await, 422, "Invalid")
}

pub(super) async fn a_status_left_out_is_the_default_again(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("wiped", "red").await?;
    object.data["status"] = json!({"observedGeneration": 1, "phase": "Done"});
    let mut reported = report(&cluster, &object).await?;
    reported.data = json!({"spec": reported.data["spec"]});
    let wiped = report(&cluster, &reported).await?;
    ensure_equal("status", &wiped.data["status"], &json!({"observedGeneration": -1}))
}

pub(super) async fn unknown_members_of_a_status_are_dropped(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("pruned", "red").await?;
    object.data["status"] = json!({"phase": "Done", "mood": "good"});
    let reported = report(&cluster, &object).await?;
    ensure_equal("status", &reported.data["status"], &json!({"phase": "Done"}))
}

pub(super) async fn a_status_of_nothing_is_not_found(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = widget("nothing", json!({}));
    object.metadata.resource_version = Some("1".into());
    ensure_refused(report(&cluster, &object).await, 404, "NotFound")
}

pub(super) async fn the_generation_is_not_the_writers(cluster: Cluster) -> anyhow::Result<()> {
    let mut object = cluster.widget("generation", "red").await?;
    object.metadata.generation = Some(77);
    object.data["status"] = json!({"phase": "Done"});
    ensure_equal("generation", report(&cluster, &object).await?.metadata.generation, Some(1))
}
