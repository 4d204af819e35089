//! A git remote in memory that answers protocol version 2: capabilities, `ls-refs`, and `fetch` of the commits that have files.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, Response};
use launchway::web::{Web, WebFault};
use launchway_plan::address::Rules;
use sha2::{Digest, Sha256};
use tower::service_fn;

use super::statuses::Statuses;
use super::{Access, Status, objects};

/// Remotes by URL, such as `https://git.example.com/team/app`. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Repositories {
    world: Arc<Mutex<World>>,
}

#[derive(Clone, Debug, Default)]
struct World {
    remotes: BTreeMap<String, Remote>,
    log: Vec<Asked>,
}

#[derive(Clone, Debug)]
struct Remote {
    access: Access,
    default: String,
    /// Commits by the full names of branches and tags.
    refs: BTreeMap<String, String>,
    trouble: Option<(Trouble, u32)>,
    statuses: Statuses,
}

/// A request as it came in, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The status of the answer; none if there was none.
    pub status: Option<u16>,
}

/// What a remote does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It answers this status and an empty body.
    Status(u16),
    /// It closes the connection.
    Reset,
    /// It answers 200, the right type, and no git.
    Garbage,
}

impl Repositories {
    /// No remotes yet.
    pub fn new() -> Repositories {
        Repositories::default()
    }

    /// Adds an empty remote whose default branch is `main`.
    pub fn create(&self, url: &str, access: Access) {
        let remote = Remote {
            access,
            default: "main".into(),
            refs: BTreeMap::new(),
            trouble: None,
            statuses: Statuses::default(),
        };
        self.world().remotes.insert(trimmed(url), remote);
    }

    /// Moves `branch`, or makes it.
    pub fn push(&self, url: &str, branch: &str, commit: &str) {
        self.change(url, |remote| remote.refs.insert(branch_of(branch), commit.to_owned()));
    }

    /// Removes `branch`.
    pub fn remove(&self, url: &str, branch: &str) {
        self.change(url, |remote| remote.refs.remove(&branch_of(branch)));
    }

    /// Moves `tag`, or makes it.
    pub fn tag(&self, url: &str, tag: &str, commit: &str) {
        self.change(url, |remote| remote.refs.insert(tag_of(tag), commit.to_owned()));
    }

    /// Removes `tag`.
    pub fn untag(&self, url: &str, tag: &str) {
        self.change(url, |remote| remote.refs.remove(&tag_of(tag)));
    }

    /// Admits others from now on.
    pub fn admit(&self, url: &str, access: Access) {
        self.change(url, |remote| remote.access = access);
    }

    /// Gives the next `count` requests `trouble` instead of an answer.
    pub fn trouble(&self, url: &str, trouble: Trouble, count: u32) {
        self.change(url, |remote| remote.trouble = Some((trouble, count)));
    }

    /// Ends all trouble.
    pub fn mend(&self, url: &str) {
        self.change(url, |remote| remote.trouble = None);
    }

    /// Other remotes that go on from here.
    pub fn copy(&self) -> Repositories {
        Repositories { world: Arc::new(Mutex::new(self.world().clone())) }
    }

    /// What `branch` points to.
    pub fn head(&self, url: &str, branch: &str) -> Option<String> {
        self.world().remotes.get(&trimmed(url))?.refs.get(&branch_of(branch)).cloned()
    }

    /// The token of whoever may write commit statuses.
    pub const STATUS_TOKEN: &'static str = Statuses::TOKEN;

    /// The commit statuses of a commit, by name.
    pub fn statuses(&self, url: &str, commit: &str) -> Vec<Status> {
        self.world().remotes.get(&trimmed(url)).map(|remote| remote.statuses.of(commit)).unwrap_or_default()
    }

    /// Has somebody else report a commit status.
    pub fn report(&self, url: &str, commit: &str, context: &str, state: &str) {
        self.change(url, |remote| remote.statuses.add(commit, context, state));
    }

    /// Every request since the beginning.
    pub fn log(&self) -> Vec<Asked> {
        self.world().log.clone()
    }

    /// How often refs were asked for: one advertisement each.
    pub fn polls(&self) -> usize {
        self.world().log.iter().filter(|asked| asked.method == Method::GET && asked.url.contains("/info/refs")).count()
    }

    /// The way to these remotes and nowhere else, under the strictest rules.
    pub fn web(&self) -> Web {
        let remotes = self.clone();
        Web::over(Rules::strict(), service_fn(move |request| ready(remotes.answer(&request))))
    }

    /// What the remote of this request's URL answers.
    pub fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, WebFault> {
        let mut world = self.world();
        let url = request.uri().to_string();
        let answer = world.answer(request, url.split('?').next().unwrap_or_default());
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        world.log.push(Asked { method: request.method().clone(), url, status });
        answer
    }

    fn change<T>(&self, url: &str, change: impl FnOnce(&mut Remote) -> T) {
        change(self.world().remotes.get_mut(&trimmed(url)).expect("a remote that was created"));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn answer(&mut self, request: &Request<Bytes>, path: &str) -> Result<Response<Bytes>, WebFault> {
        if let Some((remote, commit)) = self.told(request) {
            return match remote.next_trouble() {
                Some(Trouble::Status(code)) => Ok(status(code)),
                Some(Trouble::Reset) => Err(WebFault::Broken),
                Some(Trouble::Garbage) | None if *request.method() == Method::GET => {
                    Ok(remote.statuses.page(&commit, request.uri().query().unwrap_or_default()))
                }
                Some(Trouble::Garbage) | None => Ok(remote.statuses.answer(&commit, request)),
            };
        }
        let post = *request.method() == Method::POST;
        let service = if post { "/git-upload-pack" } else { "/info/refs" };
        let Some(remote) = path.strip_suffix(service).and_then(|url| self.remotes.get_mut(url)) else {
            return Ok(status(404));
        };
        let kind = if post { "result" } else { "advertisement" };
        match remote.next_trouble() {
            Some(Trouble::Status(code)) => return Ok(status(code)),
            Some(Trouble::Reset) => return Err(WebFault::Broken),
            Some(Trouble::Garbage) => return Ok(typed(kind, "<!doctype html>".into())),
            None => {}
        }
        if !remote.access.admits(request.headers().get(AUTHORIZATION)) {
            return Ok(status(401));
        }
        let asked = String::from_utf8_lossy(request.body());
        let body = match post {
            true if asked.contains("command=fetch") => objects::answer(&asked).into(),
            true => remote.refs(&asked).into(),
            false => remote.abilities().into(),
        };
        Ok(typed(kind, body))
    }
}

impl World {
    /// The repository and the commit that a request to the API makes a commit status of.
    fn told(&mut self, request: &Request<Bytes>) -> Option<(&mut Remote, String)> {
        let host = format!("https://{}/", request.uri().host()?);
        self.remotes.iter_mut().find_map(|(url, remote)| {
            let (path, repository) = (request.uri().path(), url.strip_prefix(&host)?);
            let is_read = *request.method() == Method::GET;
            let commit = if is_read { Statuses::wanted(path, repository) } else { Statuses::asked(path, repository) }?;
            Some((remote, commit.to_owned()))
        })
    }
}

impl Remote {
    fn next_trouble(&mut self) -> Option<Trouble> {
        let (trouble, left) = self.trouble.take()?;
        self.trouble = (left > 1).then(|| (trouble, left - 1));
        (left > 0).then_some(trouble)
    }

    fn abilities(&self) -> String {
        let long = self.refs.values().any(|commit| commit.len() == 64);
        let format = if long { "object-format=sha256" } else { "object-format=sha1" };
        ["version 2", "agent=git/2.50", "ls-refs=unborn", "fetch=shallow filter", format].map(packet).concat() + "0000"
    }

    /// The refs that begin with one of the request's prefixes; `HEAD` is one if its branch is there.
    fn refs(&self, request: &str) -> String {
        let prefixes: Vec<&str> = request.split("ref-prefix ").skip(1).filter_map(|rest| rest.lines().next()).collect();
        let wanted = |name: &str| prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
        let target = branch_of(&self.default);
        let head = self.refs.get(&target).filter(|_| wanted("HEAD"));
        let head = head.map(|commit| packet(&format!("{commit} HEAD symref-target:{target}")));
        let all = self.refs.iter().filter(|(name, _)| wanted(name));
        let all = all.map(|(name, commit)| packet(&format!("{commit} {name}")));
        head.into_iter().chain(all).collect::<String>() + "0000"
    }
}

fn branch_of(name: &str) -> String {
    format!("refs/heads/{name}")
}

fn tag_of(name: &str) -> String {
    format!("refs/tags/{name}")
}

fn packet(text: &str) -> String {
    format!("{:04x}{text}\n", text.len() + 5)
}

fn typed(kind: &str, body: Bytes) -> Response<Bytes> {
    let kind = format!("application/x-git-upload-pack-{kind}");
    Response::builder().header(CONTENT_TYPE, kind).body(body).expect("a response")
}

fn status(code: u16) -> Response<Bytes> {
    let answer = Response::builder().status(code).header(WWW_AUTHENTICATE, "Basic realm=\"git\"");
    answer.body(Bytes::new()).expect("a response")
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// A commit ID of 40 digits that is always the same for `name`. Commits of some names have files (`objects`).
pub fn commit_id(name: &str) -> String {
    if let Some(id) = objects::id(name) {
        return id;
    }
    Sha256::digest(name.as_bytes()).iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}
