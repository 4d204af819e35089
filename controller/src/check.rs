//! `launchway check`: what works and which right is missing, in one screen. It only looks.

mod aws;
mod finding;
mod kubernetes;

use crate::context::Context;
use crate::lease::Name;
use std::fmt;

pub use finding::{Finding, Verdict};
pub use kubernetes::RIGHTS;

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
