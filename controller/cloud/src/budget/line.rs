//! The queue for the tokens of a bucket. Changes come before looks that nobody waits for. Among changes, and among looks,
//! the namespaces take turns, so that one with a thousand of them gets no more than one with a single one; and within a
//! namespace those that matter most come first, and of these who came first.

use launchway_plan::rank::Rank;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Those who wait for one bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    /// How many ever came.
    came: u64,
    changes: Turns,
    looks: Turns,
}

/// Who waits where.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub rank: Rank,
    pub namespace: String,
    came: u64,
}

/// Namespaces that take turns.
#[derive(Clone, Debug, Default)]
struct Turns {
    /// Those that wait now, or were served since all others last were.
    namespaces: BTreeMap<String, Line>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    /// How many were served. A namespace that comes anew begins with as many as the one that had the fewest.
    served: u64,
    /// The ones that matter most first, and of these who came first.
    waiting: BTreeSet<(Reverse<Rank>, u64)>,
}

impl Lines {
    /// Takes a place.
    pub fn come(&mut self, rank: Rank, namespace: &str) -> Own {
        self.came += 1;
        let own = Own { rank, namespace: namespace.to_owned(), came: self.came };
        self.turns(rank).come(&own);
        own
    }

    /// How many are served before this one, and the least rank of these and of this one.
    pub fn before(&self, own: &Own) -> (usize, Rank) {
        match own.rank {
            Rank::Rollback | Rank::Rollout => self.changes.before(own),
            Rank::Look | Rank::Chore => {
                let (before, least) = self.looks.before(own);
                (before.saturating_add(self.changes.waiting()), least)
            }
        }
    }

    /// One was served.
    pub fn served(&mut self, own: &Own) {
        self.turns(own.rank).served(own);
    }

    /// One goes away.
    pub fn go(&mut self, own: &Own) {
        self.turns(own.rank).go(own);
    }

    fn turns(&mut self, rank: Rank) -> &mut Turns {
        match rank {
            Rank::Rollback | Rank::Rollout => &mut self.changes,
            Rank::Look | Rank::Chore => &mut self.looks,
        }
    }
}

impl Turns {
    fn come(&mut self, own: &Own) {
        let served = self.namespaces.values().map(|line| line.served).min().unwrap_or_default();
        let line = self.namespaces.entry(own.namespace.clone()).or_insert(Line { served, waiting: BTreeSet::new() });
        line.waiting.insert(own.place());
    }

    fn waiting(&self) -> usize {
        self.namespaces.values().map(|line| line.waiting.len()).sum()
    }

    /// It is the turn of the namespace that was served the least; of equal ones, of the one whose first came first.
    fn before(&self, own: &Own) -> (usize, Rank) {
        let Some(line) = self.namespaces.get(&own.namespace) else { return (0, own.rank) };
        let first = |line: &Line| line.waiting.first().map(|(_, came)| *came);
        let within = line.waiting.range(..own.place()).count();
        let own_turn = line.served.saturating_add(u64::try_from(within).unwrap_or(u64::MAX));
        let others = self.namespaces.iter().filter(|(name, _)| **name != own.namespace);
        let mut before = (within, own.rank);
        for (_, other) in others {
            let tie = u64::from(first(other) < first(line));
            let turns = own_turn.saturating_add(tie).saturating_sub(other.served);
            let turns = usize::try_from(turns).unwrap_or(usize::MAX);
            let ranks = other.waiting.iter().take(turns).map(|(Reverse(rank), _)| *rank);
            before = ranks.fold(before, |(count, least), rank| (count + 1, least.min(rank)));
        }
        before
    }

    fn served(&mut self, own: &Own) {
        if let Some(line) = self.namespaces.get_mut(&own.namespace) {
            line.served = line.served.saturating_add(1);
        }
    }

    /// Who waits for nothing is remembered only while it was served more often than somebody who waits.
    fn go(&mut self, own: &Own) {
        if let Some(line) = self.namespaces.get_mut(&own.namespace) {
            line.waiting.remove(&own.place());
        }
        let waits = self.namespaces.values().filter(|line| !line.waiting.is_empty());
        let least = waits.map(|line| line.served).min();
        self.namespaces.retain(|_, line| !line.waiting.is_empty() || least.is_some_and(|least| line.served > least));
    }
}

impl Own {
    fn place(&self) -> (Reverse<Rank>, u64) {
        (Reverse(self.rank), self.came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In which order those who wait are served.
    fn order(lines: &mut Lines, mut waiting: Vec<Own>) -> Vec<Own> {
        let mut served = Vec::new();
        while !waiting.is_empty() {
            let next = waiting.iter().position(|own| lines.before(own).0 == 0).expect("somebody is next");
            let own = waiting.remove(next);
            lines.served(&own);
            lines.go(&own);
            served.push(own);
        }
        served
    }

    #[test]
    fn a_namespace_with_many_gets_every_second_token_and_no_more() {
        let mut lines = Lines::default();
        let mut all: Vec<Own> = (0..100).map(|_| lines.come(Rank::Rollback, "flood")).collect();
        all.extend((0..3).map(|_| lines.come(Rank::Rollout, "victim")));
        let served = order(&mut lines, all);
        let victim = served.iter().enumerate().filter(|(_, own)| own.namespace == "victim").map(|(at, _)| at);
        assert_eq!(victim.collect::<Vec<_>>(), [1, 3, 5]);
    }

    #[test]
    fn who_comes_again_and_again_is_behind_who_was_served_less() {
        let mut lines = Lines::default();
        let victim = lines.come(Rank::Rollout, "victim");
        let mut before_it = 0;
        for _ in 0..10 {
            let flood = lines.come(Rank::Rollback, "flood");
            if lines.before(&flood).0 == 0 {
                lines.served(&flood);
                before_it += 1;
            }
            lines.go(&flood);
        }
        assert!(before_it <= 1, "{before_it} were served before it");
        assert_eq!(lines.before(&victim).0, 0);
    }

    #[test]
    fn a_look_waits_for_changes_of_every_namespace() {
        let mut lines = Lines::default();
        let look = lines.come(Rank::Look, "a");
        let change = lines.come(Rank::Rollout, "b");
        assert_eq!((lines.before(&look).0, lines.before(&change).0), (1, 0));
    }

    proptest! {
        #[test]
        fn each_has_a_place_of_its_own_and_nothing_is_remembered_in_the_end(
            come in prop::collection::vec((0..4_usize, prop::sample::select(Rank::ALL.to_vec())), 1..60)
        ) {
            let mut lines = Lines::default();
            let all: Vec<Own> = come.iter().map(|(at, rank)| lines.come(*rank, ["a", "b", "c", "d"][*at])).collect();
            let mut places: Vec<usize> = all.iter().map(|own| lines.before(own).0).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..all.len()).collect::<Vec<_>>());
            prop_assert_eq!(order(&mut lines, all).len(), come.len());
            prop_assert!(lines.changes.namespaces.is_empty() && lines.looks.namespaces.is_empty());
        }
    }
}
