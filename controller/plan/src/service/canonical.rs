//! AWS's JSON without what makes no difference: what is absent, empty or AWS's default is left out, and lists whose order
//! means nothing are sorted. Two requests that mean the same have the same canonical form.
//!
//! A new member of a request needs no line here if AWS has no default for it and its lists have no order.

pub use crate::world::Members;

use serde_json::{Value, json};

/// Lists whose order means something to AWS; all others are sorted. Source: the API reference of each member.
pub const ORDERED: [&str; 8] = [
    "command",
    "entryPoint",
    // The first file that sets a variable wins.
    "environmentFiles",
    // Asked, searched and looked up from the top.
    "dnsServers",
    "dnsSearchDomains",
    "extraHosts",
    // What is mounted later hides what was mounted before.
    "volumesFrom",
    // Tried in this order.
    "placementStrategy",
];

/// AWS's defaults for members that a task definition leaves out. Source: the API reference of RegisterTaskDefinition and of its
/// types, unless another is named. For every boolean that is not listed, AWS's default is `false`.
fn is_default(parent: &str, member: &str, value: &Value) -> bool {
    let default = match (parent, member) {
        ("containerDefinitions", "essential") => json!(true),
        ("containerDefinitions", "versionConsistency") => json!("enabled"),
        ("portMappings", "protocol") => json!("tcp"),
        ("containerDefinitions", "cpu")
        | ("portMappings", "hostPort")
        | ("healthCheck", "startPeriod")
        | ("efsVolumeConfiguration" | "s3filesVolumeConfiguration", "transitEncryptionPort") => json!(0),
        ("healthCheck", "interval") => json!(30),
        ("healthCheck", "timeout") => json!(5),
        ("healthCheck", "retries") => json!(3),
        ("linuxParameters", "swappiness") => json!(60),
        ("devices", "permissions") => json!(["mknod", "read", "write"]),
        ("efsVolumeConfiguration" | "s3filesVolumeConfiguration", "rootDirectory") => json!("/"),
        ("efsVolumeConfiguration", "transitEncryption") | ("authorizationConfig", "iam") => json!("DISABLED"),
        ("taskDefinition", "networkMode") => json!("bridge"),
        (_, _) => json!(false),
    };
    *value == default
}

/// The canonical form of a task definition: of what RegisterTaskDefinition is asked, or of what DescribeTaskDefinition shows.
pub fn task_definition(given: &Members) -> Members {
    let mut given = given.clone();
    for shown in SHOWN {
        given.remove(shown);
    }
    normalize_sizes(&mut given);
    platform(&mut given);
    host_ports(&mut given);
    members("taskDefinition", &given, &is_default)
}

/// What DescribeTaskDefinition shows beside what was registered.
const SHOWN: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The canonical form of members of a service. What is named is kept even where it is AWS's default, because what is absent
/// is not ours: `loadBalancers: []` says that there are none. Within a member, what is empty says nothing.
pub fn service(given: &Members) -> Members {
    given
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), sorted(name, value)))
        .collect()
}

fn sorted(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(inner) => {
            let said = inner.iter().filter(|(_, value)| !is_empty(value));
            Value::Object(said.map(|(name, value)| (name.clone(), sorted(name, value))).collect())
        }
        Value::Array(items) => list(name, items.iter().map(|item| sorted(name, item)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The members that say something.
fn members(parent: &str, given: &Members, is_default: &dyn Fn(&str, &str, &Value) -> bool) -> Members {
    let said = given.iter().filter_map(|(name, value)| {
        let value = told(name, value, is_default);
        (!is_empty(&value) && !is_default(parent, name, &value)).then(|| (name.clone(), value))
    });
    said.collect()
}

fn told(name: &str, value: &Value, is_default: &dyn Fn(&str, &str, &Value) -> bool) -> Value {
    match value {
        // The keys of these are the user's, not AWS's: an empty value says something.
        Value::Object(_) if FREE.contains(&name) => value.clone(),
        Value::Object(inner) => Value::Object(members(name, inner, is_default)),
        Value::Array(items) => list(name, items.iter().map(|item| told(name, item, is_default)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Maps whose keys are the user's.
pub const FREE: [&str; 4] = ["options", "dockerLabels", "driverOpts", "labels"];

fn list(name: &str, mut items: Vec<Value>) -> Value {
    // A command of a health check is a command too.
    if !ORDERED.contains(&name) {
        items.sort_by_key(text);
    }
    Value::Array(items)
}

/// The JSON text, with the members of each structure in the order of their names, whatever order they came in.
pub fn text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut all: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), text(value))).collect();
            all.sort();
            format!("{{{}}}", all.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Whether a value says nothing.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(inner) => inner.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// ECS turns `"1 vCPU"` and `"1GB"` into CPU units and MiB when it registers a task definition. Source: the developer guide,
/// "Task size".
fn normalize_sizes(given: &mut Members) {
    for (name, unit, factor) in [("cpu", "vcpu", 1024.0), ("memory", "gb", 1024.0)] {
        let Some(text) = given.get(name).and_then(Value::as_str) else { continue };
        if let Some(size) = size(text, unit, factor) {
            given.insert(name.to_owned(), json!(size));
        }
    }
}

/// A size of a task in CPU units or MiB, as ECS reads it; absent: ECS would refuse it.
pub fn size(text: &str, unit: &str, factor: f64) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.strip_suffix(unit) {
        Some(number) => {
            let size = number.trim().parse::<f64>().ok()? * factor;
            (size.fract() == 0.0 && size.is_sign_positive()).then(|| format!("{size:.0}"))
        }
        None => lower.parse::<i64>().ok().map(|size| size.to_string()),
    }
}

/// On Fargate, a task definition without a platform means Linux on X86_64. On EC2 instances it means any platform that fits, so
/// naming one makes a difference. Source: the API reference of RuntimePlatform.
fn platform(given: &mut Members) {
    let compatibilities = given.get("requiresCompatibilities").and_then(Value::as_array);
    if !compatibilities.into_iter().flatten().any(|one| one == "FARGATE") {
        return;
    }
    if let Some(platform) = given.get_mut("runtimePlatform").and_then(Value::as_object_mut) {
        platform.retain(|name, value| {
            !(name == "cpuArchitecture" && value == "X86_64" || name == "operatingSystemFamily" && value == "LINUX")
        });
    }
}

/// In the network modes awsvpc and host, the host port always equals the container port, whether it is written or not.
fn host_ports(given: &mut Members) {
    let mode = given.get("networkMode").and_then(Value::as_str).unwrap_or_default();
    if !matches!(mode, "awsvpc" | "host") {
        return;
    }
    let containers = given.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    let ports =
        containers.into_iter().flatten().filter_map(|one| one.get_mut("portMappings")?.as_array_mut()).flatten();
    for port in ports.filter_map(Value::as_object_mut) {
        if port.get("hostPort") == port.get("containerPort") {
            port.remove("hostPort");
        }
    }
}
