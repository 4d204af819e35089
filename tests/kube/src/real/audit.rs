//! What the API server was asked, by whom, and what it answered: its audit log. Proves what rights are used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;

use super::Cluster;

pub(super) const POLICY_FILE: &str = "audit-policy.json";
pub(super) const LOG_FILE: &str = "audit.log";

/// An entry is written before its answer; this is for a disk that is busy.
const TO_BE_WRITTEN: Duration = Duration::from_secs(30);

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

static MARKS: AtomicU64 = AtomicU64::new(0);

/// One request that was answered (a watch: one that was begun).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// `admin`, or `system:serviceaccount:<namespace>:<name>`.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, as RBAC names them.
    pub verb: String,
    /// The API group; empty for the core one.
    pub group: String,
    /// The resource's plural; empty for a path that is none, such as `/version`.
    pub resource: String,
    /// `status`, `token` and so on; empty for the object itself.
    pub subresource: String,
    /// Empty for objects without one.
    pub namespace: String,
    /// The object's name; empty where a list is meant.
    pub name: String,
    /// The HTTP status of the answer; 403 is RBAC's no.
    pub code: u16,
    /// Path and query.
    pub uri: String,
    /// Which binding and role allowed it, in the authorizer's words.
    pub reason: String,
}

impl Cluster {
    /// Every request that was answered before this call, in the order of the log, but those that the API server makes to
    /// itself.
    ///
    /// # Errors
    /// The log cannot be read or has not caught up in 30 s.
    pub async fn audit(&self) -> anyhow::Result<Vec<AuditEvent>> {
        let mark = format!("/version?mark={}", MARKS.fetch_add(1, Ordering::Relaxed));
        let request = http::Request::get(&mark).body(Vec::new())?;
        self.client().request_text(request).await?;
        let log = self.log_with(&format!("\"{mark}\"")).await?;
        let events = log.lines().map(serde_json::from_str).collect::<Result<Vec<Entry>, _>>();
        Ok(answered(events.context("an audit log that is not understood")?))
    }

    async fn log_with(&self, mark: &str) -> anyhow::Result<String> {
        let path = self.folder().join(LOG_FILE);
        let began = Instant::now();
        while began.elapsed() < TO_BE_WRITTEN {
            let log =
                tokio::fs::read_to_string(&path).await.with_context(|| format!("cannot read {}", path.display()))?;
            if let Some((whole_lines, _)) = log.rsplit_once('\n')
                && whole_lines.contains(mark)
            {
                return Ok(whole_lines.to_owned());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("{} lacks a request of {} s ago", path.display(), TO_BE_WRITTEN.as_secs())
    }
}

/// Who asked for what, never what was in it: secrets pass through here too.
pub(super) fn policy() -> String {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "users": ["system:apiserver"]},
            {"level": "Metadata"},
        ],
    })
    .to_string()
}

/// A watch is logged when it begins and when it ends: one event of the two.
fn answered(entries: Vec<Entry>) -> Vec<AuditEvent> {
    let mut seen = std::collections::HashSet::new();
    entries.into_iter().filter(|entry| seen.insert(entry.audit_id.clone())).map(AuditEvent::from).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "auditID")]
    audit_id: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    user: User,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "authorization.k8s.io/reason")]
    reason: String,
}

impl From<Entry> for AuditEvent {
    fn from(entry: Entry) -> AuditEvent {
        AuditEvent {
            user: entry.user.username,
            verb: entry.verb,
            group: entry.object_ref.api_group,
            resource: entry.object_ref.resource,
            subresource: entry.object_ref.subresource,
            namespace: entry.object_ref.namespace,
            name: entry.object_ref.name,
            code: entry.response_status.code,
            uri: entry.request_uri,
            reason: entry.annotations.reason,
        }
    }
}
