//! Who asks, as a Secret says or as a role of AWS, and the header that it becomes. Never shown (docs/security.md).

use super::GitFault;
use super::app::App;
use super::fault::Offered;
use crate::other::Keys;
use crate::web::{Authorities, WebFault};
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use k8s_openapi::ByteString;
use launchway_cloud::GitRepository;
use sha2::{Digest, Sha256};

/// A name for a repository as somebody sees it.
pub(crate) type Key = [u8; 32];

/// How a repository is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Who asks; absent: nobody in particular.
    pub credential: Option<Credential>,
    /// The GitHub App that gets a token for it, in place of a credential.
    pub app: Option<App>,
    /// Who may sign the host's certificate besides those whom the system trusts.
    pub authorities: Option<Authorities>,
}

/// Who asks. `Debug` shows only the kind.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// HTTP basic, from the keys `username` and `password`.
    Basic {
        /// The user.
        username: String,
        /// The password, or a token that takes its place.
        password: String,
    },
    /// A token, from the key `token`; sent as the password of `x-access-token`, which GitHub wants and GitLab, Gitea
    /// and others accept.
    Token(String),
    /// A token that is sent as `Bearer`, from the key `bearerToken`.
    Bearer(String),
    /// A role of AWS, for this repository of CodeCommit: it signs anew for each poll.
    CodeCommit(GitRepository),
}

/// Why a Secret is no credential. Holds names of keys, never their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// None of the keys is there, or only half of a pair.
    #[error(
        "the Secret needs the keys username and password, or token, or bearerToken, or githubAppID, githubAppInstallationID and githubAppPrivateKey, or ca.crt alone"
    )]
    Missing,
    /// More than one way to ask.
    #[error("the Secret has more than one of password, token, bearerToken and the keys of a GitHub App; keep one")]
    Ambiguous,
    /// The authorities cannot be read.
    #[error(
        "the key ca.crt of the Secret is not one to a hundred certificates in PEM, of at most 64 KiB together: begin each with -----BEGIN CERTIFICATE-----"
    )]
    Authorities,
    /// No key that a GitHub App signs with.
    #[error(
        "the key githubAppPrivateKey of the Secret is no RSA private key in PEM: take the file that GitHub generates, as it is"
    )]
    AppKey,
    /// A value that is larger than any credential.
    #[error("the key {0} of the Secret is longer than 8 KiB: put nothing there but the credential")]
    TooLong(&'static str),
    /// A value that cannot be sent.
    #[error("the key {0} of the Secret is empty, or has characters that cannot be sent")]
    Value(&'static str),
}

const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const TOKEN: &str = "token";
const BEARER: &str = "bearerToken";
const CODE_COMMIT: &str = "codeCommit";
const APP: &str = "githubApp";
const INSTALLATION: &str = "githubAppInstallationID";

/// How long it may take to get the credentials that sign. Whoever waits holds a place among the polls.
const SIGNS: Duration = Duration::from_secs(10);

/// How long a value may be, in bytes: 8 KiB. Servers take no longer header (8190 bytes in Apache, 8 KiB in nginx, by default), and
/// what is taken stays in memory for as long as a poll with it lasts.
const LONGEST: usize = 8 << 10;

impl Access {
    /// What a Secret's `data` says. With `ca.crt` alone the repository is public.
    ///
    /// # Errors
    /// The keys make no credential, or a value cannot be used.
    pub fn parse(mut data: Keys) -> Result<Access, CredentialFault> {
        let pem = data.authorities.take();
        let authorities = pem.map(|pem| Authorities::parse(&pem.0).ok_or(CredentialFault::Authorities)).transpose()?;
        let is_public = authorities.is_some() && data.is_empty();
        if data.is_an_app() {
            return Ok(Access { credential: None, app: Some(app(data)?), authorities });
        }
        let credential = if is_public { None } else { Some(Credential::parse(data)?) };
        Ok(Access { credential, app: None, authorities })
    }

    /// A name for `url` as seen by whom this says: equal only if both are.
    pub(crate) fn digest(&self, url: &str) -> Key {
        let mut parts = vec![url];
        match &self.credential {
            None => match &self.app {
                None => parts.push(""),
                Some(App { id, installation, api, key }) => parts.extend([APP, id, installation, api, key]),
            },
            Some(Credential::Basic { username, password }) => parts.extend([PASSWORD, username, password]),
            Some(Credential::Token(token)) => parts.extend([TOKEN, token]),
            Some(Credential::Bearer(token)) => parts.extend([BEARER, token]),
            Some(Credential::CodeCommit(repository)) => {
                // Not the signature, which is another one for each poll.
                parts.push(CODE_COMMIT);
                parts.extend(repository.seen_from());
            }
        }
        let mut hash = Sha256::new();
        let certificates = self.authorities.iter().flat_map(Authorities::certificates);
        for part in parts.into_iter().map(str::as_bytes).chain(certificates) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl Credential {
    /// The credential that a Secret's `data` holds. One line end after a value is dropped: many tools leave one there.
    ///
    /// # Errors
    /// The keys make no credential, or a value cannot be sent.
    pub fn parse(data: Keys) -> Result<Credential, CredentialFault> {
        match (data.password, data.token, data.bearer_token) {
            (Some(password), None, None) => {
                let username = value(data.username.ok_or(CredentialFault::Missing)?, USERNAME)?;
                if username.contains(':') {
                    return Err(CredentialFault::Value(USERNAME));
                }
                Ok(Credential::Basic { username, password: value(password, PASSWORD)? })
            }
            (None, Some(token), None) => value(token, TOKEN).map(Credential::Token),
            (None, None, Some(token)) => {
                let token = value(token, BEARER)?;
                let sendable = token.bytes().all(|byte| byte.is_ascii_graphic());
                if sendable { Ok(Credential::Bearer(token)) } else { Err(CredentialFault::Value(BEARER)) }
            }
            (None, None, None) => Err(CredentialFault::Missing),
            (Some(_), Some(_), _) | (Some(_), None, Some(_)) | (None, Some(_), Some(_)) => {
                Err(CredentialFault::Ambiguous)
            }
        }
    }

    /// The `Authorization` header for the requests of one poll, marked as sensitive.
    pub(super) async fn header(&self) -> Result<HeaderValue, GitFault> {
        let text = match self {
            Credential::Basic { username, password } => basic(username, password),
            Credential::Token(token) => basic("x-access-token", token),
            Credential::Bearer(token) => format!("Bearer {token}"),
            Credential::CodeCommit(repository) => {
                let login = tokio::time::timeout(SIGNS, repository.login()).await;
                let login = login.map_err(|_| GitFault::Web(WebFault::Timeout))?.map_err(GitFault::NotSigned)?;
                basic(&login.username, &login.password)
            }
        };
        let mut header = HeaderValue::from_str(&text).map_err(|_| GitFault::Web(WebFault::Request))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// What a server is offered, for messages.
    pub(super) fn offered(&self) -> Offered {
        match self {
            Credential::Basic { .. } => Offered::Basic,
            Credential::Token(_) => Offered::Token,
            Credential::Bearer(_) => Offered::Bearer,
            Credential::CodeCommit(_) => Offered::Signature,
        }
    }
}

/// HTTP basic.
pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// A GitHub App, whose Secret has no other credential.
fn app(data: Keys) -> Result<App, CredentialFault> {
    let Keys { username, password, token, bearer_token, .. } = data;
    if [username, password, token, bearer_token].iter().any(Option::is_some) {
        return Err(CredentialFault::Ambiguous);
    }
    let (Some(id), Some(installation), Some(key)) = (data.app_id, data.app_installation_id, data.app_private_key)
    else {
        return Err(CredentialFault::Missing);
    };
    if key.0.len() > LONGEST {
        return Err(CredentialFault::TooLong("githubAppPrivateKey"));
    }
    let base = data.app_base_url.map(|base| value(base, "githubAppBaseURL")).transpose()?;
    let (id, installation) = (value(id, "githubAppID")?, value(installation, INSTALLATION)?);
    // It becomes a part of a URL.
    if !installation.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CredentialFault::Value(INSTALLATION));
    }
    App::parse(id, installation, base, &key.0).ok_or(CredentialFault::AppKey)
}

fn value(bytes: ByteString, key: &'static str) -> Result<String, CredentialFault> {
    if bytes.0.len() > LONGEST {
        return Err(CredentialFault::TooLong(key));
    }
    let text = std::str::from_utf8(&bytes.0).map_err(|_| CredentialFault::Value(key))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() || text.contains(char::is_control) {
        return Err(CredentialFault::Value(key));
    }
    Ok(text.to_owned())
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::Basic { .. } => "Credential::Basic(…)",
            Credential::Token(_) => "Credential::Token(…)",
            Credential::Bearer(_) => "Credential::Bearer(…)",
            Credential::CodeCommit(_) => "Credential::CodeCommit(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::web::CERTIFICATE;

    fn secret(pairs: &[(&str, &str)]) -> Keys {
        let encoded = pairs.iter().map(|(key, value)| ((*key).to_owned(), STANDARD.encode(value).into()));
        serde_json::from_value(serde_json::Value::Object(encoded.collect())).unwrap()
    }

    #[tokio::test]
    async fn the_three_kinds_are_told_by_their_keys() {
        let basic = Credential::parse(secret(&[("username", "alice"), ("password", "hunter2\n")])).unwrap();
        assert_eq!(basic, Credential::Basic { username: "alice".into(), password: "hunter2".into() });
        assert_eq!(basic.header().await.unwrap(), "Basic YWxpY2U6aHVudGVyMg==");
        let token = Credential::parse(secret(&[("token", "t0ken\r\n")])).unwrap();
        assert_eq!(token.header().await.unwrap(), "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=");
        let bearer = Credential::parse(secret(&[("bearerToken", "b"), ("other", "x")])).unwrap();
        assert_eq!(bearer.header().await.unwrap(), "Bearer b");
    }

    #[test]
    fn what_is_no_credential_is_said_without_its_values() {
        let cases: [(&[(&str, &str)], CredentialFault); 9] = [
            (&[], CredentialFault::Missing),
            (&[("username", "alice")], CredentialFault::Missing),
            (&[("password", "hunter2")], CredentialFault::Missing),
            (&[("username", "a"), ("password", "hunter2"), ("token", "t")], CredentialFault::Ambiguous),
            (&[("token", "t"), ("bearerToken", "t")], CredentialFault::Ambiguous),
            (&[("token", "\n")], CredentialFault::Value("token")),
            (&[("token", "hunter2\r\nX-Evil: 1")], CredentialFault::Value("token")),
            (&[("bearerToken", "hunter2 x")], CredentialFault::Value("bearerToken")),
            (&[("username", "a:b"), ("password", "hunter2")], CredentialFault::Value("username")),
        ];
        for (pairs, fault) in cases {
            assert_eq!(Credential::parse(secret(pairs)), Err(fault), "{pairs:?}");
            assert!(!format!("{fault} {fault:?}").contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn no_credential_is_shown() {
        let all = [
            Credential::Basic { username: "alice".into(), password: "hunter2".into() },
            Credential::Token("hunter2".into()),
            Credential::Bearer("hunter2".into()),
        ];
        for credential in all {
            assert!(!format!("{credential:?} {:?}", credential.header().await).contains("hunter2"));
        }
    }

    #[test]
    fn only_the_same_url_credential_and_authorities_share_a_name() {
        let basic =
            |username: &str, password: &str| Credential::Basic { username: username.into(), password: password.into() };
        let named = |url: &str, credential| Access { credential, ..Access::default() }.digest(url);
        let trusting = Access { authorities: Authorities::parse(CERTIFICATE.as_bytes()), ..Access::default() };
        assert!(trusting.authorities.is_some());
        let all = [
            named("https://a/", None),
            named("https://b/", None),
            named("https://a/", Some(Credential::Token("x".into()))),
            named("https://a/", Some(Credential::Bearer("x".into()))),
            named("https://a/", Some(basic("x", "yz"))),
            named("https://a/", Some(basic("xy", "z"))),
            trusting.digest("https://a/"),
        ];
        assert_eq!(std::collections::BTreeSet::from(all).len(), all.len());
        assert_eq!(all[4], named("https://a/", Some(basic("x", "yz"))));
    }

    #[test]
    fn authorities_stand_alone_or_beside_a_credential() {
        let alone = Access::parse(secret(&[("ca.crt", CERTIFICATE)])).unwrap();
        assert!(alone.credential.is_none() && alone.authorities.is_some());
        let both = Access::parse(secret(&[("ca.crt", CERTIFICATE), ("token", "t")])).unwrap();
        assert_eq!((both.credential, both.authorities), (Some(Credential::Token("t".into())), alone.authorities));
        let none = Access::parse(secret(&[("token", "t")])).unwrap();
        assert!(none.authorities.is_none());
        let broken = CERTIFICATE.replace("MII", "MIJ");
        for bad in ["", "x", &broken, &CERTIFICATE.repeat(101)] {
            assert_eq!(Access::parse(secret(&[("ca.crt", bad), ("token", "t")])), Err(CredentialFault::Authorities));
        }
        let half = Access::parse(secret(&[("ca.crt", CERTIFICATE), ("username", "a")]));
        assert_eq!(half, Err(CredentialFault::Missing));
    }

    #[test]
    fn what_is_longer_than_a_credential_is_refused_with_its_key_and_the_limit() {
        let padded = |length: usize| CERTIFICATE.to_owned() + &"\n".repeat(length - CERTIFICATE.len());
        assert!(Access::parse(secret(&[("ca.crt", &padded(65_536))])).is_ok());
        assert_eq!(Access::parse(secret(&[("ca.crt", &padded(65_537))])), Err(CredentialFault::Authorities));
        assert!(CredentialFault::Authorities.to_string().contains("at most 64 KiB"));
        for (key, beside) in
            [("token", None), ("bearerToken", None), ("password", Some("username")), ("username", Some("password"))]
        {
            let taken = |length: usize| {
                let value = "a".repeat(length);
                let pairs = beside.map(|other| (other, "b")).into_iter().chain([(key, value.as_str())]);
                Access::parse(secret(&pairs.collect::<Vec<_>>()))
            };
            assert!(taken(8192).is_ok(), "{key}");
            let fault = taken(8193).unwrap_err();
            assert_eq!(fault, CredentialFault::TooLong(key));
            assert!(
                fault.to_string().contains(&format!("the key {key} of the Secret is longer than 8 KiB")),
                "{fault}"
            );
        }
    }
}
