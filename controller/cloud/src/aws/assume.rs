//! Credentials of a role. The SDK caches them until they end; what STS refuses leaves as a fault that names the role.

use super::failure::{Failure, Unidentified};
use super::fault;
use crate::operation::Operation;
use crate::shared::Shared;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use launchway_plan::account::{Assumed, Place};
use launchway_plan::fault::Fault;
use launchway_plan::rank::Rank;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The session's name, as CloudTrail shows it.
const SESSION: &str = "launchway";

/// Credentials are renewed so long before they expire, so that none expires during a call.
const MARGIN: Duration = Duration::from_secs(300);

/// Nothing works without credentials, so they are fetched with the highest rank, whoever needs them.
const URGENT: Rank = Rank::Rollback;

/// Assumes a role.
pub(crate) struct Assuming {
    sts: aws_sdk_sts::Client,
    role: Assumed,
    place: Place,
    shared: Arc<Shared>,
}

impl Assuming {
    /// Through this client, which has the controller's own credentials.
    pub fn new(sts: aws_sdk_sts::Client, role: Assumed, place: Place, shared: Arc<Shared>) -> Self {
        Self { sts, role, place, shared }
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
        let request = self.sts.assume_role().role_arn(&self.role.arn).role_session_name(SESSION);
        let reply = request.set_external_id(self.role.external_id.clone()).send().await.map_err(|e| Failure::of(&e))?;
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
