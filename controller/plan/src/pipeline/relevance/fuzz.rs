//! The fuzz target of messages of commits.

use super::tests::rules;
use launchway_test_fuzz::fuzz;
use serde_json::json;

#[test]
fn a_text_that_stands_in_a_message_is_found_whatever_else_does() {
    fuzz(&["[skip CI]\nMend the door\n\n[Skip ci]\n", "WIP:\nwip: ΣΑΣ İ ß"], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (word, message) = text.split_once('\n').unwrap_or_default();
        let Some(rules) = rules(&json!({"skip": [word]})) else { return false };
        for around in [format!("{message}{word}{message}"), format!("{}{message}", word.to_uppercase())] {
            let is_alike = word.to_uppercase().to_lowercase() == word.to_lowercase();
            assert!(!(is_alike || around.contains(word)) || rules.word_in(&around).is_some(), "{word} in {around}");
        }
        rules.word_in(message).is_some()
    });
}
