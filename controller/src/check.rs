//! `launchway check`: what works and which right is missing, in one screen. It only looks.

mod aws;
mod kubernetes;

use crate::context::Context;
use crate::lease::Name;
use std::fmt;

pub use kubernetes::RIGHTS;

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
    fn works(what: &str, how: impl Into<String>) -> Self {
        Self { verdict: Verdict::Works, what: what.to_owned(), how: how.into(), missing: Vec::new() }
    }

    fn fails(what: &str, how: impl Into<String>, missing: Vec<String>) -> Self {
        Self { verdict: Verdict::Fails, what: what.to_owned(), how: how.into(), missing }
    }

    fn untried(what: &str, how: impl Into<String>) -> Self {
        Self { verdict: Verdict::Untried, what: what.to_owned(), how: how.into(), missing: Vec::new() }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Of Kubernetes.
    pub kubernetes: Vec<Finding>,
    /// Of AWS.
    pub aws: Vec<Finding>,
}

impl Findings {
    /// Whether nothing is missing.
    pub fn is_well(&self) -> bool {
        self.kubernetes.iter().chain(&self.aws).all(|finding| finding.verdict != Verdict::Fails)
    }
}

/// Looks. `lease` is the one that the replicas share, if it is known.
pub async fn check(context: &Context, lease: Option<&Name>) -> Findings {
    let kubernetes = kubernetes::check(context, lease).await;
    Findings { kubernetes, aws: aws::check(context).await }
}

/// The screen.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, findings) in [("Kubernetes", &self.kubernetes), ("AWS", &self.aws)] {
            writeln!(f, "{title}")?;
            for Finding { verdict, what, how, missing } in findings {
                let mark = match verdict {
                    Verdict::Works => '✓',
                    Verdict::Fails => '✗',
                    Verdict::Untried => '–',
                };
                writeln!(f, "  {mark} {what:<22} {how}")?;
                for line in missing {
                    writeln!(f, "      {line}")?;
                }
            }
        }
        Ok(())
    }
}
