//! How much a call to AWS matters when our share of a quota runs short. Who asks says it: each kind has a `rank` of its own
//! that says how much its looks and effects matter. How much is kept for whom is in `cloud`.

/// How much a call to AWS matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// It sets right what starts no rollout: counts, tags, old revisions.
    Chore,
    /// It looks whether an object that has nothing to do is still as it should be.
    Look,
    /// It brings a change forward, or looks in order to.
    Rollout,
    /// It goes back to what was good, or stops something.
    Rollback,
}

impl Rank {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Chore, Self::Look, Self::Rollout, Self::Rollback];
}
