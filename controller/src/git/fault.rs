//! Why the head of a branch, or what its commit changes, is not known, as data. Holds nothing of a credential or a body (docs/security.md).

use std::fmt;

use jiff::SignedDuration;
use launchway_plan::fault::{Fault, FaultKind, Remedy, Thing};
use launchway_plan::partition::git_host;
use url::Url;

use super::app::AppFault;
use super::packet::Malformed;
use crate::web::{BadCertificate, WebFault};

/// Why the head of a branch is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitFault {
    /// The repository is there, the branch is not.
    #[error("{0}")]
    NoSuchBranch(NoSuchBranch),
    /// Tags are followed, and there is none of them; with the last one of the others that it told of.
    #[error("there is no such tag")]
    NoTag(Option<String>),
    /// 401 or 403.
    #[error("the git server answered {status}: {offered}")]
    AuthenticationFailed {
        /// What it answered.
        status: u16,
        /// What it was offered.
        offered: Offered,
    },
    /// There was nothing to sign with: AWS was asked for credentials, and git's server for nothing.
    #[error("{0}")]
    NotSigned(Fault),
    /// The GitHub App got no token: git's server was asked for nothing.
    #[error("{0}")]
    App(AppFault),
    /// 404 or 410.
    #[error("no such repository, or the credential cannot see it")]
    NotFound,
    /// An answer, but not of git's smart HTTP protocol.
    #[error("the URL answers {status}, but not as a git repository; write the URL that git clone takes")]
    NotGit {
        /// What it answered.
        status: u16,
    },
    /// 429 or 5xx, or 403 with a time to wait.
    #[error("the git server answered {status}{}", after(*wait))]
    Unavailable {
        /// What it answered.
        status: u16,
        /// How many seconds it wants to be left alone (`Retry-After`).
        wait: Option<u32>,
    },
    /// Git's protocol, but broken.
    #[error("the git server's answer cannot be read: {0}")]
    Protocol(Malformed),
    /// It gives single objects to nobody, so that it cannot be told what a commit says or changes.
    #[error(
        "the git server gives no single objects, for which it would have to speak protocol version 2 with filter: have it set uploadpack.allowFilter if it speaks version 2, or take out paths and skip"
    )]
    NoObjects,
    /// A commit that it had a moment ago.
    #[error("the git server does not have commit {0} any more")]
    Moved(String),
    /// The URL has a query or a fragment.
    #[error("the URL of a repository has no query and no fragment; write the URL that git clone takes")]
    Url,
    /// Git would not take it for a branch.
    #[error("the branch's name is none that git allows; write it without refs/heads/, such as main")]
    BranchName,
    /// No answer.
    #[error("{0}")]
    Web(#[from] WebFault),
}

/// How long a server that refused a credential is not offered it again: servers lock out who tries too often. Another
/// credential is another lane, and is offered at once.
pub(crate) const REFUSED: SignedDuration = SignedDuration::from_mins(5);

/// How soon a passing fault is asked about again: after a minute, then twice as long each time, up to a quarter of an hour.
pub(crate) fn soon(failures: u32) -> SignedDuration {
    SignedDuration::from_mins(1)
        .saturating_mul(1 << failures.saturating_sub(1).min(4))
        .min(SignedDuration::from_mins(15))
}

/// What is there instead of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchBranch {
    /// The branch that was asked for.
    pub branch: String,
    /// The default branch, if the server says.
    pub default: Option<String>,
    /// Branches of nearly the same name, nearest first, five at most.
    pub nearby: Vec<String>,
}

/// What the server was offered in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// Nothing: no Secret is named.
    Nothing,
    /// User name and password.
    Basic,
    /// A token, as a password.
    Token,
    /// A bearer token.
    Bearer,
    /// The signature of a role of AWS.
    Signature,
    /// The token of a GitHub App.
    App,
}

impl GitFault {
    /// Who can do something about it. A credential or a repository that is mended elsewhere tells us nothing, so it is
    /// looked at again as with everything that an operator mends.
    pub fn remedy(&self) -> Remedy {
        match self {
            GitFault::NoSuchBranch(_)
            | GitFault::NoTag(_)
            | GitFault::AuthenticationFailed { .. }
            | GitFault::NotFound => Remedy::AskOperator,
            GitFault::NotGit { .. } | GitFault::Protocol(_) | GitFault::NoObjects => Remedy::AskOperator,
            GitFault::Unavailable { .. } | GitFault::Moved(_) => Remedy::Retry,
            GitFault::NotSigned(fault) => fault.remedy,
            GitFault::App(fault) => fault.remedy(),
            GitFault::Url | GitFault::BranchName => Remedy::AskUser,
            GitFault::Web(fault) => fault.remedy(),
        }
    }

    /// Whether it may be over in a moment without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self.remedy(), Remedy::Retry | Remedy::Wait(_))
    }

    /// Whether one of several branches that were asked for together may be the cause: so many others begin with its name
    /// that the answer is too large, or one of those cannot be read.
    pub fn may_be_of_one_branch(&self) -> bool {
        matches!(self, GitFault::Web(WebFault::TooLarge(_)) | GitFault::Protocol(_))
    }

    /// What kind of failure it is.
    fn kind(&self) -> FaultKind {
        match self {
            GitFault::NoSuchBranch(_) | GitFault::NoTag(_) => FaultKind::Absent(Thing::Branch),
            GitFault::AuthenticationFailed { .. } => FaultKind::Credentials,
            GitFault::NotSigned(fault) => fault.kind.clone(),
            GitFault::App(fault) => fault.kind(),
            GitFault::NotFound => FaultKind::Absent(Thing::Repository),
            GitFault::NotGit { .. } | GitFault::Protocol(_) | GitFault::NoObjects => FaultKind::Refused,
            GitFault::Unavailable { .. } | GitFault::Moved(_) => FaultKind::Outage,
            GitFault::Url | GitFault::BranchName => FaultKind::Invalid,
            GitFault::Web(fault) => fault.kind(),
        }
    }

    /// One word for it.
    pub fn code(&self) -> &'static str {
        match self {
            GitFault::NoSuchBranch(_) => "NoSuchBranch",
            GitFault::NoTag(_) => "NoTag",
            GitFault::AuthenticationFailed { .. } => "AuthenticationFailed",
            GitFault::NotSigned(_) => "NotSigned",
            GitFault::App(_) => "GitHubApp",
            GitFault::NotFound => "NotFound",
            GitFault::NotGit { .. } => "NotGit",
            GitFault::Unavailable { .. } => "Unavailable",
            GitFault::Protocol(_) => "Protocol",
            GitFault::NoObjects => "NoObjects",
            GitFault::Moved(_) => "Moved",
            GitFault::Url => "Url",
            GitFault::BranchName => "BranchName",
            GitFault::Web(fault) => fault.code(),
        }
    }

    /// What can be done about it, where the words do not say it.
    fn next_step(&self) -> &'static str {
        let (GitFault::Web(WebFault::Tls(bad)) | GitFault::App(AppFault::Web(WebFault::Tls(bad)))) = self else {
            return "";
        };
        if *bad == BadCertificate::UnknownIssuer {
            ": put the authority's certificate, in PEM, under the key ca.crt of the Secret that secretRef names"
        } else if *bad == BadCertificate::Authority {
            ": have an authority sign a certificate for the server, and put the authority's certificate, in PEM, under the key ca.crt of the Secret that secretRef names"
        } else {
            ""
        }
    }

    /// The same as a fault of any part of the world, at the repository `url`, which is shown without what may be secret.
    pub fn at(&self, url: &str) -> Fault {
        Fault {
            operation: "git:ls-refs".to_owned(),
            resource: shown(url),
            code: self.code().to_owned(),
            message: self.to_string() + self.next_step(),
            kind: self.kind(),
            remedy: self.remedy(),
        }
    }

    /// The same at a repository of CodeCommit, by its ARN.
    pub fn at_code_commit(&self, arn: &str) -> Fault {
        if let GitFault::NotSigned(fault) = self {
            return fault.clone();
        }
        let fault = Fault { operation: PULL.to_owned(), resource: arn.to_owned(), ..self.at("") };
        if let GitFault::AuthenticationFailed { .. } = self {
            Fault { kind: FaultKind::Denied { needs: Some(PULL.to_owned()) }, ..fault }
        } else if let GitFault::NotFound = self {
            Fault { message: NOT_IN_REGION.to_owned(), ..fault }
        } else if let GitFault::Web(_) = self {
            let region = arn.split(':').nth(3).unwrap_or_default();
            let host = git_host(region);
            let message = format!(
                "{host}: {}; from a VPC without a way out it needs the endpoint com.amazonaws.{region}.git-codecommit",
                fault.message
            );
            Fault { message, ..fault }
        } else {
            fault
        }
    }
}

/// The right that every request of git's to CodeCommit needs, which only looks.
const PULL: &str = "codecommit:GitPull";

const NOT_IN_REGION: &str = "CodeCommit has no repository of that name in that Region and account: correct spec.source.codeCommit.repository, spec.region or spec.account, or create it";

/// A URL without what may be secret in it.
pub(crate) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.has_host() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        Ok(_) | Err(_) => "the source's URL".to_owned(),
    }
}

impl fmt::Display for NoSuchBranch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such branch: {}", short(&self.branch))?;
        if let Some(default) = &self.default {
            write!(f, "; the default branch is {}", offered(default))?;
        }
        let nearby: Vec<String> = self.nearby.iter().map(|name| offered(name)).collect();
        if nearby.is_empty() { Ok(()) } else { write!(f, "; there is {}", nearby.join(", ")) }
    }
}

fn after(wait: Option<u32>) -> String {
    wait.map(|seconds| format!(", and is left alone for {seconds} s as it asks")).unwrap_or_default()
}

/// The most bytes of a branch's name that a message shows, so that seven of them stay below a condition's 1 KiB.
const SHOWN: usize = 100;

fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(SHOWN)]
}

/// A name as advice: whoever reads it may copy it. Letters outside ASCII are shown as their numbers, because many look like
/// an ASCII one: whoever may push branches could have another one taken for `main`.
fn offered(name: &str) -> String {
    let escaped: String =
        name.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() }).collect();
    short(&escaped).to_owned()
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = "username and password, or token, or bearerToken, or those of a GitHub App";
        match self {
            Offered::Nothing => write!(f, "it wants a credential; name a Secret with the keys {keys}"),
            Offered::Basic => write!(f, "check the Secret's keys username and password and what that user may read"),
            Offered::Token => write!(f, "check the Secret's key token, or use the keys username and password"),
            Offered::Signature => {
                write!(f, "its role is not allowed to read the repository, or its signature is not accepted")
            }
            Offered::App => write!(f, "check that the GitHub App may read this repository's contents"),
            Offered::Bearer => write!(f, "check the Secret's key bearerToken, or use the key token"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_another_one_is_offered_with_the_numbers_of_its_letters() {
        // The second letter is Cyrillic, and the last name is so as a whole.
        let nearby = ["m\u{430}in", "main-2", "\u{440}\u{430}\u{443}"].map(str::to_owned).into();
        let missing = NoSuchBranch { branch: "mian".to_owned(), default: Some("m\u{430}ster".to_owned()), nearby };
        let told = missing.to_string();
        assert!(told.is_ascii(), "{told}");
        assert!(told.contains("there is m\\u{430}in, main-2, \\u{440}\\u{430}\\u{443}"), "{told}");
        assert!(told.contains("the default branch is m\\u{430}ster"), "{told}");
    }
}
