//! How a command ends that does not succeed: its exit code, and its words, which are kubectl's where kubectl has some.

use kube::core::Status;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

/// The end of a command that does not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is told on standard error; empty: nothing.
    pub message: String,
    /// The exit code.
    pub code: u8,
    /// Whether asking again may help.
    pub lasting: Lasting,
}

/// Whether asking again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// It may: the server was not reached, or is busy.
    Passing,
    /// It will not.
    Lasting,
}

impl Failure {
    /// A failure with these words, after which the command ends with 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1, lasting: Lasting::Lasting }
    }

    /// `error: …`, as kubectl words what it finds by itself.
    pub fn error(message: impl std::fmt::Display) -> Self {
        Self::new(format!("error: {message}"))
    }

    /// The same with another exit code.
    pub fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// What a call to the API server at `server` ended with; `plural` is what was asked for.
    pub fn of_call(error: &kube::Error, server: &str, plural: &str) -> Self {
        if let kube::Error::Api(status) = error {
            return Self { lasting: lasting(status), ..Self::new(answer(status, plural)) };
        }
        Self { lasting: Lasting::Passing, ..Self::new(unreached(error, server)) }
    }

    /// Tells it, and is the exit code.
    pub fn told(self) -> ExitCode {
        if !self.message.is_empty() {
            eprintln!("{}", crate::text::clean(&self.message));
        }
        ExitCode::from(self.code)
    }
}

impl From<io::Error> for Failure {
    /// Nobody reads on (`| head`): that is no failure worth a word.
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe { Self::new("").with_code(0) } else { Self::error(error) }
    }
}

fn lasting(status: &Status) -> Lasting {
    match status.code {
        429 | 500..=599 => Lasting::Passing,
        _ => Lasting::Lasting,
    }
}

/// As kubectl words what the server answers.
fn answer(status: &Status, plural: &str) -> String {
    let named = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
    match (status.code, status.reason.as_str()) {
        (404, _) if !named => {
            format!("error: the server doesn't have a resource type \"{plural}\": are Launchway's CRDs installed?")
        }
        (401, _) => "error: You must be logged in to the server (Unauthorized)".to_owned(),
        (_, "") => format!("Error from server: {}", status.message),
        (_, reason) => format!("Error from server ({reason}): {}", status.message),
    }
}

/// As kubectl words that there was no answer.
fn unreached(error: &kube::Error, server: &str) -> String {
    let causes: Vec<&(dyn Error + 'static)> =
        std::iter::successors(Some(error as &(dyn Error + 'static)), |error: &&(dyn Error + 'static)| {
            (*error).source()
        })
        .collect();
    let refused = |cause: &&(dyn Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    };
    if causes.iter().any(refused) {
        return format!("The connection to the server {server} was refused - did you specify the right host or port?");
    }
    let why = causes.last().map(ToString::to_string).unwrap_or_default();
    format!("Unable to connect to the server {server}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, reason: &str, message: &str, name: &str) -> kube::Error {
        let text = serde_json::json!({"code": code, "reason": reason, "message": message, "details": {"name": name}});
        kube::Error::Api(Box::new(serde_json::from_value(text).unwrap()))
    }

    #[test]
    fn what_the_server_answers_is_worded_as_kubectl_words_it() {
        let of = |error: kube::Error| Failure::of_call(&error, "127.0.0.1:6443", "pipelines");
        let absent = status(404, "NotFound", "pipelines.launchway.dev \"x\" not found", "x");
        assert_eq!(of(absent).message, "Error from server (NotFound): pipelines.launchway.dev \"x\" not found");
        let no_kind = status(404, "NotFound", "404 page not found", "");
        assert!(of(no_kind).message.starts_with("error: the server doesn't have a resource type \"pipelines\""));
        let busy = of(status(503, "ServiceUnavailable", "later", ""));
        assert_eq!(
            (busy.message.as_str(), busy.lasting),
            ("Error from server (ServiceUnavailable): later", Lasting::Passing)
        );
        assert!(of(status(401, "Unauthorized", "Unauthorized", "")).message.contains("logged in"));
    }

    #[test]
    fn a_server_that_refuses_the_connection_is_named() {
        let refused = kube::Error::Service(Box::new(io::Error::from(ErrorKind::ConnectionRefused)));
        let failure = Failure::of_call(&refused, "10.0.0.1:6443", "pipelines");
        assert!(failure.message.starts_with("The connection to the server 10.0.0.1:6443 was refused"));
    }
}
