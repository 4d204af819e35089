//! What to say of a branch that is not there: which is the default, and which names are near.

use super::NoSuchBranch;

/// How many near names are told, at most.
const TOLD: usize = 5;

/// How far a name may be to be near: a third of its letters, but two at least.
fn reach(branch: &str) -> usize {
    (branch.chars().count() / 3).max(2)
}

pub(super) fn missing<'a>(
    branch: &str,
    default: Option<&str>,
    names: impl Iterator<Item = &'a String>,
) -> NoSuchBranch {
    let mut near: Vec<(usize, &String)> = names.map(|name| (distance(branch, name), name)).collect();
    near.sort();
    near.retain(|(distance, _)| *distance <= reach(branch));
    near.truncate(TOLD);
    let nearby = near.into_iter().map(|(_, name)| name.clone()).collect();
    NoSuchBranch { branch: branch.to_owned(), default: default.map(str::to_owned), nearby }
}

/// Levenshtein's distance without regard to case: 0 if one name holds the other whole between slashes, since
/// `feature/login` is what `login` was meant to be.
fn distance(wanted: &str, name: &str) -> usize {
    let (wanted, name) = (wanted.to_lowercase(), name.to_lowercase());
    if name.split('/').any(|part| part == wanted) {
        return 0;
    }
    let name: Vec<char> = name.chars().collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, a) in wanted.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in name.iter().enumerate() {
            let cost = (diagonal + usize::from(a != *b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row.last().copied().unwrap_or_default()
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
        let missing = missing("master", Some("main"), names.iter());
        assert_eq!(missing.nearby, ["Master", "release/master", "maste", "masters", "mastes"]);
        assert_eq!(missing.default.as_deref(), Some("main"));
    }

    #[test]
    fn distances_are_counted_in_letters() {
        assert_eq!((distance("main", "main"), distance("main", "mian"), distance("", "abc")), (0, 2, 3));
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
