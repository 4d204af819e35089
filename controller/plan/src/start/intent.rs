//! Intents: what is written before a call that starts something, and the marker and the token that the call carries.

use crate::condition::whole;
use crate::hash;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::start as written;
use serde::Serialize;

/// One attempt at one step of an object. However many calls are made for it, they may start only one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The object's UID.
    pub owner: &'a str,
    /// The step.
    pub step: &'a str,
    /// Which attempt, from 1.
    pub number: i32,
}

impl Attempt<'_> {
    /// What is started carries this marker, so that a search can find it. All calls of an attempt carry the same
    /// marker.
    pub fn marker(&self) -> String {
        format!("{}/{}/{}", self.owner, self.step, self.number)
    }

    /// The idempotency token of this attempt's call with that number.
    fn token(&self, call: i32) -> String {
        hash::of(&(self.owner, self.step, self.number, call))
    }
}

/// What is written down before a call: the call may have been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// This call was about to be made.
    Call(Call),
    /// No call is known. The status may have been lost, so we look for whatever an earlier call may have started.
    Recovery {
        /// The resource to search, such as a CodeBuild project.
        resource: String,
        /// When the search began. A call that was made before the status was lost may still be on its way for a while.
        since: Timestamp,
    },
}

/// A call that starts something, without the request itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The number of the call within its attempt, from 1.
    pub number: i32,
    /// The idempotency token.
    pub token: String,
    /// The resource that the call names, such as a CodeBuild project. It is also where to search for what the call
    /// started.
    pub resource: String,
    /// The hash of the request.
    pub request_hash: String,
    /// When it was intended.
    pub since: Timestamp,
}

impl Call {
    /// The first call of an attempt, or the call after `earlier`, which is known to have started nothing.
    pub fn next(
        attempt: Attempt<'_>,
        earlier: Option<&Intent>,
        resource: &str,
        request: &impl Serialize,
        at: Timestamp,
    ) -> Self {
        let number = match earlier {
            Some(Intent::Call(call)) => call.number.saturating_add(1),
            Some(Intent::Recovery { .. }) | None => 1,
        };
        Self {
            number,
            token: attempt.token(number),
            resource: resource.to_owned(),
            request_hash: hash::of(request),
            since: whole(at),
        }
    }
}

impl Intent {
    /// The resource to search for what was started.
    pub fn resource(&self) -> &str {
        match self {
            Self::Call(call) => &call.resource,
            Self::Recovery { resource, .. } => resource,
        }
    }

    /// When it was written.
    pub fn since(&self) -> Timestamp {
        match self {
            Self::Call(call) => call.since,
            Self::Recovery { since, .. } => *since,
        }
    }

    /// The intent that a status holds.
    pub fn parse(intent: &written::Intent) -> Self {
        let (resource, since) = (intent.resource.clone(), intent.since.0);
        if intent.call < 1 {
            return Self::Recovery { resource, since };
        }
        let (token, request_hash) = (intent.token.clone(), intent.request_hash.clone());
        Self::Call(Call { number: intent.call, token, resource, request_hash, since })
    }

    /// The intent as a status holds it. A recovery is written as call 0, without token and hash.
    pub fn written(&self) -> written::Intent {
        let (call, token, request_hash) = match self {
            Self::Call(call) => (call.number, call.token.clone(), call.request_hash.clone()),
            Self::Recovery { .. } => (0, String::new(), String::new()),
        };
        let since = Time(whole(self.since()));
        written::Intent { call, token, resource: self.resource().to_owned(), request_hash, since }
    }
}
