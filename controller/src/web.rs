//! HTTP requests to URLs that users wrote: guarded, bounded, and silent about secrets. What is asked and what an answer
//! means is not known here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode, Uri};
use launchway_plan::address::{Rules, refusal};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};
use url::Url;

mod fault;
mod redirect;
mod transport;

pub use fault::{BadCertificate, BadRedirect, WebFault};
pub use transport::NoClient;

/// One request and its answer, without redirects. The request carries a [`Cap`] among its extensions.
pub type Exchange = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, WebFault>;

/// Timeout of one request, redirects and body included: the same as for one AWS operation.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many redirects are followed: one for a renamed repository, one for a missing `.git` or slash, and some.
pub const REDIRECTS: usize = 5;

const AGENT: &str = concat!("launchway/", env!("CARGO_PKG_VERSION"));

/// How many bytes of a body are read, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap(pub usize);

impl Cap {
    /// For a list of refs: about 60 000 branches.
    pub const GIT: Cap = Cap(4 << 20);
    /// For a health check whose body is looked at.
    pub const VERIFY: Cap = Cap(64 << 10);
    /// For a health check that looks at the status only: the body is not read.
    pub const STATUS: Cap = Cap(0);
}

/// Sends requests to URLs that users wrote. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    rules: Arc<Rules>,
    exchange: Exchange,
}

/// The final answer.
pub struct Answer {
    /// The URL that answered, after redirects.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most as long as the cap. Never put it into a message: it may hold anything.
    pub body: Bytes,
}

impl Web {
    /// Uses the real network. The process must have installed rustls' provider. Fails without trusted certificates.
    pub fn guarded(rules: Rules) -> Result<Web, NoClient> {
        let rules = Arc::new(rules);
        let exchange = transport::exchange(Arc::clone(&rules))?;
        Ok(Web { rules, exchange })
    }

    /// Uses that service in place of the network, under the same rules for URLs, redirects, sizes and times.
    pub fn over<S>(rules: Rules, service: S) -> Web
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = WebFault> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Web { rules: Arc::new(rules), exchange: BoxCloneSyncService::new(service) }
    }

    /// The URL that a user wrote, if it is allowed.
    pub fn admitted(&self, text: &str) -> Result<Url, WebFault> {
        match refusal(text, &self.rules) {
            Some(refusal) => Err(WebFault::Refused(refusal)),
            None => Url::parse(text).map_err(|_| WebFault::Request),
        }
    }

    /// The answer to `request`, after redirects within the same origin. Any status is an answer.
    pub async fn answer(&self, request: Request<Bytes>, cap: Cap) -> Result<Answer, WebFault> {
        tokio::time::timeout(PATIENCE, self.followed(request, cap)).await.unwrap_or(Err(WebFault::Timeout))
    }

    /// The direct answer to `request`, even if it is a redirect.
    pub async fn unfollowed(&self, request: Request<Bytes>, cap: Cap) -> Result<Answer, WebFault> {
        let request = ours(request, cap);
        tokio::time::timeout(PATIENCE, self.one(request, cap)).await.unwrap_or(Err(WebFault::Timeout))
    }

    async fn followed(&self, request: Request<Bytes>, cap: Cap) -> Result<Answer, WebFault> {
        let mut request = ours(request, cap);
        for _ in 0..=REDIRECTS {
            let answer = self.one(request.clone(), cap).await?;
            match redirect::target(request.method(), &answer)? {
                None => return Ok(answer),
                Some(url) => *request.uri_mut() = uri(&url)?,
            }
        }
        Err(WebFault::Redirect(BadRedirect::TooMany))
    }

    async fn one(&self, request: Request<Bytes>, cap: Cap) -> Result<Answer, WebFault> {
        let url = self.admitted(&request.uri().to_string())?;
        let (parts, mut body) = self.exchange.clone().oneshot(request).await?.into_parts();
        if cap == Cap::STATUS {
            body.clear();
        }
        if body.len() > cap.0 {
            return Err(WebFault::TooLarge(cap.0));
        }
        Ok(Answer { url, status: parts.status, headers: parts.headers, body })
    }
}

/// The request with our user agent, and with the cap for its answer's body.
fn ours(mut request: Request<Bytes>, cap: Cap) -> Request<Bytes> {
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
    request.extensions_mut().insert(cap);
    request
}

/// The URL as a request takes it.
pub fn uri(url: &Url) -> Result<Uri, WebFault> {
    url.as_str().parse().map_err(|_| WebFault::Request)
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
