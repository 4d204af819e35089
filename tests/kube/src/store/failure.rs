//! What the API server answers when it refuses: HTTP code, reason and a `Status`. Decides nothing.

use http::StatusCode;
use serde_json::{Value, json};

use super::kinds::Kind;

/// A refusal, as the API server would put it into a `metav1.Status`.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The HTTP status code.
    pub code: StatusCode,
    /// The machine-readable reason, such as `NotFound`.
    pub reason: &'static str,
    /// The sentence for people.
    pub message: String,
    details: Value,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.reason, self.message, self.code.as_u16())
    }
}

impl std::error::Error for Failure {}

impl Failure {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, reason, message: message.into(), details: Value::Null }
    }

    fn about(mut self, kind: &Kind, name: &str) -> Failure {
        self.details = json!({"name": name, "group": kind.group, "kind": kind.plural});
        self
    }

    pub(super) fn not_found(kind: &Kind, name: &str) -> Failure {
        let message = format!("{} {name:?} not found", kind.resource());
        Failure::new(StatusCode::NOT_FOUND, "NotFound", message).about(kind, name)
    }

    pub(super) fn no_such_path() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn already_exists(kind: &Kind, name: &str) -> Failure {
        let message = format!("{} {name:?} already exists", kind.resource());
        Failure::new(StatusCode::CONFLICT, "AlreadyExists", message).about(kind, name)
    }

    pub(super) fn conflict(kind: &Kind, name: &str, why: &str) -> Failure {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Failure::new(StatusCode::CONFLICT, "Conflict", message).about(kind, name)
    }

    pub(super) fn invalid(kind: &Kind, name: &str, why: &str) -> Failure {
        let message = format!("{} {name:?} is invalid: {why}", kind.kind);
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).about(kind, name)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn expired(asked: u64, oldest: u64) -> Failure {
        Failure::new(StatusCode::GONE, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    pub(super) fn too_large(asked: u64, current: u64) -> Failure {
        let message = format!("Too large resource version: {asked}, current: {current}");
        let mut failure = Failure::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message.clone());
        failure.details = json!({
            "causes": [{"reason": "ResourceVersionTooLarge", "message": message}],
            "retryAfterSeconds": 1,
        });
        failure
    }

    /// What this store does not do, said aloud, so that no test passes by accident.
    pub(super) fn not_served(what: impl std::fmt::Display) -> Failure {
        let message = format!("the store in memory does not serve {what}");
        Failure::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn method_not_allowed(kind: &Kind) -> Failure {
        let message = format!("the server does not allow this method on {}", kind.resource());
        Failure::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    pub(super) fn media_type() -> Failure {
        let message = "the body of the request was in an unknown format - accepted media types include: \
                       application/merge-patch+json";
        Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// The `metav1.Status` that goes over the wire.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code.as_u16(),
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}
