//! Who we are. Assuming a role is in `assume`.

use super::failure::Failure;
use super::fault;
use crate::clouds::Cloud;
use crate::operation::Operation;
use launchway_plan::fault::Fault;
use launchway_plan::rank::Rank;

impl Cloud {
    /// The ID of the account that is reached from here: 12 digits. A role's ARN says it; for the controller's own
    /// credentials STS is asked once.
    pub async fn account_id(&self) -> Result<String, Fault> {
        let cell = &self.inner().account;
        if let Some(known) = cell.get() {
            return Ok(known.clone());
        }
        let found = self.identity().await?;
        Ok(cell.get_or_init(|| found).clone())
    }

    /// The ID of the account that the credentials of this place really belong to: STS is asked each time, with the role
    /// assumed where there is one.
    pub async fn identity(&self) -> Result<String, Fault> {
        self.account().await.map_err(|failure| fault::of(Operation::GetCallerIdentity, &failure, "*".to_owned()))
    }

    async fn account(&self) -> Result<String, Failure> {
        let request = self.inner().clients.sts.get_caller_identity();
        // Nothing works without the account ID, so the call has the highest rank, whoever makes it.
        let seen = self.ranked(Rank::Rollback).look(Operation::GetCallerIdentity, || request.clone().send()).await?;
        seen.account.ok_or_else(|| Failure::unreadable("GetCallerIdentity without an account"))
    }
}
