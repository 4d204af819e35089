//! The built-in kinds that Launchway reads or writes: Secret, Event, Namespace.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ObjectReference, Secret};
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use super::{Cluster, ensure_equal};

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() }
}

pub(super) async fn secrets_come_in_base64(cluster: Cluster) -> anyhow::Result<()> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let written = Secret {
        metadata: named("git"),
        data: Some(BTreeMap::from([("password".into(), ByteString(b"p\xffss".to_vec()))])),
        string_data: Some(BTreeMap::from([("username".into(), "someone".into())])),
        ..Secret::default()
    };
    secrets.create(&PostParams::default(), &written).await?;
    let read = secrets.get("git").await?;
    let wanted = BTreeMap::from([
        ("password".into(), ByteString(b"p\xffss".to_vec())),
        ("username".into(), ByteString(b"someone".to_vec())),
    ]);
    ensure_equal("data", read.data, Some(wanted))?;
    ensure_equal("stringData", read.string_data, None)?;
    ensure_equal("type", read.type_.as_deref(), Some("Opaque"))
}

pub(super) async fn a_secret_is_replaced_whatever_its_version(cluster: Cluster) -> anyhow::Result<()> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut secret = Secret { metadata: named("any"), ..Secret::default() };
    let made = secrets.create(&PostParams::default(), &secret).await?;
    secret.string_data = Some(BTreeMap::from([("a".into(), "b".into())]));
    let put = secrets.replace("any", &PostParams::default(), &secret).await?;
    ensure_equal("data", put.data, Some(BTreeMap::from([("a".into(), ByteString(b"b".to_vec()))])))?;
    ensure_equal("uid", put.metadata.uid, made.metadata.uid)
}

fn event(namespace: &str) -> Event {
    let regarding = ObjectReference {
        api_version: Some("conformance.launchway.dev/v1".into()),
        kind: Some("Widget".into()),
        name: Some("a".into()),
        namespace: Some(namespace.into()),
        ..ObjectReference::default()
    };
    Event {
        metadata: ObjectMeta { namespace: Some(namespace.into()), ..named("a.1") },
        action: Some("Reconcile".into()),
        event_time: "2026-01-02T03:04:05.678901Z".parse().ok().map(MicroTime),
        note: Some("it turned".into()),
        reason: Some("Turned".into()),
        regarding: Some(regarding),
        reporting_controller: Some("launchway.dev/controller".into()),
        reporting_instance: Some("one".into()),
        type_: Some("Normal".into()),
        ..Event::default()
    }
}

pub(super) async fn an_event_is_made_and_counted(cluster: Cluster) -> anyhow::Result<()> {
    let events: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut written = event(&cluster.namespace);
    events.create(&PostParams::default(), &written).await?;
    let at = written.event_time.clone().context("a time")?;
    written.series = Some(EventSeries { count: 2, last_observed_time: at });
    events.patch("a.1", &PatchParams::default(), &Patch::Merge(&written)).await?;
    let read = events.get("a.1").await?;
    ensure_equal("count", read.series.map(|series| series.count), Some(2))?;
    ensure_equal("note", read.note.as_deref(), Some("it turned"))?;
    ensure_equal("time", read.event_time, written.event_time)
}

pub(super) async fn a_namespace_is_active_and_has_a_uid(cluster: Cluster) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let system = namespaces.get("kube-system").await?;
    ensure!(system.metadata.uid.is_some_and(|uid| uid.len() == 36), "no uid");
    let own = namespaces.get(&cluster.namespace).await?;
    ensure_equal("phase", own.status.and_then(|status| status.phase).as_deref(), Some("Active"))?;
    let label = own.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/metadata.name"));
    ensure_equal("label", label, Some(&cluster.namespace))
}

pub(super) async fn nobody_raises_a_generation_of_built_in_kinds(cluster: Cluster) -> anyhow::Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut map = ConfigMap { metadata: named("plain"), ..ConfigMap::default() };
    let made = maps.create(&PostParams::default(), &map).await?;
    ensure_equal("generation", made.metadata.generation, None)?;
    map.data = Some(BTreeMap::from([("a".into(), "b".into())]));
    let put = maps.replace("plain", &PostParams::default(), &map).await?;
    ensure_equal("generation", put.metadata.generation, None)?;
    let patch = json!({"data": {"a": "c"}});
    let patched = maps.patch("plain", &PatchParams::default(), &Patch::Merge(&patch)).await?;
    ensure_equal("data", patched.data, Some(BTreeMap::from([("a".into(), "c".into())])))
}
