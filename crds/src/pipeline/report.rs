//! Where a Pipeline reports how its commits fare, besides the statuses of its Releases.

use super::reference::LocalRef;
use crate::name::Url;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the Pipeline reports how its commits fare.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.commitStatus) || has(self.badge)").message("report says where to report: set commitStatus or badge, or leave report out"))]
pub struct Report {
    /// At the git host, which shows it beside the commit: a commit status for each check, for the build and for each stage, called `launchway/INSTALLATION/NAMESPACE/PIPELINE/` and then `checks/NAME`, `build` or `stages/NAME`. They come once the commit is on the branch, not for pull requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_status: Option<CommitStatus>,

    /// As a badge, a picture for a README, under the path `/badges/NAMESPACE/PIPELINE.svg` of the controller's webhook address. `Public`: whoever reaches that address sees the newest commit that was released or is being released: alone, if it runs in the last stage, verified; else with `deploying`, `waiting`, `suspended` or `failed`. Absent: there is no badge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<Badge>,
}

/// Who sees a badge.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// Whoever reaches the address.
    Public,
}

/// Commit statuses at a git host. Their names have the installation in them, so that no two clusters overwrite each other's.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.repository) || has(self.secretRef)")
    .message("repository needs a secretRef beside it: the Secret of the source is for the source's own host"))]
pub struct CommitStatus {
    /// Which git host it is, and so which API it has.
    pub provider: GitHost,

    /// The repository's https URL at the git host, as `git clone` takes it. Absent: `source.git.url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Url>,

    /// A Secret of this namespace with the same keys as `source.git.secretRef`, whose token may write commit statuses: `repo:status` or Commit statuses: Read and write of GitHub, `api` of GitLab, `write:repository` of Gitea, a right to read the repository of Bitbucket. Absent: `source.git.secretRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
}

/// A kind of git host.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitHost {
    /// GitHub, and GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket Cloud, which is at bitbucket.org, and Data Center.
    Bitbucket,
}
