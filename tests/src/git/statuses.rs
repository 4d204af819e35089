//! The commit statuses that a git host in memory was told, as Gitea's API takes and shows them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use serde_json::{Value, json};

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

    /// The commit whose commit statuses a request wants to see, in the repository of that owner and name.
    pub fn wanted<'a>(path: &'a str, repository: &str) -> Option<&'a str> {
        let commit = path.strip_prefix("/api/v1/repos/")?.strip_prefix(repository)?.strip_prefix("/commits/")?;
        commit.strip_suffix("/status")
    }

    /// What somebody else reports.
    pub fn add(&mut self, commit: &str, context: &str, state: &str) {
        let status = Status { context: context.to_owned(), state: state.to_owned(), description: String::new() };
        self.0.insert((commit.to_owned(), context.to_owned()), status);
    }

    /// What the host shows of a commit, in the page that the request asks for; `null` where there is nothing.
    pub fn page(&self, commit: &str, query: &str) -> Response<Bytes> {
        let number = |name: &str, absent: usize| {
            let mut members = query.split('&').filter_map(|member| member.split_once('='));
            members.find(|(member, _)| *member == name).map_or(absent, |(_, value)| value.parse().unwrap_or(absent))
        };
        let (size, page) = (number("limit", 30).min(50), number("page", 1).max(1));
        let shown: Vec<Value> = self.of(commit).iter().skip((page - 1) * size).take(size).map(Status::shown).collect();
        let shown = if shown.is_empty() { Value::Null } else { shown.into() };
        let body = json!({"sha": commit, "total_count": self.of(commit).len(), "statuses": shown}).to_string();
        Response::builder().status(200).body(Bytes::from(body)).expect("an answer")
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

impl Status {
    fn shown(&self) -> Value {
        json!({"id": 1, "context": self.context, "status": self.state, "description": self.description})
    }
}

fn of(status: u16) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(b"{}")).expect("an answer")
}
