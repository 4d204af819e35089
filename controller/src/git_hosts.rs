//! Sends commit statuses to git hosts, and reads those of others. Of which commit, and when, is not known here.

mod fault;
#[cfg(test)]
mod fuzz;
mod pause;
mod reading;
mod request;
#[cfg(test)]
mod tests;

pub use fault::HostFault;

use crate::git::{Access, Key, Right, Tokens};
use crate::metrics::Metrics;
use crate::web::{Cap, PATIENCE, Web, WebFault};
use fault::judged;
use http::HeaderValue;
use jiff::Timestamp;
use launchway_crds::pipeline::GitHost;
use launchway_plan::Outcome;
use launchway_plan::release::commit_status::{CommitStatus, Host};
use launchway_plan::world::LiveStatuses;
use pause::Pauses;
use reading::{List, PAGES, Reading};
use request::{Endpoint, bearer, header};
use std::time::Duration;
use tokio::time::timeout;

/// What is remembered of git hosts between passes. To lose it costs a few requests.
#[derive(Debug)]
pub struct GitHosts {
    web: Web,
    pauses: Pauses,
    tokens: Tokens,
    reading: Tokens,
}

/// A commit in a repository, as somebody reports of it, or reads what others reported.
pub struct Reporter<'a> {
    /// The git hosts.
    pub hosts: &'a GitHosts,
    /// The one that has the repository.
    pub host: &'a Host,
    /// Who reports or reads.
    pub access: &'a Access,
    /// The commit.
    pub commit: &'a str,
    /// Where requests are counted.
    pub metrics: &'a Metrics,
}

/// What a request is called among the effects that are counted.
const EFFECT: &str = "CommitStatus";

/// What is said where a credential may not read checks, of names that are not there.
const NO_CHECKS: &str = "checks of GitHub could not be read: the credential may not (a GitHub App needs Checks: Read-only, a classic token repo; a fine-grained token reads none)";

/// How long all requests of one look, or of one report, may take together: a little longer than one alone.
pub const ALTOGETHER: Duration = PATIENCE.saturating_add(Duration::from_secs(2));

impl GitHosts {
    /// Reached so.
    pub fn new(web: Web) -> Self {
        let [tokens, reading] = [Right::Statuses, Right::ReadStatuses].map(Tokens::new);
        Self { web, pauses: Pauses::default(), tokens, reading }
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
        let keys = self.keys(name);
        let sent = self.sent(name, status, &keys[0], now).await;
        let outcome = sent.clone().map_err(|fault| fault.at(&self.host.repository));
        self.metrics.effect(EFFECT, &outcome.map_or_else(Outcome::Failed, Outcome::Done));
        self.hosts.pauses.learn(keys, &sent, now);
        sent
    }

    async fn sent(&self, name: &str, status: &CommitStatus, of_host: &Key, now: Timestamp) -> Result<(), HostFault> {
        let (web, endpoint) = (self.web()?, self.endpoint()?);
        let authorization = self.authorization(&self.hosts.tokens, &web, of_host, now).await?;
        let authorization = authorization.ok_or(HostFault::NoCredential)?;
        let request = endpoint.request(self.commit, name, status, authorization)?;
        let answer = web.answer(request, Cap::VERIFY).await.map_err(HostFault::Web)?;
        let judged = judged(self.host.provider, &answer, now);
        if judged == Err(HostFault::Unauthorized(401)) {
            self.hosts.tokens.forget(of_host);
        }
        judged
    }

    /// How the commit statuses and checks of these names stand, and some others. The host is not asked while it is left alone after a
    /// failure.
    ///
    /// # Errors
    /// The host did not say, now or a while ago.
    pub async fn read(&self, names: &[String], now: Timestamp) -> Result<LiveStatuses, HostFault> {
        let Host { provider, repository, .. } = self.host;
        let of_host = format!("read {provider:?} {repository}");
        let keys = [of_host.clone(), format!("{of_host}#{}", self.commit)].map(|text| self.access.digest(&text));
        let pauses = &self.hosts.pauses;
        if let Some(fault) = keys.iter().find_map(|key| pauses.of(key, now)) {
            return Err(fault);
        }
        let seen = timeout(ALTOGETHER, self.seen(names, &keys[0], now)).await;
        let seen = seen.unwrap_or(Err(HostFault::Web(WebFault::Timeout)));
        pauses.learn(keys, &seen, now);
        seen
    }

    async fn seen(&self, names: &[String], of_host: &Key, now: Timestamp) -> Result<LiveStatuses, HostFault> {
        let (web, endpoint) = (self.web()?, self.endpoint()?);
        let authorization = self.authorization(&self.hosts.reading, &web, of_host, now).await?;
        let mut reading = Reading::default();
        for list in endpoint.lists() {
            match self.list(*list, (&web, &endpoint, authorization.as_ref()), names, &mut reading, now).await {
                Err(HostFault::Unauthorized(401)) => {
                    self.hosts.reading.forget(of_host);
                    return Err(HostFault::Unauthorized(401));
                }
                // A credential may see commit statuses and no checks.
                Err(HostFault::Unauthorized(_)) if *list == List::CheckRuns => reading.seen.hidden = Some(NO_CHECKS),
                read => read?,
            }
        }
        Ok(reading.seen)
    }

    /// Reads a list to its end.
    async fn list(
        &self,
        list: List,
        (web, endpoint, authorization): (&Web, &Endpoint, Option<&HeaderValue>),
        names: &[String],
        reading: &mut Reading,
        now: Timestamp,
    ) -> Result<(), HostFault> {
        reading.entries = 0;
        for page in 1..=PAGES {
            let request = endpoint.reading(list, self.commit, page, authorization.cloned())?;
            let answer = web.answer(request, Cap::STATUSES).await.map_err(HostFault::Web)?;
            match judged(self.host.provider, &answer, now) {
                // It does not have the commit, and so nothing of it.
                Err(HostFault::NotTaken(_)) => return Ok(()),
                judged => judged?,
            }
            let is_more = endpoint.read(list, &answer, names, reading);
            if !is_more.ok_or(HostFault::Status(answer.status.as_u16()))? {
                return Ok(());
            }
        }
        Err(HostFault::TooMany)
    }

    fn web(&self) -> Result<Web, HostFault> {
        match &self.access.authorities {
            None => Ok(self.hosts.web.clone()),
            Some(authorities) => self.hosts.web.trusting(authorities).map_err(HostFault::Web),
        }
    }

    fn endpoint(&self) -> Result<Endpoint, HostFault> {
        let mut endpoint = Endpoint::of(self.host)?;
        if let Some(app) = &self.access.app {
            endpoint.api = app.api.clone();
        }
        Ok(endpoint)
    }

    /// Who asks; `None`: nobody in particular.
    async fn authorization(
        &self,
        tokens: &Tokens,
        web: &Web,
        of_host: &Key,
        now: Timestamp,
    ) -> Result<Option<HeaderValue>, HostFault> {
        match (&self.access.app, &self.access.credential) {
            (Some(_), _) if self.host.provider != GitHost::GitHub => Err(HostFault::OnlyGitHub),
            (Some(app), _) => {
                let token = tokens.of(*of_host, app, web, &self.host.repository, now).await;
                bearer(&token.map_err(HostFault::App)?).map(Some)
            }
            (None, Some(credential)) => header(self.host.provider, credential).map(Some),
            (None, None) => Ok(None),
        }
    }
}
