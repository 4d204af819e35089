//! A service's settings by their API names, AWS's defaults filled in.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::Call;

/// Settings, cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    members: Arc<Map<String, Value>>,
}

/// The members that CreateService and UpdateService take and DescribeServices gives back.
const KEPT: &[&str] = &[
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "deploymentConfiguration",
];

impl Settings {
    /// What CreateService asked for, with AWS's defaults.
    pub(super) fn created(call: &Call, definition: &str) -> Self {
        let mut members: Map<String, Value> =
            KEPT.iter().filter_map(|name| Some(((*name).to_owned(), call.member(name)?.clone()))).collect();
        members.insert("taskDefinition".to_owned(), json!(definition));
        members.insert("deploymentConfiguration".to_owned(), configuration(&default_configuration(), call));
        if !members.contains_key("capacityProviderStrategy") {
            members.entry("launchType").or_insert(json!("EC2"));
        }
        if members.get("launchType") == Some(&json!("FARGATE")) {
            members.entry("platformVersion").or_insert(json!("LATEST"));
        }
        let rebalancing = ("availabilityZoneRebalancing", json!("ENABLED"));
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
        for name in
            KEPT.iter().filter(|name| !["launchType", "schedulingStrategy", "deploymentConfiguration"].contains(*name))
        {
            if let Some(value) = call.member(name) {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        if let Some(definition) = definition {
            members.insert("taskDefinition".to_owned(), json!(definition));
        }
        members
            .insert("deploymentConfiguration".to_owned(), configuration(self.member("deploymentConfiguration"), call));
        Self { members: Arc::new(members) }.completed()
    }

    /// The same, but with those members of `old` that a rollback brings back.
    pub(super) fn rolled_back(&self, old: &Self) -> Self {
        let mut members = (*self.members).clone();
        for name in super::drift::TRIGGERS {
            match old.members.get(*name) {
                Some(value) => members.insert((*name).to_owned(), value.clone()),
                None => members.remove(*name),
            };
        }
        Self { members: Arc::new(members) }
    }

    /// Defaults that follow from other members.
    fn completed(mut self) -> Self {
        let members = Arc::make_mut(&mut self.members);
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

    /// The platform version that tasks get: LATEST is 1.4.0.
    pub(super) fn platform(&self) -> Option<&str> {
        match self.member("platformVersion").as_str() {
            Some("LATEST") => Some("1.4.0"),
            other => other,
        }
    }

    /// How long failing health checks are overlooked after a task's start.
    pub(super) fn grace(&self) -> SignedDuration {
        SignedDuration::from_secs(self.member("healthCheckGracePeriodSeconds").as_i64().unwrap_or_default())
    }

    /// The first target group, if the service is behind one.
    pub(super) fn target_group(&self) -> Option<&str> {
        self.member("loadBalancers").as_array()?.first()?["targetGroupArn"].as_str()
    }

    /// `minimumHealthyPercent`, rounded up, and `maximumPercent`, rounded down, of `desired` tasks.
    pub(super) fn bounds(&self, desired: usize) -> (usize, usize) {
        let configuration = self.member("deploymentConfiguration");
        let percent = |name: &str, default: u64| configuration[name].as_u64().unwrap_or(default) as usize;
        (
            (desired * percent("minimumHealthyPercent", 100)).div_ceil(100),
            desired * percent("maximumPercent", 200) / 100,
        )
    }
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
