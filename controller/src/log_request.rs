//! One pass over a LogRequest: it is answered once, and deleted ten minutes after it was made. Nothing in AWS is changed.

pub mod kept;
mod observe;

use crate::context::Context;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kind::Reconciled;
use crate::kube_api::{api, delete, found};
use crate::status;
use crate::unreachable::Unreachable;
use crate::wake::Links;
use kube::runtime::watcher::Event;
use launchway_crds::LogRequest;
use launchway_plan::condition::is_true;
use launchway_plan::log::{Answered, NoLog, kept_for, report};
use launchway_plan::reason::ConditionType;
use launchway_plan::wake::Wake;

impl Reconciled for LogRequest {
    const KIND: Kind = Kind::LogRequest;

    const HAS_EVENTS: bool = false;

    fn links(&self) -> Links {
        Links::default()
    }

    fn followed(event: &Event<Item<Self>>, context: &Context) {
        context.log_requests.follow(event);
    }

    async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
        pass(key, context).await
    }
}

/// One pass over a LogRequest.
async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    let Some(request) = found::<LogRequest>(key, context).await? else { return Ok(Wake::OnChange) };
    if request.metadata.deletion_timestamp.is_some() {
        return emptied(&request, context).await;
    }
    let made = request.metadata.creation_timestamp.as_ref().map_or_else(|| (context.clock)(), |time| time.0);
    let Some(left) = kept_for(made, (context.clock)()) else { return gone(key, &key.name, context).await };
    if is_answered(&request) {
        return Ok(Wake::After(left));
    }
    if let Some(oldest) = context.log_requests.surplus(&key.namespace) {
        gone(key, &oldest, context).await?;
        if oldest == key.name {
            return Ok(Wake::OnChange);
        }
    }
    let answered = observe::answered(&request, context).await?;
    let wake = match &answered {
        Answered::Failed(fault) if !fault.is_terminal() => Wake::of_look(fault),
        Answered::Failed(_) | Answered::Read { .. } | Answered::None(_) | Answered::Refused(_) => Wake::After(left),
    };
    Ok(write(&request, &answered, context).await?.wake(wake))
}

/// Whoever holds it back with a finalizer does not keep its text.
async fn emptied(request: &LogRequest, context: &Context) -> Result<Wake, Unreachable> {
    if request.status.as_ref().is_none_or(|status| status.log.is_none()) {
        return Ok(Wake::OnChange);
    }
    let answered = Answered::None(NoLog("the LogRequest is being deleted: make another one".to_owned()));
    Ok(write(request, &answered, context).await?.wake(Wake::OnChange))
}

async fn write(
    request: &LogRequest,
    answered: &Answered,
    context: &Context,
) -> Result<status::Written<LogRequest>, Unreachable> {
    let generation = request.metadata.generation.unwrap_or_default();
    let next = report(request.status.as_ref(), generation, answered, (context.clock)());
    status::write(request, next, api(request, context), context).await
}

/// Deletes the one of that name.
async fn gone(key: &Key, name: &str, context: &Context) -> Result<Wake, Unreachable> {
    let deleted = delete::<LogRequest>(&key.namespace, name, context).await;
    deleted.map_err(Unreachable::of("deleting LogRequest", format!("{}/{name}", key.namespace)))?;
    Ok(Wake::OnChange)
}

/// Whether it has its answer, which stays: whoever wants another one asks again.
fn is_answered(request: &LogRequest) -> bool {
    let said = |kind| request.status.as_ref().is_some_and(|status| is_true(&status.conditions, kind));
    said(ConditionType::Ready) || said(ConditionType::Stalled)
}
