//! The request that makes a commit status, as each provider's API takes it.
//!
//! Sources: GitHub's REST API, "Create a commit status"; GitLab's Commits API, "Set commit pipeline status"; Gitea's API,
//! `repoCreateStatus`; Bitbucket Cloud's REST API, "Create a build status for a commit"; Bitbucket Data Center's REST API, "Store a build
//! status".

use super::HostFault;
use crate::git::{Credential, basic};
use crate::web::WebFault;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use launchway_crds::pipeline::GitHost;
use launchway_crds::release::Reported;
use launchway_plan::release::commit_status::{CommitStatus, Host};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

/// A repository at a git host's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub flavor: Flavor,
    /// Where the API is.
    pub api: String,
    /// The owner and the name, as the API's paths have them.
    pub path: Vec<String>,
    /// The repository itself, for whoever wants a link.
    page: String,
    /// The branch that is followed.
    branch: Option<String>,
}

/// An API of commit statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    GitHub,
    GitLab,
    Gitea,
    BitbucketCloud,
    BitbucketDataCenter,
}

/// The longest name of a commit status, in bytes: GitLab's.
const NAME: usize = 255;

/// The longest key of a commit status at Bitbucket, in bytes.
const KEY: usize = 40;

/// The longest link, in bytes: GitLab's.
const LINK: usize = 255;

/// Bitbucket Cloud.
const CLOUD: &str = "bitbucket.org";

/// User names with which git takes a token in place of a password.
const OF_TOKENS: [&str; 3] = ["x-access-token", "x-token-auth", "oauth2"];

impl Endpoint {
    /// The repository of that host.
    pub fn of(host: &Host) -> Result<Endpoint, HostFault> {
        let (provider, branch) = (host.provider, host.branch.clone());
        let url = Url::parse(&host.repository).map_err(|_| HostFault::Web(WebFault::Request))?;
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let base = format!("{}://{host}{port}", url.scheme());
        let path = url.path().trim_matches('/').trim_end_matches(".git");
        let mut path: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let example = match provider {
            GitHost::GitHub => "https://github.com/OWNER/NAME.git",
            GitHost::GitLab => "https://gitlab.com/GROUP/NAME.git",
            GitHost::Gitea => "https://gitea.example.com/OWNER/NAME.git",
            GitHost::Bitbucket => "https://bitbucket.org/WORKSPACE/NAME.git or https://HOST/scm/PROJECT/NAME.git",
        };
        if path.iter().any(|part| part == "." || part == "..") {
            return Err(HostFault::Url(example));
        }
        let split = path.len().checked_sub(2).ok_or(HostFault::Url(example))?;
        let mut before: Vec<String> =
            if provider == GitHost::GitLab { Vec::new() } else { path.drain(..split).collect() };
        let (flavor, api) = match provider {
            GitHost::GitHub if !before.is_empty() => return Err(HostFault::Url(example)),
            GitHost::Bitbucket if host == CLOUD && !before.is_empty() => return Err(HostFault::Url(example)),
            GitHost::GitHub => (Flavor::GitHub, of_github(&host, &base)),
            GitHost::GitLab => (Flavor::GitLab, format!("{base}/api/v4")),
            GitHost::Gitea => (Flavor::Gitea, under(&base, &before, "api/v1")),
            GitHost::Bitbucket if host == CLOUD => (Flavor::BitbucketCloud, "https://api.bitbucket.org/2.0".to_owned()),
            GitHost::Bitbucket => {
                before.pop().filter(|last| last == "scm").ok_or(HostFault::Url(example))?;
                (Flavor::BitbucketDataCenter, under(&base, &before, "rest/api/latest"))
            }
        };
        let page = format!("{base}{}", url.path().trim_end_matches('/').trim_end_matches(".git"));
        Ok(Endpoint { flavor, api, path, page, branch })
    }

    /// The request that makes the commit status of that name.
    pub fn request(
        &self,
        commit: &str,
        called: &str,
        status: &CommitStatus,
        authorization: HeaderValue,
    ) -> Result<Request<Bytes>, HostFault> {
        Request::post(self.url(commit))
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, self.accepted())
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(self.body(called, status).to_string()))
            .map_err(|_| HostFault::Web(WebFault::Request))
    }

    /// The type of answers that is asked for.
    pub fn accepted(&self) -> &'static str {
        if self.flavor == Flavor::GitHub { "application/vnd.github+json" } else { "application/json" }
    }

    fn url(&self, commit: &str) -> String {
        let Endpoint { api, path, .. } = self;
        match self.flavor {
            Flavor::GitHub | Flavor::Gitea => format!("{api}/repos/{}/statuses/{commit}", path.join("/")),
            Flavor::GitLab => format!("{api}/projects/{}/statuses/{commit}", path.join("%2F")),
            Flavor::BitbucketCloud => format!("{api}/repositories/{}/commit/{commit}/statuses/build", path.join("/")),
            Flavor::BitbucketDataCenter => format!("{api}/projects/{}/commits/{commit}/builds", path.join("/repos/")),
        }
    }

    fn body(&self, called: &str, status: &CommitStatus) -> Value {
        let (state, description) = (self.word(status.state), &status.description);
        let link = status.link.as_deref().filter(|link| link.len() <= LINK);
        let name = fitting(called, NAME);
        let mut body = match self.flavor {
            Flavor::GitHub | Flavor::Gitea => json!({"state": state, "context": name, "description": description}),
            Flavor::GitLab => json!({"state": state, "name": name, "description": description}),
            Flavor::BitbucketCloud | Flavor::BitbucketDataCenter => {
                let (key, url) = (fitting(called, KEY), link.unwrap_or(&self.page));
                json!({"state": state, "key": key, "name": name, "description": description, "url": url})
            }
        };
        if let (Flavor::GitHub | Flavor::Gitea | Flavor::GitLab, Some(link)) = (self.flavor, link) {
            body["target_url"] = link.into();
        }
        // Without it GitLab takes the first branch by name that has the commit.
        if let (Flavor::GitLab, Some(branch)) = (self.flavor, &self.branch) {
            body["ref"] = branch.as_str().into();
        }
        body
    }

    /// The provider's word. GitHub and Gitea have none for what was given up.
    fn word(&self, state: Reported) -> &'static str {
        let [pending, success, failure, cancelled] = match self.flavor {
            Flavor::GitHub | Flavor::Gitea => ["pending", "success", "failure", "error"],
            Flavor::GitLab => ["running", "success", "failed", "canceled"],
            Flavor::BitbucketCloud => ["INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"],
            Flavor::BitbucketDataCenter => ["INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED"],
        };
        match state {
            Reported::Pending => pending,
            Reported::Success => success,
            Reported::Failure => failure,
            Reported::Cancelled => cancelled,
        }
    }
}

fn of_github(host: &str, base: &str) -> String {
    match host {
        "github.com" | "www.github.com" => "https://api.github.com".to_owned(),
        _ if host.ends_with(".ghe.com") => format!("https://api.{host}"),
        _ => format!("{base}/api/v3"),
    }
}

fn under(base: &str, before: &[String], api: &str) -> String {
    let mut parts = vec![base];
    parts.extend(before.iter().map(String::as_str));
    parts.push(api);
    parts.join("/")
}

/// The name, with a hash in place of its end where it is too long, so that two never become one.
fn fitting(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let hash: String = Sha256::digest(name).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let end = name.floor_char_boundary(most - hash.len() - 1);
    format!("{}-{hash}", &name[..end])
}

/// How somebody says at that host's API who they are, with what git is given.
pub(super) fn header(provider: GitHost, credential: &Credential) -> Result<HeaderValue, HostFault> {
    match credential {
        Credential::Token(token) | Credential::Bearer(token) => bearer(token),
        Credential::Basic { username, password }
            if provider == GitHost::GitLab || OF_TOKENS.contains(&username.as_str()) =>
        {
            bearer(password)
        }
        Credential::Basic { username, password } => sensitive(&basic(username, password)),
        Credential::CodeCommit(_) => Err(HostFault::NoCredential),
    }
}

/// A token as APIs take it.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, HostFault> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, HostFault> {
    let mut header = HeaderValue::from_str(text).map_err(|_| HostFault::Web(WebFault::Request))?;
    header.set_sensitive(true);
    Ok(header)
}
