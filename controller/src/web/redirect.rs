//! Which redirects are followed: those that stay at the same scheme, host and port. Nothing is dialled here.

use http::header::LOCATION;
use http::{Method, StatusCode};
use launchway_plan::condition::cut;
use url::Url;

use super::answer::Answer;
use super::fault::{BadRedirect, WebFault};

/// How much of a foreign origin is told, in bytes.
const ORIGIN: usize = 300;

/// Where `answer` sends a request of `method`; none if it is no redirect, or one that would change what is asked
/// (a POST that would become a GET).
pub(super) fn target(method: &Method, answer: &Answer) -> Result<Option<Url>, WebFault> {
    let follows = match answer.status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::GET || *method == Method::HEAD,
        _ => false,
    };
    if follows { same_origin(answer).map(Some).map_err(WebFault::Redirect) } else { Ok(None) }
}

fn same_origin(answer: &Answer) -> Result<Url, BadRedirect> {
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()).ok_or(BadRedirect::Nowhere)?;
    let target = answer.url.join(location).map_err(|_| BadRedirect::Nowhere)?;
    if target.origin() == answer.url.origin() {
        Ok(target)
    } else {
        // A host's name has 253 letters at most, but nobody holds a server to that, and faults are kept.
        Err(BadRedirect::Elsewhere(cut(&target.origin().ascii_serialization(), ORIGIN)))
    }
}
