//! What a request means: the hash of its canonical form, with the version of the rules that made it. A new version of
//! Launchway, or a new member of a request, must not change the meaning of a spec that is applied already (law 11).

use super::canonical::{self, Members};
use crate::hash;
use serde_json::{Value, json};
use std::fmt;

/// The version of the rules. It grows when a rule of [`canonical`] changes the form of something that can be stored already;
/// then what is live is compared by content, and nothing is registered or rolled for it.
pub const VERSION: u32 = 1;

/// What a request means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meaning {
    /// The version of the rules by which it was hashed.
    pub version: u32,
    /// The hash.
    pub hash: String,
}

impl Meaning {
    fn of(canonical: &Value) -> Self {
        Self { version: VERSION, hash: hash::of(&canonical::text(canonical)) }
    }

    /// What a task definition means. Its tags mean something too: tasks may inherit them.
    pub fn of_task_definition(request: &Members) -> Self {
        Self::of(&Value::Object(canonical::task_definition(request)))
    }

    /// What a rollout means: the task definition, and the members of the service that start one.
    pub fn of_rollout(task_definition: &Self, rolls: &Members) -> Self {
        Self::of(&json!({"taskDefinition": task_definition.hash, "service": canonical::service(rolls)}))
    }

    /// The meaning that a status or a tag carries; absent: none that is known here.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, hash) = text.strip_prefix('v')?.split_once('-')?;
        Some(Self { version: version.parse().ok()?, hash: hash.to_owned() })
    }

    /// Whether it was hashed by the rules of this version, so that its hash can be compared.
    pub fn is_comparable(&self) -> bool {
        self.version == VERSION
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}-{}", self.version, self.hash)
    }
}

/// Whether a task definition that ECS shows says what is asked for. ECS shows a role's ARN where its name was given.
pub fn is_same_task_definition(shown: &Members, asked: &Members) -> bool {
    let mut shown = canonical::task_definition(shown);
    let asked = canonical::task_definition(asked);
    for role in ["executionRoleArn", "taskRoleArn"] {
        let name = asked.get(role).and_then(Value::as_str).filter(|asked| !asked.starts_with("arn:"));
        let ends = |arn: &Value| arn.as_str().and_then(|arn| arn.rsplit('/').next()) == name;
        if name.is_some() && shown.get(role).is_some_and(ends) {
            shown.insert(role.to_owned(), json!(name));
        }
    }
    shown == asked
}
