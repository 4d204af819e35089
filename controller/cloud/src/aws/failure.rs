//! What the SDK says of a call that failed, without the SDK's types. What helps against it is in `fault`.

use super::codes;
use super::fence::NotLeading;
use crate::budget::NoToken;
use crate::scrub;
use crate::told::CallOutcome;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use launchway_plan::fault::Fault;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub cause: Cause,
    /// AWS's code, or a word of ours where there was none.
    pub code: String,
    /// AWS's message, whole: it is scrubbed and cut when it becomes a fault.
    pub message: String,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Our own budget is used up for so long: nothing was sent.
    NoToken(Duration),
    /// This process is not sure that it leads: nothing was sent.
    NotLeading,
    /// The role could not be assumed: nothing was sent.
    Unidentified(Box<Fault>),
    /// There are no credentials to begin with: nothing was sent.
    NoCredentials,
    /// There are credentials, but they could not be fetched: nothing was sent.
    CredentialsNotFetched,
    /// The request could not be made: nothing was sent.
    Unbuilt,
    /// It may have been sent, and there is no answer.
    Unanswered,
    /// AWS failed: what happened is not known.
    Broken,
    /// AWS refused: nothing happened.
    Refused,
}

/// A role that could not be assumed, on its way through the SDK.
#[derive(Debug)]
pub(crate) struct Unidentified(pub Fault);

impl fmt::Display for Unidentified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unidentified {}

impl Failure {
    /// What became of a call.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enums may grow")]
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if is_fenced(error) {
            return Self::new(Cause::NotLeading, "NotLeading", &NotLeading.to_string());
        }
        if let Some(failure) = credentials(error) {
            return failure;
        }
        match error {
            SdkError::ServiceError(answer) => {
                refused(answer.raw().status().as_u16(), answer.err().meta().code(), answer.err().meta().message())
            }
            SdkError::ConstructionFailure(_) => Self::unbuilt(error),
            SdkError::TimeoutError(_) => Self::new(Cause::Unanswered, TIMEOUT, ""),
            SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => Self::new(Cause::Unanswered, TIMEOUT, ""),
            SdkError::DispatchFailure(_) => Self::new(Cause::Unanswered, "ConnectionFailed", &causes(error)),
            _ => Self::unreadable(&causes(error)),
        }
    }

    /// What became of an attempt to fetch credentials.
    pub fn of_credentials(error: &CredentialsError) -> Self {
        credentials(error).unwrap_or_else(|| Self::unbuilt(error))
    }

    /// Nobody says where there are credentials.
    pub fn no_credentials() -> Self {
        Self::new(Cause::NoCredentials, "NoCredentials", "no provider of credentials is configured")
    }

    /// The request could not be made.
    pub fn unbuilt(error: &(dyn Error + 'static)) -> Self {
        Self::new(Cause::Unbuilt, "NotBuilt", &causes(error))
    }

    /// AWS answered something that cannot be read.
    pub fn unreadable(message: &str) -> Self {
        Self::new(Cause::Unanswered, "UnreadableAnswer", message)
    }

    /// AWS's answer to a shared look left out what was asked for.
    pub fn not_mentioned() -> Self {
        Self::new(Cause::Unanswered, "NotMentioned", "the answer says neither that it exists nor that it does not")
    }

    /// There is no such object.
    pub fn absent() -> Self {
        Self::new(Cause::Refused, "NoSuchKey", "")
    }

    /// Whether there is no such object.
    pub fn is_absent(&self) -> bool {
        self.code == "NoSuchKey"
    }

    /// Whether it is worth sending the same look once more right away. After a timeout or throttling it is better to come
    /// back later. A refusal because of a wrong clock brought AWS's time, so that the next call is signed correctly.
    pub fn is_passing(&self) -> bool {
        match self.cause {
            Cause::Unanswered => self.code != TIMEOUT,
            Cause::Broken => true,
            Cause::Refused => codes::is_of_another_time(&self.code, &self.message),
            Cause::NoToken(_)
            | Cause::NotLeading
            | Cause::Unidentified(_)
            | Cause::NoCredentials
            | Cause::CredentialsNotFetched
            | Cause::Unbuilt => false,
        }
    }

    /// Whether AWS refused because too much is asked in this account and Region.
    fn is_throttled(&self) -> bool {
        codes::is_passing(&self.code, &self.message) && !codes::is_of_another_time(&self.code, &self.message)
    }

    /// Whether it says something about all who shared the call. If not, one of them may have spoilt it for the others.
    pub fn concerns_all(&self) -> bool {
        // A refusal may be of what one of them asked for.
        !matches!(self.cause, Cause::Refused) || codes::is_passing(&self.code, &self.message)
    }

    fn new(cause: Cause, code: &str, message: &str) -> Self {
        Self { cause, code: code.to_owned(), message: message.to_owned() }
    }
}

/// What came of a call, for whoever counts calls.
pub(crate) fn outcome<T>(answer: &Result<T, Failure>) -> CallOutcome {
    match answer {
        Ok(_) => CallOutcome::Done,
        Err(failure) if failure.cause == Cause::Refused && failure.is_throttled() => CallOutcome::Throttled,
        Err(failure) if failure.cause == Cause::Refused => CallOutcome::Refused,
        Err(failure) if failure.cause == Cause::Broken => CallOutcome::Broken,
        Err(failure) if failure.cause == Cause::Unanswered => CallOutcome::Unanswered,
        Err(_) => CallOutcome::NotSent,
    }
}

const TIMEOUT: &str = "Timeout";

impl From<NoToken> for Failure {
    fn from(NoToken { wait }: NoToken) -> Self {
        Self::new(Cause::NoToken(wait), "NoToken", "Launchway's share of AWS's quota is used up for the moment")
    }
}

/// A refusal has a code: a 4xx without one comes from something between AWS and us.
pub(crate) fn refused(status: u16, code: Option<&str>, message: Option<&str>) -> Failure {
    let message = message.unwrap_or_default();
    match code {
        None if status >= 500 => Failure::new(Cause::Broken, &format!("HTTP{status}"), message),
        None => Failure::new(Cause::Unanswered, &format!("HTTP{status}"), message),
        // S3 throttles with a 503.
        Some("SlowDown") => Failure::new(Cause::Refused, "SlowDown", message),
        Some(code) if status >= 500 || codes::is_outage(code) => Failure::new(Cause::Broken, code, message),
        Some(code) => Failure::new(Cause::Refused, code, message),
    }
}

/// Whether the fence kept it from being sent.
fn is_fenced(error: &(dyn Error + 'static)) -> bool {
    error.is::<NotLeading>() || error.source().is_some_and(is_fenced)
}

/// What kept the SDK from signing, wherever it stands among the causes.
fn credentials(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(Unidentified(fault)) = this.downcast_ref() {
            let (code, message) = (fault.code.clone(), fault.message.clone());
            return Some(Failure { cause: Cause::Unidentified(Box::new(fault.clone())), code, message });
        }
        if let Some(error) = this.downcast_ref::<CredentialsError>()
            && !has_fault(error)
        {
            return Some(Failure::new(lacking(error), "NoCredentials", &causes(error)));
        }
        cause = this.source();
    }
    None
}

fn has_fault(error: &CredentialsError) -> bool {
    let mut cause = error.source();
    while let Some(this) = cause {
        if this.is::<Unidentified>() {
            return true;
        }
        cause = this.source();
    }
    false
}

/// Credentials that are configured but could not be fetched may come; others have to be given.
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enums may grow")]
fn lacking(error: &CredentialsError) -> Cause {
    match error {
        CredentialsError::ProviderTimedOut(_) | CredentialsError::ProviderError(_) => Cause::CredentialsNotFetched,
        _ => Cause::NoCredentials,
    }
}

/// What each cause says, never what it holds: that could be a reply with keys in it.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(this) = cause {
        let words = this.to_string();
        if said.last() != Some(&words) {
            said.push(words);
        }
        cause = this.source();
    }
    scrub::message(&said.join(": "))
}
