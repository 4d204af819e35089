//! What to say of branches that are not there: which is the default, and which names are near. How many branches there are
//! and how long their names, the owner of the repository chooses, so that the work is bounded for each poll.

use super::NoSuchBranch;

/// How many near names are told, at most.
const TOLD: usize = 5;

/// How many names are looked at for one poll, for all branches that it missed together. Looking at one takes about a
/// tenth of a microsecond.
const LOOKED_AT: usize = 20_000;

/// How many names are compared letter by letter for one poll, and how long such a name may be, in bytes. A comparison of
/// the longest takes some microseconds.
const COMPARED: usize = 500;
const LONGEST: usize = 64;

/// What may still be spent on the advice for one poll.
pub(super) struct Advice {
    looked_at: usize,
    compared: usize,
}

/// How far a name may be to be near: a third of its letters, but two at least.
fn reach(branch: &str) -> usize {
    (branch.chars().count() / 3).max(2)
}

impl Advice {
    /// For a poll that has just been answered.
    pub fn new() -> Self {
        Self { looked_at: LOOKED_AT, compared: COMPARED }
    }

    /// What to say of a branch that is not among these names. The nearest of those that are looked at are told.
    pub fn missing<'a>(
        &mut self,
        branch: &str,
        default: Option<&str>,
        names: impl Iterator<Item = &'a String>,
    ) -> NoSuchBranch {
        let mut near: Vec<(usize, &String)> = Vec::new();
        for name in names {
            let Some(left) = self.looked_at.checked_sub(1) else { break };
            self.looked_at = left;
            near.extend(self.distance(branch, name).map(|distance| (distance, name)));
        }
        near.sort();
        near.truncate(TOLD);
        let nearby = near.into_iter().map(|(_, name)| name.clone()).collect();
        NoSuchBranch { branch: branch.to_owned(), default: default.map(str::to_owned), nearby }
    }

    /// How far the name is, without regard to case: 0 if it holds the other whole between slashes, since `feature/login` is
    /// what `login` was meant to be. `None`: too far, or not compared.
    fn distance(&mut self, wanted: &str, name: &str) -> Option<usize> {
        if name.split('/').any(|part| part.eq_ignore_ascii_case(wanted)) {
            return Some(0);
        }
        let is_short = wanted.len() <= LONGEST && name.len() <= LONGEST;
        let reach = reach(wanted);
        if !is_short || wanted.chars().count().abs_diff(name.chars().count()) > reach {
            return None;
        }
        self.compared = self.compared.checked_sub(1)?;
        let distance = strsim::levenshtein(&wanted.to_lowercase(), &name.to_lowercase());
        (distance <= reach).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_told_nearest_first_and_few() {
        let names: Vec<String> =
            ["main", "mian", "Master", "release/master", "m1", "m2", "zebra", "mastre", "maste", "masters", "mastes"]
                .map(str::to_owned)
                .into();
        let missing = Advice::new().missing("master", Some("main"), names.iter());
        assert_eq!(missing.nearby, ["Master", "release/master", "maste", "masters", "mastes"]);
        assert_eq!(missing.default.as_deref(), Some("main"));
    }

    #[test]
    fn distances_are_counted_in_letters() {
        let distance = |wanted, name| Advice::new().distance(wanted, name);
        assert_eq!((distance("main", "main"), distance("main", "mian"), distance("", "abc")), (Some(0), Some(2), None));
        assert_eq!(distance("kitten", "sitting"), None);
        assert_eq!(distance("kittens and", "sitting and"), Some(3));
    }

    /// What an outsider's repository can hold: as many names as fit into an answer, each as long as a name may be.
    #[test]
    fn the_work_is_bounded_however_many_branches_are_missed_and_however_long_the_names_are() {
        let alike = |letters: usize| (0..13_000).map(|n| format!("{n:0>letters$}")).collect::<Vec<_>>();
        for letters in [64, 255] {
            let (names, wanted) = (alike(letters), "a".repeat(letters));
            let looked_at = std::cell::Cell::new(0);
            let mut advice = Advice::new();
            for _ in 0..400 {
                advice.missing(&wanted, None, names.iter().inspect(|_| looked_at.set(looked_at.get() + 1)));
            }
            // One name too many may be taken from the list for each branch, and is not looked at.
            assert!(looked_at.get() <= LOOKED_AT + 400, "{}", looked_at.get());
            assert!(advice.compared == if letters > LONGEST { COMPARED } else { 0 }, "{}", advice.compared);
        }
    }
}
