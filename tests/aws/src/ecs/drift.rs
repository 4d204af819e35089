//! Which changes of a service's settings start a deployment: the table in UpdateService's model.

use serde_json::Value;

use super::settings::Settings;

/// The members that do.
pub(super) const TRIGGERS: &[&str] = &[
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "loadBalancers",
    "monitoring",
    "gatewayConnectors",
];

/// Whether a change from `before` to `after` starts a deployment.
pub(super) fn starts_deployment(before: &Settings, after: &Settings) -> bool {
    TRIGGERS.iter().any(|name| normal(before.member(name)) != normal(after.member(name)))
}

/// Without nulls and empty lists, and lists in order: neither makes a difference.
pub(super) fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept =
                members.iter().map(|(name, value)| (name.clone(), normal(value))).filter(|(_, value)| !value.is_null());
            let kept: serde_json::Map<_, _> = kept.collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(normal).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
