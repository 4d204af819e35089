//! The door of CodeCommit's git server: whom it lets in, and to which repository. What git says behind it is not here.

use std::sync::Arc;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::guesses::Guess;
use crate::{Call, Outcome, World};

pub(crate) const GUESSES: &[Guess] = &[
    Guess {
        what: "CodeCommit's git server answers 403 to a signature that is wrong, too old or of another repository, and to a role without codecommit:GitPull; 401 to nobody in particular",
        source: "git-remote-codecommit's users quote 403; of a request without a header both 401 and 403 are reported",
    },
    Guess {
        what: "A signature for git is good from 5 minutes before its time to 15 minutes after it",
        source: "AWS's documentation of the credential helper says 15 minutes; the other is SigV4's usual tolerance",
    },
];

/// A request as it comes to the door.
#[derive(Clone, Copy, Debug)]
pub struct Knock<'a> {
    /// The host that is asked: `git-codecommit.REGION.amazonaws.com`.
    pub host: &'a str,
    /// The path that is asked, with what git puts behind the repository's.
    pub path: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
}

/// The longest that a signature is good after and before its time.
const AFTER: SignedDuration = SignedDuration::from_mins(15);
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

impl World {
    /// Whether somebody is let in at that time; if not, the status that is answered. What is asked stands in the log.
    pub fn knock(&mut self, now: Timestamp, knock: &Knock<'_>) -> Result<(), u16> {
        let region =
            knock.host.strip_prefix("git-codecommit.").and_then(|rest| rest.split('.').next()).ok_or(404_u16)?;
        let repository =
            knock.path.strip_prefix("/v1/repos/").and_then(|rest| rest.split('/').next()).ok_or(404_u16)?;
        let sent = knock.authorization.ok_or(401_u16)?;
        let (user, password) = login(sent).ok_or(403_u16)?;
        let (key, token) = user.split_once('%').map_or((user.as_str(), None), |(key, token)| (key, Some(token)));
        let known = self.iam.credentials.get(key).filter(|known| known.token.as_deref() == token);
        let known = known.filter(|known| known.expires.is_none_or(|expires| now < expires)).cloned().ok_or(403_u16)?;
        let is_signed = known.secret.as_ref().is_some_and(|secret| {
            let host_and_path = (knock.host, format!("/v1/repos/{repository}"));
            is_signature(&password, secret, region, host_and_path, now)
        });
        if !is_signed {
            return Err(403);
        }
        let call = Call {
            now,
            account: known.caller.account.clone(),
            region: region.to_owned(),
            caller: known.caller,
            service: "codecommit",
            operation: "GitPull".to_owned(),
            input: Arc::new(json!({"repositoryName": repository})),
            agent: String::new(),
        };
        let allowed = self.allow(&call, "codecommit:GitPull", &call.arn("codecommit", repository), &[]);
        let refused = |refusal: crate::Refusal| Outcome::Refused(refusal.code);
        let outcome = allowed.as_ref().err().cloned().map_or(Outcome::Done, refused);
        self.note(&call, outcome);
        allowed.map_err(|_| 403)
    }
}

/// User and password of HTTP basic.
fn login(header: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Whether a password is a time and the signature that its owner makes then for that host and path.
fn is_signature(password: &str, secret: &str, region: &str, (host, path): (&str, String), now: Timestamp) -> bool {
    let Some((time, signature)) = password.split_once('Z') else { return false };
    let Ok(signed) = DateTime::strptime("%Y%m%dT%H%M%S", time) else { return false };
    let Ok(signed) = signed.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()) else { return false };
    let age = now.duration_since(signed);
    let request = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let hash: String = Sha256::digest(request.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{}/{region}/codecommit/aws4_request\n{hash}", &time[..8]);
    let key = generate_signing_key(secret, signed.into(), region, "codecommit");
    (-BEFORE..=AFTER).contains(&age) && calculate_signature(key, text.as_bytes()) == signature
}
