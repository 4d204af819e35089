//! Ranges of versions, as people write them for Helm, Flux and Argo CD: comparisons side by side that must all hold, and `||` between
//! two such.

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};
use std::fmt;

/// A range of versions. Two are one where they are written alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    text: String,
    parts: Vec<VersionReq>,
}

impl Range {
    /// Reads a range.
    ///
    /// # Errors
    /// It is none, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split("||").map(all).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), parts })
    }

    /// Whether it has that version. Pre-releases are in it where one of the comparisons beside each other names one: `>=1.0.0-0` has
    /// those of every version from 1.0.0 on.
    pub fn has(&self, version: &Version) -> bool {
        self.parts.iter().any(|part| {
            let names_one = part.comparators.iter().any(|one| !one.pre.is_empty());
            match version.pre.is_empty() {
                true => part.matches(version),
                false => names_one && part.comparators.iter().all(|one| admits(one, version)),
            }
        })
    }
}

/// Whether a comparison holds for a pre-release, of which the crate has only those of the very version that a range names. Of a
/// comparison that names no pre-release, the version itself has to be within it.
fn admits(comparison: &Comparator, version: &Version) -> bool {
    let Comparator { op, major, minor, patch, ref pre } = *comparison;
    let itself = Version { pre: Prerelease::EMPTY, build: BuildMetadata::EMPTY, ..version.clone() };
    let plain = Comparator { op, major, minor, patch, pre: Prerelease::EMPTY };
    if pre.is_empty() {
        return plain.matches(&itself);
    }
    let bound = Version { pre: pre.clone(), ..Version::new(major, minor.unwrap_or(0), patch.unwrap_or(0)) };
    let order = version.cmp_precedence(&bound);
    match op {
        Op::Greater => order.is_gt(),
        Op::GreaterEq => order.is_ge(),
        Op::Less => order.is_lt(),
        Op::LessEq => order.is_le(),
        Op::Tilde | Op::Caret => order.is_ge() && plain.matches(&itself),
        // Of `=`, and of what a later version of the crate may have beside it.
        Op::Exact | Op::Wildcard | _ => order.is_eq(),
    }
}

impl Ord for Range {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl PartialOrd for Range {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Comparisons that must all hold, with spaces or commas between them.
fn all(text: &str) -> Result<VersionReq, String> {
    let mut comparisons: Vec<String> = Vec::new();
    let mut operator = String::new();
    for word in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()) {
        let version = word.trim_start_matches(OPERATORS);
        operator += &word[..word.len() - version.len()];
        if !version.is_empty() {
            let version = version.strip_prefix('v').unwrap_or(version);
            comparisons.push(format!("{}{version}", meant(&operator, version)));
            operator.clear();
        }
    }
    if !operator.is_empty() || comparisons.is_empty() {
        return Err("a version is missing".to_owned());
    }
    VersionReq::parse(&comparisons.join(",")).map_err(|error| error.to_string())
}

const OPERATORS: [char; 5] = ['=', '<', '>', '~', '^'];

/// A version by itself is meant as it stands, unlike with cargo: `1.2` has all of 1.2 and nothing of 1.3.
fn meant<'a>(operator: &'a str, version: &str) -> &'a str {
    let has_wildcard = version.contains(['*', 'x', 'X']) && !version.contains(['-', '+']);
    if operator.is_empty() && !has_wildcard { "=" } else { operator }
}

/// The version that a tag says, with or without a `v`; absent: it says none, such as `1.2` or `nightly`.
pub fn version(text: &str) -> Option<Version> {
    Version::parse(text.strip_prefix(['v', 'V']).unwrap_or(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_people_write_them() {
        for (range, within, outside) in [
            (">=1.0.0", &["1.0.0", "2.3.4"][..], &["0.9.9", "1.1.0-rc.1"][..]),
            (">=1.0.0 <2.0.0", &["1.0.0", "1.99.0"], &["2.0.0"]),
            (">=1.0.0, <2.0.0", &["1.0.0"], &["2.0.0"]),
            (">= 1.0.0 < 2.0.0", &["1.0.0"], &["2.0.0"]),
            ("1.x || >=3.0.0", &["1.2.3", "3.0.0"], &["2.0.0"]),
            ("1.2.*", &["1.2.9"], &["1.3.0"]),
            ("1.2", &["1.2.9"], &["1.3.0"]),
            ("1.2.3", &["1.2.3"], &["1.2.4"]),
            ("v1.2.3", &["1.2.3"], &["1.2.4"]),
            ("^1.2.3", &["1.9.0"], &["2.0.0", "1.2.2"]),
            ("^1.x", &["1.9.0"], &["2.0.0"]),
            ("^0.2.3", &["0.2.9"], &["0.3.0"]),
            ("~1.2.3", &["1.2.9"], &["1.3.0"]),
            ("*", &["0.0.1", "9.9.9"], &["1.0.0-alpha"]),
            ("=1.2.3-fox", &["1.2.3-fox"], &["1.2.3", "1.2.3-hen"]),
            // Pre-releases, once one is named.
            (">=1.0.0-0", &["1.0.0-rc.1", "1.0.0", "3.0.0-rc.1"], &["0.9.0-rc.1", "0.9.0"]),
            (">=1.0.0-0 <2.0.0", &["1.9.0-rc.1"], &["2.0.0-rc.1"]),
            (">=1.0.0-0 <2.0.0-0", &["1.9.0-rc.1"], &["2.0.0-alpha"]),
            ("^1.2.3-0", &["1.2.3-rc.1", "1.9.0-rc.1"], &["1.2.2-rc.1", "2.0.0-rc.1"]),
            (">1.0.0-rc.1 || 0.x", &["1.0.0-rc.2", "0.1.0"], &["1.0.0-rc.1", "0.1.0-rc.1"]),
            ("<=1.0.0-rc.9", &["1.0.0-rc.9", "0.9.0-rc.1"], &["1.0.0-rc.10"]),
        ] {
            let read = Range::parse(range).unwrap_or_else(|why| panic!("{range}: {why}"));
            for one in within {
                assert!(read.has(&version(one).unwrap()), "{range} has {one}");
            }
            for one in outside {
                assert!(!read.has(&version(one).unwrap()), "{range} has no {one}");
            }
        }
    }

    #[test]
    fn what_is_no_range_is_not_read() {
        for text in
            ["", " ", "||", ">=", "1.0.0 ||", "latest", "1.0.0 - 2.0.0", ">=1.0.0 <", "!=1.0.0", "01.0.0", ">>1.0.0"]
        {
            assert!(Range::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn versions_are_whole_ones_with_or_without_a_v() {
        for text in ["1.2.3", "v1.2.3", "V1.2.3", "v1.2.3-rc.1+5"] {
            assert!(version(text).is_some(), "{text}");
        }
        for text in ["", "v", "1.2", "1.2.3.4", "vv1.2.3", "01.2.3", "20261130", "1.2.3-"] {
            assert_eq!(version(text), None, "{text}");
        }
    }
}
