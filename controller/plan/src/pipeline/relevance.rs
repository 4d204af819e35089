//! Which commits of a branch are released: those that change a file that the Pipeline is about, and whose message does not say
//! otherwise. A commit is compared with the one that was released last, whatever lies between them: so what a commit that was passed
//! over changed comes with the next one, and what was taken back meanwhile is no change.

use super::change::Differs;
use super::observed::Observed;
use super::paths::Paths;
use super::record::Record;
use crate::condition::{brief, cut, whole};
use crate::hash;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Git, PassedOver, PassedOverReason};

/// The longest message about a commit that was passed over, in bytes.
const MESSAGE: usize = 96;

/// Which commits are released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relevance {
    /// The files that count; absent: all.
    paths: Option<Paths>,
    /// What a message says that keeps its commit from being released.
    skip: Vec<String>,
    /// A hash of both.
    hash: String,
}

/// What becomes of a commit that was not there before.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// It is released.
    Released,
    /// It is not, and that has to be recorded.
    PassedOver(PassedOver),
}

/// What has to be asked about a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The commit.
    pub commit: String,
    /// The commit that was released last; absent: there is none.
    pub base: Option<String>,
    /// A hash of the rules that it is asked because of.
    pub rules: &'a str,
    /// The files that count; absent: all.
    pub paths: Option<&'a Paths>,
}

impl Relevance {
    /// The rules of a spec; absent: every commit is released.
    pub fn parse(git: &Git) -> Option<Self> {
        let paths = git.paths.as_ref().map(Paths::parse);
        let skip: Vec<String> = git.skip.iter().map(|word| lower(word)).collect();
        let has_rules = paths.is_some() || !skip.is_empty();
        has_rules.then(|| Self { paths, skip, hash: hash::of(&(&git.paths, &git.skip)) })
    }

    /// The text of the message that keeps its commit from being released.
    fn word_in(&self, message: &str) -> Option<&str> {
        let message = lower(message);
        self.skip.iter().find(|word| message.contains(word.as_str())).map(String::as_str)
    }

    /// What has to be asked about a commit before it is known what becomes of it; absent: that is recorded.
    pub fn question(&self, record: &Record, commit: &str, base: Option<String>) -> Option<Question<'_>> {
        let is_recorded = self.has_judged(record, commit, base.as_deref());
        (!is_recorded).then(|| Question {
            commit: commit.to_owned(),
            base,
            rules: &self.hash,
            paths: self.paths.as_ref(),
        })
    }

    /// What becomes of a commit, which is compared with the one that was released last; absent: it is not known yet, or it is recorded
    /// already that the commit is passed over.
    pub fn judge(&self, record: &Record, observed: &Observed, commit: &str, base: Option<String>) -> Option<Judged> {
        let change = observed.change.as_ref().filter(|change| change.commit == commit && change.base == base)?;
        if self.has_judged(record, commit, base.as_deref()) {
            return None;
        }
        let (reason, message) = match (self.word_in(&change.message), &change.differs) {
            (Some(word), _) => (PassedOverReason::SkipWord, format!("its message has {word}")),
            (None, Differs::Nothing) => {
                let base = base.as_deref().map(brief).unwrap_or_default();
                let message =
                    format!("compared with commit {base}, no file that counts by spec.source.git.paths has changed");
                (PassedOverReason::NoRelevantChange, message)
            }
            (None, Differs::File(_) | Differs::NotAsked | Differs::Unknown(_)) => return Some(Judged::Released),
        };
        Some(Judged::PassedOver(PassedOver {
            commit: commit.into(),
            reason,
            message: cut(&message, MESSAGE),
            seen_at: Time(whole(observed.at)),
            judged_by: self.judged_by(base.as_deref()),
        }))
    }

    fn has_judged(&self, record: &Record, commit: &str, base: Option<&str>) -> bool {
        let recorded = &record.status().passed_over;
        recorded.iter().any(|one| *one.commit == *commit && one.judged_by == self.judged_by(base))
    }

    /// What a verdict goes by, beside the commit itself.
    fn judged_by(&self, base: Option<&str>) -> String {
        let mut hash = hash::of(&(&self.hash, base));
        hash.truncate(16);
        hash
    }
}

/// In lower case, letter by letter and with one sigma: in a whole text that Greek letter is another one at the end of a word.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    pub(super) fn rules(git: &serde_json::Value) -> Option<Relevance> {
        let git = crate::samples::over(json!({"url": "https://git.example.com/shop/web.git", "branch": "main"}), git);
        Relevance::parse(&serde_json::from_value(git).unwrap())
    }

    #[test]
    fn a_text_in_the_message_keeps_a_commit_out_whatever_its_case() {
        let rules = rules(&json!({"skip": ["[skip CI]", "WIP:"]})).unwrap();
        for (message, word) in [
            ("Mend the door\n\n[Skip ci]\n", Some("[skip ci]")),
            ("wip: a door", Some("wip:")),
            ("[skip  ci]", None),
            ("", None),
        ] {
            assert_eq!(rules.word_in(message), word, "{message}");
        }
    }

    #[test]
    fn a_greek_text_keeps_a_commit_out_whatever_its_case_and_whatever_stands_around_it() {
        let rules = rules(&json!({"skip": ["ΠΡΌΧΕΙΡΟΣ"]})).unwrap();
        for message in ["ΠΡΌΧΕΙΡΟΣ", "πρόχειρος", "ΠΡΌΧΕΙΡΟΣ1"] {
            assert!(rules.word_in(message).is_some(), "{message}");
        }
    }

    #[test]
    fn without_rules_nothing_is_asked_and_other_rules_or_another_commit_before_are_another_verdict() {
        assert_eq!(rules(&json!({})), None);
        let of = |git, base| rules(&git).unwrap().judged_by(base);
        let (a, b) = (json!({"skip": ["a"]}), json!({"paths": {"include": ["a"]}}));
        let all = [of(a.clone(), None), of(a, Some("1")), of(b.clone(), None), of(b, Some("2"))];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert!(all.iter().all(|one| one.len() == 16));
    }
}
