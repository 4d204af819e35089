//! The only writer of statuses, and of events from their changes. What a status says is decided elsewhere.

use crate::context::Context;
use crate::kube_api::{Unreachable, is_stale};
use crate::wake::{self, Key};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use kube::core::object::HasStatus;
use kube::{Resource, ResourceExt};
use launchway_crds::condition::Condition;
use launchway_plan::condition::cut;
use launchway_plan::hash;
use launchway_plan::reason::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What became of a status.
#[derive(Debug)]
pub enum Written<K> {
    /// It was written, or it was equal and needed no writing; the object as it is now.
    Yes(Box<K>),
    /// The object has changed since it was read, or is gone: look again.
    Stale,
}

/// A status that has conditions.
pub trait Conditions {
    /// Its conditions.
    fn conditions(&self) -> &[Condition];
}

macro_rules! conditions {
    ($($status:path),*) => { $(impl Conditions for $status { fn conditions(&self) -> &[Condition] { &self.conditions } })* };
}

conditions!(
    launchway_crds::account::AwsAccountStatus,
    launchway_crds::pipeline::PipelineStatus,
    launchway_crds::release::ReleaseStatus,
    launchway_crds::service::ServiceStatus
);

/// Writes the status by PUT on the resource version that the object was read with, unless it is equal. An event follows
/// for each condition that turned.
pub async fn write<K>(object: &K, next: K::Status, api: Api<K>, context: &Context) -> Result<Written<K>, Unreachable>
where
    K: Resource<DynamicType = ()> + HasStatus + Clone + Debug + DeserializeOwned + Serialize,
    K::Status: Conditions + PartialEq + Clone,
{
    if object.status() == Some(&next) {
        return Ok(Written::Yes(Box::new(object.clone())));
    }
    let before: Vec<Condition> = object.status().map(|status| status.conditions().to_vec()).unwrap_or_default();
    let turned = turned(&before, next.conditions());
    let mut body = object.clone();
    *body.status_mut() = Some(next);
    match api.replace_status(&object.name_any(), &PostParams::default(), &body).await {
        Ok(written) => {
            remember(&written, context);
            for condition in &turned {
                publish(&written, condition, context).await;
            }
            Ok(Written::Yes(Box::new(written)))
        }
        Err(error) if is_stale(&error) => Ok(Written::Stale),
        Err(error) => Err(Unreachable::of("writing the status of", object.name_any())(error)),
    }
}

/// The version that was just made is our own: the pass that made it has said when it comes again.
fn remember<K: Resource<DynamicType = ()>>(written: &K, context: &Context) {
    if let (Some(kind), Some(version)) = (wake::Kind::named(&K::kind(&())), written.resource_version()) {
        context.backoff.wrote(&Key::of(kind, written), &version);
    }
}

/// The conditions that turned: new ones that are said, and those whose status is another than before.
fn turned(before: &[Condition], after: &[Condition]) -> Vec<Condition> {
    let old =
        |condition: &Condition| before.iter().find(|one| one.type_ == condition.type_).map(|one| one.status.clone());
    after.iter().filter(|condition| old(condition).as_ref() != Some(&condition.status)).cloned().collect()
}

/// An event that cannot be written is logged and forgotten: the condition says the same.
async fn publish<K>(object: &K, condition: &Condition, context: &Context)
where
    K: Resource<DynamicType = ()>,
{
    let event = event(object, condition, context);
    let namespace = event.metadata.namespace.clone().unwrap_or_default();
    let api: Api<Event> = Api::namespaced(context.kube.clone(), &namespace);
    if let Err(error) = api.create(&PostParams::default(), &event).await
        && !matches!(&error, kube::Error::Api(status) if status.is_already_exists())
    {
        tracing::warn!(object = %object.name_any(), condition = condition.type_, error = %error, "an event could not be written");
    }
}

fn event<K: Resource<DynamicType = ()>>(object: &K, condition: &Condition, context: &Context) -> Event {
    let regarding: ObjectReference = object.object_ref(&());
    // Events of cluster-scoped objects live in the namespace `default`, as kubectl expects them.
    let namespace = object.namespace().unwrap_or_else(|| "default".to_owned());
    let key = (object.uid(), &condition.type_, &condition.status, object.resource_version());
    let bad = condition.type_ == Kind::Stalled.as_str()
        || condition.status == "False" && condition.type_ == Kind::SourceReady.as_str();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{}", object.name_any(), &hash::of(&key)[..16])),
            namespace: Some(namespace),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime((context.clock)())),
        type_: Some(if bad { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(condition.reason.clone()),
        action: Some(condition.type_.clone()),
        note: Some(cut(&format!("{}={}: {}", condition.type_, condition.status, condition.message), 1024)),
        regarding: Some(regarding),
        reporting_controller: Some("launchway.dev/controller".to_owned()),
        reporting_instance: Some(context.installation.clone()),
        ..Event::default()
    }
}
