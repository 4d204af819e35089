//! What all places of AWS share: settings, clock, budgets, sleep and jitter. Nothing of AWS is called here.

use crate::budget::{Budgets, NoToken};
use crate::clock::Clock;
use crate::operation::Operation;
use crate::settings::Settings;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, default_async_sleep};
use launchway_plan::account::Place;
use launchway_plan::rank::Rank;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long a pass waits for a token. It keeps its place among the passes of its kind meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all places share.
pub(crate) struct Shared {
    pub settings: Settings,
    pub clock: Arc<Clock>,
    /// The account of the controller's own credentials.
    pub own_account: Arc<OnceLock<String>>,
    budgets: Budgets,
    sleep: Option<SharedAsyncSleep>,
    jitter: Mutex<fastrand::Rng>,
}

impl Shared {
    /// Full budgets, and a clock that AWS has not corrected yet.
    pub fn new(settings: Settings) -> Self {
        let local = settings.time_source.clone().or_else(|| settings.base.time_source());
        Self {
            clock: Arc::new(Clock::new(local.unwrap_or_default())),
            budgets: Budgets::new(settings.budget),
            sleep: settings.sleep_impl.clone().or_else(|| settings.base.sleep_impl()).or_else(default_async_sleep),
            jitter: Mutex::new(fastrand::Rng::with_seed(settings.seed)),
            own_account: Arc::default(),
            settings,
        }
    }

    /// Takes a token for an operation at a place. What a rollout needs is waited for in the queue, for a while, so that a
    /// pass keeps what it has seen so far; a look at an object that has nothing to do comes again. While the account is
    /// not known, its role stands for it.
    pub async fn take(
        &self,
        place: &Place,
        account: Option<&String>,
        operation: Operation,
        rank: Rank,
    ) -> Result<(), NoToken> {
        let role = place.role.as_ref().map_or("", |role| role.arn.as_str());
        let (account, bucket) = (account.map_or(role, String::as_str), operation.bucket());
        let now = self.clock.local();
        match self.budgets.take(account, &place.region, bucket, rank, now) {
            Err(none) if rank >= Rank::Rollout && none.wait <= PATIENCE => {}
            answer => return answer,
        }
        let queued = self.budgets.queue(account, &place.region, bucket, rank, now);
        let mut waited = Duration::ZERO;
        loop {
            match queued.take(self.clock.local()) {
                Err(none) if waited + none.wait <= PATIENCE => {
                    waited += none.wait;
                    self.wait(none.wait).await;
                }
                answer => return answer,
            }
        }
    }

    /// Waits for 250 to 500 milliseconds, at random, so that calls that failed together are not repeated together.
    pub async fn pause(&self) {
        let part = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).f64();
        self.wait(Duration::from_millis(250).mul_f64(1.0 + part)).await;
    }

    /// Waits for others to share a call.
    pub async fn linger(&self) {
        self.wait(self.settings.linger).await;
    }

    async fn wait(&self, duration: Duration) {
        if let Some(sleep) = self.sleep.as_ref().filter(|_| !duration.is_zero()) {
            sleep.sleep(duration).await;
        }
    }
}
