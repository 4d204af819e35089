//! AWS's texts, made fit for a status: nothing that looks like a credential, and not longer than it may be.

use launchway_plan::condition::cut;

/// The longest message of a fault.
pub(crate) const MESSAGE_BYTES: usize = 512;

const HIDDEN: &str = "[hidden]";

/// A message of AWS: without what looks like a credential, in one line, at most 512 bytes.
pub(crate) fn message(text: &str) -> String {
    cut(&secrets(&text.split_whitespace().collect::<Vec<_>>().join(" ")), MESSAGE_BYTES)
}

/// A line of a log: without what looks like a credential.
pub(crate) fn line(text: &str) -> String {
    secrets(text.trim_end())
}

/// The words behind which a value is a secret, whatever it looks like.
const LABELS: [&str; 9] = [
    "authorization",
    "x-amz-security-token",
    "securitytoken",
    "security_token",
    "sessiontoken",
    "session_token",
    "secretaccesskey",
    "secret_access_key",
    "signature=",
];

fn secrets(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut hide = Hide::No;
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"',;(){}<>".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"',;(){}<>".contains(c));
        let end = &piece[word.len()..];
        let (shown, next) = shown(word, hide);
        clean.push_str(&shown);
        clean.push_str(end);
        hide = next;
    }
    clean
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hide {
    No,
    /// The next word is a value.
    Value,
}

fn shown(word: &str, hide: Hide) -> (String, Hide) {
    let lower = word.to_ascii_lowercase();
    let label = LABELS.iter().find_map(|label| lower.find(label).map(|at| at + label.len()));
    match (hide, label) {
        (_, Some(end)) => after_label(word, end),
        (Hide::Value, None) if is_scheme(&lower) || !word.contains(char::is_alphanumeric) => {
            (word.to_owned(), Hide::Value)
        }
        (Hide::Value, None) => (HIDDEN.to_owned(), Hide::No),
        (Hide::No, None) => (masked(word), if lower == "bearer" { Hide::Value } else { Hide::No }),
    }
}

/// A value in the same word is hidden; else the next word is the value.
fn after_label(word: &str, end: usize) -> (String, Hide) {
    let rest = word[end..].trim_start_matches([':', '=', '"', '\'']);
    if rest.is_empty() {
        return (word.to_owned(), Hide::Value);
    }
    (format!("{}{HIDDEN}", &word[..word.len() - rest.len()]), Hide::No)
}

/// The scheme of an `Authorization`, before the secret.
fn is_scheme(lower: &str) -> bool {
    matches!(lower, "basic" | "bearer" | "token" | "aws4-hmac-sha256")
}

/// A word with its keys hidden. ARNs and URLs without keys stay whole: their long paths are no secrets.
fn masked(word: &str) -> String {
    let secret = |run: &str| is_key_id(run) || (!word.contains("arn:") && !word.contains("://") && is_long_secret(run));
    let mut clean = String::with_capacity(word.len());
    let mut run = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || "+/=_".contains(c) {
            run.push(c);
            continue;
        }
        clean.push_str(if secret(&run) { HIDDEN } else { &run });
        run.clear();
        clean.push(c);
    }
    clean.push_str(if secret(&run) { HIDDEN } else { &run });
    clean
}

/// `AKIA…` and `ASIA…`, wherever in a run.
fn is_key_id(run: &str) -> bool {
    ["AKIA", "ASIA"]
        .iter()
        .any(|prefix| run.split(['/', '=', '+', '_']).any(|part| part.starts_with(prefix) && part.len() >= 16))
}

/// 40 characters or more of base64 with upper case, lower case and digits in it: secret keys have 40, session tokens
/// hundreds. Commit IDs and digests have no upper case.
fn is_long_secret(run: &str) -> bool {
    run.len() >= 40
        && run.contains(|c: char| c.is_ascii_uppercase())
        && run.contains(|c: char| c.is_ascii_lowercase())
        && run.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_credential_is_hidden() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1";
        for (text, clean) in [
            ("key AKIAIOSFODNN7EXAMPLE is gone", "key [hidden] is gone"),
            ("Credential=ASIAIOSFODNN7EXAMPLE/20261121/us-east-2", "[hidden]-east-2"),
            (&format!("secret {secret}."), "secret [hidden]."),
            ("Authorization: Basic dXNlcjpwYXNz next", "Authorization: Basic [hidden] next"),
            ("'X-Amz-Security-Token': 'short' x", "'X-Amz-Security-Token': '[hidden]' x"),
            ("aws_session_token=abc", "aws_session_token=[hidden]"),
            ("Signature=0123abcd, x", "Signature=[hidden], x"),
            ("Authorization: Bearer abc", "Authorization: Bearer [hidden]"),
        ] {
            assert_eq!(message(text), clean);
        }
    }

    #[test]
    fn what_names_things_stays() {
        for text in [
            "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/ProdIridiumServiceGroup12345/73e2d6bc24d8a067 is gone",
            "image 123456789012.dkr.ecr.us-east-2.amazonaws.com/iridium@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            "Cannot have more than 1 builds in queue for the account",
        ] {
            assert_eq!(message(text), text);
        }
    }

    #[test]
    fn a_long_message_ends_within_its_limit_on_a_characters_edge() {
        let cut = message(&"ü ".repeat(1000));
        assert!(cut.len() <= MESSAGE_BYTES && cut.ends_with('…'), "{cut}");
    }
}
