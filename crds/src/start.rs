//! What is started in AWS and has no name of its own: the intent, written before the call, and the record of what was started.

use crate::condition::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A call that is about to start something. It is written before the call, so that a lost answer can be resolved.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Which call of this attempt, from 1. It grows when an earlier call is known to have started nothing. 0: recovery only; look for what was started under a lost status, start nothing.
    pub call: i32,

    /// The idempotency token that the call carries. Empty in a recovery.
    #[schemars(length(max = 64))]
    pub token: String,

    /// The resource of AWS that the call names, and that is searched for what the call started: a CodeBuild project.
    #[schemars(length(max = 255))]
    pub resource: String,

    /// A hash of the whole request: the call is only repeated if it would say the same. Empty in a recovery.
    #[schemars(length(max = 64))]
    pub request_hash: String,

    /// When the intent was written, by AWS's clock.
    pub since: Time,
}

/// Something that was started in AWS: a build of CodeBuild.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// AWS's ID of it. For a build: `<project>:<uuid>`.
    #[schemars(length(max = 255))]
    pub id: String,

    /// When it was started, by AWS's clock.
    pub started_at: Time,

    /// The phase that it is in or ended in, in AWS's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub phase: Option<String>,

    /// When it ended, by AWS's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,

    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<StartedOutcome>,
}

/// How something that was started ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartedOutcome {
    /// It did what it was started for.
    Succeeded,
    /// It failed.
    Failed,
    /// AWS's service that ran it failed.
    Fault,
    /// It took longer than it may.
    TimedOut,
    /// Somebody stopped it.
    Stopped,
    /// It ended in a way that this version of Launchway does not know. It counts as failed.
    Unknown,
}
