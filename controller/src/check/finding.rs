//! One line of the screen of `launchway check`.

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Works,
    /// It does not.
    Fails,
    /// It was not tried.
    Untried,
}

/// One line of the screen, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it was answered.
    pub verdict: Verdict,
    /// What was asked.
    pub what: String,
    /// What was seen.
    pub how: String,
    /// What is missing, a line each, with what helps.
    pub missing: Vec<String>,
}

impl Finding {
    pub(super) fn works(what: &str, how: impl Into<String>) -> Self {
        Self { verdict: Verdict::Works, what: what.to_owned(), how: how.into(), missing: Vec::new() }
    }

    pub(super) fn fails(what: &str, how: impl Into<String>, missing: Vec<String>) -> Self {
        Self { verdict: Verdict::Fails, what: what.to_owned(), how: how.into(), missing }
    }

    pub(super) fn untried(what: &str, how: impl Into<String>) -> Self {
        Self { verdict: Verdict::Untried, what: what.to_owned(), how: how.into(), missing: Vec::new() }
    }
}
