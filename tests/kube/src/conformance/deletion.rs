//! DELETE, finalizers, and what goes with its owner.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::TryStreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, DynamicObject, PostParams, Preconditions, WatchEvent, WatchParams};
use serde_json::json;

use super::{Cluster, ensure_equal, ensure_refused, version, widget};

const HOLD: &str = "conformance.launchway.dev/hold";

async fn put(cluster: &Cluster, object: &DynamicObject) -> kube::Result<DynamicObject> {
    let name = object.metadata.name.clone().unwrap_or_default();
    cluster.widgets().replace(&name, &PostParams::default(), object).await
}

/// A widget that a finalizer holds, deleted.
async fn dying(cluster: &Cluster, name: &str) -> anyhow::Result<DynamicObject> {
    let mut held = widget(name, json!({}));
    held.metadata.finalizers = Some(vec![HOLD.into()]);
    cluster.widgets().create(&PostParams::default(), &held).await?;
    let deleted = cluster.widgets().delete(name, &DeleteParams::default()).await?;
    deleted.left().context("a held object was answered with a Status")
}

pub(super) async fn a_deleted_object_is_gone(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("gone", "red").await?;
    let deleted = cluster.widgets().delete("gone", &DeleteParams::default()).await?;
    let status = deleted.right().context("wanted a Status")?;
    ensure!(status.is_success(), "{status:?}");
    ensure_equal("uid", status.details.map(|details| details.uid), made.metadata.uid)?;
    ensure_refused(cluster.widgets().get("gone").await, 404, "NotFound")?;
    ensure_refused(cluster.widgets().delete("gone", &DeleteParams::default()).await, 404, "NotFound")
}

pub(super) async fn a_finalizer_holds_an_object_until_it_is_taken_away(cluster: Cluster) -> anyhow::Result<()> {
    let marked = dying(&cluster, "held").await?;
    ensure!(marked.metadata.deletion_timestamp.is_some(), "not marked");
    ensure_equal("generation", marked.metadata.generation, Some(2))?;
    let again = cluster.widgets().delete("held", &DeleteParams::default()).await?;
    let again = again.left().context("the second deletion was answered with a Status")?;
    ensure_equal("version after a second deletion", version(&again), version(&marked))?;
    let mut free = again;
    free.metadata.finalizers = None;
    put(&cluster, &free).await?;
    ensure_refused(cluster.widgets().get("held").await, 404, "NotFound")
}

pub(super) async fn a_dying_object_gets_no_new_finalizers(cluster: Cluster) -> anyhow::Result<()> {
    let mut marked = dying(&cluster, "dying").await?;
    marked.metadata.finalizers = Some(vec![HOLD.into(), "conformance.launchway.dev/more".into()]);
    ensure_refused(put(&cluster, &marked).await, 422, "Invalid")
}

pub(super) async fn a_dying_object_takes_a_status(cluster: Cluster) -> anyhow::Result<()> {
    let mut marked = dying(&cluster, "reporting").await?;
    marked.data["status"] = json!({"phase": "Stopping"});
    let reported = cluster.widgets().replace_status("reporting", &PostParams::default(), &marked).await?;
    ensure_equal("phase", &reported.data["status"]["phase"], &json!("Stopping"))?;
    ensure_equal("mark", reported.metadata.deletion_timestamp, marked.metadata.deletion_timestamp)
}

pub(super) async fn preconditions_of_a_deletion_hold(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("picky", "red").await?;
    let delete = |uid: Option<&str>, resource_version: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let preconditions = Preconditions { uid: owned(uid), resource_version: owned(resource_version) };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        let widgets = cluster.widgets();
        async move { widgets.delete("picky", &params).await }
    };
    ensure_refused(delete(Some("00000000-1111-4222-8333-444444444444"), None).await, 409, "Conflict")?;
    ensure_refused(delete(None, Some("1")).await, 409, "Conflict")?;
    delete(made.metadata.uid.as_deref(), Some(version(&made))).await?;
    ensure_refused(cluster.widgets().get("picky").await, 404, "NotFound")
}

pub(super) async fn an_object_made_again_is_another(cluster: Cluster) -> anyhow::Result<()> {
    let first = cluster.widget("again", "red").await?;
    cluster.widgets().delete("again", &DeleteParams::default()).await?;
    let second = cluster.widget("again", "red").await?;
    ensure!(first.metadata.uid != second.metadata.uid, "the same uid");
    ensure!(version(&second).parse::<u64>()? > version(&first).parse()?, "not a later version");
    let mut late = first;
    late.data["status"] = json!({"phase": "Late"});
    let refused = cluster.widgets().replace_status("again", &PostParams::default(), &late).await;
    ensure_refused(refused, 409, "Conflict")
}

fn owned_by(name: &str, owners: &[&DynamicObject]) -> DynamicObject {
    let reference = |owner: &&DynamicObject| OwnerReference {
        api_version: "conformance.launchway.dev/v1".into(),
        kind: "Widget".into(),
        name: owner.metadata.name.clone().unwrap_or_default(),
        uid: owner.metadata.uid.clone().unwrap_or_default(),
        ..OwnerReference::default()
    };
    let mut owned = widget(name, json!({}));
    owned.metadata.owner_references = Some(owners.iter().map(reference).collect());
    owned
}

/// Waits until an object of this name is deleted after a version.
async fn deletion(cluster: &Cluster, name: &str, after: &str) -> anyhow::Result<()> {
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    let watch = cluster.widgets().watch(&params, after).await?;
    let watch = watch.try_filter(|event| std::future::ready(matches!(event, WatchEvent::Deleted(_))));
    let mut watch = std::pin::pin!(watch);
    // A real collector learns of new kinds every 30 seconds.
    let seen = tokio::time::timeout(Duration::from_secs(120), watch.try_next()).await;
    seen.with_context(|| format!("{name} was not collected"))??.context("the watch ended")?;
    Ok(())
}

pub(super) async fn what_is_owned_goes_with_its_owner(cluster: Cluster) -> anyhow::Result<()> {
    let owner = cluster.widget("owner", "red").await?;
    let owned = cluster.widgets().create(&PostParams::default(), &owned_by("owned", &[&owner])).await?;
    let below = cluster.widgets().create(&PostParams::default(), &owned_by("below", &[&owned])).await?;
    cluster.widgets().delete("owner", &DeleteParams::background()).await?;
    (cluster.collect_garbage)();
    deletion(&cluster, "owned", version(&below)).await?;
    deletion(&cluster, "below", version(&below)).await
}

pub(super) async fn what_has_an_owner_left_stays(cluster: Cluster) -> anyhow::Result<()> {
    let one = cluster.widget("one", "red").await?;
    let two = cluster.widget("two", "red").await?;
    cluster.widgets().create(&PostParams::default(), &owned_by("both", &[&one, &two])).await?;
    let last = cluster.widgets().create(&PostParams::default(), &owned_by("only", &[&one])).await?;
    cluster.widgets().delete("one", &DeleteParams::background()).await?;
    (cluster.collect_garbage)();
    deletion(&cluster, "only", version(&last)).await?;
    cluster.widgets().get("both").await.context("what has an owner left was collected")?;
    Ok(())
}
