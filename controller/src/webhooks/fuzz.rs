//! The fuzz target of webhooks: what proves a request is a signature over its very body, or the secret itself, and nothing else.

#![allow(clippy::unwrap_used)]

use super::{Proof, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use launchway_crds::pipeline::WebhookProvider;
use launchway_test_fuzz::fuzz;
use sha2::Sha256;

const NOW: i64 = 1_614_265_330;
const TEXT: &str = "It's a Secret to Everybody";
const STANDARD_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The signature of the parts, one behind the other.
fn signature(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_standard(headers: &HeaderMap, body: &[u8]) -> String {
    let of = |name: &str| headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    let key = STANDARD.decode(STANDARD_KEY.strip_prefix("whsec_").unwrap()).unwrap();
    STANDARD.encode(signature(&key, &[of("webhook-id"), b".", of("webhook-timestamp"), b".", body]))
}

/// Headers, and behind an empty line the body.
fn request(bytes: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let mut headers = HeaderMap::new();
    for line in bytes[..at].split(|byte| *byte == b'\n') {
        let at = line.iter().position(|byte| *byte == b':')?;
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?;
        headers.append(HeaderName::from_bytes(&line[..at]).ok()?, value);
    }
    Some((headers, &bytes[at + 2..]))
}

/// Whether it is proved, however the body is cut.
fn proves(provider: WebhookProvider, secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let secrets: Vec<Secret> = ["another", secret].into_iter().filter_map(Secret::new).collect();
    let proof = Proof::new(provider, headers, &secrets, Timestamp::from_second(NOW).unwrap());
    let cut = |length: usize| {
        let mut proof = proof.clone();
        body.chunks(length).for_each(|part| proof.update(part));
        proof.holds()
    };
    let whole = cut(body.len().max(1));
    assert_eq!([cut(1), cut(7)], [whole, whole], "how the body comes in makes no difference");
    whole
}

/// Whether a header of that name says so, and nothing beside it that matters.
fn says(headers: &HeaderMap, name: &str, wanted: &str) -> bool {
    headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| value.to_lowercase() == wanted))
}

fn seeds() -> Vec<Vec<u8>> {
    let body = r#"{"ref":"refs/heads/main","after":"0123456789abcdef0123456789abcdef01234567"}"#;
    let digits = hex(&signature(TEXT.as_bytes(), &[body.as_bytes()]));
    let standard = format!("webhook-id: msg_1\nwebhook-timestamp: {NOW}");
    let (headers, _) = request(format!("{standard}\n\n").as_bytes()).unwrap();
    let signed = of_standard(&headers, body.as_bytes());
    let heads = [
        format!("X-GitHub-Event: push\nX-Hub-Signature-256: sha256={digits}"),
        format!("X-Hub-Signature: sha256={}", digits.to_uppercase()),
        format!("X-Gitea-Signature: {digits}\nX-Forgejo-Signature: {digits}"),
        format!("X-Signature: sha256={digits}"),
        format!("{standard}\nwebhook-signature: v1a,x v1,AAAA v1,{signed}"),
        format!("X-Gitlab-Event: Push Hook\nX-Gitlab-Token: {TEXT}"),
    ];
    heads.map(|head| format!("{head}\n\n{body}").into_bytes()).into()
}

#[test]
fn a_request_is_proved_by_the_signature_of_its_very_body_or_by_the_secret_and_by_nothing_else() {
    use WebhookProvider::{Bitbucket, Generic, GitHub, GitLab, Gitea};
    fuzz(&seeds(), |bytes| {
        let Some((headers, body)) = request(bytes) else { return false };
        let digits = hex(&signature(TEXT.as_bytes(), &[body]));
        let prefixed = format!("sha256={digits}");
        let mut proved = false;
        for (provider, name, wanted) in [
            (GitHub, "x-hub-signature-256", &prefixed),
            (Bitbucket, "x-hub-signature", &prefixed),
            (Generic, "x-signature", &prefixed),
        ] {
            let holds = proves(provider, TEXT, &headers, body);
            assert!(!holds || says(&headers, name, wanted), "{provider:?}");
            proved |= holds;
        }
        let holds = proves(Gitea, TEXT, &headers, body);
        assert!(
            !holds || ["x-gitea-signature", "x-forgejo-signature"].iter().any(|name| says(&headers, name, &digits))
        );
        let sent = proves(GitLab, TEXT, &headers, body);
        assert_eq!(sent, headers.get("x-gitlab-token").is_some_and(|token| token == TEXT));
        proved |= holds || sent;
        for provider in [GitLab, Generic] {
            let holds = proves(provider, STANDARD_KEY, &headers, body);
            let seen = headers.get("webhook-signature").and_then(|seen| seen.to_str().ok()).unwrap_or_default();
            assert!(!holds || seen.contains(&format!("v1,{}", of_standard(&headers, body))), "{provider:?}: {seen}");
            proved |= holds;
        }
        proved
    });
}
