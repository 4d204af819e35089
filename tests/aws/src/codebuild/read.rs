//! BatchGetBuilds, ListBuildsForProject, StopBuild: builds by their IDs. How they come to be is in `start`.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use serde_json::json;

use super::build::PhaseStatus;
use super::{CodeBuildState, build_id, course, invalid, not_found, project_arn, project_name};
use crate::call::with_token;
use crate::{Answer, Call, Refusal, World};

/// IDs in one BatchGetBuilds, at most, and on one page of ListBuildsForProject [API_BatchGetBuilds, API_ListBuildsForProject].
const IDS: usize = 100;

/// BatchGetBuilds.
pub(super) fn batch(world: &mut World, call: &Call) -> Answer {
    let asked = ids(call)?;
    let projects: BTreeSet<&str> = asked.iter().map(|id| project_of(id)).collect();
    for project in projects {
        world.allow(call, "codebuild:BatchGetBuilds", &project_arn(call, project), &[])?;
    }
    let state = world.codebuild.get(&call.place());
    let mut builds = Vec::new();
    let mut missing = Vec::new();
    for id in &asked {
        match state.and_then(|state| state.build(build_id(id))) {
            Some(build) => builds.push(build.render()),
            None => missing.push(id),
        }
    }
    Ok(json!({ "builds": builds, "buildsNotFound": missing }))
}

fn ids(call: &Call) -> Result<Vec<String>, Refusal> {
    let mut ids = call.texts("ids");
    if ids.is_empty() {
        return Err(invalid("Invalid input: ids must not be empty"));
    }
    if ids.len() > IDS {
        return Err(invalid("Invalid input: ids must have at most 100 items"));
    }
    if !ids.iter().all(|id| is_id(id)) {
        return Err(invalid("Invalid build ID provided"));
    }
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// `PROJECT:UUID`, or an ARN that ends so.
fn is_id(id_or_arn: &str) -> bool {
    build_id(id_or_arn).split_once(':').is_some_and(|(project, uuid)| !project.is_empty() && !uuid.is_empty())
}

/// The project that a build is of: IAM knows builds by it.
fn project_of(id_or_arn: &str) -> &str {
    build_id(id_or_arn).split(':').next().unwrap_or_default()
}

/// ListBuildsForProject.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let name = project_name(call.text("projectName").ok_or_else(|| invalid("Invalid project name: null"))?);
    let arn = project_arn(call, name);
    world.allow(call, "codebuild:ListBuildsForProject", &arn, &[])?;
    let state = world.codebuild.get(&call.place()).filter(|state| state.projects.contains_key(name));
    let state = state.ok_or_else(|| not_found(format!("The provided project {arn} does not exist")))?;
    let orders = state.by_project.get(name).map_or(&[][..], |orders| orders.as_slice());
    let (ids, next) = match order(call, orders)? {
        Order::NewestFirst => older(state, orders, call)?,
        Order::OldestFirst if call.member("nextToken").is_some() => return Err(invalid("Invalid nextToken")),
        Order::OldestFirst => (orders.iter().filter_map(|order| id(state, *order)).collect(), None),
    };
    Ok(with_token(json!({ "ids": ids }), next))
}

enum Order {
    NewestFirst,
    OldestFirst,
}

fn order(call: &Call, orders: &[u64]) -> Result<Order, Refusal> {
    match call.text("sortOrder") {
        None => Ok(Order::NewestFirst),
        Some(_) if orders.len() > IDS => {
            Err(invalid("Invalid input: sortOrder cannot be set for a project with more than 100 builds"))
        }
        Some("ASCENDING") => Ok(Order::OldestFirst),
        Some("DESCENDING") => Ok(Order::NewestFirst),
        Some(other) => Err(invalid(format!("Invalid input: sortOrder {other}"))),
    }
}

/// The page before the token's build number, so that builds that start in between move nothing.
fn older<'s>(
    state: &'s CodeBuildState,
    orders: &[u64],
    call: &Call,
) -> Result<(Vec<&'s str>, Option<String>), Refusal> {
    let end = match call.text("nextToken") {
        None => orders.len(),
        Some(token) => {
            position(token).filter(|end| *end <= orders.len()).ok_or_else(|| invalid("Invalid nextToken"))?
        }
    };
    let start = end.saturating_sub(IDS);
    let ids = orders[start..end].iter().rev().filter_map(|order| id(state, *order)).collect();
    Ok((ids, (start > 0).then(|| token(start))))
}

fn id(state: &CodeBuildState, order: u64) -> Option<&str> {
    state.builds.get(&order).map(|build| build.id.as_str())
}

fn token(position: usize) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("builds before {position}"))
}

fn position(token: &str) -> Option<usize> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(token).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("builds before ")?.parse().ok()
}

/// StopBuild.
pub(super) fn stop(world: &mut World, call: &Call) -> Answer {
    let formed = call.text("id").filter(|id| is_id(id));
    let asked = formed.ok_or_else(|| invalid("Invalid build ID provided"))?;
    world.allow(call, "codebuild:StopBuild", &project_arn(call, project_of(asked)), &[])?;
    course::with_state(world, &call.place(), |world, state| {
        let order = state.ids.get(build_id(asked)).copied();
        let order = order.ok_or_else(|| not_found(format!("Build {asked} does not exist")))?;
        stop_build(state, order, call);
        course::drain(world, state, call.now);
        Ok(json!({ "build": state.builds[&order].render() }))
    })
}

fn stop_build(state: &mut CodeBuildState, order: u64, call: &Call) {
    if !state.active.remove(&order) {
        return;
    }
    if let Some(build) = state.builds.get_mut(&order).map(Arc::make_mut) {
        course::cut(build, call.now, PhaseStatus::Stopped, ("", ""));
    }
    state.latest_step = call.now;
}
