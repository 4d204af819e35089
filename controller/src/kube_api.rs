//! Live, uncached reads of Kubernetes, and the one write that is not a status: our finalizer.

use crate::accounts::Known;
use crate::context::Context;
use crate::item::{Item, OfParts};
use crate::key::{Key, Kind};
use crate::unreachable::{Unreachable, is_stale};
use crate::{other, status};
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::core::{ClusterResourceScope, NamespaceResourceScope, Request};
use kube::{Resource, ResourceExt};
use launchway_crds::{AwsAccount, FINALIZER, Pipeline, Service};
use launchway_plan::account::AccountSeen;
use launchway_plan::reason::Reason;
use launchway_plan::release::PipelineFacts;
use launchway_plan::target::TargetSeen;
use serde_json::json;
use std::fmt::Debug;

/// How many objects a page of a list has: without the chart's policy each may have 1.5 MB.
pub const PAGE: u32 = 50;

/// Whether a write took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// It did: the object was still as it had been read.
    Yes,
    /// It did not: the object has changed since it was read, or is gone.
    Stale,
}

/// The objects of that kind in this object's namespace.
pub fn api<K>(object: &K, context: &Context) -> Api<Item<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(context.kube.clone(), object.meta().namespace.as_deref().unwrap_or_default())
}

/// The current object of that key. One that cannot be decoded is told in an Event on it, and is an error here.
pub async fn found<K>(key: &Key, context: &Context) -> Result<Option<K>, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + OfParts + Clone + Debug,
{
    item(key, context).await?.map(|item| readable(item, "reading", context)).transpose()
}

/// The same, as an item: whoever asks goes on without an object that cannot be decoded.
pub async fn item<K>(key: &Key, context: &Context) -> Result<Option<Item<K>>, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + OfParts + Clone + Debug,
{
    let api: Api<Item<K>> = Api::namespaced(context.kube.clone(), &key.namespace);
    let found = api.get_opt(&key.name).await.map_err(Unreachable::of("reading", key.to_string()))?;
    if found.is_none() {
        context.forget(key);
    }
    Ok(found)
}

/// Deletes the object of that name, if it is there. What the API server answers is not decoded: that would be the whole object.
pub async fn delete<K>(namespace: &str, name: &str, context: &Context) -> kube::Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    let request = Request::new(K::url_path(&(), Some(namespace))).delete(name, &DeleteParams::default());
    match context.kube.request_text(request.map_err(kube::Error::BuildRequest)?).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The current object of that name of a kind without namespaces. One that cannot be decoded is told in an Event on it, and is
/// an error here.
pub async fn found_in_cluster<K>(name: &str, context: &Context) -> Result<Option<K>, Unreachable>
where
    K: Resource<Scope = ClusterResourceScope, DynamicType = ()> + OfParts + Clone + Debug,
{
    let api: Api<Item<K>> = Api::all(context.kube.clone());
    let object = format!("{} {name}", K::kind(&()));
    let found = api.get_opt(name).await.map_err(Unreachable::of("reading", object))?;
    found.map(|item| readable(item, "reading", context)).transpose()
}

/// The object, if it could be decoded.
pub fn readable<K>(item: Item<K>, operation: &'static str, context: &Context) -> Result<K, Unreachable>
where
    K: Resource<DynamicType = ()>,
{
    if let Item::Unreadable(it) = &item {
        status::warn(&item, Reason::Unreadable, &it.note(), context);
    }
    let object = format!("{} {}/{}", K::kind(&()), item.namespace().unwrap_or_default(), item.name_any());
    item.object().map_err(Unreachable::unreadable(operation, object))
}

/// The AwsAccount of that name, read live, and the namespace's labels if the account selects namespaces by label.
pub async fn account(name: &str, namespace: &str, context: &Context) -> Result<AccountSeen, Unreachable> {
    let found = found_in_cluster::<AwsAccount>(name, context).await?;
    found.iter().for_each(|account| context.accounts.read(account));
    seen(name, found.as_ref().map(Known::of), namespace, context).await
}

/// The same as the watch of AwsAccounts shows it, once it has listed: for looks, and for nothing that changes AWS.
pub async fn watched_account(name: &str, namespace: &str, context: &Context) -> Result<AccountSeen, Unreachable> {
    match context.accounts.get(name) {
        Some(known) => seen(name, known, namespace, context).await,
        None => account(name, namespace, context).await,
    }
}

async fn seen(
    name: &str,
    known: Option<Known>,
    namespace: &str,
    context: &Context,
) -> Result<AccountSeen, Unreachable> {
    let (spec, id) = known.map_or((None, None), |known| (Some(known.spec), known.id));
    let selects = spec.as_ref().is_some_and(|spec| spec.namespaces.selector.is_some());
    let namespace_labels = if selects { labels(namespace, context).await? } else { Default::default() };
    Ok(AccountSeen { name: name.to_owned(), spec, id, namespace: namespace.to_owned(), namespace_labels })
}

async fn labels(namespace: &str, context: &Context) -> Result<std::collections::BTreeMap<String, String>, Unreachable> {
    let found = other::namespace(namespace, &context.kube).await;
    let found = found.map_err(Unreachable::of("reading Namespace", namespace))?;
    Ok(found.map(|namespace| namespace.labels).unwrap_or_default())
}

/// The Pipeline of that name; none while it is being deleted.
pub async fn pipeline(namespace: &str, name: &str, context: &Context) -> Result<Option<PipelineFacts>, Unreachable> {
    let key = Key { kind: Kind::Pipeline, namespace: namespace.to_owned(), name: name.to_owned() };
    let found = found::<Pipeline>(&key, context).await?;
    let stays = found.filter(|pipeline| pipeline.metadata.deletion_timestamp.is_none());
    Ok(stays.map(|pipeline| PipelineFacts { spec: pipeline.spec, status: pipeline.status }))
}

/// A Service as a target of a stage, read live; `None`: there is none.
pub async fn target(name: &str, namespace: &str, context: &Context) -> Result<Option<TargetSeen>, Unreachable> {
    let key = Key { kind: Kind::Service, namespace: namespace.to_owned(), name: name.to_owned() };
    Ok(item::<Service>(&key, context).await?.map(|item| match item {
        Item::Read(service) => TargetSeen::of(service),
        Item::Unreadable(unreadable) => TargetSeen::unreadable(unreadable.note()),
    }))
}

/// Adds our finalizer, unless the object has changed since it was read.
pub async fn guard<K>(object: &K, context: &Context) -> Result<Wrote, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + OfParts + Clone + Debug,
{
    let others = object.finalizers().iter().filter(|one| *one != FINALIZER).cloned();
    write_finalizers(object, others.chain([FINALIZER.to_owned()]).collect(), context).await
}

/// Removes our finalizer, unless the object has changed since it was read.
pub async fn unguard<K>(object: &K, context: &Context) -> Result<Wrote, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + OfParts + Clone + Debug,
{
    write_finalizers(object, object.finalizers().iter().filter(|one| *one != FINALIZER).cloned().collect(), context)
        .await
}

/// A merge patch and not a PUT, which would drop fields of the spec that this version does not know.
async fn write_finalizers<K>(object: &K, finalizers: Vec<String>, context: &Context) -> Result<Wrote, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + OfParts + Clone + Debug,
{
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<Item<K>> = Api::namespaced(context.kube.clone(), &namespace);
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    match api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => Ok(Wrote::Yes),
        Err(error) if is_stale(&error) => Ok(Wrote::Stale),
        Err(error) => {
            Err(Unreachable::of("writing the finalizers of", format!("{namespace}/{}", object.name_any()))(error))
        }
    }
}
