//! Under which tag the image of a commit is pushed, and which commit a tag says.

use launchway_crds::name::{CommitId, TagPattern};

/// What stands for the commit in a pattern, and how many digits of it that is.
pub const FULL: &str = "$(commit)";
const SHORT: &str = "$(shortCommit";
/// As many digits as git shows at least, where a pattern does not say it.
const DIGITS: usize = 7;

/// The tag of a commit's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The tag.
    pub text: String,
    /// Whether it says the whole commit. One that does not may be that of another commit too.
    pub is_whole: bool,
}

/// The tag of the commit by that pattern. Of a pattern that the API server would not admit the full commit is the tag.
pub fn tag(pattern: Option<&TagPattern>, commit: &CommitId) -> Tag {
    let whole = || Tag { text: commit.to_string(), is_whole: true };
    let Some(pattern) = pattern else { return whole() };
    if let Some((before, after)) = pattern.split_once(FULL) {
        return Tag { text: format!("{before}{commit}{after}"), is_whole: true };
    }
    let Some((before, rest)) = pattern.split_once(SHORT) else { return whole() };
    let Some((digits, after)) = rest.split_once(')') else { return whole() };
    let digits = digits.strip_prefix(':').map_or(Some(DIGITS), |digits| digits.parse().ok());
    let short = digits.and_then(|digits| commit.get(..digits));
    short.map_or_else(whole, |short| Tag {
        text: format!("{before}{short}{after}"),
        is_whole: short.len() == commit.len(),
    })
}

/// The commit that a tag says whole, where the pattern has it. A tag says it in lower case.
pub fn commit<'a>(tag: &'a str, pattern: &TagPattern) -> Option<&'a str> {
    let (before, after) = pattern.split_once(FULL)?;
    let commit = tag.strip_prefix(before)?.strip_suffix(after)?;
    (is_commit(commit) && !commit.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(commit)
}

/// Whether it is the full ID of a commit, in whatever case.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_the_commit_or_its_first_digits_in_the_place_that_the_pattern_says() {
        let commit = CommitId::from("0123456789abcdef0123456789abcdef01234567");
        let of = |pattern: &str| {
            let tag = tag(Some(&pattern.into()), &commit);
            (tag.text, tag.is_whole)
        };
        assert_eq!(tag(None, &commit), Tag { text: commit.to_string(), is_whole: true });
        assert_eq!(of("$(commit)"), (commit.to_string(), true));
        assert_eq!(of("v1-$(commit)-arm64"), (format!("v1-{commit}-arm64"), true));
        assert_eq!(of("$(shortCommit)"), ("0123456".into(), false));
        assert_eq!(of("build-$(shortCommit:8)"), ("build-01234567".into(), false));
        assert_eq!(of("$(shortCommit:40)"), (commit.to_string(), true));
        for unknown in ["latest", "$(shortCommit:x)", "$(shortCommit:41)", "$(shortCommit", "$(number)"] {
            assert_eq!(of(unknown), (commit.to_string(), true), "{unknown}");
        }
    }

    #[test]
    fn only_a_tag_that_says_the_whole_commit_where_the_pattern_has_it_says_a_commit() {
        let (full, sha256) = ("a".repeat(40), "b".repeat(64));
        assert_eq!(commit(&format!("v-{full}"), &"v-$(commit)".into()), Some(full.as_str()));
        assert_eq!(commit(&format!("{sha256}-arm64"), &"$(commit)-arm64".into()), Some(sha256.as_str()));
        assert_eq!(commit(&full, &"$(shortCommit:40)".into()), None);
        let (short, upper) = (format!("v-{}", "a".repeat(39)), format!("v-{}", "A".repeat(40)));
        for other in ["latest", "v-", "v-0123456", &short, &upper, &full, &format!("v-{full}-arm64")] {
            assert_eq!(commit(other, &"v-$(commit)".into()), None, "{other}");
        }
    }
}
