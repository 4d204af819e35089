//! The sample's manifests, with the addresses of this run in them.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Name and text, in the order in which they are applied.
const ALL: [(&str, &str); 4] = [
    ("account.yaml", include_str!("../../sample/manifests/account.yaml")),
    ("pipeline.yaml", include_str!("../../sample/manifests/pipeline.yaml")),
    ("service-staging.yaml", include_str!("../../sample/manifests/service-staging.yaml")),
    ("service-prod.yaml", include_str!("../../sample/manifests/service-prod.yaml")),
];

/// Writes them into `folder`, for people to read, change and apply again.
pub(super) fn write_into(folder: &Path, git: &str, health: &str) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let write = |(name, text): &(&str, &str)| {
        let path = folder.join(name);
        let text = text.replace("${GIT_URL}", git).replace("${HEALTH_URL}", health);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    ALL.iter().map(write).collect()
}
