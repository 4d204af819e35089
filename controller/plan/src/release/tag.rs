//! Under which tag a build pushes the image of a commit.

use launchway_crds::name::{CommitId, TagPattern};

/// What stands for the commit in a pattern, and how many digits of it that is.
const FULL: &str = "$(commit)";
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
}
