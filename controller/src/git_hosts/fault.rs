//! Why a git host did not take a commit status, or did not say what it has, as data. Holds nothing of a credential or a body (docs/security.md).

use crate::git::{AppFault, GitFault, shown};
use crate::web::{Answer, WebFault};
use http::header::RETRY_AFTER;
use jiff::{SignedDuration, Timestamp};
use launchway_crds::pipeline::GitHost;
use launchway_plan::fault::{Fault, FaultKind, Remedy, Thing};

/// What is asked of a git host, for people.
pub(super) const OPERATION: &str = "git:commit-status";
const READING: &str = "git:commit-statuses";

/// Why a git host did not take a commit status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    /// The URL is not one of a repository there.
    #[error(
        "the URL is not that of a repository at this kind of git host: write the one that git clone takes, such as {0}"
    )]
    Url(&'static str),
    /// The Secret cannot be used; the words say why.
    #[error("{0}")]
    Secret(String),
    /// Kubernetes does not give the Secret.
    #[error("the Secret could not be read from Kubernetes")]
    SecretUnread,
    /// No credential in the Secret, or none that a git host's API takes.
    #[error(
        "commit statuses need a credential: put a token that may write them into the Secret of report.commitStatus.secretRef"
    )]
    NoCredential,
    /// A GitHub App, and another git host.
    #[error(
        "the Secret has the keys of a GitHub App, which only the provider GitHub knows: name one with a token in report.commitStatus.secretRef"
    )]
    OnlyGitHub,
    /// 401 or 403.
    #[error(
        "the git host answered {0}: the credential is not accepted, or may not write commit statuses (its scope, its role in the repository, single sign-on, a protected branch); report.commitStatus.secretRef can name another Secret than the source has"
    )]
    Unauthorized(u16),
    /// 404.
    #[error(
        "the git host knows no such repository, or not this commit in it, or the credential may not see it or write commit statuses there: check repository and the rights of the Secret of report.commitStatus"
    )]
    NotFound,
    /// 400 or 422.
    #[error(
        "the git host answered {0}: it does not have the commit, or has as many statuses of this name for it as it takes: check that the commit was pushed to repository"
    )]
    NotTaken(u16),
    /// 429, or 403 with a time to wait.
    #[error("the git host answered {status}: its rate limit is reached")]
    Limited {
        /// What it answered.
        status: u16,
        /// How many seconds it wants to be left alone.
        wait: Option<i64>,
    },
    /// 5xx; 408 or 409: something else is being done there at the moment.
    #[error("the git host answered {status}")]
    Unavailable {
        /// What it answered.
        status: u16,
        /// How many seconds it wants to be left alone.
        wait: Option<i64>,
    },
    /// Anything else.
    #[error(
        "the git host answered {0}, which is no answer of its API: check provider and repository of report.commitStatus"
    )]
    Status(u16),
    /// More than is read.
    #[error("the git host has more than 1,000 commit statuses or checks of this commit, and no more are read")]
    TooMany,
    /// The GitHub App got no token.
    #[error("{0}")]
    App(AppFault),
    /// No answer.
    #[error("{0}")]
    Web(WebFault),
}

impl HostFault {
    /// Whether it says something of the one commit status, and nothing of others in the repository.
    pub(crate) fn is_of_one(&self) -> bool {
        matches!(self, Self::NotFound | Self::NotTaken(_))
    }

    /// Whether nothing was sent.
    pub(super) fn is_before_sending(&self) -> bool {
        matches!(
            self,
            Self::Url(_) | Self::NoCredential | Self::OnlyGitHub | Self::Web(WebFault::Refused(_) | WebFault::Request)
        )
    }

    /// Whether it may be over in a while without anybody doing anything.
    pub(super) fn is_passing(&self) -> bool {
        self.remedy() == Remedy::Retry
    }

    /// How long the host wants to be left alone.
    pub(super) fn wait(&self) -> Option<SignedDuration> {
        let (Self::Limited { wait, .. } | Self::Unavailable { wait, .. }) = self else { return None };
        wait.map(SignedDuration::from_secs)
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Limited { .. } | Self::Unavailable { .. } | Self::SecretUnread => Remedy::Retry,
            Self::App(fault) => fault.remedy(),
            Self::Web(fault) => fault.remedy(),
            Self::Url(_)
            | Self::Secret(_)
            | Self::NoCredential
            | Self::OnlyGitHub
            | Self::Unauthorized(_)
            | Self::NotFound
            | Self::NotTaken(_)
            | Self::TooMany
            | Self::Status(_) => Remedy::AskOperator,
        }
    }

    fn kind_and_code(&self) -> (FaultKind, &'static str) {
        match self {
            Self::Url(_) => (FaultKind::Invalid, "Url"),
            Self::Secret(_) => (FaultKind::Credentials, "SecretRefused"),
            Self::SecretUnread => (FaultKind::Unanswered, "SecretUnread"),
            Self::NoCredential | Self::OnlyGitHub => (FaultKind::Credentials, "NoCredential"),
            Self::Unauthorized(_) => (FaultKind::Credentials, "Unauthorized"),
            Self::NotFound => (FaultKind::Absent(Thing::Repository), "NotFound"),
            Self::NotTaken(_) => (FaultKind::Refused, "NotTaken"),
            Self::Limited { .. } => (FaultKind::Throttled, "Limited"),
            Self::Unavailable { .. } => (FaultKind::Outage, "Unavailable"),
            Self::TooMany => (FaultKind::Refused, "TooMany"),
            Self::Status(_) => (FaultKind::Refused, "NotAnApi"),
            Self::App(fault) => (fault.kind(), "GitHubApp"),
            Self::Web(fault) => (fault.kind(), fault.code()),
        }
    }

    /// The same as a fault of any part of the world, at that repository, which is shown without what may be secret.
    pub(crate) fn at(&self, repository: &str) -> Fault {
        self.of(OPERATION, repository, self.to_string())
    }

    /// The same where commit statuses were to be read, and not made.
    pub(crate) fn at_reading(&self, repository: &str) -> Fault {
        let message = match self {
            Self::OnlyGitHub => "the Secret has the keys of a GitHub App, which only the provider GitHub knows: name one with a token in requiredStatuses.secretRef".to_owned(),
            Self::Unauthorized(status) => format!("the git host answered {status}: the credential is not accepted, or may not read commit statuses and checks (its scope; of a GitHub App: Commit statuses and Checks: Read-only); requiredStatuses.secretRef can name another Secret than the source has"),
            Self::NotFound => "the git host knows no such repository, or not this commit in it, or the credential may not see it: check repository and the Secret of requiredStatuses".to_owned(),
            Self::NotTaken(status) => format!("the git host answered {status}: it does not have the commit; check that it was pushed to repository"),
            Self::Status(status) => format!("the git host answered {status}, which is no answer of its API: check provider and repository of requiredStatuses"),
            Self::Url(_) | Self::Secret(_) | Self::SecretUnread | Self::NoCredential
            | Self::TooMany | Self::Limited { .. } | Self::Unavailable { .. } | Self::App(_) | Self::Web(_) => self.to_string(),
        };
        self.of(READING, repository, message)
    }

    fn of(&self, operation: &str, repository: &str, message: String) -> Fault {
        let (kind, code) = self.kind_and_code();
        let message =
            if let Self::Web(fault) = self { GitFault::Web(fault.clone()).at(repository).message } else { message };
        let operation = operation.to_owned();
        Fault { operation, resource: shown(repository), code: code.to_owned(), message, kind, remedy: self.remedy() }
    }
}

/// What an answer of the host means.
pub(super) fn judged(provider: GitHost, answer: &Answer, now: Timestamp) -> Result<(), HostFault> {
    let status = answer.status.as_u16();
    let wait = wait(answer, now);
    match status {
        200..=299 => Ok(()),
        400 if provider == GitHost::GitLab && says(answer, REPEATED) => Ok(()),
        500 if provider == GitHost::Gitea && says(answer, NO_COMMIT) => Err(HostFault::NotTaken(status)),
        400 | 422 => Err(HostFault::NotTaken(status)),
        429 => Err(HostFault::Limited { status, wait }),
        403 if wait.is_some() || says(answer, SECONDARY) => Err(HostFault::Limited { status, wait }),
        401 | 403 => Err(HostFault::Unauthorized(status)),
        404 => Err(HostFault::NotFound),
        408 | 409 | 500..=599 => Err(HostFault::Unavailable { status, wait }),
        _ => Err(HostFault::Status(status)),
    }
}

/// What older versions of GitLab answer with 400 to a state that is there already. A guess, by its words.
const REPEATED: &str = "Cannot transition status";

/// What GitHub may answer with 403, and no header, to whoever writes too much at a time. A guess, by its words.
const SECONDARY: &str = "secondary rate limit";

/// What Gitea answers with 500 about a commit that it does not have. Seen of version 1.25.
const NO_COMMIT: &str = "object does not exist";

fn says(answer: &Answer, words: &str) -> bool {
    answer.body.windows(words.len()).any(|part| part == words.as_bytes())
}

/// How many seconds a host wants to be left alone: as HTTP says it, or as GitHub says it of a limit that is used up.
fn wait(answer: &Answer, now: Timestamp) -> Option<i64> {
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
    let is_used_up = number("x-ratelimit-remaining") == Some(0);
    let reset = || number("x-ratelimit-reset").filter(|_| is_used_up).map(|at| at.saturating_sub(now.as_second()));
    number(RETRY_AFTER.as_str()).or_else(reset).map(|seconds| seconds.max(0))
}
