//! One exchange over the real network, to addresses that pass the rules. URLs and redirects are judged elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use launchway_plan::address::{Rules, address_refusal};
use reqwest::Certificate;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::authorities::Authorities;
use super::fault::{Forbidden, WebFault};
use super::limits::{Cap, PATIENCE};

/// One request and its answer, without redirects. The request carries a [`Cap`] among its extensions.
pub type Exchange = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, WebFault>;

/// There is no HTTP client, commonly because the system has no certificates to trust.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS client: {0}")]
pub struct NoClient(#[from] reqwest::Error);

/// Half of the patience for one answer, so that a second address of a host still has its turn.
const CONNECT: Duration = Duration::from_secs(5);

/// Proxies of the environment are not used: a proxy would resolve the names, and the rules for addresses would not hold.
pub(super) fn exchange(rules: Arc<Rules>, authorities: Option<&Authorities>) -> Result<Exchange, NoClient> {
    let certificates = authorities.into_iter().flat_map(Authorities::certificates);
    let client = reqwest::Client::builder()
        .tls_certs_merge(certificates.map(Certificate::from_der).collect::<Result<Vec<_>, _>>()?)
        .dns_resolver(Arc::new(GuardedNames(rules)))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .build()?;
    Ok(BoxCloneSyncService::new(service_fn(move |request| one(client.clone(), request))))
}

async fn one(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, WebFault> {
    let cap = request.extensions().get::<Cap>().copied().unwrap_or(Cap::VERIFY);
    let request = reqwest::Request::try_from(request).map_err(|_| WebFault::Request)?;
    let mut response = client.execute(request).await.map_err(|error| WebFault::of(&error))?;
    let body = body(&mut response, cap).await?;
    let mut answer = Response::new(body);
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    Ok(answer)
}

async fn body(response: &mut reqwest::Response, cap: Cap) -> Result<Bytes, WebFault> {
    let mut body = BytesMut::new();
    if cap == Cap::STATUS {
        return Ok(body.freeze());
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| WebFault::of(&error))? {
        if body.len() + chunk.len() > cap.0 {
            return Err(WebFault::TooLarge(cap.0));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The system's resolver, less the addresses that are forbidden: asked at every connection, so a name that points
/// elsewhere the second time is refused too.
struct GuardedNames(Arc<Rules>);

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(allowed(host, found, &rules).map(|found| -> Addrs { Box::new(found.into_iter()) })?)
        })
    }
}

/// One forbidden address among several refuses them all: a mixed answer is what an attacker would send.
fn allowed(host: &str, found: impl Iterator<Item = SocketAddr>, rules: &Rules) -> Result<Vec<SocketAddr>, Forbidden> {
    found
        .map(|address| match address_refusal(host, address.ip(), rules) {
            Some(refusal) => Err(Forbidden(refusal)),
            None => Ok(address),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_forbidden_address_refuses_the_whole_name() {
        let found: Vec<SocketAddr> = vec!["52.1.2.3:0".parse().unwrap(), "169.254.169.254:0".parse().unwrap()];
        let refused = allowed("rebound.example.com", found.clone().into_iter(), &Rules::strict()).unwrap_err();
        assert!(refused.to_string().contains("rebound.example.com") && !refused.to_string().contains("169.254"));
        assert_eq!(allowed("a.example.com", found.into_iter().take(1), &Rules::strict()).unwrap().len(), 1);
    }
}
