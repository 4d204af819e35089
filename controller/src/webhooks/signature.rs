//! Whether a request comes from who knows the secret: by a signature over its raw bytes, as they come in. Nothing of the body is
//! parsed or kept.
//!
//! Sources: GitHub, "Validating webhook deliveries"; GitLab, "Webhooks", "Validate requests"; Gitea and Forgejo, "Webhooks";
//! Bitbucket, "Manage webhooks", "Secure webhooks"; Standard Webhooks 1.0, "Signature scheme".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use launchway_crds::pipeline::WebhookProvider;
use sha2::Sha256;
use std::fmt;

/// How old the time may be that a sender signs, in seconds, and by how much it may be ahead.
const TOLERANCE: i64 = 300;
/// How many signatures of one request are looked at: senders that change their secret sign with two.
const SIGNATURES: usize = 4;
/// What the keys of Standard Webhooks begin with.
const STANDARD_KEY: &str = "whsec_";
/// How long such a key is at least, in bytes: Standard Webhooks asks for 24 to 64. Less is one that was never filled in.
const SHORTEST: usize = 16;

/// A secret that the git host knows too. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret; none, if it is empty: some hosts sign with an empty one where none is set.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What one request has to prove, while its body comes in.
#[derive(Clone)]
pub struct Proof(Vec<Candidate>);

#[derive(Clone)]
enum Candidate {
    /// The body has to make one of these signatures.
    Signed(Box<Hmac<Sha256>>, Vec<Vec<u8>>),
    /// The secret itself was sent.
    Sent,
}

impl Proof {
    /// What is to be proved by a request with these headers, at that time, to one who knows these secrets. Of nothing that is
    /// signed nothing can be proved.
    pub fn new(provider: WebhookProvider, headers: &HeaderMap, secrets: &[Secret], now: Timestamp) -> Self {
        let of = |secret: &Secret| match provider {
            WebhookProvider::GitHub => signed(secret, hex(headers, "x-hub-signature-256", "sha256=")),
            WebhookProvider::Bitbucket => signed(secret, hex(headers, "x-hub-signature", "sha256=")),
            WebhookProvider::Gitea => {
                let seen = hex(headers, "x-gitea-signature", "").or_else(|| hex(headers, "x-forgejo-signature", ""));
                signed(secret, seen)
            }
            // The secret says how it signs, and not the sender.
            WebhookProvider::GitLab | WebhookProvider::Generic if secret.0.starts_with(STANDARD_KEY) => {
                standard(headers, secret, now)
            }
            WebhookProvider::GitLab => sent(headers, secret),
            WebhookProvider::Generic => signed(secret, hex(headers, "x-signature", "sha256=")),
        };
        Self(secrets.iter().filter_map(of).collect())
    }

    /// What nothing proves.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        for candidate in &mut self.0 {
            if let Candidate::Signed(mac, _) = candidate {
                mac.update(bytes);
            }
        }
    }

    /// Whether the whole body proves it.
    pub fn holds(self) -> bool {
        self.0.into_iter().any(|candidate| match candidate {
            Candidate::Sent => true,
            Candidate::Signed(mac, seen) => seen.iter().any(|one| mac.clone().verify_slice(one).is_ok()),
        })
    }
}

fn mac(key: &[u8]) -> Option<Box<Hmac<Sha256>>> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key).ok().map(Box::new)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn signed(secret: &Secret, seen: Option<Vec<u8>>) -> Option<Candidate> {
    Some(Candidate::Signed(mac(secret.0.as_bytes())?, vec![seen?]))
}

/// A signature of 32 bytes in hexadecimal digits.
fn hex(headers: &HeaderMap, name: &str, prefix: &str) -> Option<Vec<u8>> {
    let digits = text(headers, name)?.strip_prefix(prefix)?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if digits.len() != 64 {
        return None;
    }
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    digits.as_bytes().as_chunks().0.iter().map(byte).collect()
}

/// Standard Webhooks: ID, time and body are signed.
fn standard(headers: &HeaderMap, secret: &Secret, now: Timestamp) -> Option<Candidate> {
    let (id, time) = (text(headers, "webhook-id")?, text(headers, "webhook-timestamp")?);
    let age = now.as_second().checked_sub(time.parse().ok()?)?;
    if age.checked_abs()? > TOLERANCE {
        return None;
    }
    let key = STANDARD.decode(secret.0.strip_prefix(STANDARD_KEY)?).ok().filter(|key| key.len() >= SHORTEST)?;
    let mut mac = mac(&key)?;
    mac.update(format!("{id}.{time}.").as_bytes());
    let all = text(headers, "webhook-signature")?.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let seen = all.take(SIGNATURES).filter_map(|one| STANDARD.decode(one).ok()).collect();
    Some(Candidate::Signed(mac, seen))
}

/// GitLab sends an older kind of secret as it is. Compared by what both sign, so that the time tells nothing.
fn sent(headers: &HeaderMap, secret: &Secret) -> Option<Candidate> {
    let token = headers.get("x-gitlab-token")?.as_bytes();
    let mut seen = mac(secret.0.as_bytes())?;
    let mut own = seen.clone();
    seen.update(token);
    own.update(secret.0.as_bytes());
    own.verify(&seen.finalize().into_bytes()).is_ok().then_some(Candidate::Sent)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_614_265_330;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn proves(provider: WebhookProvider, pairs: &[(&str, &str)], secrets: &[&str], body: &str) -> bool {
        let secrets: Vec<Secret> = secrets.iter().filter_map(|text| Secret::new(text)).collect();
        let mut proof = Proof::new(provider, &headers(pairs), &secrets, Timestamp::from_second(NOW).unwrap());
        body.as_bytes().chunks(3).for_each(|bytes| proof.update(bytes));
        proof.holds()
    }

    /// What GitHub's documentation gives as an example.
    const GITHUB: (&str, &str, &str) = (
        "It's a Secret to Everybody",
        "Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    );

    #[test]
    fn each_provider_signs_in_its_own_header_and_with_either_secret() {
        let (secret, body, digits) = GITHUB;
        let prefixed = format!("sha256={digits}");
        let upper = format!("sha256={}", digits.to_uppercase());
        for (provider, name, value) in [
            (WebhookProvider::GitHub, "X-Hub-Signature-256", prefixed.as_str()),
            (WebhookProvider::GitHub, "X-Hub-Signature-256", &upper),
            (WebhookProvider::Bitbucket, "X-Hub-Signature", &prefixed),
            (WebhookProvider::Gitea, "X-Gitea-Signature", digits),
            (WebhookProvider::Gitea, "X-Forgejo-Signature", digits),
            (WebhookProvider::Generic, "X-Signature", &prefixed),
        ] {
            assert!(proves(provider, &[(name, value)], &[secret], body), "{provider:?}");
            assert!(proves(provider, &[(name, value)], &["another", secret], body), "{provider:?}: the second secret");
            assert!(!proves(provider, &[(name, value)], &["another"], body), "{provider:?}: another secret");
            assert!(!proves(provider, &[(name, value)], &[secret], "Hello, world!"), "{provider:?}: another body");
            assert!(!proves(provider, &[(name, value)], &[], body), "{provider:?}: no secret");
            assert!(!proves(provider, &[], &[secret], body), "{provider:?}: not signed");
            assert!(!proves(provider, &[("x-other", value)], &[secret], body), "{provider:?}: another header");
        }
    }

    #[test]
    fn gitlab_sends_an_old_secret_as_it_is_and_signs_with_a_new_one() {
        let token = [("X-Gitlab-Token", "hunter2")];
        assert!(proves(WebhookProvider::GitLab, &token, &["hunter2\n"], "any"));
        assert!(!proves(WebhookProvider::GitLab, &token, &["hunter3"], "any"));
        assert!(!proves(WebhookProvider::GitLab, &[("X-Gitlab-Token", "")], &[""], "any"), "no secret is set");
        assert!(!proves(WebhookProvider::GitHub, &token, &["hunter2"], "any"), "the provider says how");
    }

    /// The example of Standard Webhooks' own libraries.
    fn example<'a>(time: &'a str, signature: &'a str) -> [(&'static str, &'a str); 3] {
        [("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", time), ("webhook-signature", signature)]
    }

    #[test]
    fn standard_webhooks_sign_the_time_too() {
        let (key, body) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", r#"{"test": 2432232314}"#);
        let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let time = NOW.to_string();
        for provider in [WebhookProvider::GitLab, WebhookProvider::Generic] {
            assert!(proves(provider, &example(&time, good), &[key], body));
            assert!(proves(provider, &example(&time, &format!("v1a,x v1,AAAA {good}")), &[key], body));
            assert!(!proves(provider, &example(&time, good), &[key], "{}"));
            assert!(!proves(provider, &example(&(NOW + 1).to_string(), good), &[key], body), "another time");
            for old in [(NOW - 301).to_string(), (NOW + 301).to_string(), "x".to_owned(), i64::MIN.to_string()] {
                assert!(!proves(provider, &example(&old, good), &[key], body), "{old}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_headers_break_it_or_prove_anything(
            name in prop::sample::select(vec!["x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-signature",
                "x-gitlab-token", "webhook-signature"]),
            value in prop_oneof!["[ -~]{0,80}", "sha256=[0-9a-fA-F]{60,68}", "[0-9a-f]{64}", "(v1,[A-Za-z0-9+/=]{0,48} ?){0,6}"],
            time in prop_oneof![Just("1614265330".to_owned()), "[ -~]{0,24}"],
            secret in prop_oneof!["[ -~]{1,40}", "whsec_[A-Za-z0-9+/=]{0,44}"],
            body in "[ -~]{0,40}",
        ) {
            prop_assume!(value.trim() != secret.trim());
            let pairs = [(name, value.as_str()), ("webhook-id", "1"), ("webhook-timestamp", &time)];
            for provider in [WebhookProvider::GitHub, WebhookProvider::GitLab, WebhookProvider::Gitea,
                WebhookProvider::Bitbucket, WebhookProvider::Generic] {
                prop_assert!(!proves(provider, &pairs, &[&secret], &body));
            }
        }
    }
}
