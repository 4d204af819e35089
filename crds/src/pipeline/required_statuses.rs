//! What others have to report of a commit at its git host before it is built: GitHub Actions, Travis, Jenkins, a person's own tool.

use super::reference::LocalRef;
use super::report::GitHost;
use crate::name::{Duration, StatusName, Url};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Commit statuses, and checks of GitHub, that have to have succeeded before the image is built.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.timeout) >= duration('1m') && duration(self.timeout) <= duration('24h')").message("timeout is between 1m and 24h"))]
pub struct RequiredStatuses {
    /// Which git host it is, and so which API it has.
    pub provider: GitHost,

    /// What they are called, letter by letter as the git host shows them: the context of a commit status, the name of a check of GitHub (of GitHub Actions the job), of a job of GitLab, the key or the name of a build at Bitbucket.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub names: Vec<StatusName>,

    /// The repository's https URL at the git host, as `git clone` takes it. Absent: `source.git.url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Url>,

    /// A Secret of this namespace with the same keys as `source.git.secretRef`, whose token may read commit statuses: `repo` of a classic token of GitHub, or a GitHub App with Commit statuses and Checks: Read-only (a fine-grained token reads no checks), `read_api` of GitLab, `read:repository` of Gitea, a right to read the repository of Bitbucket. Absent: `source.git.secretRef`, if repository is absent too; else nobody signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,

    /// How long they are waited for once the checks have succeeded, 1m to 24h, as long as they can be looked at. Then the Release fails. Default: 1h.
    #[serde(default = "hour")]
    pub timeout: Duration,
}

fn hour() -> Duration {
    "1h".into()
}
