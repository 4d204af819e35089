//! Faults: failures of the outside world, as data. Which code of AWS means which fault is decided in `cloud`.

use std::fmt;

/// A failure of the outside world, and what helps against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was asked, as IAM names it (`ecs:UpdateService`), or `git:ls-refs`, `kubernetes:get`.
    pub operation: String,
    /// The ARN or the URL that it was asked of.
    pub resource: String,
    /// The code of the answer, or a word of ours where there was none (`Timeout`, `NoToken`).
    pub code: String,
    /// What AWS said, without secrets, at most 512 bytes.
    pub message: String,
    /// What helps.
    pub remedy: Remedy,
}

/// What helps against a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// An effect was sent and its answer is not known: the next pass looks first.
    LookAgain,
    /// Throttling or an outage: back off, then try again.
    Retry,
    /// No token of our own budget: there is one in so many seconds.
    Wait(i64),
    /// Access is denied, a role or a project is missing, a quota is reached: nothing tells us that it was mended.
    AskOperator,
    /// The spec alone is wrong: nothing changes until it does.
    AskUser,
}

impl Fault {
    /// Whether an effect that ended so may have happened.
    pub fn is_doubt(&self) -> bool {
        self.remedy == Remedy::LookAgain
    }

    /// Whether nothing was done and time alone helps.
    pub fn is_passing(&self) -> bool {
        matches!(self.remedy, Remedy::Retry | Remedy::Wait(_))
    }

    /// Whether a person has to change something.
    pub fn is_terminal(&self) -> bool {
        matches!(self.remedy, Remedy::AskOperator | Remedy::AskUser)
    }

    /// Whether AWS refused for want of a permission.
    pub fn is_denied(&self) -> bool {
        self.code.starts_with("AccessDenied") || self.code == "UnauthorizedOperation"
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, resource, message, .. } = self;
        let needed = if message.is_empty() { Some(operation.as_str()) } else { message.strip_prefix("needs ") };
        match (self.is_denied(), needed) {
            (true, Some(action)) => {
                return write!(
                    f,
                    "{operation} on {resource} is denied: allow {{\"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"{resource}\"}} for Launchway's role"
                );
            }
            (true, None) => return write!(f, "{operation} on {resource} is denied: {message}"),
            (false, _) => {}
        }
        write!(f, "{operation} on {resource}: {}", self.code)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}
