//! Harm of asking too soon: AWS refused a call, and it is made again before the back-off is over, although nobody asked.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use launchway_test_aws::{LogEntry, Outcome};
use serde_json::Value;

use crate::world::{World, is_by_person};

/// The shortest back-off after what an operator has to mend: five minutes, less a fifth.
const BACK_OFF: SignedDuration = SignedDuration::from_mins(4);

/// Refused calls that were refused before, within the back-off, by the same life, with nothing done by people since.
pub(super) fn early(world: &World) -> Vec<String> {
    let (log, fresh) = (world.aws().log.clone(), world.progress().fresh.clone());
    let mut last: HashMap<String, Timestamp> = HashMap::new();
    let mut early = Vec::new();
    for entry in log.iter().filter(|entry| !is_by_person(entry)) {
        let Some(code) = lasting(entry) else { continue };
        let call = format!("{}:{} {}", entry.service, entry.operation, without_token(&entry.input));
        let Some(before) = last.insert(call, entry.at) else { continue };
        let asked = fresh.iter().any(|at| (before..=entry.at).contains(at));
        if !asked && entry.at < before + BACK_OFF {
            let after = entry.at.duration_since(before);
            early.push(format!("{}:{} was made again {after:#} after {code}", entry.service, entry.operation));
        }
    }
    early
}

/// The code of a refusal that does not go away by waiting: any missing right, and of calls that change something also what is
/// wrong with them. A look that finds nothing is no refusal.
fn lasting(entry: &LogEntry) -> Option<&str> {
    let Outcome::Refused(code) = &entry.outcome else { return None };
    let looks = ["Describe", "List", "Get", "BatchGet"].iter().any(|verb| entry.operation.starts_with(verb));
    let denied = code.starts_with("AccessDenied");
    let wrong = ["InvalidParameterException", "InvalidInputException", "ClientException"].contains(&code.as_str());
    (denied || (wrong && !looks)).then_some(code)
}

/// Tokens differ by what they are made of, and say nothing of what is asked for.
fn without_token(input: &Value) -> Value {
    let mut input = input.clone();
    if let Some(members) = input.as_object_mut() {
        members.retain(|name, _| !["clientToken", "idempotencyToken"].contains(&name.as_str()));
    }
    input
}
