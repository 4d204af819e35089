//! Images that somebody else's CI pushes: the commits that their tags say, and which of them was not there before.
//!
//! ECR keeps the time of an image's first push, and gives no order. A commit that takes another one back may become the same
//! image again, byte for byte: then its tag is new, and the image is old. So the Pipeline remembers which commits images were
//! tagged with (`status.heads[].images`), and what is not among these is new.

use crate::condition::whole;
use crate::tag::{self, FULL};
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::name::TagPattern;
use launchway_crds::pipeline::{ImageSource, SeenImages};
use std::collections::{BTreeSet, HashSet};

/// How many images are looked at, the newest.
const NEWEST: usize = 80;
/// How many commits are remembered: a status is at most 32 KiB large. There is room for some that are there no longer, or that a
/// list left out.
const REMEMBERED: usize = 100;
/// How many digits of each commit.
const DIGITS: usize = 7;

/// The newest images of a repository whose tags say a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// When each was pushed first, and its commit.
    newest: BTreeSet<(Timestamp, String)>,
    /// Whether there are older ones.
    has_older: bool,
    /// The newest image whose tag says no commit.
    other: Option<(Timestamp, String)>,
}

impl Images {
    /// Takes note of an image with that tag, first pushed then.
    pub fn add(&mut self, tag: &str, pushed_at: Timestamp, pattern: &TagPattern) {
        match tag::commit(tag, pattern) {
            Some(commit) => {
                self.newest.insert((pushed_at, commit.to_owned()));
            }
            None if self.other.as_ref().is_none_or(|(at, _)| *at <= pushed_at) => {
                self.other = Some((pushed_at, tag.to_owned()));
            }
            None => {}
        }
        if self.newest.len() > NEWEST {
            self.newest.pop_first();
            self.has_older = true;
        }
    }

    /// The commit of the newest image.
    pub fn newest(&self) -> Option<&str> {
        self.newest.last().map(|(_, commit)| commit.as_str())
    }

    /// The commit of the newest image that was not there before and that is not known otherwise.
    pub fn next(&self, before: &SeenImages, is_known: impl Fn(&str) -> bool) -> Option<&str> {
        let known: HashSet<&str> = digits(before).collect();
        let is_new = |(at, commit): &&(Timestamp, String)| {
            // Of those pushed in the second of the oldest one that was looked at, some may have been left out.
            before.since.as_ref().is_none_or(|since| since.0 < whole(*at))
                && !commit.get(..DIGITS).is_some_and(|digits| known.contains(digits))
                && !is_known(commit)
        };
        self.newest.iter().rev().find(is_new).map(|(_, commit)| commit.as_str())
    }

    /// Those that had been pushed by then.
    pub fn until(&self, end: Timestamp) -> Self {
        let newest = self.newest.iter().filter(|(at, _)| *at <= end).cloned().collect();
        Self { newest, ..self.clone() }
    }

    /// What is remembered of them, the newest first, and then of those that were there before: one that a list left out is not new
    /// when another list has it.
    pub fn seen(&self, before: Option<&SeenImages>) -> SeenImages {
        let oldest = self.newest.first().filter(|_| self.has_older);
        let now = self.newest.iter().rev().filter_map(|(_, commit)| commit.get(..DIGITS));
        let mut known = HashSet::new();
        let all = now.chain(before.into_iter().flat_map(digits)).filter(|digits| known.insert(*digits));
        SeenImages {
            since: oldest.map(|(at, _)| Time(whole(*at))),
            commits: all.take(REMEMBERED).collect::<String>().as_str().into(),
        }
    }

    /// Whether no tag says a commit.
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// The tag of the newest image whose tag says no commit.
    pub fn other(&self) -> Option<&str> {
        self.other.as_ref().map(|(_, tag)| tag.as_str())
    }
}

fn digits(seen: &SeenImages) -> impl Iterator<Item = &str> {
    let text = seen.commits.as_str();
    (0..text.len() / DIGITS).filter_map(move |at| text.get(at * DIGITS..(at + 1) * DIGITS))
}

/// How the images of a source are tagged.
pub fn tag(source: &ImageSource) -> TagPattern {
    source.tag.clone().unwrap_or_else(|| FULL.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn images(all: &[(i64, &str)]) -> Images {
        let mut images = Images::default();
        all.iter().for_each(|(second, tag)| images.add(tag, at(*second), &"v-$(commit)".into()));
        images
    }

    fn tag(digit: &str) -> String {
        format!("v-{}", digit.repeat(40))
    }

    fn newest(images: &Images, before: Option<&SeenImages>) -> Option<String> {
        before.map_or_else(|| images.newest(), |before| images.next(before, |_| false)).map(str::to_owned)
    }

    fn next(images: &Images, before: &Images) -> Option<String> {
        newest(images, Some(&before.seen(None)))
    }

    #[test]
    fn only_a_tag_that_says_the_whole_commit_counts() {
        let seen = images(&[(1, "latest")]);
        assert_eq!((newest(&seen, None), seen.other(), seen.is_empty()), (None, Some("latest"), true));
        assert_eq!(newest(&images(&[(2, "latest"), (1, &tag("a"))]), None), Some("a".repeat(40)));
        assert_eq!(images(&[(2, "new"), (1, "old")]).other(), Some("new"));
    }

    #[test]
    fn at_first_the_newest_counts_and_then_the_newest_that_was_not_there() {
        let (a, b, c, d) = (tag("a"), tag("b"), tag("c"), tag("d"));
        let first = images(&[(5, &b), (3, &a)]);
        assert_eq!(newest(&first, None), Some("b".repeat(40)));
        assert_eq!(next(&first, &first), None);
        assert_eq!(next(&images(&[(3, &a)]), &first), None, "the newest was deleted");
        assert_eq!(next(&images(&[(5, &b), (3, &a), (7, &c), (9, &d)]), &first), Some("d".repeat(40)));
        assert_eq!(next(&images(&[(5, &b), (3, &a), (5, &c)]), &first), Some("c".repeat(40)), "in the same second");
        assert_eq!(
            next(&images(&[(5, &b), (3, &a), (3, &c)]), &first),
            Some("c".repeat(40)),
            "the bytes of an old one"
        );
        assert_eq!(next(&images(&[(5, &b), (3, &a), (1, &c)]), &first), Some("c".repeat(40)), "tagged later");
        assert_eq!(next(&images(&[(9, &a), (5, &b)]), &first), None, "pushed once more");
        assert_eq!(
            next(&images(&[(5, &b), (9, &c), (3, &d)]), &first),
            Some("c".repeat(40)),
            "of two, the newer image"
        );
        let known = |commit: &str| commit.starts_with('c');
        assert_eq!(images(&[(5, &b), (7, &c)]).next(&first.seen(None), known), None, "known otherwise");
    }

    #[test]
    fn what_a_list_left_out_or_a_lifecycle_policy_removed_is_not_new_when_it_comes_back() {
        let (a, b, c) = (tag("a"), tag("b"), tag("c"));
        let first = images(&[(3, &a), (5, &b)]).seen(None);
        let later = images(&[(5, &b), (7, &c)]).seen(Some(&first));
        assert_eq!(newest(&images(&[(3, &a), (5, &b), (7, &c)]), Some(&later)), None, "a list had left it out");
        assert_eq!(newest(&images(&[(5, &b), (7, &c), (99, &a)]), Some(&later)), None, "an old job ran once more");
    }

    /// Images with numbers for commits, in the order of these.
    fn numbered(all: impl Iterator<Item = (i64, i64)>) -> Images {
        let mut images = Images::default();
        all.for_each(|(at_second, number)| {
            images.add(&format!("v-{number:07x}{}", "0".repeat(33)), at(at_second), &"v-$(commit)".into())
        });
        images
    }

    #[test]
    fn of_the_newest_images_the_commits_are_remembered_and_those_before_are_never_new() {
        let all = |range: std::ops::Range<i64>| numbered(range.map(|number| (number, number)));
        let full = all(0..500);
        let seen = full.seen(None);
        assert_eq!((seen.commits.len(), seen.since.as_ref().map(|since| since.0)), (80 * 7, Some(at(420))));
        assert_eq!(next(&full, &full), None);
        assert_eq!(next(&all(0..499), &full), None, "an older one has moved up, and is not new");
        assert_eq!(next(&all(0..501), &full), Some(format!("{:07x}{}", 500, "0".repeat(33))));
        assert_eq!(all(10..510).seen(Some(&seen)).commits.len(), 90 * 7);
        assert_eq!(all(200..700).seen(Some(&seen)).commits.len(), 100 * 7);
        assert_eq!(all(0..80).seen(None).since, None);
    }

    #[test]
    fn of_images_of_one_second_none_that_was_left_out_is_new_when_it_moves_up() {
        let copied = || (0..400).map(|number| (7, number));
        let seen = numbered(copied()).seen(None);
        assert_eq!(newest(&numbered(copied().filter(|(_, number)| *number != 399)), Some(&seen)), None);
        assert!(newest(&numbered(copied().chain([(8, 400)])), Some(&seen)).is_some());
    }

    #[test]
    fn what_had_been_pushed_by_a_time_can_be_told_from_the_rest() {
        let all = images(&[(3, &tag("a")), (5, &tag("b"))]);
        assert_eq!(newest(&all.until(at(4)), None), Some("a".repeat(40)));
        assert_eq!(newest(&all, Some(&all.until(at(4)).seen(None))), Some("b".repeat(40)));
    }
}
