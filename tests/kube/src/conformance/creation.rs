//! POST. What the server adds, drops and refuses.

use anyhow::ensure;
use kube::api::{Api, PostParams};
use serde_json::json;

use super::{Cluster, ensure_equal, ensure_refused, resource, version, widget};

pub(super) async fn a_new_object_has_what_the_server_gives(cluster: Cluster) -> anyhow::Result<()> {
    let made = cluster.widget("new", "red").await?;
    ensure_equal("generation", made.metadata.generation, Some(1))?;
    ensure_equal("namespace", made.metadata.namespace.as_deref(), Some(&*cluster.namespace))?;
    ensure!(made.metadata.uid.as_ref().is_some_and(|uid| uid.len() == 36), "uid: {:?}", made.metadata.uid);
    ensure!(made.metadata.creation_timestamp.is_some(), "no creationTimestamp");
    ensure!(version(&made).parse::<u64>()? > 0, "version {}", version(&made));
    let read = cluster.widgets().get("new").await?;
    ensure_equal("what is read", read.data, made.data)?;
    ensure_equal("its version", read.metadata.resource_version, made.metadata.resource_version)
}

pub(super) async fn unknown_members_are_dropped(cluster: Cluster) -> anyhow::Result<()> {
    let spec = json!({
        "colour": "red", "taste": "sweet", "notes": {"any": "key"}, "anything": {"deep": {"er": [1]}},
        "parts": [{"name": "a", "count": 2, "weight": 3}],
    });
    let mut written = widget("pruned", spec);
    written.data["extra"] = json!(1);
    let made = cluster.widgets().create(&PostParams::default(), &written).await?;
    let wanted = json!({
        "colour": "red", "size": 3, "notes": {"any": "key"}, "anything": {"deep": {"er": [1]}},
        "parts": [{"name": "a", "count": 2}],
    });
    ensure_equal("spec", &made.data["spec"], &wanted)?;
    ensure_equal("a member beside spec", made.data.get("extra"), None)
}

pub(super) async fn defaults_are_filled_in_everywhere(cluster: Cluster) -> anyhow::Result<()> {
    let written = widget("defaults", json!({"parts": [{"name": "a"}, {"name": "b", "count": 7}]}));
    let made = cluster.widgets().create(&PostParams::default(), &written).await?;
    let wanted = json!({"size": 3, "parts": [{"name": "a", "count": 1}, {"name": "b", "count": 7}]});
    ensure_equal("spec", &made.data["spec"], &wanted)?;
    ensure_equal("status", &made.data["status"], &json!({"observedGeneration": -1}))
}

pub(super) async fn a_status_cannot_be_created(cluster: Cluster) -> anyhow::Result<()> {
    let mut written = widget("status", json!({}));
    written.data["status"] = json!({"observedGeneration": 5, "phase": "Done"});
    let made = cluster.widgets().create(&PostParams::default(), &written).await?;
    ensure_equal("status", &made.data["status"], &json!({"observedGeneration": -1}))
}

pub(super) async fn a_taken_name_is_refused(cluster: Cluster) -> anyhow::Result<()> {
    let first = cluster.widget("taken", "red").await?;
    let second = cluster.widgets().create(&PostParams::default(), &widget("taken", json!({"colour": "blue"}))).await;
    ensure_refused(second, 409, "AlreadyExists")?;
    let there = cluster.widgets().get("taken").await?;
    ensure_equal("version", version(&there), version(&first))
}

pub(super) async fn a_name_is_made_from_a_prefix(cluster: Cluster) -> anyhow::Result<()> {
    let mut written = widget("", json!({}));
    written.metadata.name = None;
    written.metadata.generate_name = Some("some-".into());
    let mut names = Vec::new();
    for _ in 0..3 {
        let made = cluster.widgets().create(&PostParams::default(), &written).await?;
        ensure_equal("generateName", made.metadata.generate_name.as_deref(), Some("some-"))?;
        names.push(made.metadata.name.unwrap_or_default());
    }
    ensure!(names.iter().all(|name| name.starts_with("some-") && name.len() == 10), "names {names:?}");
    names.sort();
    names.dedup();
    ensure_equal("names that differ", names.len(), 3)
}

pub(super) async fn a_bad_name_is_invalid(cluster: Cluster) -> anyhow::Result<()> {
    for name in ["Upper", "under_score", "-dash", "dot."] {
        let refused = cluster.widgets().create(&PostParams::default(), &widget(name, json!({}))).await;
        ensure_refused(refused, 422, "Invalid")?;
    }
    let mut nameless = widget("", json!({}));
    nameless.metadata.name = None;
    ensure_refused(cluster.widgets().create(&PostParams::default(), &nameless).await, 422, "Invalid")
}

pub(super) async fn a_missing_namespace_is_not_found(cluster: Cluster) -> anyhow::Result<()> {
    let elsewhere = Api::namespaced_with(cluster.client.clone(), "is-not-there", &resource());
    ensure_refused(elsewhere.create(&PostParams::default(), &widget("a", json!({}))).await, 404, "NotFound")
}

pub(super) async fn a_new_object_has_no_version_of_the_writers(cluster: Cluster) -> anyhow::Result<()> {
    let mut written = widget("versioned", json!({}));
    written.metadata.resource_version = Some("1".into());
    let refused = super::refusal(cluster.widgets().create(&PostParams::default(), &written).await)?;
    ensure!(refused.message.contains("resourceVersion should not be set"), "{refused:?}");
    Ok(())
}
