//! The members of an ECS service, one row each: what a difference in it needs. What is absent from a spec is not ours, and
//! never differs.

use super::canonical::{self, Members};
use crate::condition::cut;
use serde_json::Value;

/// What a difference in a member needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// UpdateService, which starts a rollout. It is part of the meaning.
    Rolls,
    /// UpdateService, which starts none.
    Adjusts,
    /// It cannot be changed: the service must be deleted.
    Immutable,
    /// TagResource.
    Tags,
}

/// How a wanted member is compared with the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Whatever the spec names must be there, at every level. What the live service has beside it is not ours.
    Contained,
    /// As [`Compared::Contained`]; ECS shows it only in the deployments and revisions of a service, not in the service itself.
    InDeployment,
    /// As [`Compared::Contained`]; ECS shows it only in the revisions of a service. Only a rollout's revision proves it.
    InRevision,
    /// The name of a role is compared with the last part of its ARN, which ECS shows as `roleArn`.
    Role,
    /// `LATEST` is AWS's default: it is not compared, and no part of the meaning.
    UnlessLatest,
    /// By key; tags that are not named are left alone.
    ByKey,
}

/// A member of CreateService's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// AWS's name.
    pub name: &'static str,
    /// What a difference needs. Source: the API reference of UpdateService, member by member.
    pub class: Class,
    /// How it is compared.
    pub compared: Compared,
}

const fn row(name: &'static str, class: Class, compared: Compared) -> Member {
    Member { name, class, compared }
}

/// Every member that a spec can name. A test holds the table to the types and to AWS's model.
pub const MEMBERS: [Member; 23] = [
    row("availabilityZoneRebalancing", Class::Adjusts, Compared::Contained),
    row("capacityProviderStrategy", Class::Rolls, Compared::Contained),
    row("deploymentConfiguration", Class::Adjusts, Compared::Contained),
    row("deploymentController", Class::Immutable, Compared::Contained),
    row("desiredCount", Class::Adjusts, Compared::Contained),
    row("enableECSManagedTags", Class::Adjusts, Compared::Contained),
    row("enableExecuteCommand", Class::Adjusts, Compared::Contained),
    row("gatewayConnectors", Class::Rolls, Compared::InRevision),
    row("healthCheckGracePeriodSeconds", Class::Adjusts, Compared::Contained),
    row("launchType", Class::Immutable, Compared::Contained),
    row("loadBalancers", Class::Rolls, Compared::Contained),
    row("monitoring", Class::Rolls, Compared::InRevision),
    row("networkConfiguration", Class::Rolls, Compared::Contained),
    row("placementConstraints", Class::Adjusts, Compared::Contained),
    row("placementStrategy", Class::Adjusts, Compared::Contained),
    row("platformVersion", Class::Rolls, Compared::UnlessLatest),
    row("propagateTags", Class::Adjusts, Compared::Contained),
    row("role", Class::Immutable, Compared::Role),
    row("schedulingStrategy", Class::Immutable, Compared::Contained),
    row("serviceConnectConfiguration", Class::Rolls, Compared::InDeployment),
    row("serviceRegistries", Class::Rolls, Compared::Contained),
    row("volumeConfigurations", Class::Rolls, Compared::InDeployment),
    row("vpcLatticeConfigurations", Class::Rolls, Compared::InDeployment),
];

/// The member `tags`, which has calls of its own.
pub const TAGS: Member = row("tags", Class::Tags, Compared::ByKey);

/// The wanted members of a class that say something.
pub fn of_class(wanted: &Members, class: Class) -> Members {
    MEMBERS
        .iter()
        .filter(|member| member.class == class)
        .filter_map(|member| Some((member.name.to_owned(), wanted.get(member.name)?.clone())))
        .filter(|(name, value)| !(name == "platformVersion" && *value == "LATEST"))
        .collect()
}

/// The members of a class that are wanted and differ from what is live, each as UpdateService takes it: what is wanted, laid
/// over what is live, so that nothing that is not named is reset.
pub fn differences(wanted: &Members, live: &Members, class: Class) -> Members {
    MEMBERS
        .iter()
        .filter(|member| member.class == class)
        .filter_map(|member| {
            let value = wanted.get(member.name)?;
            let shown = shown(member, live);
            (!says(member, value, shown)).then(|| (member.name.to_owned(), laid_over(value, shown)))
        })
        .collect()
}

/// How much of a value a message has, in bytes.
const VALUE: usize = 160;

/// What is wanted of a member and what ECS shows, for people.
pub fn difference(name: &str, wanted: Option<&Value>, shown: Option<&Value>) -> String {
    let text = |value: Option<&Value>| cut(&value.unwrap_or(&Value::Null).to_string(), VALUE);
    format!("ECS shows {} for spec.service.{name}, which says {}", text(shown), text(wanted))
}

/// Whether a service says all that is wanted and starts a rollout, as far as ECS shows it of a service.
pub fn is_rolled(wanted: &Members, live: &Members) -> bool {
    let mut differs = differences(wanted, live, Class::Rolls);
    differs.retain(|name, _| {
        !MEMBERS.iter().any(|member| member.name == *name && member.compared == Compared::InRevision)
    });
    differs.is_empty()
}

fn shown<'a>(member: &Member, live: &'a Members) -> Option<&'a Value> {
    live.get(if member.compared == Compared::Role { "roleArn" } else { member.name })
}

/// Whether what is live says what is wanted.
fn says(member: &Member, wanted: &Value, live: Option<&Value>) -> bool {
    match member.compared {
        Compared::UnlessLatest if *wanted == "LATEST" => true,
        Compared::Role => {
            let name = |role: &Value| role.as_str().map(|role| role.rsplit('/').next().unwrap_or(role).to_owned());
            live.is_some_and(|live| live == wanted || name(live) == name(wanted))
        }
        Compared::Contained
        | Compared::InDeployment
        | Compared::InRevision
        | Compared::UnlessLatest
        | Compared::ByKey => contains(live.unwrap_or(&Value::Null), wanted, member.name),
    }
}

/// Whether the live value has all that the wanted one names. Nothing, an empty text, list or structure, `false` and 0 are
/// one where ECS leaves them out of what it shows.
fn contains(live: &Value, wanted: &Value, name: &str) -> bool {
    match (live, wanted) {
        (Value::Null, _) => is_nothing(wanted) || is_default(name, wanted),
        // Within a structure an empty list or text says nothing: AWS fills in its own.
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .filter(|(_, wanted)| !canonical::is_empty(wanted))
            .all(|(name, wanted)| contains(live.get(name).unwrap_or(&Value::Null), wanted, name)),
        (Value::Array(live), Value::Array(wanted)) if canonical::ORDERED.contains(&name) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| contains(live, wanted, name))
        }
        (Value::Array(live), Value::Array(wanted)) => live.len() == wanted.len() && pairs(live, wanted, name),
        (Value::String(live), Value::String(wanted)) if name == "field" => field(live) == field(wanted),
        (live, wanted) => live == wanted,
    }
}

/// The field of a placement strategy as ECS shows it: `host` is `instanceId`, and case means nothing. Source: the API
/// reference of PlacementStrategy.
fn field(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if lower == "host" { "instanceid".to_owned() } else { lower }
}

/// Whether each wanted item has a live item of its own.
fn pairs(live: &[Value], wanted: &[Value], name: &str) -> bool {
    let mut free: Vec<&Value> = live.iter().collect();
    wanted.iter().all(|wanted| match free.iter().position(|live| contains(live, wanted, name)) {
        Some(at) => {
            free.swap_remove(at);
            true
        }
        None => false,
    })
}

/// What ECS may leave out of what it shows, because it is the default. Source: the API reference of CreateService and of
/// the types that it takes.
fn is_default(name: &str, wanted: &Value) -> bool {
    match name {
        "strategy" => wanted == "ROLLING",
        "schedulingStrategy" => wanted == "REPLICA",
        "type" => wanted == "ECS",
        "propagateTags" => wanted == "NONE",
        "assignPublicIp" | "includeQueryParameters" => wanted == "DISABLED",
        "resetOnHealthyTask" => *wanted == true,
        "maximumPercent" => *wanted == 200,
        "minimumHealthyPercent" => *wanted == 100,
        "deploymentController" => wanted["type"] == "ECS",
        _ => false,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
    }
}

/// What is wanted, with what the live structures have beside it. Lists are taken as they are wanted.
fn laid_over(wanted: &Value, live: Option<&Value>) -> Value {
    match (wanted, live) {
        (Value::Object(wanted), Some(Value::Object(live))) => {
            let mut all = live.clone();
            for (name, value) in wanted.iter().filter(|(_, value)| !canonical::is_empty(value)) {
                all.insert(name.clone(), laid_over(value, live.get(name)));
            }
            Value::Object(all)
        }
        (wanted, _) => wanted.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Members {
        value.as_object().cloned().unwrap()
    }

    fn differing(wanted: Value, live: Value, class: Class) -> Value {
        Value::Object(differences(&object(wanted), &object(live), class))
    }

    #[test]
    fn what_is_absent_never_differs() {
        let live = json!({"loadBalancers": [{"targetGroupArn": "a"}], "enableExecuteCommand": true, "desiredCount": 7});
        for class in [Class::Rolls, Class::Adjusts, Class::Immutable] {
            assert_eq!(differing(json!({}), live.clone(), class), json!({}));
        }
    }

    #[test]
    fn a_structure_is_sent_with_what_the_live_one_has_beside() {
        let wanted = json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s-2"]}}});
        let live = json!({"networkConfiguration": {"awsvpcConfiguration":
            {"subnets": ["s-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}}});
        assert_eq!(
            differing(wanted, live, Class::Rolls),
            json!({"networkConfiguration": {"awsvpcConfiguration":
                {"subnets": ["s-2"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}}})
        );
    }

    #[test]
    fn order_does_not_matter_and_an_empty_list_takes_all_away() {
        let live = json!({"loadBalancers": [{"targetGroupArn": "a", "containerPort": 1}, {"targetGroupArn": "b", "containerPort": 2}]});
        let turned = json!({"loadBalancers": [{"targetGroupArn": "b"}, {"targetGroupArn": "a"}]});
        assert_eq!(differing(turned, live.clone(), Class::Rolls), json!({}));
        let none = json!({"loadBalancers": []});
        assert_eq!(differing(none.clone(), live, Class::Rolls), none);
        assert_eq!(differing(none, json!({}), Class::Rolls), json!({}));
    }

    #[test]
    fn roles_are_compared_by_name_and_latest_is_no_version() {
        let wanted = json!({"role": "ecsServiceRole", "platformVersion": "LATEST"});
        let live = json!({"roleArn": "arn:aws:iam::123456789012:role/aws/ecsServiceRole", "platformVersion": "1.4.0"});
        assert_eq!(differing(wanted.clone(), live.clone(), Class::Immutable), json!({}));
        assert_eq!(differing(wanted, live, Class::Rolls), json!({}));
    }

    #[test]
    fn a_switched_off_breaker_is_told_from_one_that_is_on() {
        let off =
            json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": false, "rollback": false}}});
        let on = json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}, "maximumPercent": 150}});
        assert_eq!(
            differing(off.clone(), on, Class::Adjusts)["deploymentConfiguration"],
            json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}, "maximumPercent": 150})
        );
        assert_eq!(differing(off, json!({}), Class::Adjusts), json!({}));
    }
}
