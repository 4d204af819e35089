//! Sends commit statuses to git hosts. Of which commit, and when, is not known here.

mod fault;
mod pause;
mod request;
#[cfg(test)]
mod tests;

pub use fault::HostFault;

use crate::git::{Access, Key, Right, Tokens};
use crate::metrics::Metrics;
use crate::web::{Cap, Web};
use fault::judged;
use http::HeaderValue;
use jiff::Timestamp;
use launchway_crds::pipeline::GitHost;
use launchway_plan::Outcome;
use launchway_plan::release::commit_status::{CommitStatus, Host};
use pause::Pauses;
use request::{Endpoint, bearer, header};

/// What is remembered of git hosts between passes. To lose it costs a few requests.
#[derive(Debug)]
pub struct GitHosts {
    web: Web,
    pauses: Pauses,
    tokens: Tokens,
}

/// A commit in a repository, as somebody reports of it.
pub struct Reporter<'a> {
    /// The git hosts.
    pub hosts: &'a GitHosts,
    /// The one that has the repository.
    pub host: &'a Host,
    /// Who reports.
    pub access: &'a Access,
    /// The commit.
    pub commit: &'a str,
    /// Where requests are counted.
    pub metrics: &'a Metrics,
}

/// What a request is called among the effects that are counted.
const EFFECT: &str = "CommitStatus";

impl GitHosts {
    /// Reached so.
    pub fn new(web: Web) -> Self {
        Self { web, pauses: Pauses::default(), tokens: Tokens::new(Right::Statuses) }
    }
}

impl Reporter<'_> {
    /// Why nothing is sent under that name now, if that is so: the host is left alone after a failure.
    pub fn pauses(&self, name: &str, now: Timestamp) -> Option<HostFault> {
        self.keys(name).iter().find_map(|key| self.hosts.pauses.of(key, now))
    }

    /// The repository, as somebody reports of it, and one commit status in it.
    fn keys(&self, name: &str) -> [Key; 2] {
        let Host { provider, repository, .. } = self.host;
        let of_host = format!("{provider:?} {repository}");
        let of_one = format!("{of_host}#{}#{name}", self.commit);
        [of_host, of_one].map(|text| self.access.digest(&text))
    }

    /// Sends a commit status under that name. Nothing is sent while the host is left alone after a failure.
    ///
    /// # Errors
    /// The host did not take it, now or a while ago.
    pub async fn send(&self, name: &str, status: &CommitStatus, now: Timestamp) -> Result<(), HostFault> {
        if let Some(fault) = self.pauses(name, now) {
            return Err(fault);
        }
        let (pauses, [of_host, of_one]) = (&self.hosts.pauses, self.keys(name));
        let sent = self.sent(name, status, &of_host, now).await;
        let outcome = sent.clone().map_err(|fault| fault.at(&self.host.repository));
        self.metrics.effect(EFFECT, &outcome.map_or_else(Outcome::Failed, Outcome::Done));
        match &sent {
            Ok(()) => pauses.end(&[of_host, of_one]),
            Err(fault) if fault.is_before_sending() => {}
            Err(fault) if fault.is_of_one() => pauses.begin(of_one, fault, now),
            Err(fault) => pauses.begin(of_host, fault, now),
        }
        sent
    }

    async fn sent(&self, name: &str, status: &CommitStatus, of_host: &Key, now: Timestamp) -> Result<(), HostFault> {
        let web = match &self.access.authorities {
            None => self.hosts.web.clone(),
            Some(authorities) => self.hosts.web.trusting(authorities).map_err(HostFault::Web)?,
        };
        let mut endpoint = Endpoint::of(self.host)?;
        if let Some(app) = &self.access.app {
            endpoint.api = app.api.clone();
        }
        let authorization = self.authorization(&web, of_host, now).await?;
        let request = endpoint.request(self.commit, name, status, authorization)?;
        let answer = web.answer(request, Cap::VERIFY).await.map_err(HostFault::Web)?;
        let judged = judged(self.host.provider, &answer, now);
        if judged == Err(HostFault::Unauthorized(401)) {
            self.hosts.tokens.forget(of_host);
        }
        judged
    }

    async fn authorization(&self, web: &Web, of_host: &Key, now: Timestamp) -> Result<HeaderValue, HostFault> {
        match (&self.access.app, &self.access.credential) {
            (Some(_), _) if self.host.provider != GitHost::GitHub => Err(HostFault::OnlyGitHub),
            (Some(app), _) => {
                let token = self.hosts.tokens.of(*of_host, app, web, &self.host.repository, now).await;
                bearer(&token.map_err(HostFault::App)?)
            }
            (None, Some(credential)) => header(self.host.provider, credential),
            (None, None) => Err(HostFault::NoCredential),
        }
    }
}
