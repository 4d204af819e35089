//! Credentials of a role. The SDK caches them until they end; what STS refuses leaves as a fault that names the role.

use super::failure::{Failure, Unidentified, outcome};
use super::fault;
use crate::operation::Operation;
use crate::shared::{Caller, Shared};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use launchway_plan::account::{Assumed, Place};
use launchway_plan::fault::Fault;
use launchway_plan::hash;
use launchway_plan::rank::Rank;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The longest name of a session [API_AssumeRole].
const LONGEST: usize = 64;

/// The name of a role's session, as CloudTrail shows it beside each of its calls: of which installation, and for which namespace's
/// objects changes are made. Looks are shared, and are for no one. It has what AWS takes, and differs where installation or
/// namespace do: one that is too long ends with a hash.
pub(crate) fn session(installation: &str, namespace: Option<&str>) -> String {
    let parts = ["launchway", namespace.unwrap_or_default(), installation];
    let whole = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("@");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let name = whole.replace(|c| !allowed(c), "-");
    if name == whole && name.len() <= LONGEST {
        return name;
    }
    let kept: String = name.chars().take(LONGEST - 9).collect();
    let hash: String = hash::of(&whole).chars().take(8).collect();
    format!("{kept}-{hash}")
}

/// Credentials are renewed so long before they expire, so that none expires during a call.
const MARGIN: Duration = Duration::from_secs(300);

/// Nothing works without credentials, so they are fetched with the highest rank, whoever needs them.
const URGENT: Caller<'_> = Caller { namespace: "", rank: Rank::Rollback };

/// Assumes a role.
pub(crate) struct Assuming {
    sts: aws_sdk_sts::Client,
    role: Assumed,
    session: String,
    place: Place,
    shared: Arc<Shared>,
}

impl Assuming {
    /// Through this client, which has the controller's own credentials.
    pub fn new(sts: aws_sdk_sts::Client, role: Assumed, session: String, place: Place, shared: Arc<Shared>) -> Self {
        Self { sts, role, session, place, shared }
    }

    async fn credentials(&self) -> provider::Result {
        let first = self.assumed().await;
        let assumed = match first {
            // AssumeRole changes nothing, so it is tried once more, like every look.
            Err(failure) if failure.is_passing() => {
                self.shared.pause().await;
                self.assumed().await
            }
            assumed => assumed,
        };
        assumed.map_err(|failure| {
            let fault = fault::of(Operation::AssumeRole, &failure, self.role.arn.clone());
            CredentialsError::provider_error(Unidentified(self.without_external_id(fault)))
        })
    }

    async fn assumed(&self) -> Result<Credentials, Failure> {
        let own = Place { role: None, ..self.place.clone() };
        self.shared.take(&own, None, Operation::AssumeRole, URGENT).await?;
        let request = self.sts.assume_role().role_arn(&self.role.arn).role_session_name(&self.session);
        let request = request.set_external_id(self.role.external_id.clone());
        let sent = self.shared.clock.local();
        let answer = request.send().await.map_err(|error| Failure::of(&error));
        self.shared.tell(Operation::AssumeRole, sent, outcome(&answer));
        let reply = answer?;
        reply.credentials().and_then(credentials).ok_or_else(|| Failure::unreadable("AssumeRole without credentials"))
    }

    /// STS repeats a malformed external ID in its refusal.
    fn without_external_id(&self, fault: Fault) -> Fault {
        match &self.role.external_id {
            Some(id) if !id.is_empty() => Fault { message: fault.message.replace(id.as_str(), "[hidden]"), ..fault },
            Some(_) | None => fault,
        }
    }
}

fn credentials(given: &aws_sdk_sts::types::Credentials) -> Option<Credentials> {
    let end = SystemTime::try_from(*given.expiration()).ok()?;
    let (key, secret, token) = (given.access_key_id(), given.secret_access_key(), given.session_token().to_owned());
    Some(Credentials::new(key, secret, Some(token), end.checked_sub(MARGIN), "launchway"))
}

impl ProvideCredentials for Assuming {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// Without the external ID.
impl fmt::Debug for Assuming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assuming").field("role", &self.role.arn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_session_says_for_whom_and_of_which_installation() {
        assert_eq!(session("blue", Some("team-a")), "launchway@team-a@blue");
        assert_eq!((session("blue", None), session("", None)), ("launchway@blue".to_owned(), "launchway".to_owned()));
    }

    proptest! {
        #[test]
        fn every_session_has_a_name_that_sts_takes(installation in ".{0,80}", namespace in "[a-z][a-z0-9-]{0,62}") {
            let name = session(&installation, Some(&namespace));
            prop_assert!((2..=64).contains(&name.len()), "{}", name);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)), "{}", name);
            prop_assert_ne!(name, session(&installation, Some(&format!("{namespace}x"))));
        }
    }
}
