//! The files that a Pipeline is about, by patterns of paths. A folder's name in a pattern stands for all that is in the folder.

use crate::allow::matches;
use launchway_crds::name::{Glob, PathPattern};
use launchway_crds::pipeline;

/// The files that count: those that `include` names, or all, without those that `exclude` names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Paths {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

/// A pattern, folder by folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// A name, in which `*` stands for any characters.
    Name(Glob),
    /// Any folders, or none.
    Any,
}

/// The parts of a pattern that the next name of a path may have to match, one bit each. The bit behind the last part is set where
/// the pattern is at its end.
type Parts = u128;

/// Where the patterns are after some names of a path.
#[derive(Clone, Debug)]
pub struct At {
    include: Vec<Parts>,
    exclude: Vec<Parts>,
}

impl Paths {
    /// The patterns of a spec.
    pub fn parse(paths: &pipeline::Paths) -> Self {
        let all = |patterns: &[PathPattern]| patterns.iter().map(|pattern| Pattern::parse(pattern)).collect();
        Self { include: all(&paths.include), exclude: all(&paths.exclude) }
    }

    /// Where the patterns are at the root.
    pub fn root(&self) -> At {
        let all = |patterns: &[Pattern]| patterns.iter().map(|pattern| pattern.passed(1)).collect();
        At { include: all(&self.include), exclude: all(&self.exclude) }
    }

    /// Where they are one name further.
    pub fn enter(&self, at: &At, name: &str) -> At {
        let all = |patterns: &[Pattern], at: &[Parts]| {
            patterns.iter().zip(at).map(|(pattern, at)| pattern.passed(pattern.step(*at, name))).collect()
        };
        At { include: all(&self.include, &at.include), exclude: all(&self.exclude, &at.exclude) }
    }

    /// Whether the file there counts.
    pub fn counts_at(&self, at: &At) -> bool {
        let is_in = |patterns: &[Pattern], at: &[Parts]| {
            patterns.iter().zip(at).any(|(pattern, at)| at & 1 << pattern.0.len() != 0)
        };
        (self.include.is_empty() || is_in(&self.include, &at.include)) && !is_in(&self.exclude, &at.exclude)
    }

    /// Whether a file in the folder there, or further down, may count.
    pub fn may_count_in(&self, at: &At) -> bool {
        let goes_on = |(pattern, at): (&Pattern, &Parts)| at & ((1 << pattern.0.len()) - 1) != 0;
        let has_all = |(pattern, at): (&Pattern, &Parts)| {
            pattern.0.last() == Some(&Part::Any) && at & 1 << (pattern.0.len() - 1) != 0
        };
        (self.include.is_empty() || self.include.iter().zip(&at.include).any(goes_on))
            && !self.exclude.iter().zip(&at.exclude).any(has_all)
    }
}

impl Pattern {
    /// Reads a pattern. At most 200 bytes, it has at most 101 parts: one bit of [`Parts`] for each.
    fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        for name in text.split('/').filter(|name| !name.is_empty()) {
            // As GitHub reads `**.md`: a file of that ending in whichever folder.
            if name.starts_with("**") {
                parts.push(Part::Any);
            }
            let rest = name.trim_start_matches("**");
            if !rest.is_empty() {
                let stars = if name.starts_with("**") { "*" } else { "" };
                parts.push(Part::Name(Glob(format!("{stars}{rest}").replace("**", "*"))));
            }
        }
        let is_folder = text.ends_with('/') || matches!(parts.last(), Some(Part::Name(name)) if !name.contains('*'));
        if is_folder {
            parts.push(Part::Any);
        }
        Self(parts)
    }

    /// One name further.
    fn step(&self, at: Parts, name: &str) -> Parts {
        let here = self.0.iter().enumerate().filter(|(index, _)| at & (1 << index) != 0);
        here.fold(0, |next, (index, part)| match part {
            Part::Any => next | 1 << index,
            Part::Name(glob) if matches(glob, name) => next | 1 << (index + 1),
            Part::Name(_) => next,
        })
    }

    /// With the parts behind those that may stand for nothing.
    fn passed(&self, at: Parts) -> Parts {
        let any = |index: &usize| self.0.get(*index) == Some(&Part::Any);
        (0..self.0.len()).filter(any).fold(at, |at, index| at | (at & 1 << index) << 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Paths {
        fn at(&self, path: &str) -> At {
            path.split('/').filter(|name| !name.is_empty()).fold(self.root(), |at, name| self.enter(&at, name))
        }

        fn counts(&self, path: &str) -> bool {
            self.counts_at(&self.at(path))
        }

        fn looks_into(&self, folder: &str) -> bool {
            self.may_count_in(&self.at(folder))
        }
    }

    fn paths(include: &[&str], exclude: &[&str]) -> Paths {
        let all = |patterns: &[&str]| patterns.iter().map(|one| PathPattern::from(*one)).collect();
        Paths::parse(&pipeline::Paths { include: all(include), exclude: all(exclude) })
    }

    #[test]
    fn a_pattern_has_the_files_that_people_mean() {
        for (pattern, has, has_not) in [
            (
                "services/iridium",
                vec!["services/iridium/a", "services/iridium/a/b", "services/iridium"],
                vec!["services/iridium2/a", "services", "x/services/iridium/a"],
            ),
            ("services/iridium/", vec!["services/iridium/a/b"], vec!["services/a"]),
            ("/services/iridium/**", vec!["services/iridium/a", "services/iridium/a/b"], vec!["services/b"]),
            ("*", vec!["README.md"], vec!["a/README.md"]),
            ("*.md", vec!["README.md"], vec!["a/README.md", "README.mdx"]),
            ("**", vec!["a", "a/b"], vec![]),
            ("**/*.md", vec!["README.md", "a/b/c.md"], vec!["a/b/c.txt"]),
            ("**.md", vec!["README.md", "a/b/c.md"], vec!["a/b/c.txt"]),
            ("docs/*", vec!["docs/a"], vec!["docs/a/b", "docs"]),
            ("docs/**/*.png", vec!["docs/a.png", "docs/a/b.png"], vec!["a.png"]),
            ("**/src", vec!["src/a", "a/b/src/c", "src"], vec!["asrc/a"]),
            ("services/*/src/**", vec!["services/a/src/b/c"], vec!["services/a/b/src/c", "services/a/c"]),
            (".github/workflows/*.yml", vec![".github/workflows/ci.yml"], vec![".github/ci.yml"]),
            ("Go.sum", vec!["Go.sum"], vec!["go.sum"]),
        ] {
            let paths = paths(&[pattern], &[]);
            for path in has {
                assert!(paths.counts(path), "{pattern}: {path}");
            }
            for path in has_not {
                assert!(!paths.counts(path), "{pattern}: {path}");
            }
        }
    }

    #[test]
    fn what_is_excluded_does_not_count_whatever_is_included() {
        let some = paths(&["services/iridium", "go.mod"], &["**/*.md", "services/iridium/test"]);
        assert!(some.counts("services/iridium/main.go") && some.counts("go.mod"));
        for path in ["services/iridium/README.md", "services/iridium/test/a.go", "go.sum"] {
            assert!(!some.counts(path), "{path}");
        }
        let all_but = paths(&[], &["docs"]);
        assert!(all_but.counts("a/docs/b") && !all_but.counts("docs/b"));
    }

    #[test]
    fn a_folder_in_which_nothing_can_count_is_not_looked_into() {
        let some = paths(&["services/iridium"], &["**/test/**"]);
        for folder in ["services", "services/iridium", "services/iridium/a/b"] {
            assert!(some.looks_into(folder), "{folder}");
        }
        for folder in ["docs", "services/other", "services/iridium/test", "services/iridium/a/test/b"] {
            assert!(!some.looks_into(folder), "{folder}");
        }
    }

    proptest! {
        /// Of all patterns and paths of two letters.
        #[test]
        fn where_a_file_counts_its_folders_are_looked_into(
            include in prop::collection::vec("(([ab]|\\*|\\*\\*|a\\*)/){0,3}([ab]|\\*|\\*\\*|\\*\\*b)/?", 0..3),
            exclude in prop::collection::vec("(([ab]|\\*|\\*\\*|a\\*)/){0,3}([ab]|\\*|\\*\\*|\\*\\*b)/?", 0..3),
            path in "([ab]{1,2}/){0,4}[ab]{1,2}",
        ) {
            let all = |texts: &[String]| texts.iter().map(|text| PathPattern::from(text.as_str())).collect::<Vec<_>>();
            let paths = Paths::parse(&pipeline::Paths { include: all(&include), exclude: all(&exclude) });
            if paths.counts(&path) {
                for (end, _) in path.match_indices('/') {
                    prop_assert!(paths.looks_into(&path[..end]), "{}", &path[..end]);
                }
            }
        }

        /// As a regular expression has it.
        #[test]
        fn a_pattern_is_what_it_is_as_a_regular_expression(
            pattern in "(([ab]|\\*|\\*\\*|a\\*)/){0,3}([ab]\\*|\\*|\\*\\*)",
            path in "([ab]{1,2}/){0,4}[ab]{1,2}",
        ) {
            let mut expression = String::from("^/");
            for part in pattern.split('/') {
                match part {
                    "**" => expression.push_str("([^/]+/)*"),
                    name => expression.push_str(&format!("{}/", name.replace('*', "[^/]*"))),
                }
            }
            let expression = regex::Regex::new(&(expression + "$")).unwrap();
            prop_assert_eq!(paths(&[&pattern], &[]).counts(&path), expression.is_match(&format!("/{path}/")));
        }

        #[test]
        fn no_pattern_and_no_path_make_it_panic(pattern in ".{0,200}", path in ".{0,200}") {
            let paths = paths(&[&pattern], &[&pattern]);
            let _ = (paths.counts(&path), paths.looks_into(&path));
        }
    }
}
