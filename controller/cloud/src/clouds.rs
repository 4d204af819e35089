//! AWS as seen from one place: an account, reached through a role or through the controller's own credentials, and a
//! Region. What can be asked there is in `aws`.

use crate::aws::clients::Clients;
use crate::aws::failure::Failure;
use crate::batch::Batcher;
use crate::budget::{Budgets, NoToken};
use crate::clock::Clock;
use crate::operation::Operation;
use crate::settings::Settings;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, default_async_sleep};
use jiff::Timestamp;
use launchway_plan::account::Place;
use launchway_plan::world::{Deployment, LiveBuild, LiveService, Revision};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Every place of AWS. Those who ask at the same place share its calls, those of the same account and Region its budget.
pub struct Clouds {
    shared: Arc<Shared>,
    places: Mutex<BTreeMap<Place, Cloud>>,
}

/// What all places share.
pub(crate) struct Shared {
    pub settings: Settings,
    pub clock: Arc<Clock>,
    budgets: Budgets,
    sleep: Option<SharedAsyncSleep>,
    jitter: Mutex<fastrand::Rng>,
    /// The account of the controller's own credentials.
    own_account: Arc<OnceLock<String>>,
}

/// AWS, as seen from one place. Cheap to clone.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

pub(crate) struct Inner {
    pub place: Place,
    pub shared: Arc<Shared>,
    pub clients: Clients,
    pub account: Arc<OnceLock<String>>,
    /// By the service's name, a call for each cluster; `None`: there is none.
    pub services: Batcher<String, Option<LiveService>, Failure>,
    pub deployments: Batcher<String, Option<Deployment>, Failure>,
    pub revisions: Batcher<String, Option<Revision>, Failure>,
    pub builds: Batcher<String, Option<LiveBuild>, Failure>,
}

/// AWS's limits on what one call may name. Source: the API references of DescribeServices, DescribeServiceDeployments,
/// DescribeServiceRevisions and BatchGetBuilds.
const SERVICES: usize = 10;
pub(crate) const DEPLOYMENTS: usize = 20;
const REVISIONS: usize = 20;
pub(crate) const BUILDS: usize = 100;

impl Clouds {
    /// Nothing is called yet.
    pub fn new(settings: Settings) -> Self {
        let local = settings.time_source.clone().or_else(|| settings.base.time_source());
        let shared = Shared {
            clock: Arc::new(Clock::new(local.unwrap_or_default())),
            budgets: Budgets::new(settings.budget),
            sleep: settings.sleep_impl.clone().or_else(|| settings.base.sleep_impl()).or_else(default_async_sleep),
            jitter: Mutex::new(fastrand::Rng::with_seed(settings.seed)),
            own_account: Arc::default(),
            settings,
        };
        Self { shared: Arc::new(shared), places: Mutex::default() }
    }

    /// AWS as seen from a place.
    pub fn at(&self, place: &Place) -> Cloud {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cloud) = places.get(place) {
            return cloud.clone();
        }
        let cloud = Cloud::new(place.clone(), self.shared.clone());
        places.insert(place.clone(), cloud.clone());
        cloud
    }
}

impl Cloud {
    fn new(place: Place, shared: Arc<Shared>) -> Self {
        let account = account_cell(&place, &shared);
        Self(Arc::new(Inner {
            clients: Clients::new(&place, &shared),
            place,
            shared,
            account,
            services: Batcher::new(SERVICES),
            deployments: Batcher::new(DEPLOYMENTS),
            revisions: Batcher::new(REVISIONS),
            builds: Batcher::new(BUILDS),
        }))
    }

    /// AWS's clock: the local one, corrected by the `Date` of the newest reply from anywhere.
    pub fn now(&self) -> Timestamp {
        self.0.shared.clock.now()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Waits for others to share a call.
    pub(crate) async fn linger(&self) {
        self.0.shared.wait(self.0.shared.settings.linger).await;
    }

    pub(crate) fn take(&self, operation: Operation) -> Result<(), NoToken> {
        self.0.shared.take(&self.0.place, self.0.account.get(), operation)
    }
}

impl Shared {
    /// Takes a token for an operation at a place. While the account is not known, its role stands for it.
    pub fn take(&self, place: &Place, account: Option<&String>, operation: Operation) -> Result<(), NoToken> {
        let role = place.role.as_ref().map_or("", |role| role.arn.as_str());
        let account = account.map_or(role, String::as_str);
        self.budgets.take(account, &place.region, operation.bucket(), operation.rank(), self.clock.local())
    }

    /// Half a second, half of it by chance: what failed together does not come back together.
    pub async fn pause(&self) {
        let part = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).f64();
        self.wait(Duration::from_millis(250).mul_f64(1.0 + part)).await;
    }

    async fn wait(&self, duration: Duration) {
        if let Some(sleep) = self.sleep.as_ref().filter(|_| !duration.is_zero()) {
            sleep.sleep(duration).await;
        }
    }
}

/// A role's ARN says whose it is; whose the controller's own credentials are, STS says once.
fn account_cell(place: &Place, shared: &Shared) -> Arc<OnceLock<String>> {
    let Some(role) = &place.role else { return shared.own_account.clone() };
    let cell = OnceLock::new();
    if let Some(id) = role.arn.split(':').nth(4).filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())) {
        let _ = cell.set(id.to_owned());
    }
    Arc::new(cell)
}

/// Without the external ID.
impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = self.0.place.role.as_ref().map(|role| &role.arn);
        f.debug_struct("Cloud").field("region", &self.0.place.region).field("role", &role).finish_non_exhaustive()
    }
}

/// Without the places.
impl fmt::Debug for Clouds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clouds").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}
