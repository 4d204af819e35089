//! Task definitions: families and their revisions, and the calls about them. What AWS refuses and fills in is in `definition_rules`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::arns::{definition_arn, path, role_arn};
use super::definition_rules;
use super::state::{EcsState, Rules};
use super::tags::{self, Tags};
use crate::call::{epoch, page};
use crate::{Answer, Call, Place, Refusal, World};

/// A family.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// Oldest first; numbers are never used again.
    pub revisions: Vec<Arc<Definition>>,
}

/// A task definition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionStatus {
    /// It can be used.
    Active,
    /// It was deregistered.
    Inactive,
}

/// One revision of a task definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its family.
    pub family: String,
    /// Its number, from 1.
    pub revision: u64,
    /// Its ARN.
    pub arn: String,
    /// ACTIVE or INACTIVE.
    pub status: DefinitionStatus,
    /// What was registered, AWS's defaults filled in.
    pub body: Arc<Map<String, Value>>,
    /// Its tags.
    pub tags: Tags,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// By whom.
    pub registered_by: String,
    /// When it was deregistered.
    pub deregistered_at: Option<Timestamp>,
}

impl Definition {
    /// `containerDefinitions`.
    pub fn containers(&self) -> &[Value] {
        self.body.get("containerDefinitions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Names and images of its containers.
    pub fn images(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.containers().iter().map(|container| (text(&container["name"]), text(&container["image"]))).collect()
    }

    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(Value::as_str)
    }

    fn view(&self) -> Value {
        let mut body = (*self.body).clone();
        body.insert("taskDefinitionArn".to_owned(), json!(self.arn));
        body.insert("revision".to_owned(), json!(self.revision));
        body.insert("registeredAt".to_owned(), epoch(self.registered_at));
        body.insert("registeredBy".to_owned(), json!(self.registered_by));
        let status = match self.status {
            DefinitionStatus::Active => "ACTIVE",
            DefinitionStatus::Inactive => "INACTIVE",
        };
        body.insert("status".to_owned(), json!(status));
        if let Some(at) = self.deregistered_at {
            body.insert("deregisteredAt".to_owned(), epoch(at));
        }
        Value::Object(body)
    }
}

/// `RegisterTaskDefinition`: every call that succeeds makes a revision.
pub(super) fn register(world: &mut World, call: &Call) -> Answer {
    let family = definition_rules::family(call)?;
    let place = call.place();
    let any = super::arns::arn(&place, &format!("task-definition/{family}:*"));
    let tags = tags::parsed(call.list("tags"))?;
    let asked = tags::asked(&tags);
    let mut context: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    context.extend(["cpu", "memory"].into_iter().filter_map(|member| {
        Some((if member == "cpu" { "ecs:task-cpu" } else { "ecs:task-memory" }, call.text(member)?))
    }));
    world.allow(call, "ecs:RegisterTaskDefinition", &any, &context)?;
    tags::may_create(world, call, &any, &tags)?;
    let body = match definition_rules::filled(call) {
        Err(_) if super::rules(world, call) == Rules::Model => definition_rules::as_given(call),
        filled => filled?,
    };
    let body = with_role_arns(call, body);
    may_pass(world, call, &body)?;
    let definition = added(world, call, place, family, body, tags);
    Ok(json!({"taskDefinition": definition.view(), "tags": tags::view(&definition.tags)}))
}

fn added(
    world: &mut World,
    call: &Call,
    place: Place,
    family: String,
    body: Map<String, Value>,
    tags: Tags,
) -> Arc<Definition> {
    let revisions =
        &mut world.ecs.entry(place.clone()).or_default().families.entry(family.clone()).or_default().revisions;
    let revision = revisions.len() as u64 + 1;
    let definition = Arc::new(Definition {
        arn: definition_arn(&place, &family, revision),
        family,
        revision,
        status: DefinitionStatus::Active,
        body: Arc::new(body),
        tags,
        registered_at: call.now,
        registered_by: call.caller.arn.clone(),
        deregistered_at: None,
    });
    revisions.push(definition.clone());
    definition
}

/// The roles that are given by their short names, by their ARNs.
fn with_role_arns(call: &Call, mut body: Map<String, Value>) -> Map<String, Value> {
    for member in ["taskRoleArn", "executionRoleArn"] {
        if let Some(Value::String(role)) = body.get_mut(member) {
            *role = role_arn(&call.account, role);
        }
    }
    body
}

/// The roles in a task definition: the caller must be allowed to pass them, and they must be there.
fn may_pass(world: &mut World, call: &Call, body: &Map<String, Value>) -> Result<(), Refusal> {
    for member in ["taskRoleArn", "executionRoleArn"] {
        let Some(role) = body.get(member).and_then(Value::as_str) else {
            continue;
        };
        world.allow(call, "iam:PassRole", role, &[("iam:PassedToService", "ecs-tasks.amazonaws.com")])?;
        if !world.iam.roles.contains_key(role) {
            return Err(Refusal::new("ClientException", "Role is not valid"));
        }
    }
    Ok(())
}

/// `DescribeTaskDefinition`.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    world.allow(call, "ecs:DescribeTaskDefinition", "*", &[])?;
    let given = call
        .text("taskDefinition")
        .ok_or_else(|| Refusal::new("InvalidParameterException", "taskDefinition can not be blank."))?;
    let state = world.ecs.get(&call.place());
    let found = state
        .and_then(|state| found(state, call, given))
        .ok_or_else(|| Refusal::new("ClientException", "Unable to describe task definition."))?;
    let tagged = call.texts("include").iter().any(|included| included == "TAGS");
    let tags = if tagged { tags::view(&found.tags) } else { json!([]) };
    Ok(json!({"taskDefinition": found.view(), "tags": tags}))
}

/// A revision by `family` (the latest ACTIVE), `family:revision` or ARN.
pub(super) fn found<'a>(state: &'a EcsState, call: &Call, given: &str) -> Option<&'a Arc<Definition>> {
    let name = if given.starts_with("arn:") { path(call, given, "task-definition")?.first().copied()? } else { given };
    match name.split_once(':') {
        None => state.revisions(name).iter().rev().find(|definition| definition.status == DefinitionStatus::Active),
        Some((family, revision)) => state.revisions(family).get(revision.parse::<usize>().ok()?.checked_sub(1)?),
    }
}

pub(super) fn found_mut<'a>(state: &'a mut EcsState, name: &str) -> Option<&'a mut Arc<Definition>> {
    let (family, revision) = name.split_once(':')?;
    state.families.get_mut(family)?.revisions.get_mut(revision.parse::<usize>().ok()?.checked_sub(1)?)
}

/// `DeregisterTaskDefinition`.
pub(super) fn deregister(world: &mut World, call: &Call) -> Answer {
    world.allow(call, "ecs:DeregisterTaskDefinition", "*", &[])?;
    let refused = |message: &str| Refusal::new("ClientException", message);
    let given = call.text("taskDefinition").unwrap_or_default();
    let name = if given.starts_with("arn:") {
        path(call, given, "task-definition").map_or("", |parts| parts[0])
    } else {
        given
    };
    if !name.contains(':') {
        return Err(refused("Invalid revision number. Number: null"));
    }
    let state = world.ecs.entry(call.place()).or_default();
    let definition = found_mut(state, name).ok_or_else(|| refused("The specified task definition does not exist."))?;
    match definition.status {
        DefinitionStatus::Inactive => Err(refused(
            "The specified task definition is inactive. You may not deregister an inactive task definition.",
        )),
        DefinitionStatus::Active => {
            let definition = Arc::make_mut(definition);
            definition.status = DefinitionStatus::Inactive;
            definition.deregistered_at = Some(call.now);
            Ok(json!({"taskDefinition": definition.view()}))
        }
    }
}

/// `ListTaskDefinitions`.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    world.allow(call, "ecs:ListTaskDefinitions", "*", &[])?;
    let status = match call.text("status") {
        None | Some("ACTIVE") => DefinitionStatus::Active,
        Some("INACTIVE") => DefinitionStatus::Inactive,
        Some("DELETE_IN_PROGRESS") => return Ok(json!({"taskDefinitionArns": []})),
        Some(other) => return Err(Refusal::new("InvalidParameterException", format!("Invalid status: {other}"))),
    };
    let size = page_size(call, 100)?;
    let families = world.ecs.get(&call.place()).map(|state| &state.families);
    let wanted = families
        .into_iter()
        .flatten()
        .filter(|(name, _)| call.text("familyPrefix").is_none_or(|prefix| prefix == *name));
    let all = wanted.flat_map(|(_, family)| &family.revisions).filter(|definition| definition.status == status);
    let mut arns: Vec<&String> = all.map(|definition| &definition.arn).collect();
    if call.text("sort") == Some("DESC") {
        arns.reverse();
    }
    let (arns, next) = page(&arns, call, size).ok_or_else(bad_token)?;
    Ok(paged(json!({"taskDefinitionArns": arns}), next))
}

/// `maxResults`, from 1 to 100.
pub(super) fn page_size(call: &Call, default: usize) -> Result<usize, Refusal> {
    match call.number("maxResults") {
        None => Ok(default),
        Some(size @ 1..=100) => Ok(size as usize),
        Some(_) => Err(Refusal::new("InvalidParameterException", "maxResults must be between 1 and 100.")),
    }
}

pub(super) fn bad_token() -> Refusal {
    Refusal::new("InvalidParameterException", "Invalid token.")
}

/// The answer with its `nextToken`, if there is one.
pub(super) fn paged(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}
