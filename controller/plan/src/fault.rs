//! Faults: failures of the outside world, as data. Which of AWS's codes is which kind is decided in `cloud`.

use std::fmt;

/// A failure of the outside world, and what helps against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was asked, as IAM names it (`ecs:UpdateService`), or `git:ls-refs`, `kubernetes:get`. For people.
    pub operation: String,
    /// The ARN or the URL that it was asked of. For people.
    pub resource: String,
    /// The code of the answer, or a word of ours where there was none (`Timeout`, `NoToken`). For people.
    pub code: String,
    /// What AWS said, without secrets, at most 512 bytes. For people.
    pub message: String,
    /// What kind of failure it is: what code asks of a fault.
    pub kind: FaultKind,
    /// What helps.
    pub remedy: Remedy,
}

/// What kind of failure a fault is. Who makes the fault decides it, and nobody else reads codes or messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A permission is missing.
    Denied {
        /// The IAM action to allow; absent where another statement for the role does not help, or none is known.
        needs: Option<String>,
    },
    /// There are no credentials, or they are not accepted.
    Credentials,
    /// A quota is reached.
    Quota,
    /// Something that was named is not there, and somebody has to make it.
    Absent(Thing),
    /// What the call was about is gone, or is not there yet.
    Gone,
    /// The request is wrong, and stays so until it says something else.
    Invalid,
    /// It was refused, and yet this call or an earlier one may have come through: believed only after a look.
    Dubious,
    /// It was refused for another reason.
    Refused,
    /// It was refused for the moment: too many calls, or a clock that is wrong. Nothing happened, and later it works.
    Throttled,
    /// The other side failed.
    Outage,
    /// There was no answer, or none that can be read.
    Unanswered,
    /// Our own budget had no token: nothing was sent.
    NoToken,
    /// This replica is not sure that it leads: nothing was sent.
    NotLeading,
    /// Nothing was sent, by a mistake of ours.
    Bug,
    /// Kubernetes refused a write of ours.
    Kubernetes,
}

/// What can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// An ECS cluster.
    Cluster,
    /// A Cloud Map namespace.
    Namespace,
    /// A CodeBuild project.
    Project,
    /// A repository, in ECR or git.
    Repository,
    /// A git branch.
    Branch,
    /// Something else that the message names.
    Other,
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

    /// In how many seconds there is a token, if that is all that was missing.
    pub fn turn(&self) -> Option<i64> {
        match self.remedy {
            Remedy::Wait(seconds) => Some(seconds),
            Remedy::LookAgain | Remedy::Retry | Remedy::AskOperator | Remedy::AskUser => None,
        }
    }

    /// Whether a person has to change something.
    pub fn is_terminal(&self) -> bool {
        matches!(self.remedy, Remedy::AskOperator | Remedy::AskUser)
    }

    /// Whether AWS refused for want of a permission.
    pub fn is_denied(&self) -> bool {
        matches!(self.kind, FaultKind::Denied { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, resource, code, message, .. } = self;
        if let FaultKind::Denied { needs: Some(action) } = &self.kind {
            return write!(
                f,
                "{operation} on {resource} is denied: allow {{\"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"{resource}\"}} for Launchway's role"
            );
        }
        if self.is_denied() {
            return write!(f, "{operation} on {resource} is denied: {message}");
        }
        write!(f, "{operation} on {resource}: {code}")?;
        if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
    }
}
