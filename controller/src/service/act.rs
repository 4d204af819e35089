//! Does what was decided about a Service: one call.

use crate::context::Context;
use crate::kube_api::{Unreachable, Wrote, guard, unguard};
use launchway_cloud::Cloud;
use launchway_crds::Service;
use launchway_plan::Outcome;
use launchway_plan::account::scope;
use launchway_plan::fault::Fault;
use launchway_plan::service::{Action, Desired, Effected, Observed, rank};

/// Does it.
pub async fn act(
    service: &Service,
    desired: &Desired,
    observed: &Observed,
    action: Option<&Action>,
    context: &Context,
) -> Result<Outcome<Effected>, Unreachable> {
    let Some(action) = action else { return Ok(Outcome::Idle) };
    match action {
        Action::Guard => guard(service, context).await.map(wrote),
        Action::Unguard => unguard(service, context).await.map(wrote),
        Action::Register { .. }
        | Action::Create(_)
        | Action::Update(_)
        | Action::Adjust(_)
        | Action::Tag { .. }
        | Action::Delete { .. } => Ok(match scope(&observed.account, desired.spec.region.as_deref()) {
            Ok(scope) => {
                let outcome = outcome(call(&context.clouds.at(&scope.place, rank::of_action(action)), action).await);
                context.metrics.effect(name(action), &outcome);
                outcome
            }
            Err(_) => Outcome::Idle,
        }),
    }
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

async fn call(cloud: &Cloud, action: &Action) -> Result<Effected, Fault> {
    match action {
        Action::Register { request, tags } => cloud.register(request, tags).await.map(Effected::Registered),
        Action::Create(request) => cloud.create_service(request).await.map(|live| Effected::Created(Box::new(live))),
        Action::Update(request) | Action::Adjust(request) => {
            cloud.update_service(request).await.map(|live| Effected::Updated(Box::new(live)))
        }
        Action::Tag { arn, tags } => cloud.tag_service(arn, tags).await.map(|()| Effected::Plain),
        Action::Delete { cluster, name } => cloud.delete_service(cluster, name).await.map(|()| Effected::Plain),
        Action::Guard | Action::Unguard => Ok(Effected::Plain),
    }
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Guard => "guard",
        Action::Unguard => "unguard",
        Action::Register { .. } => "RegisterTaskDefinition",
        Action::Create(_) => "CreateService",
        Action::Update(_) | Action::Adjust(_) => "UpdateService",
        Action::Tag { .. } => "TagResource",
        Action::Delete { .. } => "DeleteService",
    }
}
