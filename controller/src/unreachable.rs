//! Requests to Kubernetes that failed, and what may be said of them: nothing of an answer that could not be decoded, which may
//! be an object.

use crate::item::Unreadable;
use kube::core::Status;
use launchway_cloud::NotLeading;
use launchway_plan::condition::{MESSAGE_MAX, cut};

/// A request to Kubernetes failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}")]
pub struct Unreachable {
    /// What was tried.
    pub operation: &'static str,
    /// On which object.
    pub object: String,
    /// Why.
    #[source]
    pub source: Cause,
}

/// Why a request to Kubernetes failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The API server was not reached, or refused the request.
    #[error(transparent)]
    Kube(kube::Error),
    /// The answer is none of the API server's. What it says is not repeated: it may be an object.
    #[error("the answer is not one of Kubernetes' API: look whether a proxy stands before the API server")]
    Garbled,
    /// It was a change, and this replica does not lead any more.
    #[error(transparent)]
    NotLeading(NotLeading),
    /// The object is there, and cannot be decoded. An Event on it says so.
    #[error("the object cannot be read because of {0}: correct that value or take it out")]
    Unreadable(String),
}

impl From<kube::Error> for Cause {
    fn from(error: kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            let message = said(&status).to_owned();
            return Self::Kube(kube::Error::Api(Box::new(Status { message, ..*status })));
        }
        if is_fenced(&error) {
            return Self::NotLeading(NotLeading);
        }
        if matches!(error, kube::Error::SerdeError(_)) { Self::Garbled } else { Self::Kube(error) }
    }
}

/// The reason of the Status that kube makes of a refusal that is no Status (kube-client 5.0, `handle_api_errors`). Its message is
/// the whole answer.
const NO_STATUS: &str = "Failed to parse error data";

/// What the API server says of a refusal. Of an answer that is none of its own nothing is shown.
pub fn said(status: &Status) -> &str {
    if status.reason == NO_STATUS { "the answer is not one of Kubernetes' API" } else { &status.message }
}

/// The words of an error of Kubernetes. Of an answer that is none of the API server's nothing is shown.
pub fn words(error: &kube::Error) -> String {
    let text = if let kube::Error::Api(status) = error {
        format!("{} ({} {})", said(status), status.reason, status.code)
    } else if matches!(error, kube::Error::SerdeError(_)) {
        Cause::Garbled.to_string()
    } else {
        error.to_string()
    };
    cut(&text, MESSAGE_MAX)
}

impl Unreachable {
    /// Makes the error of that operation on that object.
    pub fn of(operation: &'static str, object: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let object = object.into();
        move |error| Self { operation, object, source: error.into() }
    }

    /// Makes the error of that operation on that object, which is there and cannot be read.
    pub fn unreadable(operation: &'static str, object: impl Into<String>) -> impl FnOnce(Box<Unreadable>) -> Self {
        let object = object.into();
        move |unreadable| Self { operation, object, source: Cause::Unreadable(unreadable.member) }
    }
}

/// Whether the fence kept the request from being sent.
pub fn is_fenced(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Service(cause) if cause.is::<NotLeading>())
}

/// Whether the error says that the object has changed since it was read, or is gone.
pub fn is_stale(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_conflict() || status.is_not_found())
}
