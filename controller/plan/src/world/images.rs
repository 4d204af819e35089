//! Images in ECR. Facts only.

/// An image that a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveImage {
    /// `sha256:<64 hex>`.
    pub digest: String,
}
