//! Lists: order, versions, selectors, pages.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use kube::core::ObjectList;
use serde_json::json;

use super::{Cluster, ensure_equal, ensure_refused, resource, version, widget};

fn names(list: &ObjectList<DynamicObject>) -> Vec<&str> {
    list.items.iter().filter_map(|item| item.metadata.name.as_deref()).collect()
}

pub(super) async fn a_list_is_ordered_and_as_new_as_its_objects(cluster: Cluster) -> anyhow::Result<()> {
    for name in ["c", "a", "b"] {
        cluster.widget(name, "red").await?;
    }
    let list = cluster.widgets().list(&ListParams::default()).await?;
    ensure_equal("names", names(&list), vec!["a", "b", "c"])?;
    let of_list: u64 = list.metadata.resource_version.as_deref().unwrap_or_default().parse()?;
    for item in &list.items {
        ensure!(version(item).parse::<u64>()? <= of_list, "an object is newer than its list");
    }
    Ok(())
}

pub(super) async fn labels_select(cluster: Cluster) -> anyhow::Result<()> {
    for (name, label) in [("none", None), ("red", Some("red")), ("blue", Some("blue"))] {
        let mut object = widget(name, json!({}));
        object.metadata.labels = label.map(|label| BTreeMap::from([("paint".into(), label.into())]));
        cluster.widgets().create(&PostParams::default(), &object).await?;
    }
    let rows: [(&str, &[&str]); 8] = [
        ("paint=red", &["red"]),
        ("paint==blue", &["blue"]),
        ("paint!=red", &["blue", "none"]),
        ("paint in (red,blue)", &["blue", "red"]),
        ("paint notin (red)", &["blue", "none"]),
        ("paint", &["blue", "red"]),
        ("!paint", &["none"]),
        ("paint,paint!=red", &["blue"]),
    ];
    for (selector, wanted) in rows {
        let list = cluster.widgets().list(&ListParams::default().labels(selector)).await.context(selector)?;
        ensure_equal(selector, names(&list), wanted.to_vec())?;
    }
    Ok(())
}

pub(super) async fn fields_select(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("one", "red").await?;
    cluster.widget("two", "blue").await?;
    for selector in ["metadata.name=two", "spec.colour=blue", "metadata.name!=one", "spec.colour!=red"] {
        let list = cluster.widgets().list(&ListParams::default().fields(selector)).await.context(selector)?;
        ensure_equal(selector, names(&list), vec!["two"])?;
    }
    let refused = cluster.widgets().list(&ListParams::default().fields("spec.size=3")).await;
    ensure_refused(refused, 400, "BadRequest")
}

pub(super) async fn pages_are_of_one_version(cluster: Cluster) -> anyhow::Result<()> {
    for name in ["a", "b", "c"] {
        cluster.widget(name, "red").await?;
    }
    let first = cluster.widgets().list(&ListParams::default().limit(2)).await?;
    ensure_equal("first page", names(&first), vec!["a", "b"])?;
    ensure_equal("rest", first.metadata.remaining_item_count, Some(1))?;
    cluster.widget("d", "red").await?;
    let token = first.metadata.continue_.clone().unwrap_or_default();
    let second = cluster.widgets().list(&ListParams::default().limit(2).continue_token(&token)).await?;
    ensure_equal("second page", names(&second), vec!["c"])?;
    ensure_equal("version", second.metadata.resource_version, first.metadata.resource_version)?;
    ensure!(second.metadata.continue_.is_none_or(|token| token.is_empty()), "a third page");
    Ok(())
}

pub(super) async fn an_exact_list_is_of_that_version(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("a", "red").await?;
    let then = cluster.widget("b", "red").await?;
    let mut painted = then.clone();
    painted.data["spec"]["colour"] = json!("blue");
    cluster.widgets().replace("b", &PostParams::default(), &painted).await?;
    cluster.widget("c", "red").await?;
    let exact = ListParams::default().at(version(&then)).matching(kube::core::params::VersionMatch::Exact);
    let list = cluster.widgets().list(&exact).await?;
    ensure_equal("names", names(&list), vec!["a", "b"])?;
    ensure_equal("colour", &list.items[1].data["spec"]["colour"], &json!("red"))?;
    ensure_equal("version", list.metadata.resource_version.as_deref(), Some(version(&then)))
}

pub(super) async fn a_list_of_all_namespaces_has_them_all(cluster: Cluster) -> anyhow::Result<()> {
    cluster.widget("here", "red").await?;
    let everywhere: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &resource());
    let list = everywhere.list(&ListParams::default().fields("metadata.name=here")).await?;
    let namespaces = list.items.iter().filter_map(|item| item.metadata.namespace.as_deref());
    ensure!(namespaces.into_iter().any(|namespace| namespace == cluster.namespace), "not listed");
    let there = ListParams::default().fields(&format!("metadata.namespace={}", cluster.namespace));
    ensure_equal("names", names(&everywhere.list(&there).await?), vec!["here"])
}
