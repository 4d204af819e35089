//! What can go wrong on the way to a URL, as data. Holds no userinfo, header, query or body (docs/security.md).

use std::error::Error;
use std::io;

use launchway_plan::address::AddressRefusal;
use launchway_plan::fault::{FaultKind, Remedy};

use super::limits::{PATIENCE, REDIRECTS};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebFault {
    /// The rules of the installation forbid it.
    #[error(transparent)]
    Refused(#[from] AddressRefusal),
    /// The answer was a redirect that is not followed.
    #[error("{0}")]
    Redirect(BadRedirect),
    /// No answer in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Timeout,
    /// No address for the host's name.
    #[error("the host's name could not be resolved")]
    Name,
    /// No connection.
    #[error("the host could not be connected to")]
    Connect,
    /// No trust.
    #[error("TLS failed: {0}")]
    Tls(BadCertificate),
    /// The connection ended before the answer did.
    #[error("the connection was cut before the answer was complete")]
    Broken,
    /// More bytes than are read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The request cannot be put into HTTP.
    #[error("the URL cannot be put into a request")]
    Request,
}

/// What the resolver says of a forbidden address, to be found among the causes of the client's error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Forbidden(pub(super) AddressRefusal);

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRedirect {
    /// To another scheme, host or port.
    #[error("redirected to another host, scheme or port ({0}), which is not followed; write the final URL")]
    Elsewhere(String),
    /// Round and round.
    #[error("redirected more than {} times", REDIRECTS)]
    TooMany,
    /// Without a place to go to.
    #[error("redirected to nowhere: the Location header is missing or no URL")]
    Nowhere,
}

/// What was wrong with the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// Its time is over, or not yet come.
    #[error("the host's certificate has expired or is not yet valid")]
    Expired,
    /// For another host.
    #[error("the host's certificate is for another name")]
    OtherName,
    /// Signed by none whom the controller trusts.
    #[error("the host's certificate is signed by an authority that the controller does not trust")]
    UnknownIssuer,
    /// A certificate that signs others stands where the host's own should, as with most that are signed by themselves.
    #[error(
        "the host shows the certificate of an authority as its own, and that is taken from no host, also if it is trusted"
    )]
    Authority,
    /// Anything else, also a host that speaks no TLS.
    #[error("no encrypted connection could be agreed upon")]
    Other,
}

impl WebFault {
    /// Who can do something about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            WebFault::Timeout | WebFault::Name | WebFault::Connect | WebFault::Broken => Remedy::Retry,
            WebFault::Tls(BadCertificate::Other) => Remedy::Retry,
            WebFault::Tls(
                BadCertificate::Expired
                | BadCertificate::OtherName
                | BadCertificate::UnknownIssuer
                | BadCertificate::Authority,
            ) => Remedy::AskOperator,
            WebFault::TooLarge(_) | WebFault::Redirect(_) => Remedy::AskOperator,
            WebFault::Refused(_) | WebFault::Request => Remedy::AskUser,
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FaultKind {
        match self {
            WebFault::Timeout | WebFault::Name | WebFault::Connect | WebFault::Broken => FaultKind::Unanswered,
            WebFault::Tls(BadCertificate::Other) => FaultKind::Unanswered,
            WebFault::Tls(
                BadCertificate::Expired
                | BadCertificate::OtherName
                | BadCertificate::UnknownIssuer
                | BadCertificate::Authority,
            ) => FaultKind::Refused,
            WebFault::TooLarge(_) | WebFault::Redirect(_) => FaultKind::Refused,
            WebFault::Refused(_) | WebFault::Request => FaultKind::Invalid,
        }
    }

    /// One word for it.
    pub fn code(&self) -> &'static str {
        match self {
            WebFault::Refused(_) => "Refused",
            WebFault::Redirect(_) => "Redirect",
            WebFault::Timeout => "Timeout",
            WebFault::Name => "NameNotResolved",
            WebFault::Connect => "NotConnected",
            WebFault::Tls(_) => "Tls",
            WebFault::Broken => "ConnectionBroken",
            WebFault::TooLarge(_) => "TooLarge",
            WebFault::Request => "BadRequest",
        }
    }

    /// The fault that a client's error stands for. Of its text, which may hold the URL, nothing is kept.
    pub(super) fn of(error: &reqwest::Error) -> WebFault {
        if let Some(known) = causes(error).find_map(known) {
            return known;
        }
        match error {
            error if error.is_timeout() => WebFault::Timeout,
            error if error.is_dns() => WebFault::Name,
            error if error.is_connect() => WebFault::Connect,
            error if error.is_builder() => WebFault::Request,
            _ => WebFault::Broken,
        }
    }
}

fn known(cause: &(dyn Error + 'static)) -> Option<WebFault> {
    let refused = cause.downcast_ref::<Forbidden>().map(|forbidden| WebFault::Refused(forbidden.0.clone()));
    refused.or_else(|| cause.downcast_ref::<rustls::Error>().map(|error| WebFault::Tls(certificate(error))))
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), deeper)
}

/// What an `io::Error` wraps is not its source but itself, so it is taken out, however often it is wrapped.
fn deeper<'a>(cause: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let cause: &'a (dyn Error + 'static) = *cause;
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

fn certificate(error: &rustls::Error) -> BadCertificate {
    use rustls::CertificateError as C;
    let rustls::Error::InvalidCertificate(error) = error else { return BadCertificate::Other };
    let out_of_time =
        matches!(error, C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. });
    if out_of_time {
        BadCertificate::Expired
    } else if matches!(error, C::NotValidForName | C::NotValidForNameContext { .. }) {
        BadCertificate::OtherName
    } else if matches!(error, C::UnknownIssuer | C::BadSignature) {
        // The second: an authority of the same name has another key.
        BadCertificate::UnknownIssuer
    } else if is_authority(error) {
        BadCertificate::Authority
    } else {
        BadCertificate::Other
    }
}

/// rustls has no word of its own for it, and passes on the error of the crate that looks at certificates.
fn is_authority(error: &rustls::CertificateError) -> bool {
    let rustls::CertificateError::Other(rustls::OtherError(cause)) = error else { return false };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
