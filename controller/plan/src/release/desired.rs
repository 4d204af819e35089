//! The spec of a Release, parsed: what is released is known from here on.

use crate::condition::brief;
use crate::life::{Life, finalizer, life};
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::release::Release;

/// A Release, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: markers and tokens are made from it.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Whether it stays, or is being deleted.
    pub life: Life,
    /// Whether it carries our finalizer.
    pub finalizer: bool,
    /// The Pipeline's name.
    pub pipeline: String,
    /// The commit.
    pub commit: String,
    /// When it was made.
    pub created: Option<Timestamp>,
}

impl Desired {
    /// The Release, if this version knows what it releases.
    pub fn parse(release: &Release) -> Result<Self, Refusal> {
        let (meta, spec) = (&release.metadata, &release.spec);
        let commit = spec.commit.as_ref().ok_or_else(|| Refusal::unknown("spec", "commit"))?;
        Ok(Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            life: life(meta),
            finalizer: finalizer(meta),
            pipeline: spec.pipeline.to_string(),
            commit: commit.to_string(),
            created: meta.creation_timestamp.as_ref().map(|time| time.0),
        })
    }

    /// The marker of a build: which Release, step and attempt it is of. No token and no generation in it.
    pub fn marker(&self, step: &str, attempt: i32) -> String {
        format!("{}/{step}/{attempt}", self.uid)
    }

    /// The first digits of the commit, for people.
    pub fn short_commit(&self) -> &str {
        brief(&self.commit)
    }
}
