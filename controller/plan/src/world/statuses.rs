//! What others report of a commit at its git host. Facts only.

use std::collections::BTreeMap;

/// What others report of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveStatuses {
    /// By name how each stands that was asked for. One that the git host does not have is absent.
    pub asked: BTreeMap<String, Stand>,
    /// Some of the names that it has besides.
    pub others: Vec<String>,
    /// Why a part of what it has could not be read, if that is so.
    pub hidden: Option<&'static str>,
}

/// How a commit status or a check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It succeeded, or the git host counts it so.
    Succeeded,
    /// It has not ended.
    Pending,
    /// It ended in another way: the git host's word for it.
    Failed(String),
}

impl Stand {
    /// How two of one name stand together: as the worse one; but one that was cancelled counts for nothing beside another, which ran
    /// in its place.
    pub fn and(self, other: Self) -> Self {
        let is_cancelled = |stand: &Self| matches!(stand, Self::Failed(word) if word == "cancelled");
        match (self, other) {
            (cancelled, other) if is_cancelled(&cancelled) => other,
            (other, cancelled) if is_cancelled(&cancelled) => other,
            (failed @ Self::Failed(_), _) | (_, failed @ Self::Failed(_)) => failed,
            (Self::Pending, _) | (_, Self::Pending) => Self::Pending,
            (Self::Succeeded, Self::Succeeded) => Self::Succeeded,
        }
    }
}
