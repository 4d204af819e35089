//! StartBuild's overrides of cache, logs, artifacts, key and secondary sources: nothing here uses a cache or fetches a second source, builds only
//! show what they were told. What goes to S3 is in `artifacts`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::build::Build;
use super::invalid;
use super::project::Project;
use crate::{Call, Refusal};

/// What a build was told beside its source and its environment; AWS's defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overrides {
    /// `cache`.
    pub cache: Value,
    /// `logs.cloudWatchLogs`.
    pub cloud_watch: Value,
    /// `logs.s3Logs`.
    pub s3_logs: Value,
    /// `encryptionKey`.
    pub key: Option<String>,
    /// `secondarySources`.
    pub secondary_sources: Vec<Value>,
    /// `secondarySourceVersions`.
    pub secondary_versions: Vec<Value>,
    /// `debugSession.sessionEnabled`, if that was asked for.
    pub debug: Option<bool>,
    artifacts: Value,
    secondary_artifacts: Vec<Value>,
}

/// Where artifacts go in S3.
pub(super) struct Stored {
    pub bucket: String,
    /// Of the zip, or of the folder.
    pub key: String,
    pub is_zip: bool,
}

/// Secondary sources, and secondary artifacts, at most [API_StartBuild].
const SECONDARY: usize = 12;

impl Overrides {
    /// What the call asks for.
    pub(super) fn asked(call: &Call, project: &Project) -> Result<Self, Refusal> {
        let logs = call.member("logsConfigOverride").cloned().unwrap_or_default();
        let told = |member: &str, default: Value| if logs[member].is_object() { logs[member].clone() } else { default };
        let artifacts = call.member("artifactsOverride").cloned().unwrap_or_else(|| project.artifacts());
        sound(&artifacts)?;
        let secondary = |member: &str, identifier: &str| secondary(call, member, identifier);
        let secondary_artifacts = secondary("secondaryArtifactsOverride", "artifactIdentifier")?;
        secondary_artifacts.iter().try_for_each(sound)?;
        Ok(Self {
            cache: call.member("cacheOverride").cloned().unwrap_or(json!({ "type": "NO_CACHE" })),
            cloud_watch: told("cloudWatchLogs", json!({ "status": "ENABLED" })),
            s3_logs: told("s3Logs", json!({ "status": "DISABLED", "encryptionDisabled": false })),
            key: call.text("encryptionKeyOverride").map(str::to_owned),
            secondary_sources: secondary("secondarySourcesOverride", "sourceIdentifier")?,
            secondary_versions: secondary("secondarySourcesVersionOverride", "sourceIdentifier")?,
            debug: call.member("debugSessionEnabled").and_then(Value::as_bool),
            artifacts,
            secondary_artifacts,
        })
    }

    /// Whether CloudWatch gets the log.
    pub(super) fn heard(&self) -> bool {
        self.cloud_watch["status"] != "DISABLED"
    }

    /// The log group, if it is another than the project's.
    pub(super) fn group(&self) -> Option<&str> {
        self.cloud_watch["groupName"].as_str()
    }

    /// The log stream of the build with this UUID.
    pub(super) fn stream(&self, uuid: String) -> String {
        self.cloud_watch["streamName"].as_str().map_or_else(|| uuid.clone(), |prefix| format!("{prefix}/{uuid}"))
    }

    /// `Build.artifacts`.
    pub(super) fn artifacts(&self, build: &Build) -> Value {
        let mut view = shown(&self.artifacts, build);
        if let Some(sum) = &build.sum {
            view["sha256sum"] = json!(sum);
        }
        view
    }

    /// Where artifacts go, if that is S3.
    pub(super) fn place(&self, build: &Build) -> Option<Stored> {
        let location = location(&self.artifacts, build);
        let (bucket, key) = location.strip_prefix("arn:aws:s3:::")?.split_once('/')?;
        let is_zip = self.artifacts["packaging"] == "ZIP";
        Some(Stored { bucket: bucket.to_owned(), key: key.to_owned(), is_zip })
    }

    /// `Build.secondaryArtifacts`.
    pub(super) fn secondary_artifacts(&self, build: &Build) -> Value {
        self.secondary_artifacts.iter().map(|artifacts| shown(artifacts, build)).collect()
    }
}

/// A list of at most twelve, each with another identifier.
fn secondary(call: &Call, member: &str, identifier: &str) -> Result<Vec<Value>, Refusal> {
    let list = call.list(member);
    if list.len() > SECONDARY {
        return Err(invalid(format!("Invalid input: {member} must have at most {SECONDARY} items")));
    }
    let mut names = BTreeSet::new();
    let mut named =
        |one: &Value| one[identifier].as_str().is_some_and(|name| !name.is_empty() && names.insert(name.to_owned()));
    if list.iter().all(&mut named) {
        Ok(list.to_vec())
    } else {
        Err(invalid(format!("Invalid input: each of {member} must have a {identifier} of its own")))
    }
}

fn shown(artifacts: &Value, build: &Build) -> Value {
    let mut view = json!({ "location": location(artifacts, build) });
    for member in ["overrideArtifactName", "encryptionDisabled", "artifactIdentifier", "bucketOwnerAccess"] {
        if !artifacts[member].is_null() {
            view[member] = artifacts[member].clone();
        }
    }
    view
}

/// Bucket, path, build and name, as far as they are asked for [API_ProjectArtifacts].
fn location(artifacts: &Value, build: &Build) -> String {
    let text = |member: &str| artifacts[member].as_str().filter(|text| !text.is_empty());
    let Some(bucket) = text("location").filter(|_| artifacts["type"] == "S3") else {
        return String::new();
    };
    let id = build.id.split_once(':').map(|(_, uuid)| uuid).filter(|_| text("namespaceType") == Some("BUILD_ID"));
    let name = text("name").unwrap_or(&build.project);
    let parts = [Some(bucket), text("path"), id, Some(name)];
    format!("arn:aws:s3:::{}", parts.into_iter().flatten().collect::<Vec<_>>().join("/"))
}

fn sound(artifacts: &Value) -> Result<(), Refusal> {
    let s3 = artifacts["type"] == "S3";
    if s3 && artifacts["location"].as_str().is_none_or(str::is_empty) {
        return Err(invalid("Invalid artifacts: location must be specified"));
    }
    if !s3 && artifacts["encryptionDisabled"] == json!(true) {
        return Err(invalid("Invalid artifacts: encryptionDisabled is only valid for type S3"));
    }
    Ok(())
}
