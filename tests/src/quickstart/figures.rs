//! Measures the controller when it starts and when it has nothing to do. Judges nothing.

use std::time::{Duration, Instant};

use anyhow::Context;
use kube::Api;
use kube::api::DeleteParams;
use kube::runtime::wait::await_condition;
use launchway_crds::AwsAccount;

use super::Parts;

/// So long it is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(60);
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name of the sample's AwsAccount.
const ACCOUNT: &str = "default";

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// From its start to the first status that it wrote.
    pub first_pass: Duration,
    /// Memory that it held after a minute without work, in MiB.
    pub idle: u64,
}

impl Parts {
    /// Starts the controller anew beside an AwsAccount that nobody has looked at, and leaves it alone for a minute. Its predecessor
    /// has given the lease back: where there is none yet, a controller first waits whether somebody else holds it.
    ///
    /// # Errors
    /// It does not come to its first status.
    pub async fn figures(&mut self) -> anyhow::Result<Figures> {
        let accounts: Api<AwsAccount> = Api::all(self.cluster.client());
        self.apply_account().await?;
        known(accounts.clone()).await?;
        self.controller.end();
        accounts.delete(ACCOUNT, &DeleteParams::default()).await?;
        self.apply_account().await?;
        let watched = tokio::spawn(known(accounts));
        let began = Instant::now();
        self.controller = self.starting().start(0)?;
        watched.await??;
        let first_pass = began.elapsed();
        tokio::time::sleep(IDLE).await;
        Ok(Figures { first_pass, idle: self.process()?.resident })
    }
}

/// Returns when a controller has written what it knows of the account. A status is there before, by the kind's defaults.
async fn known(accounts: Api<AwsAccount>) -> anyhow::Result<()> {
    let is_known = |account: Option<&AwsAccount>| {
        let status = account.and_then(|account| account.status.as_ref());
        status.is_some_and(|status| status.account_id.is_some())
    };
    let waited = tokio::time::timeout(PATIENCE, await_condition(accounts, ACCOUNT, is_known)).await;
    waited.context("no status was written")??;
    Ok(())
}
