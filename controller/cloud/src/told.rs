//! What is told of calls to AWS, for whoever counts them: words of tables, and nothing that a user wrote.

use crate::operation::Operation;
use std::sync::Arc;
use std::time::Duration;

/// Is told of each call, and of each wait for a token.
pub type Tell = Arc<dyn Fn(Told) + Send + Sync>;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A call that was sent, or that could not be.
    Call {
        /// The service in IAM's word, such as `ecs`.
        service: &'static str,
        /// The operation, such as `UpdateService`.
        operation: &'static str,
        /// The bucket of AWS's quotas that it draws on.
        bucket: &'static str,
        /// What came of it.
        outcome: CallOutcome,
        /// From sending it until the answer.
        took: Duration,
    },
    /// A token of our share that was waited for.
    Wait {
        /// The bucket of AWS's quotas.
        bucket: &'static str,
        /// Whether there was one in time. If not, the object comes again later.
        got: bool,
        /// How long it was waited for; mostly not at all.
        took: Duration,
    },
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// AWS did as asked.
    Done,
    /// AWS refused, with a code that is about what was asked.
    Refused,
    /// AWS refused because too much is asked in this account and Region.
    Throttled,
    /// AWS failed, with a 5xx.
    Broken,
    /// There was no answer, or none that could be read.
    Unanswered,
    /// Nothing was sent: there are no credentials, or this replica does not lead.
    NotSent,
}

impl CallOutcome {
    /// The word for a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Broken => "broken",
            Self::Unanswered => "unanswered",
            Self::NotSent => "not_sent",
        }
    }
}

impl Told {
    /// A call and what came of it.
    pub(crate) fn call(operation: Operation, outcome: CallOutcome, took: Duration) -> Self {
        let (service, name) = operation.action().split_once(':').unwrap_or_default();
        Self::Call { service, operation: name, bucket: operation.bucket().name(), outcome, took }
    }
}
