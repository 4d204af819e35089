//! The fuzz target of what stands for `$(…)` in values.

use super::*;
use launchway_test_fuzz::fuzz;

/// The value with each `$$(` as the characters that it stands for, read letter by letter.
fn without_escapes(value: &str) -> String {
    let (mut text, mut rest) = (String::new(), value);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("$$(") {
            text.push_str("$(");
            rest = after;
        } else if rest.starts_with("$(") {
            // A word as a whole, in which nothing is read; one without an end goes on to the end of the value.
            let end = rest.find(')').map_or(rest.len(), |at| at + 1);
            text.push_str(&rest[..end]);
            rest = &rest[end..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

#[test]
fn what_is_not_a_word_stands_for_itself_and_a_word_that_is_known_is_one_of_ours() {
    let seeds = [
        "v$(steps.unit-tests.VERSION)-$(commit)",
        "$(shortCommit:12)$$(branch)$(gitTag)",
        "$$$(release) $(pipeline)$ (",
    ];
    fuzz(&seeds, |bytes| {
        let value = String::from_utf8_lossy(bytes);
        let (mut whole, mut known) = (String::new(), 0);
        for part in parts(&value) {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Word(word) => {
                    assert!(!word.contains(')'), "{word}");
                    known += usize::from(is_known(word));
                    whole.push_str(&format!("$({word})"));
                }
            }
        }
        assert_eq!(whole, without_escapes(&value));
        let outputs = Output::all([value.as_ref()].into_iter());
        assert!(outputs.iter().all(|output| value.contains(&format!("$(steps.{}.{})", output.check, output.variable))));
        known > 0
    });
}
