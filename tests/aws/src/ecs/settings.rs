//! A service's settings by their API names, AWS's defaults filled in.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::arns;
use super::capacity::{FARGATE, launch_type, resolved};
use crate::{Call, model};

/// Settings, cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    members: Arc<Map<String, Value>>,
}

/// Members of CreateService that are no settings, or are kept elsewhere.
const ELSEWHERE: &[&str] = &["cluster", "serviceName", "clientToken", "taskDefinition", "desiredCount", "tags", "role"];

/// Members of UpdateService that are no settings, or do not just take the place of what was there.
const OTHERWISE_UPDATED: &[&str] = &[
    "cluster",
    "service",
    "taskDefinition",
    "desiredCount",
    "forceNewDeployment",
    "capacityProviderStrategy",
    "deploymentConfiguration",
];

/// The members that a call gives, but for some.
fn given<'a>(call: &'a Call, but: &'a [&str]) -> impl Iterator<Item = (String, Value)> + 'a {
    let taken = model::input(&call.operation).members.keys().filter(|name| !but.contains(&name.as_str()));
    taken.filter_map(|name| Some((name.clone(), shown(name, call.member(name)?.clone()))))
}

/// A member as ECS shows it: of a placement strategy `host` is `instanceId`, and the resources are in capitals.
fn shown(name: &str, mut value: Value) -> Value {
    let strategies = value.as_array_mut().filter(|_| name == "placementStrategy");
    for field in strategies.into_iter().flatten().filter_map(|one| one.get_mut("field")) {
        match field.as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("host") => *field = json!("instanceId"),
            Some(resource @ ("cpu" | "memory")) => *field = json!(resource.to_ascii_uppercase()),
            Some(_) | None => {}
        }
    }
    value
}

impl Settings {
    /// What CreateService asked for, with AWS's defaults.
    pub(super) fn created(call: &Call, definition: &str) -> Self {
        let mut members: Map<String, Value> = given(call, ELSEWHERE).collect();
        if let Some(role) = call.text("role") {
            members.insert("roleArn".to_owned(), json!(arns::role_arn(&call.account, role)));
        }
        members.insert("taskDefinition".to_owned(), json!(definition));
        members.insert("deploymentConfiguration".to_owned(), configuration(&default_configuration(), call));
        members.retain(|name, value| name != "capacityProviderStrategy" || *value != json!([]));
        if !members.contains_key("capacityProviderStrategy") {
            members.entry("launchType").or_insert(json!("EC2"));
        }
        let balances = percent(&members["deploymentConfiguration"], "maximumPercent", 200) > 100;
        let rebalancing = ("availabilityZoneRebalancing", json!(if balances { "ENABLED" } else { "DISABLED" }));
        let plain = [
            ("schedulingStrategy", json!("REPLICA")),
            ("deploymentController", json!({"type": "ECS"})),
            ("enableECSManagedTags", json!(false)),
        ];
        let lists = ["loadBalancers", "serviceRegistries", "placementConstraints", "placementStrategy"]
            .map(|name| (name, json!([])));
        let rest = [("propagateTags", json!("NONE")), ("enableExecuteCommand", json!(false)), rebalancing];
        for (name, value) in plain.into_iter().chain(lists).chain(rest) {
            members.entry(name).or_insert(value);
        }
        Self { members: Arc::new(members) }.completed()
    }

    /// What they become by UpdateService: a member that is absent stays.
    pub(super) fn updated(&self, call: &Call, definition: Option<&str>) -> Self {
        let mut members = (*self.members).clone();
        members.extend(given(call, OTHERWISE_UPDATED));
        if let Some(definition) = definition {
            members.insert("taskDefinition".to_owned(), json!(definition));
        }
        members
            .insert("deploymentConfiguration".to_owned(), configuration(self.member("deploymentConfiguration"), call));
        Self { members: Arc::new(members) }.completed()
    }

    /// The same on other capacity: a strategy, or with an empty one a launch type. What leaves Fargate leaves its platform version behind.
    pub(super) fn moved(&self, strategy: &Value, launch: &str, call: &Call) -> Self {
        let mut members = (*self.members).clone();
        let (gone, new) = match strategy.as_array() {
            Some(providers) if !providers.is_empty() => ("launchType", ("capacityProviderStrategy", strategy.clone())),
            Some(_) | None => ("capacityProviderStrategy", ("launchType", json!(launch))),
        };
        members.remove(gone);
        members.insert(new.0.to_owned(), new.1);
        if launch_type(strategy, launch) != FARGATE && call.member("platformVersion").is_none() {
            members.remove("platformVersion");
        }
        Self { members: Arc::new(members) }.completed()
    }

    /// The same, but with those members of `old` that a rollback brings back.
    pub(super) fn rolled_back(&self, old: &Self) -> Self {
        let mut members = (*self.members).clone();
        for name in super::drift::TRIGGERS.iter().chain(&["launchType", "capacityProviderStrategy"]) {
            match old.members.get(*name) {
                Some(value) => members.insert((*name).to_owned(), value.clone()),
                None => members.remove(*name),
            };
        }
        Self { members: Arc::new(members) }
    }

    /// Defaults that follow from other members.
    fn completed(mut self) -> Self {
        let fargate = self.launch_type() == FARGATE;
        let members = Arc::make_mut(&mut self.members);
        if fargate {
            members.entry("platformVersion").or_insert(json!("LATEST"));
        }
        if let Some(vpc) =
            members.get_mut("networkConfiguration").and_then(|network| network["awsvpcConfiguration"].as_object_mut())
        {
            vpc.entry("securityGroups").or_insert_with(|| json!([]));
            vpc.entry("assignPublicIp").or_insert(json!("DISABLED"));
        }
        if members.get("loadBalancers").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
            members.entry("healthCheckGracePeriodSeconds").or_insert(json!(0));
        }
        self
    }

    /// A member; null if it is not set.
    pub fn member(&self, name: &str) -> &Value {
        self.members.get(name).unwrap_or(&Value::Null)
    }

    /// A text member.
    pub fn text(&self, name: &str) -> &str {
        self.member(name).as_str().unwrap_or_default()
    }

    /// All members, by their API names.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The launch type that tasks get.
    pub(super) fn launch_type(&self) -> &str {
        launch_type(self.member("capacityProviderStrategy"), self.text("launchType"))
    }

    /// The platform version that tasks get.
    pub(super) fn platform(&self) -> Option<&str> {
        self.member("platformVersion").as_str().map(resolved)
    }

    /// How long failing health checks are overlooked after a task's start.
    pub(super) fn grace(&self) -> SignedDuration {
        SignedDuration::from_secs(self.member("healthCheckGracePeriodSeconds").as_i64().unwrap_or_default())
    }

    /// The target groups that the service is behind, each with the name of the container behind it.
    pub(super) fn targets(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let balancers = self.member("loadBalancers").as_array().into_iter().flatten();
        balancers
            .filter_map(|one| Some((text(&one["targetGroupArn"])?, text(&one["containerName"]).unwrap_or_default())))
            .collect()
    }

    /// The port of the container behind a target group.
    pub(super) fn port_behind(&self, group: &str) -> i64 {
        let balancers = self.member("loadBalancers").as_array().into_iter().flatten();
        let behind =
            balancers.filter(|one| one["targetGroupArn"] == group).find_map(|one| one["containerPort"].as_i64());
        behind.unwrap_or_default()
    }

    /// `minimumHealthyPercent`, rounded up, and `maximumPercent`, rounded down, of `desired` tasks.
    pub(super) fn bounds(&self, desired: usize) -> (usize, usize) {
        let configuration = self.member("deploymentConfiguration");
        (
            (desired * percent(configuration, "minimumHealthyPercent", 100)).div_ceil(100),
            desired * percent(configuration, "maximumPercent", 200) / 100,
        )
    }
}

fn percent(configuration: &Value, name: &str, default: u64) -> usize {
    configuration[name].as_u64().unwrap_or(default) as usize
}

fn default_configuration() -> Value {
    json!({
        "alarms": {"alarmNames": [], "enable": false, "rollback": false},
        "deploymentCircuitBreaker": {"enable": false, "rollback": false},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    })
}

/// Member by member, what is given in the call over what was there.
fn configuration(before: &Value, call: &Call) -> Value {
    let mut after = before.as_object().cloned().unwrap_or_default();
    let given = call.member("deploymentConfiguration").and_then(Value::as_object);
    after.extend(
        given
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Value::Object(after)
}
