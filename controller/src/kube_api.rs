//! Live, uncached reads of Kubernetes, and the one write that is not a status: our finalizer.

use crate::context::Context;
use crate::key::{Key, Kind};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use launchway_crds::account::AwsAccountSpec;
use launchway_crds::{AwsAccount, FINALIZER, Pipeline, Service};
use launchway_plan::account::AccountSeen;
use launchway_plan::release::PipelineFacts;
use launchway_plan::target::TargetSeen;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

/// A request to Kubernetes failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}")]
pub struct Unreachable {
    /// What was tried.
    pub operation: &'static str,
    /// On which object.
    pub object: String,
    /// The error.
    #[source]
    pub source: kube::Error,
}

impl Unreachable {
    /// Makes the error of that operation on that object.
    pub fn of(operation: &'static str, object: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let object = object.into();
        move |source| Self { operation, object, source }
    }
}

/// Whether a write took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// It did: the object was still as it had been read.
    Yes,
    /// It did not: the object has changed since it was read, or is gone.
    Stale,
}

/// Whether the error says that the object has changed since it was read, or is gone.
pub fn is_stale(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_conflict() || status.is_not_found())
}

/// The objects of that kind in this object's namespace.
pub fn api<K>(object: &K, context: &Context) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(context.kube.clone(), object.meta().namespace.as_deref().unwrap_or_default())
}

/// The current object of that key.
pub async fn found<K>(key: &Key, context: &Context) -> Result<Option<K>, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(context.kube.clone(), &key.namespace);
    let found = api.get_opt(&key.name).await.map_err(Unreachable::of("reading", key.to_string()))?;
    if found.is_none() {
        context.forget(key);
    }
    Ok(found)
}

/// The AwsAccount of that name, read live, and the namespace's labels if the account selects namespaces by label.
pub async fn account(name: &str, namespace: &str, context: &Context) -> Result<AccountSeen, Unreachable> {
    let accounts: Api<AwsAccount> = Api::all(context.kube.clone());
    let found = accounts.get_opt(name).await.map_err(Unreachable::of("reading AwsAccount", name))?;
    seen(name, found.map(|account| account.spec), namespace, context).await
}

/// The same as the watch of AwsAccounts shows it, once it has listed: for looks, and for nothing that changes AWS.
pub async fn watched_account(name: &str, namespace: &str, context: &Context) -> Result<AccountSeen, Unreachable> {
    match context.accounts.get(name) {
        Some(spec) => seen(name, spec, namespace, context).await,
        None => account(name, namespace, context).await,
    }
}

async fn seen(
    name: &str,
    spec: Option<AwsAccountSpec>,
    namespace: &str,
    context: &Context,
) -> Result<AccountSeen, Unreachable> {
    let selects = spec.as_ref().is_some_and(|spec| spec.namespaces.selector.is_some());
    let namespace_labels = if selects { labels(namespace, context).await? } else { Default::default() };
    Ok(AccountSeen { name: name.to_owned(), spec, namespace: namespace.to_owned(), namespace_labels })
}

async fn labels(namespace: &str, context: &Context) -> Result<std::collections::BTreeMap<String, String>, Unreachable> {
    let namespaces: Api<Namespace> = Api::all(context.kube.clone());
    let found = namespaces.get_opt(namespace).await.map_err(Unreachable::of("reading Namespace", namespace))?;
    Ok(found.and_then(|namespace| namespace.metadata.labels).unwrap_or_default())
}

/// The Pipeline of that name; none while it is being deleted.
pub async fn pipeline(namespace: &str, name: &str, context: &Context) -> Result<Option<PipelineFacts>, Unreachable> {
    let pipelines: Api<Pipeline> = Api::namespaced(context.kube.clone(), namespace);
    let found =
        pipelines.get_opt(name).await.map_err(Unreachable::of("reading Pipeline", format!("{namespace}/{name}")))?;
    let stays = found.filter(|pipeline| pipeline.metadata.deletion_timestamp.is_none());
    Ok(stays.map(|pipeline| PipelineFacts { spec: pipeline.spec, status: pipeline.status }))
}

/// A Service as a target of a stage, read live; `None`: there is none.
pub async fn target(name: &str, namespace: &str, context: &Context) -> Result<Option<TargetSeen>, Unreachable> {
    let key = Key { kind: Kind::Service, namespace: namespace.to_owned(), name: name.to_owned() };
    Ok(found::<Service>(&key, context).await?.map(TargetSeen::of))
}

/// Adds our finalizer, unless the object has changed since it was read.
pub async fn guard<K>(object: &K, context: &Context) -> Result<Wrote, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
{
    let others = object.finalizers().iter().filter(|one| *one != FINALIZER).cloned();
    write_finalizers(object, others.chain([FINALIZER.to_owned()]).collect(), context).await
}

/// Removes our finalizer, unless the object has changed since it was read.
pub async fn unguard<K>(object: &K, context: &Context) -> Result<Wrote, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
{
    write_finalizers(object, object.finalizers().iter().filter(|one| *one != FINALIZER).cloned().collect(), context)
        .await
}

/// A merge patch and not a PUT, which would drop fields of the spec that this version does not know.
async fn write_finalizers<K>(object: &K, finalizers: Vec<String>, context: &Context) -> Result<Wrote, Unreachable>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
{
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<K> = Api::namespaced(context.kube.clone(), &namespace);
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    match api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => Ok(Wrote::Yes),
        Err(error) if is_stale(&error) => Ok(Wrote::Stale),
        Err(error) => {
            Err(Unreachable::of("writing the finalizers of", format!("{namespace}/{}", object.name_any()))(error))
        }
    }
}
