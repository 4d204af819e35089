//! The commit statuses that a git host in memory was told, as Gitea's API takes them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use serde_json::Value;

/// The last of each name, of each commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Statuses(BTreeMap<(String, String), Status>);

/// A commit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is called.
    pub context: String,
    /// How it stands, in Gitea's word.
    pub state: String,
    /// The same for people.
    pub description: String,
}

impl Statuses {
    /// The token of whoever may write them.
    pub const TOKEN: &'static str = "may-write-statuses";

    /// The commit that a request makes a commit status of, in the repository of that owner and name.
    pub fn asked<'a>(path: &'a str, repository: &str) -> Option<&'a str> {
        path.strip_prefix("/api/v1/repos/")?.strip_prefix(repository)?.strip_prefix("/statuses/")
    }

    /// What the host answers.
    pub fn answer(&mut self, commit: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let bearer = format!("Bearer {}", Self::TOKEN);
        if request.headers().get(AUTHORIZATION).is_none_or(|sent| sent.as_bytes() != bearer.as_bytes()) {
            return of(401);
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let text = |member: &str| body[member].as_str().map(str::to_owned);
        let (Some(context), Some(state)) = (text("context"), text("state")) else { return of(422) };
        let is_known = ["pending", "success", "error", "failure", "warning", "skipped"].contains(&&*state);
        if !is_known || context.is_empty() {
            return of(422);
        }
        let status = Status { context: context.clone(), state, description: text("description").unwrap_or_default() };
        self.0.insert((commit.to_owned(), context), status);
        of(201)
    }

    /// Those of a commit, by name.
    pub fn of(&self, commit: &str) -> Vec<Status> {
        self.0.iter().filter(|((of, _), _)| of == commit).map(|(_, status)| status.clone()).collect()
    }
}

fn of(status: u16) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(b"{}")).expect("an answer")
}
