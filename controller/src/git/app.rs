//! A GitHub App: the token that its private key gets for one repository, and that is good for an hour. The key itself is sent
//! nowhere. What the token is for is git's matter.
//!
//! Source: GitHub's documentation, "Generating a JSON Web Token (JWT) for a GitHub App" and, in the REST API, "Create an installation
//! access token for an app".

use crate::web::{Answer, Cap, Web, WebFault};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use launchway_plan::condition::cut;
use launchway_plan::fault::{FaultKind, Remedy, Thing};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::Signer;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// An App as it is installed somewhere. `Debug` shows nothing of the key.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// The App's ID, or its client ID.
    pub(super) id: String,
    /// The installation, which belongs to an owner of repositories.
    pub(super) installation: String,
    /// Where the API is.
    pub(crate) api: String,
    /// The private key, in PEM.
    pub(super) key: String,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To read the repository.
    Contents,
    /// To write commit statuses.
    Statuses,
    /// To read commit statuses and checks.
    ReadStatuses,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Right::Contents => "read its contents: add the repository to it, with the permission Contents: Read-only",
            Right::Statuses => {
                "write commit statuses: add the repository to it, with the permission Commit statuses: Read and write, which the installation's owner has to accept"
            }
            Right::ReadStatuses => {
                "read commit statuses and checks: add the repository to it, with the permissions Commit statuses: Read-only and Checks: Read-only, which the installation's owner has to accept"
            }
        })
    }
}

/// Why an App gets no token. Holds nothing of an answer's body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppFault {
    /// The repository is on another host than the API: its token is not for there.
    #[error(
        "the GitHub App's API is at {0}, and the repository is on another host or scheme: write its URL on the App's own host, or set githubAppBaseURL of the Secret"
    )]
    OtherHost(String),
    /// 401.
    #[error(
        "GitHub does not accept the App's signature: check githubAppID and githubAppPrivateKey of the Secret, and that the controller's clock is right"
    )]
    NotAccepted,
    /// 404.
    #[error(
        "the GitHub App has no such installation: check githubAppInstallationID of the Secret, that the App is still installed, and, of a GitHub Enterprise Server, that githubAppBaseURL ends in /api/v3"
    )]
    NotInstalled,
    /// 403.
    #[error(
        "GitHub refuses the App (403): its installation may be suspended, which its owner ends in GitHub's settings, or the organisation's list of IP addresses keeps the controller out"
    )]
    Suspended,
    /// 422.
    #[error("the installation of the GitHub App does not include this repository, or may not {0}")]
    NotIncluded(Right),
    /// 403 or 429, with a time to wait.
    #[error("GitHub's rate limit for the App is reached")]
    Limited,
    /// 5xx, or anything else.
    #[error("GitHub's API answered {0}")]
    Status(u16),
    /// 201, and no token in it.
    #[error("GitHub's API answered without a token that can be read")]
    Unreadable,
    /// No answer.
    #[error("GitHub's API: {0}")]
    Web(WebFault),
}

impl AppFault {
    /// Who can do something about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            AppFault::Limited => Remedy::Retry,
            AppFault::Status(status) if *status >= 500 => Remedy::Retry,
            AppFault::Web(fault) => fault.remedy(),
            AppFault::OtherHost(_)
            | AppFault::NotAccepted
            | AppFault::NotInstalled
            | AppFault::Suspended
            | AppFault::NotIncluded(_)
            | AppFault::Status(_)
            | AppFault::Unreadable => Remedy::AskOperator,
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FaultKind {
        match self {
            AppFault::OtherHost(_) | AppFault::Unreadable => FaultKind::Refused,
            AppFault::NotAccepted | AppFault::NotInstalled | AppFault::Suspended => FaultKind::Credentials,
            AppFault::NotIncluded(_) => FaultKind::Absent(Thing::Repository),
            AppFault::Limited => FaultKind::Throttled,
            AppFault::Status(status) if *status >= 500 => FaultKind::Outage,
            AppFault::Status(_) => FaultKind::Refused,
            AppFault::Web(fault) => fault.kind(),
        }
    }
}

/// GitHub's own API.
const API: &str = "https://api.github.com";

/// How much of a host's name is told, in bytes: faults are kept.
const HOST: usize = 300;

/// How many tokens are kept, how long each may be in bytes, and how long one lives at most (GitHub's: about 520 bytes, an hour).
const MOST: usize = 1000;
const LENGTH: usize = 4096;
const LIVES: SignedDuration = SignedDuration::from_hours(1);

/// How long before its end a token is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// How long a signature is good, of the ten minutes that GitHub allows, and how far its clock may be behind ours.
const SIGNED_FOR: SignedDuration = SignedDuration::from_mins(9);
const BEHIND: SignedDuration = SignedDuration::from_secs(60);

impl App {
    /// What a Secret says; `base` is the API of an Enterprise Server, with or without `https://`. `None`: the key is no RSA private key
    /// in PEM.
    pub(super) fn parse(id: String, installation: String, base: Option<String>, key: &[u8]) -> Option<App> {
        let api = base.map_or_else(|| API.to_owned(), |base| base.trim_end_matches('/').to_owned());
        let api = if api.contains("://") { api } else { format!("https://{api}") };
        let app = App { id, installation, api, key: String::from_utf8(key.to_vec()).ok()? };
        app.signer().map(|_| app)
    }

    fn signer(&self) -> Option<Box<dyn Signer>> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).ok()?;
        any_supported_type(&key).ok()?.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
    }

    /// A JSON Web Token of the App itself: what it gets a token of its installation for.
    fn signed(&self, now: Timestamp) -> Option<String> {
        let seconds = |at: Result<Timestamp, jiff::Error>| at.ok().map(Timestamp::as_second);
        let (from, until) = (seconds(now.checked_sub(BEHIND))?, seconds(now.checked_add(SIGNED_FOR))?);
        let encoded = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = encoded(json!({"alg": "RS256", "typ": "JWT"}));
        let text = format!("{head}.{}", encoded(json!({"iat": from, "exp": until, "iss": self.id})));
        let signature = self.signer()?.sign(text.as_bytes()).ok()?;
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// A token that has that right to the repository at `url`, and nothing else.
    async fn token(&self, web: &Web, url: &str, right: Right, now: Timestamp) -> Result<Token, AppFault> {
        let repository = self.repository(url)?;
        let signed = self.signed(now).ok_or(AppFault::NotAccepted)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {signed}")).map_err(|_| AppFault::NotAccepted)?;
        bearer.set_sensitive(true);
        let permissions = match right {
            Right::Contents => json!({"contents": "read"}),
            Right::Statuses => json!({"statuses": "write"}),
            Right::ReadStatuses => json!({"statuses": "read", "checks": "read"}),
        };
        let body = json!({"repositories": [repository], "permissions": permissions});
        let request = Request::post(format!("{}/app/installations/{}/access_tokens", self.api, self.installation))
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/vnd.github+json")
            .header(CONTENT_TYPE, "application/json")
            .header("x-github-api-version", "2022-11-28")
            .body(Bytes::from(body.to_string()))
            .map_err(|_| AppFault::Web(WebFault::Request))?;
        let answer = web.answer(request, Cap::VERIFY).await.map_err(AppFault::Web)?;
        match answer.status.as_u16() {
            201 => token(&answer.body).ok_or(AppFault::Unreadable),
            401 => Err(AppFault::NotAccepted),
            404 => Err(AppFault::NotInstalled),
            422 => Err(AppFault::NotIncluded(right)),
            403 | 429 if is_limited(&answer) => Err(AppFault::Limited),
            403 => Err(AppFault::Suspended),
            other => Err(AppFault::Status(other)),
        }
    }

    /// The name of the repository, which has to be on the App's own host: a token goes to no other.
    fn repository(&self, url: &str) -> Result<String, AppFault> {
        let place = |text: &str| {
            let url = Url::parse(text).ok()?;
            Some((url.scheme().to_owned(), url.host_str()?.to_owned()))
        };
        let (scheme, api) = place(&self.api).unwrap_or_default();
        let own = api.strip_prefix("api.").unwrap_or(&api).to_owned();
        if place(url) != Some((scheme.clone(), own)) {
            return Err(AppFault::OtherHost(cut(&format!("{scheme}://{api}"), HOST)));
        }
        let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Ok(name.strip_suffix(".git").unwrap_or(name).to_owned())
    }
}

/// The token in an answer's body, if there is one that could be GitHub's.
fn token(body: &[u8]) -> Option<Token> {
    serde_json::from_slice(body).ok().filter(|token: &Token| token.token.len() <= LENGTH)
}

/// Too many requests: GitHub says so with 403 or 429, and when to come again.
fn is_limited(answer: &Answer) -> bool {
    let nothing_left = answer.headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0");
    answer.status.as_u16() == 429 || nothing_left || answer.headers.contains_key(RETRY_AFTER)
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).field("api", &self.api).finish_non_exhaustive()
    }
}

/// A token of an installation.
#[derive(Clone, Deserialize)]
struct Token {
    token: String,
    expires_at: Timestamp,
}

/// The tokens of one process for one right, each by a name for the App and the repository. `Debug` shows none.
pub(crate) struct Tokens {
    right: Right,
    all: Mutex<HashMap<[u8; 32], Token>>,
}

impl Tokens {
    /// None yet.
    pub fn new(right: Right) -> Tokens {
        Tokens { right, all: Mutex::default() }
    }

    /// The token for the repository at `url`: the last one while it is good, or a new one.
    pub async fn of(
        &self,
        name: [u8; 32],
        app: &App,
        web: &Web,
        url: &str,
        now: Timestamp,
    ) -> Result<String, AppFault> {
        let is_good = |token: &Token| now.saturating_add(MARGIN).is_ok_and(|soon| soon < token.expires_at);
        let known = self.all().get(&name).filter(|token| is_good(token)).map(|known| known.token.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let fresh = app.token(web, url, self.right, now).await?;
        self.keep(name, fresh.clone(), now);
        Ok(fresh.token)
    }

    /// Keeps a token, and at most [`MOST`] of them: whoever runs an API of their own says what they like of its end.
    fn keep(&self, name: [u8; 32], token: Token, now: Timestamp) {
        let until = now.saturating_add(LIVES).map_or(token.expires_at, |latest| latest.min(token.expires_at));
        let mut all = self.all();
        all.retain(|_, token| now < token.expires_at);
        let first = all.iter().min_by_key(|(_, token)| token.expires_at).map(|(name, _)| *name);
        if let Some(first) = first.filter(|_| all.len() >= MOST) {
            all.remove(&first);
        }
        all.insert(name, Token { expires_at: until, ..token });
    }

    /// Does not use that token again.
    pub fn forget(&self, name: &[u8; 32]) {
        self.all().remove(name);
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Token>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn name(number: usize) -> [u8; 32] {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        name
    }

    #[test]
    fn tokens_are_few_and_end_within_the_hour_whatever_an_api_says() {
        let (tokens, now) = (Tokens::new(Right::Contents), Timestamp::UNIX_EPOCH);
        let token = || Token { token: "t".to_owned(), expires_at: Timestamp::MAX };
        for number in 0..MOST + 5 {
            tokens.keep(name(number), token(), now);
        }
        assert_eq!(tokens.all().len(), MOST);
        assert!(tokens.all().contains_key(&name(MOST + 4)), "the newest is kept");
        tokens.keep(name(0), token(), now + LIVES);
        assert_eq!(tokens.all().len(), 1, "the others have ended");
    }
}
