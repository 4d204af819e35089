//! Signing in at CodeCommit's git servers: user and password are made of a signature by a place's credentials, and there is
//! nothing of git's own to keep. What is asked there is git's matter.
//!
//! AWS publishes the form as code only: `codecommit.py` of the AWS CLI (`aws codecommit credential-helper`) and
//! git-remote-codecommit.

use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use jiff::Timestamp;
use launchway_plan::fault::Fault;
use launchway_plan::partition::{git_host, git_path, git_url};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::SystemTime;

/// A repository of CodeCommit, as the credentials of a place see it.
#[derive(Clone)]
pub struct GitRepository {
    cloud: Cloud,
    name: String,
}

/// User and password for one repository, good for fifteen minutes or until the credentials end. `Debug` shows neither.
pub struct Login {
    /// The access key's ID, and behind a `%` the session token of a role.
    pub username: String,
    /// The time and the signature.
    pub password: String,
}

impl Cloud {
    /// The repository of CodeCommit of that name. Nothing is asked yet.
    pub fn git_repository(&self, name: &str) -> GitRepository {
        GitRepository { cloud: self.clone(), name: name.to_owned() }
    }
}

impl GitRepository {
    /// The URL that git's requests go to.
    pub fn url(&self) -> String {
        let inner = self.cloud.inner();
        match &inner.shared.settings.codecommit_url {
            Some(other) => format!("{}{}", other.trim_end_matches('/'), git_path(&self.name)),
            None => git_url(&inner.place.region, &self.name),
        }
    }

    /// Its ARN. An account that is not known yet is `*`.
    pub fn arn(&self) -> String {
        self.cloud.arn("codecommit", &self.name)
    }

    /// From where it is seen: the Region, the role and its external ID, empty for the controller's own credentials. Not to be shown.
    pub fn seen_from(&self) -> [&str; 3] {
        let place = &self.cloud.inner().place;
        let role = place.role.as_ref();
        let external_id = role.and_then(|role| role.external_id.as_deref());
        [&place.region, role.map_or("", |role| &role.arn), external_id.unwrap_or_default()]
    }

    /// Signs for a look at the repository now.
    ///
    /// # Errors
    /// There are no credentials: nothing was signed.
    pub async fn login(&self) -> Result<Login, Fault> {
        let failed = |failure| self.cloud.fault(Operation::GitPull, &failure, "codecommit", &self.name);
        let _token = self.cloud.take(Operation::GitPull).await.map_err(|none| failed(none.into()))?;
        let (inner, now) = (self.cloud.inner(), self.cloud.now());
        let credentials = inner.clients.credentials.at(now.into()).await.map_err(failed)?;
        Ok(signed(&credentials, &inner.place.region, &self.name, now))
    }
}

/// Signature version 4 of a request that nobody sends: method GIT, the repository's path, its host, no body. The time has no `Z` in
/// what is signed, and one in the password.
fn signed(credentials: &Credentials, region: &str, repository: &str, now: Timestamp) -> Login {
    let (time, day) = (now.strftime("%Y%m%dT%H%M%S"), now.strftime("%Y%m%d"));
    let request = format!("GIT\n{}\n\nhost:{}\n\nhost\n", git_path(repository), git_host(region));
    let hash: String = Sha256::digest(request.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{day}/{region}/{SERVICE}/aws4_request\n{hash}");
    let key = generate_signing_key(credentials.secret_access_key(), SystemTime::from(now), region, SERVICE);
    let id = credentials.access_key_id();
    Login {
        username: credentials.session_token().map_or_else(|| id.to_owned(), |token| format!("{id}%{token}")),
        password: format!("{time}Z{}", calculate_signature(key, text.as_bytes())),
    }
}

/// The service that signatures are for.
const SERVICE: &str = "codecommit";

/// The same repository, seen from the same place.
impl PartialEq for GitRepository {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.seen_from()) == (&other.name, other.seen_from())
    }
}

impl Eq for GitRepository {}

/// Without the external ID.
impl fmt::Debug for GitRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitRepository").field("arn", &self.arn()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with the published source of the AWS CLI's credential helper, from keys of AWS's documentation.
    #[test]
    fn the_password_is_what_awss_own_program_makes() {
        let (id, secret) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let password = "20260102T030405Z79a1597f7700a9375ff076d3c223ed8513420fb2b287490ba465d47a309e693b";
        for (token, user) in [(None, id.to_owned()), (Some("a+/b=".to_owned()), format!("{id}%a+/b="))] {
            let login = signed(&Credentials::new(id, secret, token, None, "test"), "eu-central-1", "MyDemoRepo", now);
            assert_eq!((login.username, login.password.as_str()), (user, password));
        }
    }

    #[test]
    fn a_login_is_not_shown() {
        let login = Login { username: "AKIA".to_owned(), password: "hunter2".to_owned() };
        assert_eq!(format!("{login:?}"), "Login(…)");
    }
}
