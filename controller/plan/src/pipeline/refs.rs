//! Which refs of a repository a Pipeline follows, and which of several tags is the newest. Of tags nothing but their names is known:
//! when each was made is said by objects that would have to be fetched one by one.

use super::range::{Range, version};
use crate::condition::cut;
use crate::refusal::Refusal;
use launchway_crds::name::Branch;
use launchway_crds::pipeline;
use semver::{BuildMetadata, Version};
use std::fmt;

/// How much is told of what is wrong with a range, in bytes.
const WHY: usize = 256;

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// Which refs of a repository are followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refs {
    /// A branch, without `refs/heads/`.
    Branch(String),
    /// The newest of these tags.
    Tags(Tags),
}

impl Refs {
    /// What a spec follows; `at` is the field that it stands in.
    pub fn parse(at: &str, branch: Option<&Branch>, tags: Option<&pipeline::Tags>) -> Result<Self, Refusal> {
        match (branch, tags) {
            (Some(branch), _) => Ok(Self::Branch(branch.to_string())),
            (None, Some(tags)) => Tags::parse(at, tags).map(Self::Tags),
            (None, None) => Err(Refusal::unknown(at, "branch and tags")),
        }
    }

    /// What a server is asked for: the beginning of every ref's full name.
    pub fn prefix(&self) -> String {
        match self {
            Self::Branch(name) => branch(name),
            Self::Tags(tags) => tag(&tags.before),
        }
    }

    /// What it is asked for to tell what else is there: all of that kind.
    pub fn all(&self) -> String {
        match self {
            Self::Branch(_) => branch(""),
            Self::Tags(_) => tag(""),
        }
    }

    /// Whether a head that is recorded under that name is one that these refs may have had.
    pub fn may_have_had(&self, of: &str) -> bool {
        match self {
            Self::Branch(name) => of == branch(name),
            Self::Tags(tags) => tag_of(of).is_some_and(|name| tags.has(name)),
        }
    }
}

impl fmt::Display for Refs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "branch {name}"),
            Self::Tags(tags) => write!(f, "tags {tags}"),
        }
    }
}

/// The full name of a branch.
pub fn branch(name: &str) -> String {
    format!("{BRANCHES}{name}")
}

/// The full name of a tag.
pub fn tag(name: &str) -> String {
    format!("{TAGS}{name}")
}

/// The name of a branch, by its full name; absent: it is something else.
pub fn branch_of(of: &str) -> Option<&str> {
    of.strip_prefix(BRANCHES)
}

/// The name of a tag, by its full name; absent: it is something else.
pub fn tag_of(of: &str) -> Option<&str> {
    of.strip_prefix(TAGS)
}

/// Tags by their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tags {
    /// What is before the `*`; without one, the whole name.
    before: String,
    /// What is behind it; absent: there is none, and the name is that of one tag.
    behind: Option<String>,
    /// The versions that count; absent: the tags are no versions.
    range: Option<Range>,
}

impl Tags {
    fn parse(at: &str, tags: &pipeline::Tags) -> Result<Self, Refusal> {
        let pattern = tags.pattern.as_ref().map_or("*", |pattern| pattern.as_str());
        let (before, behind) = match pattern.split_once('*') {
            Some((before, behind)) => (before, Some(behind.to_owned())),
            None => (pattern, None),
        };
        let range = tags.semver.as_ref().map(|range| Range::parse(range)).transpose();
        let range = range.map_err(|why| Refusal::Range {
            field: format!("{at}.tags.semver"),
            why: format!("{}: write a range of versions, such as >=1.0.0 <2.0.0", cut(&why, WHY)),
        })?;
        Ok(Self { before: before.to_owned(), behind, range })
    }

    /// What the `*` stands for in the name of a tag; absent: it is none of these tags.
    fn star<'a>(&self, name: &'a str) -> Option<&'a str> {
        let rest = name.strip_prefix(self.before.as_str())?;
        match &self.behind {
            Some(behind) => rest.strip_suffix(behind.as_str()).filter(|star| !star.is_empty() && !star.contains('/')),
            None => rest.is_empty().then_some(rest),
        }
    }

    /// The newest of them: the highest version; or, where they are no versions, the last one by name.
    pub fn newest<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let ranked = names.filter_map(|name| Some((self.rank(name)?, name)));
        ranked.max().map(|(_, name)| name)
    }

    /// Whether a tag of that name is one of them.
    fn has(&self, name: &str) -> bool {
        self.rank(name).is_some()
    }

    /// What is compared: the version first, without what is behind a `+`, and then the name. Absent: it is none of these tags.
    fn rank<'a>(&self, name: &'a str) -> Option<(Option<Version>, Parts<'a>)> {
        let star = self.star(name)?;
        let version = match &self.range {
            None => None,
            Some(range) => Some(version(star).filter(|version| range.has(version))?),
        };
        let version = version.map(|version| Version { build: BuildMetadata::EMPTY, ..version });
        Some((version, parts(name)))
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.before)?;
        if let Some(behind) = &self.behind {
            write!(f, "*{behind}")?;
        }
        match &self.range {
            Some(range) => write!(f, " within {range}"),
            None => Ok(()),
        }
    }
}

/// A name as text, number, text, number: of a number its length without leading zeros, and its digits. So `v10` is behind `v9`.
type Parts<'a> = Vec<(&'a str, usize, &'a str)>;

fn parts(name: &str) -> Parts<'_> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (text, number) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let (number, behind) = number.split_at(number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len()));
        let digits = number.trim_start_matches('0');
        parts.push((text, digits.len(), digits));
        rest = behind;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn tags(given: &Value) -> Tags {
        Tags::parse("spec.source.git", &serde_json::from_value(given.clone()).unwrap()).unwrap()
    }

    #[test]
    fn the_newest_tag_is_the_highest_version_or_the_last_name() {
        let versions = ["v1.2.0", "v1.10.0", "1.9.9", "v2.0.0-rc.1", "web/v9.0.0", "nightly", "v01.99.0", "1.2"];
        let dates = ["release-2026.9.30", "release-2026.11.2", "release-", "release-2026.11.2/a", "prod"];
        let numbers = ["build-9", "build-10", "build-0009", "build-10-again"];
        for (given, names, newest) in [
            (json!({"semver": ">=1.0.0"}), &versions[..], Some("v1.10.0")),
            (json!({"semver": ">=1.0.0 <1.10"}), &versions, Some("1.9.9")),
            (json!({"semver": "*"}), &versions, Some("v1.10.0")),
            (json!({"semver": ">=2.0.0-0"}), &versions, Some("v2.0.0-rc.1")),
            (json!({"semver": ">=1.0.0", "pattern": "web/*"}), &versions, Some("web/v9.0.0")),
            (json!({"semver": ">=1.0.0", "pattern": "web/v*"}), &versions, Some("web/v9.0.0")),
            (json!({"semver": "<1.0.0"}), &versions, None),
            (json!({"pattern": "release-*"}), &dates, Some("release-2026.11.2")),
            (json!({"pattern": "prod"}), &dates, Some("prod")),
            (json!({"pattern": "pro"}), &dates, None),
            (json!({"pattern": "build-*"}), &numbers, Some("build-10-again")),
            (json!({"pattern": "*-9"}), &numbers, Some("build-9")),
            (json!({"pattern": "build-*"}), &[], None),
        ] {
            assert_eq!(tags(&given).newest(names.iter().copied()), newest, "{given}");
        }
    }

    #[test]
    fn two_tags_of_one_version_have_an_order_all_the_same() {
        let of = tags(&json!({"semver": "*"}));
        for names in [["v1.0.0+2", "1.0.0+10"], ["1.0.0", "v1.0.0"]] {
            let turned = [names[1], names[0]];
            assert_eq!(of.newest(names.into_iter()), of.newest(turned.into_iter()));
        }
    }

    #[test]
    fn a_head_of_tags_is_one_whose_tag_is_still_followed() {
        let of = Refs::Tags(tags(&json!({"semver": "<2.0.0"})));
        for (head, is_one) in [("refs/tags/v1.9.0", true), ("refs/tags/v2.0.0", false), ("refs/heads/v1.9.0", false)] {
            assert_eq!(of.may_have_had(head), is_one, "{head}");
        }
    }

    #[test]
    fn what_is_followed_is_told_as_it_was_written() {
        for (given, told) in [
            (json!({"semver": ">=1.0.0"}), "tags * within >=1.0.0"),
            (json!({"pattern": "web/v*-eu"}), "tags web/v*-eu"),
            (json!({"pattern": "prod"}), "tags prod"),
        ] {
            assert_eq!(Refs::Tags(tags(&given)).to_string(), told);
        }
    }

    proptest! {
        #[test]
        fn the_last_name_does_not_depend_on_the_order_and_is_one_of_them(
            names in prop::collection::vec("[v0-2.-]{1,6}", 1..8),
            turn in 0_usize..8,
        ) {
            let all = tags(&json!({"pattern": "*"}));
            let of = |names: &[String]| all.newest(names.iter().map(String::as_str)).map(str::to_owned);
            let found = of(&names);
            let mut turned = names.clone();
            turned.rotate_left(turn % names.len());
            turned.reverse();
            prop_assert_eq!(&found, &of(&turned));
            prop_assert!(found.is_some_and(|found| names.contains(&found)));
        }
    }
}
