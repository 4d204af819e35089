//! Does what was decided about a Service: one call.

use crate::context::Context;
use crate::key::Key;
use crate::kube_api::{Wrote, guard, unguard};
use crate::unreachable::Unreachable;
use launchway_cloud::Cloud;
use launchway_crds::Service;
use launchway_plan::Outcome;
use launchway_plan::fault::Fault;
use launchway_plan::service::{Action, Desired, Effected, Observed, Wanted, rank, reach};
use launchway_plan::world::UpdateServiceRequest;
use tracing::Instrument;

/// Does it.
pub async fn act(
    service: &Service,
    desired: &Desired,
    wanted: Option<&Wanted>,
    observed: &Observed,
    action: Option<&Action>,
    context: &Context,
) -> Result<Outcome<Effected>, Unreachable> {
    let Some(action) = action else { return Ok(Outcome::Idle) };
    if *action == Action::Guard {
        return guard(service, context).await.map(wrote);
    }
    if *action == Action::Unguard {
        return unguard(service, context).await.map(wrote);
    }
    let Ok(scope) = reach(desired, observed) else { return Ok(Outcome::Idle) };
    let cloud = context.clouds.at(&scope.place, &desired.namespace, rank::of_action(wanted, action));
    let commit = wanted.and_then(|wanted| wanted.commit.as_deref()).unwrap_or_default();
    let span = tracing::info_span!("effect", object = %Key::of(service), commit);
    let (name, answer) = call(&cloud, action).instrument(span).await;
    let outcome = outcome(answer);
    context.metrics.effect(name, &outcome);
    Ok(outcome)
}

/// Whether the object was changed itself, so that its status cannot be written in this pass any more.
pub fn is_last(action: Option<&Action>, outcome: &Outcome<Effected>) -> bool {
    matches!((action, outcome), (Some(Action::Guard | Action::Unguard), Outcome::Done(_)))
}

/// A write to the object itself wakes it again, whether it came through or met a change.
fn wrote(_: Wrote) -> Outcome<Effected> {
    Outcome::Done(Effected::Plain)
}

fn outcome(result: Result<Effected, Fault>) -> Outcome<Effected> {
    match result {
        Ok(effected) => Outcome::Done(effected),
        Err(fault) => Outcome::Failed(fault),
    }
}

/// The operation's name, and what it answered.
async fn call(cloud: &Cloud, action: &Action) -> (&'static str, Result<Effected, Fault>) {
    match action {
        Action::Register(request) => {
            ("RegisterTaskDefinition", cloud.register(request).await.map(Effected::Registered))
        }
        Action::Create(request) => {
            let created = cloud.create_service(request).await;
            ("CreateService", created.map(|live| Effected::Created(Box::new(live))))
        }
        Action::Update(request) => ("UpdateService", update(cloud, request).await),
        Action::Scale(asked) | Action::Adjust(asked) => ("UpdateService", update(cloud, &asked.request).await),
        Action::Tag(asked) => {
            ("TagResource", cloud.tag_service(&asked.request.arn, &asked.request.tags).await.map(|()| Effected::Plain))
        }
        Action::Delete { cluster, name } => {
            ("DeleteService", cloud.delete_service(cluster, name).await.map(|()| Effected::Plain))
        }
        Action::Guard | Action::Unguard => ("none", Ok(Effected::Plain)),
    }
}

async fn update(cloud: &Cloud, request: &UpdateServiceRequest) -> Result<Effected, Fault> {
    cloud.update_service(request).await.map(|live| Effected::Updated(Box::new(live)))
}
