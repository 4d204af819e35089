//! What several answers of ECS have in common, in our words.

use crate::aws::failure::Failure;
use crate::aws::json::members;
use aws_sdk_ecs::types::{Service, ServiceRevision, Tag};
use launchway_plan::service::members::{Compared, MEMBERS};
use launchway_plan::world::Members;
use std::collections::BTreeMap;

/// Tags, by key.
pub(crate) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// Tags, as they are sent.
pub(crate) fn tag_list(tags: &BTreeMap<String, String>) -> Option<Vec<Tag>> {
    Some(tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect())
}

/// What a service says, in the words of CreateService's request. What ECS shows only of its deployments is taken from the
/// primary one: that is what the service is being brought to.
pub(crate) fn of_service(service: &Service) -> Result<Members, Failure> {
    let mut all = only_requested(members(service)?);
    let primary = service.deployments().iter().find(|one| one.status() == Some("PRIMARY")).map(members);
    for (name, value) in primary.transpose()?.unwrap_or_default() {
        if MEMBERS.iter().any(|member| member.name == name && member.compared == Compared::InDeployment) {
            all.insert(name, value);
        }
    }
    Ok(all)
}

/// What a revision says, in the words of CreateService's request.
pub(crate) fn of_revision(revision: &ServiceRevision) -> Result<Members, Failure> {
    members(revision).map(only_requested)
}

/// Without what ECS shows beside the members of a request: counts, events, names.
fn only_requested(mut all: Members) -> Members {
    all.retain(|name, _| name == "roleArn" || MEMBERS.iter().any(|member| member.name == name));
    all
}
