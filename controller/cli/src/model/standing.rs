//! How an object stands, from its conditions and columns.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use launchway_crds::pipeline::Summary;
use serde::Serialize;

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Mark {
    Good,
    Busy,
    /// It waits for a person or a time.
    Held,
    Bad,
    /// Nothing is known, or nothing is to be done.
    Idle,
}

/// How an object stands, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub state: Mark,
    pub reason: String,
    pub message: String,
}

impl Standing {
    /// That of an object with those conditions and columns.
    pub fn of(conditions: &[Condition], summary: Option<&Summary>) -> Self {
        let Some(summary) = summary else { return Self::not_seen() };
        Self { state: mark(conditions), reason: summary.reason.clone(), message: summary.message.clone() }
    }

    /// That of an object that cannot be decoded.
    pub fn unreadable(member: &str) -> Self {
        let message = format!("{member} holds a value that cannot be read");
        Self { state: Mark::Bad, reason: "Unreadable".to_owned(), message }
    }

    /// That of an object without status.
    pub fn not_seen() -> Self {
        let message = "Launchway has not looked at it yet".to_owned();
        Self { state: Mark::Idle, reason: String::new(), message }
    }
}

fn mark(conditions: &[Condition]) -> Mark {
    let is = |kind: &str, status: &str| conditions.iter().any(|one| one.type_ == kind && one.status == status);
    match () {
        () if is("Stalled", "True") => Mark::Bad,
        () if is("Held", "True") => Mark::Held,
        () if is("Reconciling", "True") || is("Released", "Unknown") => Mark::Busy,
        () if is("Ready", "True") => Mark::Good,
        () => Mark::Idle,
    }
}

/// The status of a condition; empty where there is none.
pub fn answer(conditions: &[Condition], kind: &str) -> String {
    conditions.iter().find(|one| one.type_ == kind).map(|one| one.status.clone()).unwrap_or_default()
}
