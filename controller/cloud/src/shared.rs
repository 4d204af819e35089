//! What all places of AWS share: settings, clock, budgets, sleep and jitter. Nothing of AWS is called here.

use crate::budget::{Budgets, NoToken, Whose};
use crate::clock::Clock;
use crate::operation::Operation;
use crate::settings::Settings;
use crate::told::{CallOutcome, Told};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, default_async_sleep};
use launchway_plan::account::Place;
use launchway_plan::rank::Rank;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;

/// How long a pass waits for a token, so that it keeps what it has seen so far. It takes a place among the passes of its kind
/// meanwhile, which what has nothing to do must not.
const fn patience(rank: Rank) -> Duration {
    match rank {
        Rank::Rollout | Rank::Rollback => Duration::from_secs(30),
        Rank::Look => Duration::from_secs(1),
        Rank::Chore => Duration::ZERO,
    }
}

/// Who wants a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub namespace: &'a str,
    pub rank: Rank,
}

/// What one call may be sent for.
#[derive(Debug)]
pub(crate) struct Token(());

/// What all places share.
pub(crate) struct Shared {
    pub settings: Settings,
    pub clock: Arc<Clock>,
    /// The account of the controller's own credentials.
    pub own_account: Arc<OnceLock<String>>,
    budgets: Budgets,
    sleep: Option<SharedAsyncSleep>,
    jitter: Mutex<fastrand::Rng>,
    /// How many zip archives are read at once: each takes some megabytes.
    pub archives: Semaphore,
}

/// As many as fit into the memory that the chart gives the controller, beside all else.
const ARCHIVES: usize = 4;

impl Shared {
    /// Full budgets, and a clock that AWS has not corrected yet.
    pub fn new(settings: Settings) -> Self {
        let local = settings.time_source.clone().or_else(|| settings.base.time_source());
        Self {
            clock: Arc::new(Clock::new(local.unwrap_or_default())),
            budgets: Budgets::default(),
            sleep: settings.sleep_impl.clone().or_else(|| settings.base.sleep_impl()).or_else(default_async_sleep),
            jitter: Mutex::new(fastrand::Rng::with_seed(settings.seed)),
            own_account: Arc::default(),
            archives: Semaphore::new(ARCHIVES),
            settings,
        }
    }

    /// Takes a token for an operation at a place, when it is its turn; or is told when to come again, if that takes longer
    /// than one of its rank waits. While the account is not known, its role stands for it.
    pub async fn take(
        &self,
        place: &Place,
        account: Option<&String>,
        operation: Operation,
        caller: Caller<'_>,
    ) -> Result<Token, NoToken> {
        let role = place.role.as_ref().map_or("", |role| role.arn.as_str());
        let Caller { namespace, rank } = caller;
        let account = account.map_or(role, String::as_str);
        let whose = Whose { account, region: &place.region, share: place.share, namespace };
        let bucket = operation.bucket();
        let queued = self.budgets.queue(whose, bucket, rank, self.clock.local());
        let mut left = patience(rank);
        let told = |got, left| {
            let took = patience(rank).saturating_sub(left);
            (self.settings.tell)(Told::Wait { bucket: bucket.name(), got, took });
        };
        while let Err(wait) = queued.take(self.clock.local()) {
            let Some(rest) = left.checked_sub(wait) else {
                told(false, left);
                return Err(queued.leave(self.clock.local()));
            };
            left = rest;
            self.wait(wait).await;
        }
        told(true, left);
        Ok(Token(()))
    }

    /// Tells what came of a call that was sent then.
    pub fn tell(&self, operation: Operation, sent: SystemTime, outcome: CallOutcome) {
        let took = self.clock.local().duration_since(sent).unwrap_or_default();
        (self.settings.tell)(Told::call(operation, outcome, took));
    }

    /// Waits for 250 to 500 milliseconds, at random, so that calls that failed together are not repeated together.
    pub async fn pause(&self) {
        let part = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).f64();
        self.wait(Duration::from_millis(250).mul_f64(1.0 + part)).await;
    }

    /// Waits for others to share a call: a look at an object that has nothing to do for longer.
    pub async fn linger(&self, rank: Rank) {
        self.wait(if rank >= Rank::Rollout { self.settings.linger } else { self.settings.sweep }).await;
    }

    async fn wait(&self, duration: Duration) {
        if let Some(sleep) = self.sleep.as_ref().filter(|_| !duration.is_zero()) {
            sleep.sleep(duration).await;
        }
    }
}
