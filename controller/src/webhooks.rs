//! Webhooks: who pushes tells, and the Pipeline is looked at now. A request is believed as far as its signature goes, and only
//! wakes: what it says of commits is never read. Every replica takes them; the time is written into the Pipeline's status, from
//! where the one that leads learns it, and the next one if that ends.

mod known;
mod marks;
mod signature;

pub use known::Webhooks;
pub use marks::Marks;
pub use signature::{Proof, Secret};

use crate::context::Clock;
use crate::key::{Key, Kind};
use crate::metrics::Metrics;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;

/// How long a body may be, in bytes: GitHub and GitLab send 25 MB at most. None of it is kept.
const LONGEST: usize = 25 << 20;
/// How long a request may take: git hosts wait for ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is needed to take webhooks.
#[derive(Clone)]
pub struct Receiver {
    /// Which Pipelines take them.
    pub known: Arc<Webhooks>,
    /// A client for Secrets and for the mark in a Pipeline's status. It is not that of the passes, which changes nothing while
    /// another replica leads.
    pub kube: kube::Client,
    /// The time.
    pub clock: Clock,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// The marks.
    pub marks: Marks,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The Pipeline is woken.
    Accepted,
    /// There is no such webhook, or it is not signed as it should be: which of both is not said.
    Refused,
    /// The body is too long.
    TooLong,
    /// The body did not come in time, or broke off.
    Broken,
    /// The Secret cannot be read now. It is answered like a refusal.
    Unavailable,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::TooLong => "too_long",
            Self::Broken => "broken",
            Self::Unavailable => "unavailable",
        }
    }

    fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Accepted => (StatusCode::ACCEPTED, "taken\n"),
            Self::Refused | Self::Unavailable => (
                StatusCode::UNAUTHORIZED,
                "no such webhook, or it is not signed with its secret: check the path /hooks/NAMESPACE/PIPELINE, the Pipeline's \
                 spec.source.webhook, and the key token of its Secret; the controller's log says if that cannot be read\n",
            ),
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "at most 25 MiB\n"),
            Self::Broken => (StatusCode::REQUEST_TIMEOUT, "the body did not come within ten seconds\n"),
        }
    }
}

/// The paths that are served.
pub fn router(receiver: Receiver) -> Router {
    Router::new().route("/hooks/{namespace}/{pipeline}", post(take)).with_state(receiver)
}

async fn take(
    State(receiver): State<Receiver>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> (StatusCode, &'static str) {
    let key = Key { kind: Kind::Pipeline, namespace, name };
    let judged = tokio::time::timeout(PATIENCE, receiver.judge(&key, &headers, body)).await;
    let outcome = judged.unwrap_or(Outcome::Broken);
    receiver.metrics.webhook(outcome.word());
    if outcome == Outcome::Accepted {
        receiver.marks.note(key, &receiver.kube, &receiver.clock);
    }
    outcome.answer()
}

impl Receiver {
    /// The body is read to its end also where nothing can come of it: else how a request ends would say which Pipelines there are.
    async fn judge(&self, key: &Key, headers: &HeaderMap, body: Body) -> Outcome {
        let now = (self.clock)();
        let webhook = self.known.of(key);
        let secrets = match &webhook {
            Some(webhook) => self.known.secrets(&key.namespace, &webhook.secret, &self.kube, now).await,
            None => Some(Vec::new()),
        };
        let known = webhook.as_ref().zip(secrets.as_deref());
        let mut proof =
            known.map_or_else(Proof::none, |(webhook, secrets)| Proof::new(webhook.provider, headers, secrets, now));
        let (mut body, mut length) = (body.into_data_stream(), 0);
        while let Some(bytes) = body.next().await {
            let Ok(bytes) = bytes else { return Outcome::Broken };
            length += bytes.len();
            if length > LONGEST {
                return Outcome::TooLong;
            }
            proof.update(&bytes);
        }
        match secrets {
            None => Outcome::Unavailable,
            Some(_) if proof.holds() => Outcome::Accepted,
            Some(_) => Outcome::Refused,
        }
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
