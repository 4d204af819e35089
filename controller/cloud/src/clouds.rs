//! AWS as seen from one place: an account, reached through a role or through the controller's own credentials, and a
//! Region. What can be asked there is in `aws`.

use crate::aws::clients::Clients;
use crate::aws::failure::Failure;
use crate::batch::Batcher;
use crate::budget::NoToken;
use crate::operation::Operation;
use crate::settings::Settings;
use crate::shared::{Caller, Shared, Token};
use jiff::Timestamp;
use launchway_plan::account::{Place, Share};
use launchway_plan::rank::Rank;
use launchway_plan::world::{Deployment, LiveBuild, LiveService, Revision};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Every place of AWS. Those who ask at the same place share its calls, those of the same account and Region its budget.
pub struct Clouds {
    shared: Arc<Shared>,
    /// Whatever the share: those who ask at one place share its calls.
    places: Mutex<BTreeMap<Place, Arc<Inner>>>,
}

/// AWS, as seen from one place, with the rank that its calls have, the namespace that they are for, and the share of the quotas
/// that they may use. Cheap to clone.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
    namespace: Arc<str>,
    rank: Rank,
    share: Share,
}

/// What all callers at one place share.
pub(crate) struct Inner {
    pub place: Place,
    pub shared: Arc<Shared>,
    /// For looks, which namespaces share.
    pub clients: Arc<Clients>,
    /// For changes, by the namespace that they are made for.
    changing: Mutex<BTreeMap<Arc<str>, Arc<Clients>>>,
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
        Self { shared: Arc::new(Shared::new(settings)), places: Mutex::default() }
    }

    /// AWS as seen from a place, for calls of this rank on behalf of that namespace's objects. Namespaces take turns with the
    /// tokens of our share; objects of the whole cluster count as one of their own, the empty name.
    pub fn at(&self, place: &Place, namespace: &str, rank: Rank) -> Cloud {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let known = Place { share: Share::default(), ..place.clone() };
        let inner = places.entry(known).or_insert_with(|| Arc::new(Inner::new(place.clone(), self.shared.clone())));
        Cloud { inner: inner.clone(), namespace: namespace.into(), rank, share: place.share }
    }
}

impl Inner {
    fn new(place: Place, shared: Arc<Shared>) -> Self {
        let account = account_cell(&place, &shared);
        Self {
            clients: Arc::new(Clients::new(&place, None, &shared)),
            changing: Mutex::default(),
            place,
            shared,
            account,
            services: Batcher::new(SERVICES, Failure::concerns_all),
            deployments: Batcher::new(DEPLOYMENTS, Failure::concerns_all),
            revisions: Batcher::new(REVISIONS, Failure::concerns_all),
            builds: Batcher::new(BUILDS, Failure::concerns_all),
        }
    }
}

impl Cloud {
    /// The same place, for calls of this rank.
    pub fn ranked(&self, rank: Rank) -> Self {
        Self { rank, ..self.clone() }
    }

    /// AWS's clock: the local one, corrected by the `Date` of the newest reply from anywhere.
    pub fn now(&self) -> Timestamp {
        self.inner.shared.clock.now()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The clients for changes. Through a role, each namespace's are made in a session of its own.
    pub(crate) fn changing(&self) -> Arc<Clients> {
        let Inner { place, shared, clients, changing, .. } = &*self.inner;
        if place.role.is_none() {
            return clients.clone();
        }
        let mut all = changing.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Clients::new(place, Some(&self.namespace), shared));
        all.entry(self.namespace.clone()).or_insert_with(make).clone()
    }

    /// The rank that calls have here.
    pub(crate) fn rank(&self) -> Rank {
        self.rank
    }

    /// Waits as long as one of that rank would for others to share a call.
    pub(crate) async fn linger(&self, rank: Rank) {
        self.inner.shared.linger(rank).await;
    }

    pub(crate) async fn take(&self, operation: Operation) -> Result<Token, NoToken> {
        let place = Place { share: self.share, ..self.inner.place.clone() };
        let caller = Caller { namespace: &self.namespace, rank: self.rank };
        self.inner.shared.take(&place, self.inner.account.get(), operation, caller).await
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
        let role = self.inner.place.role.as_ref().map(|role| &role.arn);
        f.debug_struct("Cloud").field("region", &self.inner.place.region).field("role", &role).finish_non_exhaustive()
    }
}

/// Without the places.
impl fmt::Debug for Clouds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clouds").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}
