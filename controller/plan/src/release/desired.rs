//! A Release's metadata and spec, parsed. After this it is certain what the Release releases.

use super::record::StepRecord;
use crate::life::{Life, finalizer, life};
use crate::refusal::Refusal;
use crate::start::Attempt;
use jiff::Timestamp;
use launchway_crds::name::{CommitId, GitTag};
use launchway_crds::release::Release;

/// A Release, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID, from which markers and tokens are made.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Whether it stays, or is being deleted.
    pub life: Life,
    /// Whether it carries our finalizer.
    pub finalizer: bool,
    /// The Pipeline's name.
    pub pipeline: String,
    /// The commit that it releases.
    pub commit: CommitId,
    /// The git tag that the commit was seen at.
    pub git_tag: Option<GitTag>,
    /// Whether a person made it, and not its Pipeline.
    pub is_persons: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
}

impl Desired {
    /// Parses a Release. It is refused if this version does not know what it releases, or if it lacks what the API
    /// server gives every object: without a UID of its own, its builds could be taken for those of another Release.
    pub fn parse(release: &Release) -> Result<Self, Refusal> {
        let (meta, spec) = (&release.metadata, &release.spec);
        let given = |member: Option<&String>| {
            member.cloned().ok_or_else(|| Refusal::unknown("metadata", "an object that the API server has stored"))
        };
        Ok(Self {
            namespace: given(meta.namespace.as_ref())?,
            name: given(meta.name.as_ref())?,
            uid: given(meta.uid.as_ref())?,
            generation: meta.generation.unwrap_or(0),
            life: life(meta),
            finalizer: finalizer(meta),
            pipeline: spec.pipeline.to_string(),
            commit: spec.commit.clone().ok_or_else(|| Refusal::unknown("spec", "commit"))?,
            git_tag: spec.git_tag.clone(),
            is_persons: spec.number.is_none(),
            created: meta.creation_timestamp.as_ref().map(|time| time.0),
        })
    }

    /// The present attempt at this step.
    pub fn attempt<'a>(&'a self, step: &'a StepRecord) -> Attempt<'a> {
        Attempt { owner: &self.uid, step: &step.name, number: step.attempt }
    }
}
