//! The only writer of statuses, but for the time of a webhook (`webhooks`), and of the events that follow from them. What a status says is decided elsewhere.

use crate::context::Context;
use crate::item::Item;
use crate::key::Key;
use crate::kind::Reconciled;
use crate::unreachable::{Unreachable, is_stale};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use kube::{Resource, ResourceExt};
use launchway_crds::condition::Condition;
use launchway_plan::Outcome;
use launchway_plan::condition::{cut, dropped};
use launchway_plan::hash;
use launchway_plan::reason::{ConditionType, Reason};
use launchway_plan::wake::Wake;
use std::fmt::Debug;

/// Whether a status was written.
#[derive(Debug)]
pub enum Written<K> {
    /// It was, or it was equal to the stored one; the object as it is now.
    Yes(Box<K>),
    /// It was not: the object has changed since it was read, or is gone. Look again.
    Stale,
    /// The API server dropped a part of it: the CRDs are older than this controller, and nothing that has to be written
    /// down before it is done can be done. The status says so.
    Dropped,
}

impl<K> Written<K> {
    /// When the next pass is due, where `written` is right once the status was written.
    pub fn wake(&self, written: Wake) -> Wake {
        match self {
            Written::Yes(_) => written,
            Written::Stale => Wake::Now,
            Written::Dropped => Wake::Operator,
        }
    }
}

/// How a pass over an object continues after its effect.
pub enum Acted<K, T> {
    /// It ends without a report: finalizers were changed, or the status could not be written.
    Ended(Wake),
    /// It writes its report on the object as it is now.
    Went(Box<K>, Outcome<T>),
}

/// Writes the status by PUT on the resource version that the object was read with, unless it is equal. If conditions turned,
/// an event follows: one, of the condition that says the most.
pub async fn write<K: Reconciled>(
    object: &K,
    next: K::Status,
    api: Api<Item<K>>,
    context: &Context,
) -> Result<Written<K>, Unreachable> {
    if object.status() == Some(&next) {
        return Ok(Written::Yes(Box::new(object.clone())));
    }
    let Some(written) = put(object, next.clone(), &api, context).await? else { return Ok(Written::Stale) };
    if written.status() == Some(&next) {
        return Ok(Written::Yes(Box::new(written)));
    }
    tracing::error!(object = %written.name_any(), "the API server dropped a part of the status: apply the CRDs of this version");
    let generation = written.meta().generation.unwrap_or_default();
    let told = K::saying(&next, dropped(K::conditions(&next), generation, (context.clock)()));
    put(&written, told, &api, context).await?;
    Ok(Written::Dropped)
}

/// The object with that status, as it was written; none if it has changed since it was read, or is gone.
async fn put<K: Reconciled>(
    object: &K,
    next: K::Status,
    api: &Api<Item<K>>,
    context: &Context,
) -> Result<Option<K>, Unreachable> {
    let _writing = context.own.writing(&Key::of(object));
    let before = object.status().map(|status| K::conditions(status).to_vec()).unwrap_or_default();
    let turned = turned(&before, K::conditions(&next));
    let mut body = object.clone();
    *body.status_mut() = Some(next);
    match api.replace_subresource("status", &object.name_any(), &PostParams::default(), &body).await {
        Ok(written) => {
            let written =
                written.object().map_err(Unreachable::unreadable("writing the status of", object.name_any()))?;
            remember(&written, context);
            K::counted(object, &written, context);
            if let Some(condition) = turned.iter().min_by_key(|condition| importance(condition))
                && K::HAS_EVENTS
            {
                publish(&written, condition, context);
            }
            Ok(Some(written))
        }
        Err(error) if is_stale(&error) => Ok(None),
        Err(error) => Err(Unreachable::of("writing the status of", object.name_any())(error)),
    }
}

/// The version that was just made is our own: the pass that made it has said when it comes again.
fn remember<K: Reconciled>(written: &K, context: &Context) {
    if let Some(version) = written.resource_version() {
        context.own.remember(&Key::of(written), &version);
    }
}

/// The conditions whose status is another than before. One that is not there is unknown, as everywhere in Kubernetes, so
/// that an object's first words are not an event for each question that it cannot answer yet.
fn turned(before: &[Condition], after: &[Condition]) -> Vec<Condition> {
    let old = |condition: &Condition| before.iter().find(|one| one.type_ == condition.type_).map(|one| &*one.status);
    after.iter().filter(|condition| old(condition).unwrap_or("Unknown") != condition.status).cloned().collect()
}

/// What is told first: what is stuck, then whether all is well, then the answer to a question of its own, and last what
/// only goes along with those.
fn importance(condition: &Condition) -> u8 {
    let is = |kind: ConditionType| condition.type_ == kind.as_str();
    match () {
        () if is_bad(condition) => 0,
        () if is(ConditionType::Ready) => 1,
        () if is(ConditionType::Held) => 2,
        () if is(ConditionType::Reconciling) || is(ConditionType::Stalled) => 4,
        () => 3,
    }
}

/// Whether a person has to do something.
fn is_bad(condition: &Condition) -> bool {
    let is = |kind: ConditionType, status| condition.type_ == kind.as_str() && condition.status == status;
    is(ConditionType::Stalled, "True") || is(ConditionType::SourceReady, "False")
}

/// Publishes a warning that no condition expresses.
pub fn warn<K>(object: &K, reason: Reason, note: &str, context: &Context)
where
    K: Resource<DynamicType = ()>,
{
    tell("Warning", object, reason, note, context);
}

/// Publishes what nobody has to do anything about, and whose condition does not turn.
pub fn note<K>(object: &K, reason: Reason, note: &str, context: &Context)
where
    K: Resource<DynamicType = ()>,
{
    tell("Normal", object, reason, note, context);
}

fn tell<K>(kind: &str, object: &K, reason: Reason, note: &str, context: &Context)
where
    K: Resource<DynamicType = ()>,
{
    let told = Told { kind, reason: reason.as_str(), action: reason.as_str(), note };
    context.events.tell(event(object, &told, context), &context.metrics);
}

fn publish<K>(object: &K, condition: &Condition, context: &Context)
where
    K: Resource<DynamicType = ()>,
{
    let note = format!("{}={}: {}", condition.type_, condition.status, condition.message);
    let object_ref = format!("{} {}/{}", K::kind(&()), object.namespace().unwrap_or_default(), object.name_any());
    tracing::info!(object = object_ref, reason = condition.reason, "{note}");
    let kind = if is_bad(condition) { "Warning" } else { "Normal" };
    let told = Told { kind, reason: &condition.reason, action: &condition.type_, note: &note };
    context.events.tell(event(object, &told, context), &context.metrics);
}

/// What an event says.
struct Told<'a> {
    kind: &'a str,
    reason: &'a str,
    action: &'a str,
    note: &'a str,
}

fn event<K: Resource<DynamicType = ()>>(object: &K, told: &Told<'_>, context: &Context) -> Event {
    let regarding: ObjectReference = object.object_ref(&());
    // Events of cluster-scoped objects live in the namespace `default`, as kubectl expects them.
    let namespace = object.namespace().unwrap_or_else(|| "default".to_owned());
    let key = (object.uid(), told.action, told.note, object.resource_version());
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{}", object.name_any(), &hash::of(&key)[..16])),
            namespace: Some(namespace),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime((context.clock)())),
        type_: Some(told.kind.to_owned()),
        reason: Some(told.reason.to_owned()),
        action: Some(told.action.to_owned()),
        note: Some(cut(told.note, 1024)),
        regarding: Some(regarding),
        reporting_controller: Some("launchway.dev/controller".to_owned()),
        reporting_instance: Some(context.installation.clone()),
        ..Event::default()
    }
}
