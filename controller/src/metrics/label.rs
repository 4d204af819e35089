//! The label that many metrics have, and whole numbers.

use crate::key::Kind;
use prometheus_client::encoding::EncodeLabelSet;

/// The label of a kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabel {
    kind: String,
}

impl From<Kind> for KindLabel {
    fn from(kind: Kind) -> Self {
        Self { kind: kind.name().into_owned() }
    }
}

/// A count as gauges take it.
pub(super) fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
