//! What a git host has of a commit: where each provider's API lists commit statuses and checks, and what a page of such a list says.
//!
//! Sources: GitHub's REST API, "Get the combined status for a specific reference" and "List check runs for a Git reference"; GitLab's
//! Commits API, "List the statuses of a commit"; Gitea's API, `repoGetCombinedStatusByRef`; Bitbucket Cloud's REST API, "List commit
//! statuses for a commit"; Bitbucket Data Center's REST API, "Get build statuses for commit".

use super::HostFault;
use super::request::{Endpoint, Flavor};
use crate::web::{Answer, WebFault};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request};
use launchway_plan::condition::cut;
use launchway_plan::world::{LiveStatuses, Stand};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// How many pages of a list are read at most.
pub(super) const PAGES: usize = 10;

/// How many entries a page has at most.
const SIZE: usize = 100;

/// How many names are kept of what was not asked for, and how much of one, in bytes.
const OTHERS: usize = 10;
const NAME: usize = 255;

/// A list that a git host has of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Commit statuses.
    Statuses,
    /// Check runs, which GitHub has beside them: GitHub Actions report so.
    CheckRuns,
}

/// A page of such a list, whoever made it. What else is in it is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(alias = "check_runs", alias = "values")]
    statuses: Option<Entries>,
    #[serde(alias = "total_count")]
    total_count: Option<usize>,
    next: Option<String>,
    is_last_page: Option<bool>,
}

/// The entries of a page: as many as were asked for, and of more it is no page. Whoever holds the server may send anything.
struct Entries(Vec<Entry>);

#[derive(Deserialize)]
struct Entry {
    id: Option<Value>,
    context: Option<String>,
    name: Option<String>,
    key: Option<String>,
    state: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counted;
        impl<'de> Visitor<'de> for Counted {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {SIZE} entries")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    if all.len() == SIZE {
                        return Err(A::Error::invalid_length(SIZE + 1, &self));
                    }
                    all.push(entry);
                }
                Ok(Entries(all))
            }
        }
        deserializer.deserialize_seq(Counted)
    }
}

/// What was read of a list.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What is known.
    pub seen: LiveStatuses,
    /// How many entries of the present list.
    pub entries: usize,
    /// By name the highest ID that was read, where a newer one stands for those before it.
    newest: BTreeMap<String, u64>,
}

impl Endpoint {
    /// The lists that this host has, in the order in which they are read.
    pub fn lists(&self) -> &'static [List] {
        if self.flavor == Flavor::GitHub { &[List::Statuses, List::CheckRuns] } else { &[List::Statuses] }
    }

    /// The request for a page of a list, from 1.
    pub fn reading(
        &self,
        list: List,
        commit: &str,
        page: usize,
        authorization: Option<HeaderValue>,
    ) -> Result<Request<Bytes>, HostFault> {
        let mut request = Request::get(self.list(list, commit, page)).header(ACCEPT, self.accepted());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.body(Bytes::new()).map_err(|_| HostFault::Web(WebFault::Request))
    }

    fn list(&self, list: List, commit: &str, page: usize) -> String {
        let Endpoint { flavor, api, path, .. } = self;
        let [one, other] = [path.join("/"), path.join("%2F")];
        if *flavor == Flavor::GitLab {
            format!("{api}/projects/{other}/repository/commits/{commit}/statuses?per_page={SIZE}&page={page}")
        } else if *flavor == Flavor::BitbucketCloud {
            format!("{api}/repositories/{one}/commit/{commit}/statuses?pagelen={SIZE}&page={page}")
        } else if *flavor == Flavor::BitbucketDataCenter {
            // The API of builds in a repository, which they are written to, has no list.
            let api = api.replacen("/rest/api/", "/rest/build-status/", 1);
            format!("{api}/commits/{commit}?limit={SIZE}&start={}", (page - 1) * SIZE)
        } else if *flavor == Flavor::Gitea {
            format!("{api}/repos/{one}/commits/{commit}/status?limit=50&page={page}")
        } else {
            let what = if list == List::CheckRuns { "check-runs?filter=latest&" } else { "status?" };
            format!("{api}/repos/{one}/commits/{commit}/{what}per_page={SIZE}&page={page}")
        }
    }

    /// Adds what a page says to what is known, and tells whether there is another one. `None`: it is no page of that list.
    pub fn read(&self, list: List, answer: &Answer, names: &[String], reading: &mut Reading) -> Option<bool> {
        let (entries, is_more) = if self.flavor == Flavor::GitLab {
            let Entries(entries) = serde_json::from_slice(&answer.body).ok()?;
            let next = answer.headers.get("x-next-page").is_some_and(|next| !next.is_empty());
            (entries, next)
        } else {
            let page: Page = serde_json::from_slice(&answer.body).ok()?;
            // Gitea has no list where there are none.
            let entries = page.statuses.or_else(|| (page.total_count == Some(0)).then_some(Entries(Vec::new())))?.0;
            let counted = page.total_count.is_some_and(|total| reading.entries + entries.len() < total);
            let is_more = counted || page.next.is_some() || page.is_last_page == Some(false);
            (entries, is_more)
        };
        for entry in &entries {
            self.add(list, entry, names, reading);
        }
        reading.entries += entries.len();
        Some(is_more && !entries.is_empty())
    }

    fn add(&self, list: List, entry: &Entry, names: &[String], reading: &mut Reading) {
        // Each host has some of these members.
        let called: Vec<&String> = [&entry.context, &entry.name, &entry.key].into_iter().flatten().collect();
        for name in called.iter().filter(|name| names.contains(name)) {
            let mut stand = self.stand(list, entry);
            // GitLab has those of every pipeline of the commit: a newer one stands for those before it.
            let id = entry.id.as_ref().and_then(Value::as_u64).filter(|_| self.flavor == Flavor::GitLab);
            let newest = reading.newest.get(*name).copied();
            let seen = &mut reading.seen.asked;
            match (id, newest, seen.remove(*name)) {
                (Some(id), Some(newest), Some(before)) if id < newest => stand = before,
                (None, _, Some(before)) => stand = before.and(stand),
                (Some(_) | None, ..) => {}
            }
            seen.insert((*name).clone(), stand);
            if let Some(id) = id {
                reading.newest.insert((*name).clone(), id.max(newest.unwrap_or(0)));
            }
        }
        let others = &mut reading.seen.others;
        if let Some(name) = called.first().filter(|_| !called.iter().any(|name| names.contains(name))) {
            let name = cut(name, NAME);
            if others.len() < OTHERS && !others.contains(&name) {
                others.push(name);
            }
        }
    }

    /// How an entry stands, in the words of all hosts: one alone has a meaning that differs. A word that is not known here has not
    /// ended, so that nothing is built for it; nor has what waits for a person (`action_required`, `manual`).
    fn stand(&self, list: List, entry: &Entry) -> Stand {
        let word = match list {
            List::CheckRuns if entry.status.as_deref() == Some("completed") => entry.conclusion.as_deref(),
            List::CheckRuns => None,
            List::Statuses => entry.status.as_deref().or(entry.state.as_deref()),
        };
        match word.unwrap_or_default() {
            // Of GitLab a job is skipped where one before it failed.
            "skipped" if self.flavor == Flavor::GitLab => Stand::Failed("skipped".to_owned()),
            // What was skipped, or has nothing to say, counts as one that succeeded: so have GitHub and Gitea it for branches they protect.
            "success" | "SUCCESSFUL" | "neutral" | "skipped" | "warning" => Stand::Succeeded,
            word @ ("error" | "failure" | "failed" | "FAILED" | "cancelled" | "canceled" | "CANCELLED" | "STOPPED"
            | "timed_out" | "stale" | "startup_failure") => Stand::Failed(word.to_owned()),
            _ => Stand::Pending,
        }
    }
}
