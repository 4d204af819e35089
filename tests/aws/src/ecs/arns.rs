//! ECS's names: how ARNs are made and read.

use crate::{Call, Place};

/// `arn:aws:ecs:REGION:ACCOUNT:RESOURCE`.
pub fn arn(place: &Place, resource: &str) -> String {
    format!("arn:aws:ecs:{}:{}:{resource}", place.1, place.0)
}

/// A cluster's ARN.
pub fn cluster_arn(place: &Place, cluster: &str) -> String {
    arn(place, &format!("cluster/{cluster}"))
}

/// A service's ARN, in the long form.
pub fn service_arn(place: &Place, cluster: &str, service: &str) -> String {
    arn(place, &format!("service/{cluster}/{service}"))
}

/// A task definition's ARN.
pub fn definition_arn(place: &Place, family: &str, revision: u64) -> String {
    arn(place, &format!("task-definition/{family}:{revision}"))
}

/// A cluster's name, from a name or an ARN; nothing means `default`.
pub fn cluster_name(given: Option<&str>) -> &str {
    match given {
        None | Some("") => "default",
        Some(text) => text.rsplit_once("cluster/").map_or(text, |(_, name)| name),
    }
}

/// What stands after `service/`, `task/`, `service-deployment/`…, if this is an ARN of that kind in the caller's place.
pub fn path<'a>(call: &Call, given: &'a str, kind: &str) -> Option<Vec<&'a str>> {
    let mut parts = given.splitn(6, ':');
    let (head, service) = (parts.next()?, parts.nth(1)?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = head == "arn" && service == "ecs" && region == call.region && account == call.account;
    let rest = resource.strip_prefix(kind)?.strip_prefix('/')?;
    fits.then(|| rest.split('/').collect())
}

/// A service's cluster (if it says one) and name, from a name or an ARN.
pub fn service_name(given: &str) -> (Option<&str>, &str) {
    match given.split_once(":service/") {
        None => (None, given),
        Some((_, path)) => match path.split_once('/') {
            Some((cluster, name)) => (Some(cluster), name),
            None => (None, path),
        },
    }
}

/// A role by its ARN, given so or by its name.
pub(super) fn role_arn(account: &str, role: &str) -> String {
    if role.starts_with("arn:") {
        role.to_owned()
    } else {
        format!("arn:aws:iam::{account}:role/{}", role.trim_start_matches('/'))
    }
}
