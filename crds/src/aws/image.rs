//! Words of ECR's about images.

use super::shape::words;

words! {
    /// How bad a finding of a scan is, of those that a release may fail for.
    Severity: "CRITICAL", "HIGH", "MEDIUM", "LOW";
}
