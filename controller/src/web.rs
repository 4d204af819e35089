//! HTTP requests to URLs that users wrote: guarded, bounded, and silent about secrets. What is asked and what an answer
//! means is not known here.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{HeaderValue, USER_AGENT};
use http::{Request, Response, Uri};
use launchway_plan::address::{Rules, refusal};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};
use url::Url;

mod answer;
mod authorities;
mod fault;
mod limits;
mod redirect;
mod transport;

pub use answer::Answer;
pub use authorities::Authorities;
#[cfg(test)]
pub(crate) use authorities::CERTIFICATE;
pub use fault::{BadCertificate, BadRedirect, WebFault};
pub use limits::{Cap, PATIENCE, REDIRECTS};
pub use transport::{Exchange, NoClient};

const AGENT: &str = concat!("launchway/", env!("CARGO_PKG_VERSION"));

/// Sends requests to URLs that users wrote. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    rules: Arc<Rules>,
    exchange: Exchange,
    /// Clients that trust other authorities too, by these; none: there is no network.
    trusting: Option<Arc<Mutex<Clients>>>,
}

/// Clients, by the authorities that they trust.
#[derive(Default)]
struct Clients(HashMap<Authorities, Exchange>);

/// How many sets of authorities have a client at a time. Each holds what the system trusts as well, some hundred kilobytes.
const CLIENTS: usize = 32;

impl Clients {
    /// Keeps a client. Where there is no room for it, any one of the others is dropped: whoever needs that one makes it anew.
    fn keep(&mut self, authorities: &Authorities, exchange: Exchange) {
        if self.0.len() >= CLIENTS
            && !self.0.contains_key(authorities)
            && let Some(one) = self.0.keys().next().cloned()
        {
            self.0.remove(&one);
        }
        self.0.insert(authorities.clone(), exchange);
    }
}

impl Web {
    /// Uses the real network. The process must have installed rustls' provider. Fails without trusted certificates.
    pub fn guarded(rules: Rules) -> Result<Web, NoClient> {
        let rules = Arc::new(rules);
        let exchange = transport::exchange(Arc::clone(&rules), None)?;
        Ok(Web { rules, exchange, trusting: Some(Arc::default()) })
    }

    /// The same, which trusts these authorities too.
    ///
    /// # Errors
    /// There is no client that does.
    pub fn trusting(&self, authorities: &Authorities) -> Result<Web, WebFault> {
        let Some(clients) = &self.trusting else { return Ok(self.clone()) };
        let clients = || clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients().0.get(authorities).cloned();
        if let Some(exchange) = known {
            return Ok(Web { exchange, ..self.clone() });
        }
        // Made without the lock: it reads every certificate of the system.
        let made = transport::exchange(Arc::clone(&self.rules), Some(authorities));
        let exchange = made.map_err(|_| WebFault::Tls(BadCertificate::Other))?;
        clients().keep(authorities, exchange.clone());
        Ok(Web { exchange, ..self.clone() })
    }

    /// Uses that service in place of the network, under the same rules for URLs, redirects, sizes and times.
    pub fn over<S>(rules: Rules, service: S) -> Web
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = WebFault> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Web { rules: Arc::new(rules), exchange: BoxCloneSyncService::new(service), trusting: None }
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

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
