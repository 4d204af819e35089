//! Measures the controller when it starts and when it has nothing to do. Judges nothing.

use std::time::{Duration, Instant};

use anyhow::Context;
use kube::Api;
use kube::runtime::wait::await_condition;
use launchway_crds::AwsAccount;

use super::Parts;

/// So long it is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(60);
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// From its start to the first status that it wrote.
    pub first_pass: Duration,
    /// Memory that it held after a minute without work, in MiB.
    pub idle: u64,
}

impl Parts {
    /// Starts the controller anew beside an AwsAccount that nobody has looked at, and leaves it alone for a minute.
    ///
    /// # Errors
    /// It does not come to its first status.
    pub async fn figures(&mut self) -> anyhow::Result<Figures> {
        self.controller.end();
        self.apply_account().await?;
        let accounts: Api<AwsAccount> = Api::all(self.cluster.client());
        // A status is there from the beginning, by the kind's defaults; what it says is the controller's.
        let is_known = |account: Option<&AwsAccount>| {
            let status = account.and_then(|account| account.status.as_ref());
            status.is_some_and(|status| status.account_id.is_some())
        };
        let watched = tokio::spawn(await_condition(accounts, "default", is_known));
        let began = Instant::now();
        self.controller = self.starting().start(0)?;
        tokio::time::timeout(PATIENCE, watched).await.context("no status was written")???;
        let first_pass = began.elapsed();
        tokio::time::sleep(IDLE).await;
        Ok(Figures { first_pass, idle: self.process()?.resident })
    }
}
