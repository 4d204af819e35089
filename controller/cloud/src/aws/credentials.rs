//! The credentials of a place as such, for what is signed without a client of the SDK. Those of its clients the SDK keeps
//! itself.

use super::failure::Failure;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::SdkConfig;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// How long credentials are used that say no end: their source may have others by then. The SDK's own cache takes as long.
const UNENDING: Duration = Duration::from_secs(15 * 60);

/// So long before their end they are not used any more. Those of a role say an earlier end than STS does.
const MARGIN: Duration = Duration::from_secs(10);

/// Fetches credentials, and keeps them until they end.
pub(crate) struct Kept {
    provider: Option<SharedCredentialsProvider>,
    /// The last ones, and until when they are used.
    last: Mutex<Option<(Credentials, SystemTime)>>,
}

impl Kept {
    /// Those that the clients of this configuration have. Nothing is fetched yet.
    pub fn new(config: &SdkConfig) -> Self {
        Self { provider: config.credentials_provider(), last: Mutex::default() }
    }

    /// Those that are good at that time. Who asks while they are fetched waits for the same ones.
    pub async fn at(&self, now: SystemTime) -> Result<Credentials, Failure> {
        let mut last = self.last.lock().await;
        if let Some((known, _)) = last.as_ref().filter(|(_, until)| now < *until) {
            return Ok(known.clone());
        }
        let provider = self.provider.as_ref().ok_or_else(Failure::no_credentials)?;
        let found = provider.provide_credentials().await.map_err(|error| Failure::of_credentials(&error))?;
        let until = found.expiry().map_or(now + UNENDING, |end| end.checked_sub(MARGIN).unwrap_or(end));
        *last = Some((found.clone(), until));
        Ok(found)
    }
}
