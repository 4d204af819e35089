//! Tags of ECS's resources, and the three calls about them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arns::path;
use super::definitions;
use super::state::EcsState;
use crate::{Answer, Call, Refusal, World};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

const MOST: usize = 50;

/// Tags from a list of `{key, value}` for something that is being created, if AWS would take them.
pub(super) fn parsed(list: &[Value]) -> Result<Tags, Refusal> {
    let tags = listed(list)?;
    if tags.len() <= MOST {
        return Ok(tags);
    }
    Err(Refusal::new("InvalidParameterException", "Tags can not have more than 50 items."))
}

fn listed(list: &[Value]) -> Result<Tags, Refusal> {
    let refused = |message: &str| Err(Refusal::new("InvalidParameterException", message));
    let mut tags = Tags::new();
    for tag in list {
        let (key, value) = (tag["key"].as_str().unwrap_or_default(), tag["value"].as_str().unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return refused("Tag keys must be 1 to 128 characters long, tag values at most 256.");
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return refused("Tag keys can not start with aws:");
        }
        if !key.chars().chain(value.chars()).all(taggable) {
            return refused(
                "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @.",
            );
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return refused("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        }
    }
    Ok(tags)
}

fn taggable(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_./=+-:@".contains(c)
}

/// `[{key, value}]`.
pub(super) fn view<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
    tags.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// What IAM is told of the tags in a request.
pub(super) fn asked(tags: &Tags) -> Vec<(String, String)> {
    let keys = tags.keys().map(|key| ("aws:TagKeys".to_owned(), key.clone()));
    tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), value.clone())).chain(keys).collect()
}

/// What IAM is told of the tags that a resource has.
pub(super) fn had(tags: &Tags) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value.clone())).collect()
}

/// The right to tag what is being created: checked only if there are tags.
pub(super) fn may_create(world: &mut World, call: &Call, resource: &str, tags: &Tags) -> Result<(), Refusal> {
    if tags.is_empty() {
        return Ok(());
    }
    let asked = asked(tags);
    let mut context: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    context.push(("ecs:CreateAction", &call.operation));
    world.allow(call, "ecs:TagResource", resource, &context)
}

/// `TagResource`.
pub(super) fn tag(world: &mut World, call: &Call) -> Answer {
    let arn = named(call)?;
    demanded(call, "tags")?;
    let new = listed(call.list("tags"))?;
    let asked = asked(&new);
    let context: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    world.allow(call, "ecs:TagResource", &arn, &context)?;
    change(world, call, &arn, |tags| {
        let mut all = tags.clone();
        all.extend(new);
        if all.len() > MOST {
            return Err(Refusal::new("LimitExceededException", "The resource can not have more than 50 tags."));
        }
        *tags = all;
        Ok(())
    })?;
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(world: &mut World, call: &Call) -> Answer {
    let arn = named(call)?;
    demanded(call, "tagKeys")?;
    world.allow(call, "ecs:UntagResource", &arn, &[])?;
    change(world, call, &arn, |tags| {
        for key in call.texts("tagKeys") {
            tags.remove(&key);
        }
        Ok(())
    })?;
    Ok(json!({}))
}

fn demanded(call: &Call, member: &str) -> Result<(), Refusal> {
    let missing = || Refusal::new("InvalidParameterException", format!("{member} can not be null."));
    call.member(member).map(drop).ok_or_else(missing)
}

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let arn = named(call)?;
    world.allow(call, "ecs:ListTagsForResource", &arn, &[])?;
    let mut found = Tags::new();
    change(world, call, &arn, |tags| {
        found = tags.clone();
        Ok(())
    })
    .map_err(|refusal| match refusal.code.as_str() {
        "ResourceNotFoundException" => Refusal { code: "InvalidParameterException".to_owned(), ..refusal },
        _ => refusal,
    })?;
    Ok(json!({"tags": view(&found)}))
}

fn named(call: &Call) -> Result<String, Refusal> {
    let refused = || Refusal::new("InvalidParameterException", "Invalid resource ARN. Please use the long ARN format.");
    call.text("resourceArn").filter(|arn| arn.starts_with("arn:")).map(str::to_owned).ok_or_else(refused)
}

/// Changes the tags of a service, a task definition or a cluster.
fn change(
    world: &mut World,
    call: &Call,
    arn: &str,
    change: impl FnOnce(&mut Tags) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let missing = || Refusal::new("ResourceNotFoundException", "The specified resource could not be found.");
    let no_cluster = || Refusal::new("ClusterNotFoundException", "Cluster not found.");
    let mut nothing = EcsState::default();
    let state = world.ecs.get_mut(&call.place()).unwrap_or(&mut nothing);
    if let Some(parts) = path(call, arn, "service") {
        let [cluster, name] = parts[..] else {
            return Err(Refusal::new(
                "InvalidParameterException",
                "Long arn format must be used for tagging operations",
            ));
        };
        let services = &mut state.clusters.get_mut(cluster).ok_or_else(no_cluster)?.services;
        let service = services.get_mut(name).ok_or_else(missing)?;
        return change(&mut service.tags);
    }
    if let Some(parts) = path(call, arn, "cluster") {
        return change(&mut state.clusters.get_mut(parts[0]).ok_or_else(no_cluster)?.tags);
    }
    let parts = path(call, arn, "task-definition").ok_or_else(missing)?;
    let definition = definitions::found_mut(state, parts[0]).ok_or_else(missing)?;
    change(&mut std::sync::Arc::make_mut(definition).tags)
}
