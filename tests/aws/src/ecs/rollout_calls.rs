//! The calls about service deployments and service revisions.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arns::{cluster_arn, path, service_arn};
use super::clusters::meant;
use super::definitions::{bad_token, page_size, paged};
use super::scheduler;
use super::service_calls::{may, not_found, target};
use super::service_rules::invalid;
use super::state::{EcsState, Rollout, RolloutStatus, Service, ServiceStatus};
use crate::call::{from_epoch, page};
use crate::{Answer, Call, Refusal, World};

/// `ListServiceDeployments`: newest first.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let alone = named_alone(call);
    let (cluster, name) = alone.clone().map_or_else(|| target(call), Ok)?;
    may(world, call, "ecs:ListServiceDeployments", &cluster, &name, &[])?;
    let state = world.ecs.get(&call.place());
    if alone.is_none() {
        meant(state, call)?;
    }
    let service = state
        .and_then(|state| state.service(&cluster, &name))
        .filter(|service| service.status != ServiceStatus::Inactive)
        .ok_or_else(not_found)?;
    let statuses = call.texts("status");
    let between = between(call);
    let size = page_size(call, 20)?;
    let shown = |rollout: &&Rollout| {
        rollout.visible_at <= call.now
            && (statuses.is_empty() || statuses.iter().any(|status| status == rollout.status.name()))
            && between(rollout.created_at)
    };
    let views: Vec<Value> =
        service.rollouts.iter().rev().filter(shown).map(|rollout| rollout.brief(service, &call.place())).collect();
    let (views, next) = page(&views, call, size).ok_or_else(bad_token)?;
    Ok(paged(json!({"serviceDeployments": views}), next))
}

/// The cluster and the name in a service's ARN, if no cluster is given beside it.
fn named_alone(call: &Call) -> Option<(String, String)> {
    let given = call.text("service").filter(|_| call.text("cluster").is_none())?;
    match path(call, given, "service")?[..] {
        [cluster, name] => Some((cluster.to_owned(), name.to_owned())),
        _ => None,
    }
}

fn between(call: &Call) -> impl Fn(Timestamp) -> bool {
    let bound = |name: &str| call.member("createdAt").and_then(|bounds| from_epoch(&bounds[name]));
    let (after, before) = (bound("after"), bound("before"));
    move |at| after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before)
}

/// Cluster, service and last part of each ARN, after IAM was asked about both the service and the resource.
fn named(
    world: &mut World,
    call: &Call,
    action: &str,
    arns: &[String],
    kind: &str,
) -> Result<Vec<Option<[String; 3]>>, Refusal> {
    let place = call.place();
    let mut parts = Vec::new();
    for arn in arns {
        let found = path(call, arn, kind)
            .and_then(|found| <[&str; 3]>::try_from(found).ok())
            .map(|found| found.map(str::to_owned));
        if let Some([cluster, service, _]) = &found {
            let (cluster, service) = (cluster_arn(&place, cluster), service_arn(&place, cluster, service));
            let context = [("ecs:cluster", cluster.as_str()), ("ecs:service", service.as_str())];
            world.allow(call, action, &service, &context)?;
            world.allow(call, action, arn, &context)?;
        }
        parts.push(found);
    }
    Ok(parts)
}

fn asked(call: &Call, member: &str) -> Result<Vec<String>, Refusal> {
    let arns = call.texts(member);
    match arns.len() {
        0 => Err(invalid(format!("{member} can not be empty."))),
        1..=20 => Ok(arns),
        _ => Err(invalid(format!("{member} can have at most 20 items."))),
    }
}

fn service<'a>(state: Option<&'a EcsState>, named: &Option<[String; 3]>) -> Option<&'a Service> {
    let [cluster, name, _] = named.as_ref()?;
    state?.service(cluster, name)
}

/// `DescribeServiceDeployments`: at most 20.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    let arns = asked(call, "serviceDeploymentArns")?;
    let named = named(world, call, "ecs:DescribeServiceDeployments", &arns, "service-deployment")?;
    let place = call.place();
    let state = world.ecs.get(&place);
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for (arn, named) in arns.iter().zip(&named) {
        let rollout = service(state, named).and_then(|service| Some((service, visible(service, arn, call.now)?)));
        match rollout {
            Some((service, rollout)) => found.push(rollout.view(service, &place, call.now)),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}

fn visible<'a>(service: &'a Service, arn: &str, now: Timestamp) -> Option<&'a Rollout> {
    service.rollouts.iter().rev().find(|rollout| rollout.arn == arn && rollout.visible_at <= now)
}

/// `DescribeServiceRevisions`: at most 20.
pub(super) fn revisions(world: &mut World, call: &Call) -> Answer {
    let arns = asked(call, "serviceRevisionArns")?;
    let named = named(world, call, "ecs:DescribeServiceRevisions", &arns, "service-revision")?;
    let place = call.place();
    let state = world.ecs.get(&place);
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for (arn, named) in arns.iter().zip(&named) {
        let revision = service(state, named)
            .and_then(|service| Some((service, service.revisions.iter().rev().find(|revision| revision.arn == *arn)?)));
        match revision {
            Some((service, revision)) => found.push(revision.view(service, &place)),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceRevisions": found, "failures": failures}))
}

/// `StopServiceDeployment`: back to the revision that was last completed.
pub(super) fn stop(world: &mut World, call: &Call) -> Answer {
    let arn = call.text("serviceDeploymentArn").unwrap_or_default().to_owned();
    let named = named(world, call, "ecs:StopServiceDeployment", std::slice::from_ref(&arn), "service-deployment")?;
    match call.text("stopType") {
        None | Some("ROLLBACK") => {}
        Some(other) => return Err(invalid(format!("Invalid stop type: {other}"))),
    }
    let missing = || Refusal::new("ServiceDeploymentNotFoundException", "Service deployment not found.");
    let Some(Some([cluster, name, _])) = named.into_iter().next() else {
        return Err(invalid("Invalid service deployment ARN."));
    };
    let place = call.place();
    let state = world.ecs.get_mut(&place).ok_or_else(missing)?;
    let begins = call.now + state.timing.yielding;
    let service =
        state.clusters.get_mut(&cluster).and_then(|cluster| cluster.services.get_mut(&name)).ok_or_else(missing)?;
    let rollout = service
        .rollouts
        .iter_mut()
        .find(|rollout| rollout.arn == arn && rollout.visible_at <= call.now)
        .ok_or_else(missing)?;
    match rollout.status {
        RolloutStatus::Pending | RolloutStatus::InProgress => {
            rollout.status = RolloutStatus::RollbackRequested;
            rollout.updated_at = call.now;
            rollout.moves_at = Some(begins);
        }
        RolloutStatus::StopRequested | RolloutStatus::RollbackRequested | RolloutStatus::RollbackInProgress => {}
        RolloutStatus::Stopped
        | RolloutStatus::Successful
        | RolloutStatus::RollbackSuccessful
        | RolloutStatus::RollbackFailed => {
            let message = format!("The service deployment is in a terminal state: {}.", rollout.status.name());
            return Err(Refusal::new("ConflictException", message).with("resourceIds", json!([arn])));
        }
    }
    scheduler::settle(world, &place, &cluster, &name);
    Ok(json!({"serviceDeploymentArn": arn}))
}
