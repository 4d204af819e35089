//! Images in ECR. Facts only.

use jiff::Timestamp;

/// An image that a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveImage {
    /// `sha256:<64 hex>`.
    pub digest: String,
    /// When it was pushed, under whatever tag; the beginning of time where ECR does not say.
    pub pushed_at: Timestamp,
}
