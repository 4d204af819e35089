//! The requests of git's smart HTTP protocol that list refs and fetch objects (gitprotocol-http). What the bodies mean is read elsewhere.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::request::Builder;
use http::{HeaderValue, Request, StatusCode};
use launchway_plan::pipeline::refs::Refs;
use url::Url;

use super::listing::{Abilities, Advertisement, Listing, More, advertisement, listing, request};
use super::{Credential, GitFault, Offered};
use crate::web::{Answer, Cap, Web, WebFault, uri};

const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
const REQUEST: &str = "application/x-git-upload-pack-request";
const RESULT: &str = "application/x-git-upload-pack-result";

/// A repository as somebody sees it.
pub(super) struct Remote<'a> {
    web: &'a Web,
    base: Url,
    offered: Offered,
    header: Option<HeaderValue>,
}

impl<'a> Remote<'a> {
    /// A repository that is about to be asked, for one poll.
    pub async fn of(web: &'a Web, url: &str, credential: Option<&Credential>) -> Result<Remote<'a>, GitFault> {
        let base = web.admitted(url)?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(GitFault::Url);
        }
        Ok(match credential {
            None => Remote { web, base, offered: Offered::Nothing, header: None },
            Some(credential) => {
                let (offered, header) = (credential.offered(), Some(credential.header().await?));
                Remote { web, base, offered, header }
            }
        })
    }

    /// The branches and tags that are `wanted`, and perhaps others.
    pub async fn listing(&self, wanted: &BTreeSet<Refs>) -> Result<Listing, GitFault> {
        let (base, advertised) = self.advertised().await?;
        match advertised {
            Advertisement::Everything(listing) => Ok(listing),
            Advertisement::V2(abilities) => {
                // Also those whose names begin with theirs: the protocol knows prefixes only.
                let listing = self.listed(&base, &abilities, &wanted.iter().map(Refs::prefix).collect()).await?;
                Ok(Listing { more: Some(More { base, abilities }), ..listing })
            }
        }
    }

    /// What it can do, and the repository that answered; none: it speaks an older version of the protocol.
    pub async fn abilities(&self) -> Result<Option<More>, GitFault> {
        let (base, advertised) = self.advertised().await?;
        Ok(match advertised {
            Advertisement::Everything(_) => None,
            Advertisement::V2(abilities) => Some(More { base, abilities }),
        })
    }

    async fn advertised(&self) -> Result<(Url, Advertisement), GitFault> {
        let mut url = under(&self.base, "info/refs");
        url.set_query(Some("service=git-upload-pack"));
        let asked = self.asking(Request::get(uri(&url)?).header(ACCEPT, "*/*"), Bytes::new())?;
        let answer = self.answered(asked, ADVERTISEMENT, Cap::GIT).await?;
        Ok((base_of(&answer)?, advertisement(&answer.body).map_err(GitFault::Protocol)?))
    }

    /// What it answers to a command of `git-upload-pack`.
    pub async fn commanded(&self, base: &Url, body: String, cap: Cap) -> Result<Bytes, GitFault> {
        let post = Request::post(uri(&under(base, "git-upload-pack"))?);
        let post = post.header(CONTENT_TYPE, REQUEST).header(ACCEPT, RESULT);
        Ok(self.answered(self.asking(post, body.into())?, RESULT, cap).await?.body)
    }

    /// What begins with one of these besides, if there may be more than `part` and it can be had. For advice only, so nothing comes of a
    /// fault.
    pub async fn besides(&self, part: &Listing, prefixes: &BTreeSet<String>) -> Option<Listing> {
        let more = part.more.as_ref()?;
        self.listed(&more.base, &more.abilities, prefixes).await.ok()
    }

    async fn listed(
        &self,
        base: &Url,
        abilities: &Abilities,
        prefixes: &BTreeSet<String>,
    ) -> Result<Listing, GitFault> {
        listing(&self.commanded(base, request(abilities, prefixes), Cap::GIT).await?).map_err(GitFault::Protocol)
    }

    fn asking(&self, builder: Builder, body: Bytes) -> Result<Request<Bytes>, GitFault> {
        let builder = builder.header("git-protocol", "version=2");
        let builder = match &self.header {
            Some(header) => builder.header(AUTHORIZATION, header),
            None => builder,
        };
        builder.body(body).map_err(|_| GitFault::Web(WebFault::Request))
    }

    async fn answered(&self, request: Request<Bytes>, content: &str, cap: Cap) -> Result<Answer, GitFault> {
        let answer = self.web.answer(request, cap).await?;
        let (status, wait) = (answer.status.as_u16(), wait(&answer));
        match answer.status {
            StatusCode::OK if has_content(&answer, content) => Ok(answer),
            StatusCode::FORBIDDEN if let Some(seconds) = wait => {
                Err(GitFault::Unavailable { status, wait: Some(seconds) })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(GitFault::AuthenticationFailed { status, offered: self.offered })
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(GitFault::NotFound),
            StatusCode::TOO_MANY_REQUESTS => Err(GitFault::Unavailable { status, wait }),
            other if other.is_server_error() => Err(GitFault::Unavailable { status, wait }),
            _ => Err(GitFault::NotGit { status }),
        }
    }
}

/// How many seconds it wants to be left alone, an hour at most. A date is not read: git hosts send seconds.
fn wait(answer: &Answer) -> Option<u32> {
    let seconds: u32 = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.min(3600))
}

fn has_content(answer: &Answer, content: &str) -> bool {
    let value = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(content))
}

fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// The repository that answered: a redirect of the first request moves those that follow it too, as in git itself.
fn base_of(answer: &Answer) -> Result<Url, GitFault> {
    let mut base = answer.url.clone();
    base.set_query(None);
    let path = base.path().strip_suffix("/info/refs").map(str::to_owned);
    let path = path.ok_or(GitFault::NotGit { status: answer.status.as_u16() })?;
    base.set_path(&path);
    Ok(base)
}
