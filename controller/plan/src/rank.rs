//! How much a call to AWS matters when our share of a quota runs short. The caller says it: the file `rank` of each kind
//! ranks its looks and effects. How many tokens are kept for which rank is decided in `cloud`.

/// How much a call to AWS matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A change that starts no rollout: counts, tags, old revisions.
    Chore,
    /// A look at an object that has nothing to do.
    Look,
    /// A change on its way, and the looks that it needs.
    Rollout,
    /// The way back to a version that worked, and whatever stops something.
    Rollback,
}

impl Rank {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Chore, Self::Look, Self::Rollout, Self::Rollback];
}
