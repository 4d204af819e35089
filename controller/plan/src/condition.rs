//! Conditions: what is answered, merged with what was answered before. Only here are they dated.

use crate::reason::{ConditionType, Reason};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use jiff::Timestamp;
pub use launchway_crds::condition::MESSAGE_MAX;
use launchway_crds::condition::{Condition, Time};

/// True, False or Unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Yes.
    True,
    /// No.
    False,
    /// It cannot be told, or not yet.
    Unknown,
}

impl Truth {
    /// The word as it stands in a condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// One condition before it is dated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which question.
    pub kind: ConditionType,
    /// The answer.
    pub truth: Truth,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

impl Answer {
    /// An answer.
    pub fn new(kind: ConditionType, truth: Truth, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, truth, reason, message: message.into() }
    }
}

/// What a pass states about one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A new answer.
    New(Answer),
    /// The last answer is kept, whatever it was.
    Kept(ConditionType),
}

/// The conditions after this pass: new answers dated by the turn of their status, kept ones as they were, all others gone.
pub fn merge(previous: &[Condition], statements: &[Statement], generation: i64, now: Timestamp) -> Vec<Condition> {
    statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Kept(kind) => find(previous, *kind).cloned(),
            Statement::New(answer) => Some(dated(previous, answer, generation, now)),
        })
        .collect()
}

/// The conditions of a status of which the API server dropped a part: they are kept, but the object cannot go on.
pub fn dropped(before: &[Condition], generation: i64, now: Timestamp) -> Vec<Condition> {
    const WHY: &str = "the CRDs in this cluster are older than the controller and drop a part of this status: an administrator applies the CRDs of the controller's version";
    let new = |kind, truth| Statement::New(Answer::new(kind, truth, Reason::OldDefinitions, WHY));
    let kept = ConditionType::ALL
        .iter()
        .filter(|kind| !matches!(kind, ConditionType::Ready | ConditionType::Reconciling | ConditionType::Stalled));
    let stalled = [new(ConditionType::Ready, Truth::False), new(ConditionType::Stalled, Truth::True)];
    let all: Vec<Statement> = stalled.into_iter().chain(kept.map(|kind| Statement::Kept(*kind))).collect();
    merge(before, &all, generation, now)
}

/// The condition of that type.
pub fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

/// The condition of that type, if it is True.
pub fn find_true(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    find(conditions, kind).filter(|condition| condition.status == Truth::True.as_str())
}

/// Whether the condition of that type is True.
pub fn is_true(conditions: &[Condition], kind: ConditionType) -> bool {
    find_true(conditions, kind).is_some()
}

fn dated(previous: &[Condition], answer: &Answer, generation: i64, now: Timestamp) -> Condition {
    let before = find(previous, answer.kind).filter(|condition| condition.status == answer.truth.as_str());
    Condition {
        type_: answer.kind.as_str().to_owned(),
        status: answer.truth.as_str().to_owned(),
        reason: answer.reason.as_str().to_owned(),
        message: cut(&answer.message, MESSAGE_MAX),
        observed_generation: Some(generation),
        last_transition_time: before
            .map_or_else(|| Time(whole(now)), |condition| condition.last_transition_time.clone()),
    }
}

/// A time without its fraction of a second: that is all that Kubernetes keeps.
pub fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The text as it stands and nothing that only seems to be there: line ends and other control characters become blanks,
/// because a message is one line; characters that cannot be seen, and those that turn the direction of what follows, are taken
/// out.
pub fn visible(text: &str) -> String {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let (ignorable, categories) =
        (CodePointSetData::new::<DefaultIgnorableCodePoint>(), CodePointMapData::<GeneralCategory>::new());
    let is_gap = GeneralCategoryGroup::Control
        .union(GeneralCategoryGroup::LineSeparator)
        .union(GeneralCategoryGroup::ParagraphSeparator);
    let is_unseen = GeneralCategoryGroup::Format.union(GeneralCategoryGroup::PrivateUse);
    let seen = text.chars().filter_map(|c| {
        let category = categories.get(c);
        if is_gap.contains(category) {
            return Some(' ');
        }
        // A blank of Braille has its own category, and is a gap to the eye.
        let hidden = is_unseen.contains(category) || ignorable.contains(c) || c == '\u{2800}';
        (!hidden).then_some(c)
    });
    seen.collect()
}

/// The text's first bytes, at most that many, whole characters only, with a mark where something is missing; nothing in it
/// that cannot be seen. Every text that a status or an Event shows goes through here.
pub fn cut(text: &str, most: usize) -> String {
    let line = visible(text);
    if line.len() <= most {
        return line;
    }
    let end = (0..=most.saturating_sub('…'.len_utf8())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &line[..end])
}

/// The first twelve digits of a commit or of a digest: what people tell them apart by.
pub fn brief(digits: &str) -> &str {
    digits.get(..12).unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_condition_keeps_its_date_until_its_status_turns() {
        let yes = |message: &str| {
            [Statement::New(Answer::new(ConditionType::Ready, Truth::True, Reason::Succeeded, message))]
        };
        let first = merge(&[], &yes("a"), 1, at(10));
        let second = merge(&first, &yes("b"), 2, at(20));
        assert_eq!(second[0].last_transition_time.0, at(10));
        assert_eq!((second[0].message.as_str(), second[0].observed_generation), ("b", Some(2)));
        let third = merge(
            &second,
            &[Statement::New(Answer::new(ConditionType::Ready, Truth::False, Reason::Rolling, ""))],
            2,
            at(30),
        );
        assert_eq!(third[0].last_transition_time.0, at(30));
    }

    #[test]
    fn what_is_kept_is_kept_whole_and_what_is_not_stated_is_gone() {
        let before = merge(
            &[],
            &[Statement::New(Answer::new(ConditionType::Ready, Truth::True, Reason::Succeeded, "a"))],
            1,
            at(10),
        );
        assert_eq!(
            merge(
                &before,
                &[Statement::Kept(ConditionType::Ready), Statement::Kept(ConditionType::Stalled)],
                2,
                at(20)
            ),
            before
        );
        assert!(merge(&before, &[], 2, at(20)).is_empty());
    }

    #[test]
    fn what_cannot_be_seen_or_turns_what_follows_is_taken_out_and_the_rest_stays() {
        for (text, seen) in [
            ("a\nb\tc\u{1b}[0m\u{2028}d", "a b c [0m d"),
            ("\u{202e}txt.exe\u{2066}\u{2069}\u{200f}\u{061c}", "txt.exe"),
            ("ma\u{200b}in\u{feff}\u{2060}\u{ad}\u{e0041}\u{3164}\u{fe0f}\u{2800}", "main"),
            ("übrig 本番 ßéø → … ✓", "übrig 本番 ßéø → … ✓"),
        ] {
            assert_eq!(cut(text, 100), seen, "{text:?}");
        }
    }

    #[test]
    fn a_cut_text_has_whole_characters_and_fits() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("ääää", 6), "ä…");
        assert!(cut(&"x".repeat(2000), 1024).len() <= 1024);
    }
}
