//! AWS's texts, and what builds print, made fit for a status: nothing that looks like a credential, nothing that cannot be
//! seen, and not longer than it may be.

use anstream::adapter::strip_str;
use launchway_plan::condition::{cut, visible};
use regex::Regex;
use std::sync::LazyLock;

#[cfg(test)]
mod tests;

/// The longest message of a fault.
pub(crate) const MESSAGE_BYTES: usize = 512;

const HIDDEN: &str = "[hidden]";

/// A message of AWS: without what looks like a credential, in one line, at most 512 bytes.
pub(crate) fn message(text: &str) -> String {
    cut(&secrets(&plain(text).split_whitespace().collect::<Vec<_>>().join(" ")), MESSAGE_BYTES)
}

/// The longest line of a log that is shown whole, in bytes.
pub(crate) const LINE_BYTES: usize = 16_384;

/// A line of a log: without what looks like a credential, and of one that is very long the beginning.
pub(crate) fn line(text: &str) -> String {
    let end = text.floor_char_boundary(LINE_BYTES);
    let mark = if end < text.len() { "…" } else { "" };
    secrets(plain(&text[..end]).trim_end()) + mark
}

/// The text without the colours of a terminal and without what cannot be seen: either may stand within a key.
fn plain(text: &str) -> String {
    visible(&strip_str(text).to_string())
}

/// Where a pattern is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    All,
    OtherThanArns,
}

/// An ARN, up to what cannot belong to one.
static ARNS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"arn:aws[a-z-]*:[^\s"'\\,;(){}<>=\[\]]+"#).ok());

/// Each pattern of a credential, and what stays of it.
///
/// The prefixes are those that their issuers document for secret scanning: GitHub (`ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`,
/// `github_pat_`), GitLab (`glpat-` and others), Slack (`xox?-`, `xapp-`), npm, PyPI, Docker Hub, Google, Stripe, OpenAI,
/// Anthropic, Hugging Face, DigitalOcean, Vault, SendGrid, Shopify, Atlassian, Databricks, Doppler, Grafana, AWS.
/// The last says whether it is looked for within ARNs too: what stands after `secret:` there is the name of a secret.
const PATTERNS: [(&str, &str, Within); 11] = [
    // User and password in a URL.
    (r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#'\x22<>]*@", "${1}[hidden]@", Within::OtherThanArns),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", HIDDEN, Within::All),
    (
        r"(?x)\b(?:
            gh[pousr]_[A-Za-z0-9]{8,} | github_pat_\w{8,} | gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|oas|ffct|wt)-[\w.-]{8,} |
            xox[a-z]-[\w-]{8,} | xapp-[\w-]{8,} | xoxe\.[\w.-]{8,} | npm_\w{8,} | pypi-[\w-]{8,} | dckr_[a-z]+_[\w-]{8,} |
            AIza[\w-]{20,} | ya29\.[\w-]{8,} | [srp]k_(?:live|test)_\w{8,} | whsec_\w{8,} | sk-[\w-]{16,} | hf_[A-Za-z0-9]{16,} |
            do[opr]_v1_\w{8,} | hv[sbr]\.[\w-]{8,} | SG\.[\w-]{8,}\.[\w-]{8,} | shp(?:at|ca|pa|ss)_\w{8,} | ATATT[\w=-]{16,} |
            dapi[0-9a-f]{16,} | dp\.(?:pt|st|ct|sa|scim)\.\w{8,} | gl(?:sa|c)_\w{8,} | rubygems_\w{8,} | eyJ[\w-]+\.[\w-]+\.[\w-]*
        )",
        HIDDEN,
        Within::All,
    ),
    (r"(?:AKIA|ASIA)[A-Z0-9]{12,}", HIDDEN, Within::All),
    // `Authorization: Basic …` first, or the scheme would be taken for the value.
    (r"(?i)\b(bearer|basic|aws4-hmac-sha256)(\s+)[A-Za-z0-9+/=_.~-]+", "${1}${2}[hidden]", Within::OtherThanArns),
    // A name, a sign, a value: as in YAML, JSON, a shell, an .npmrc and a query. The value may be hidden in part already.
    (
        r#"(?ix)\b?((?:[\w.-]*(?:
            passwor[dt] | passwd | passphrase | pwd | pgpass | secret | token | api[_-]?key | access[_-]?key | secret[_-]?key |
            private[_-]?key | client[_-]?secret | credentials? | authorization | _auth | signature
        )s?)\\?["']?\s*(?:=>|[:=])\s*\\?["']?(?:(?:bearer|basic|token|aws4-hmac-sha256)\s+)?)
        (?:\[hidden\](?:[^\s"'\\]*[^\s"'\\,;.(){}<>\[\]])?|[^\s"'\\]*[^\s"'\\,;.(){}<>\[\]])"#,
        "${1}[hidden]",
        Within::OtherThanArns,
    ),
    // A short name that is a whole one: PASS=…, not `bypass: …`.
    (r#"((?:\b|_)(?i:pass)\\?["']?\s*=\s*\\?["']?)[^\s"'\\]+"#, "${1}[hidden]", Within::OtherThanArns),
    // Arguments of commands: docker login -p …, mysql --password …, curl -u user:…. A rule for each: where one pattern looks for all
    // of them, a word that comes often makes it read to the end of the line each time.
    (r#"(?i)(\blogin\b.*?\s-p[= ]?\s*["']?)[^\s"']+"#, "${1}[hidden]", Within::OtherThanArns),
    (r#"(?i)(\bmysql\w*\b.*?\s-p)[^\s"']+"#, "${1}[hidden]", Within::OtherThanArns),
    (r#"(?i)(\bcurl\b.*?\s(?:-u|--user)[= ]?\s*["']?)[^\s"']+"#, "${1}[hidden]", Within::OtherThanArns),
    (
        r#"(?i)(\s--?(?:[\w-]*(?:password|passwd|passphrase|secret|token|api-?key))(?:=|\s+)["']?)[^\s"'-][^\s"']*"#,
        "${1}[hidden]",
        Within::OtherThanArns,
    ),
];

/// A pattern that does not compile is left out, and a test fails.
static RULES: LazyLock<Vec<(Regex, &str, Within)>> = LazyLock::new(|| {
    PATTERNS.iter().filter_map(|(pattern, stays, within)| Some((Regex::new(pattern).ok()?, *stays, *within))).collect()
});

fn secrets(text: &str) -> String {
    let (mut clean, mut done) = (String::with_capacity(text.len()), 0);
    for arn in ARNS.iter().flat_map(|arns| arns.find_iter(text)) {
        clean.push_str(&without_patterns(&text[done..arn.start()], Within::OtherThanArns));
        clean.push_str(&without_patterns(arn.as_str(), Within::All));
        done = arn.end();
    }
    clean.push_str(&without_patterns(&text[done..], Within::OtherThanArns));
    clean.split_inclusive(ends_word).map(masked).collect()
}

/// The text without what the patterns find that are looked for there; those that are looked for everywhere are among them.
fn without_patterns(text: &str, here: Within) -> String {
    let rules = RULES.iter().filter(|(.., within)| *within == Within::All || here == Within::OtherThanArns);
    rules.fold(text.to_owned(), |text, (rule, stays, _)| rule.replace_all(&text, *stays).into_owned())
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"',;(){}<>".contains(c)
}

/// A word with its keys hidden. ARNs and URLs without keys stay whole: their long paths are no secrets.
fn masked(word: &str) -> String {
    if word.contains("arn:") || word.contains("://") {
        return word.to_owned();
    }
    let mut clean = String::with_capacity(word.len());
    let mut run = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || "+/=_".contains(c) {
            run.push(c);
            continue;
        }
        clean.push_str(if is_long_secret(&run) { HIDDEN } else { &run });
        run.clear();
        clean.push(c);
    }
    clean.push_str(if is_long_secret(&run) { HIDDEN } else { &run });
    clean
}

/// 40 characters or more of base64 with upper case, lower case and digits in it: secret keys have 40, session tokens
/// hundreds. Commit IDs and digests have no upper case.
fn is_long_secret(run: &str) -> bool {
    run.len() >= 40
        && run.contains(|c: char| c.is_ascii_uppercase())
        && run.contains(|c: char| c.is_ascii_lowercase())
        && run.contains(|c: char| c.is_ascii_digit())
}
