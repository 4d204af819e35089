//! Objects, sights and an ECS in miniature for the tests. Nothing of it is compiled into what runs.

use crate::account::AccountSeen;
use crate::allow::LISTS;
use crate::fault::{Fault, FaultKind, Remedy, Thing};
use crate::pipeline::observed::Tip;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub mod codebuild;
pub mod ecs;
pub mod release;

/// A commit.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Another one.
pub const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// So many seconds after the tests' beginning.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// The same as Kubernetes writes it.
pub fn time(second: i64) -> String {
    at(second).to_string()
}

/// An account that allows everything to the namespace `shop`.
pub fn account() -> AccountSeen {
    let mut spec = json!({"regions": ["us-east-2"], "namespaces": {"names": ["shop"]},
        "allow": {"hostAccess": [], "overrides": ["Buildspec", "Environment", "Artifacts"]}});
    for list in LISTS {
        spec["allow"][list.name] = json!(["*"]);
    }
    AccountSeen {
        name: "default".into(),
        id: Some("123456789012".into()),
        spec: Some(serde_json::from_value(spec).unwrap()),
        namespace: "shop".into(),
        namespace_labels: BTreeMap::new(),
    }
}

/// A fault of that remedy, of the kind that its code is in the tests.
pub fn fault(code: &str, remedy: Remedy) -> Fault {
    let kind = match code {
        "AccessDenied" | "AccessDeniedException" => FaultKind::Denied { needs: None },
        "Forbidden" => FaultKind::Kubernetes,
        "InvalidParameterException" => FaultKind::Dubious,
        "NotFound" => FaultKind::Absent(Thing::Repository),
        "Throttling" => FaultKind::Throttled,
        "Timeout" => FaultKind::Unanswered,
        other => panic!("no kind is known for {other}"),
    };
    Fault {
        operation: "ecs:UpdateService".into(),
        resource: "service/shop/web".into(),
        code: code.into(),
        message: "AWS said so".into(),
        kind,
        remedy,
    }
}

/// Puts the right value's members over the left one's, all the way down.
pub fn over(mut left: Value, right: &Value) -> Value {
    match (left.as_object_mut(), right.as_object()) {
        (Some(members), Some(others)) => {
            for (name, value) in others {
                let before = members.remove(name).unwrap_or(Value::Null);
                members.insert(name.clone(), over(before, value));
            }
            left
        }
        (_, _) => right.clone(),
    }
}

impl From<&str> for Tip {
    fn from(commit: &str) -> Self {
        commit.to_owned().into()
    }
}

impl From<String> for Tip {
    fn from(commit: String) -> Self {
        Self::Commit { of: "refs/heads/main".to_owned(), commit }
    }
}
