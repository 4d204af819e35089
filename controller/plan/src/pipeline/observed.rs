//! What a pass over a Pipeline saw. Faults are inside; nothing is judged.

use crate::account::AccountSeen;
use crate::look::Looked;
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::release::{Release, ReleasePhase, ReleaseReason};

/// What a pass over a Pipeline saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The time.
    pub at: Timestamp,
    /// The AwsAccount and the namespace, read live.
    pub account: AccountSeen,
    /// The branch's head: a commit, or the refusal of the credential.
    pub head: Looked<Result<String, Refusal>>,
    /// When the branch is to be looked at next.
    pub next_poll: Option<Timestamp>,
    /// The Pipeline's Releases. Those that had not ended, and those that hold a stage, were read live, one by one.
    pub releases: Vec<Release>,
}

/// Whether the Release has ended, whatever way.
pub fn ended(release: &Release) -> bool {
    phase(release).is_some_and(|phase| phase != ReleasePhase::Active)
}

/// How the Release stands.
pub fn phase(release: &Release) -> Option<ReleasePhase> {
    release.status.as_ref().and_then(|status| status.phase)
}

/// The Release's name.
pub fn name(release: &Release) -> &str {
    release.metadata.name.as_deref().unwrap_or_default()
}

/// The order of Releases, the same for everybody: by creation, then number, then name.
pub fn order(release: &Release) -> (Option<Timestamp>, i64, &str) {
    let created = release.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (created, release.spec.number.unwrap_or(i64::MAX), name(release))
}

/// Whether a Pipeline made the Release.
pub fn is_made(release: &Release) -> bool {
    release.spec.reason == ReleaseReason::NewCommit && release.spec.number.is_some()
}
