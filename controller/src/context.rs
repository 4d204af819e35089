//! Everything that a pass may use, made once by `main` or by a test. Clock and randomness come from here only.

use crate::accounts::Accounts;
use crate::backoff::{self, Backoff};
use crate::badges::Badges;
use crate::crowd::Crowds;
use crate::events::Events;
use crate::git::Polls;
use crate::git_hosts::GitHosts;
use crate::images::ImageLists;
use crate::key::{Key, Kind};
use crate::lease::term::Term;
use crate::log_request::kept::LogRequests;
use crate::metrics::{Format, Metrics};
use crate::own::OwnWrites;
use crate::pace::Pace;
use crate::sweep::Sweep;
use crate::watches::Watches;
use crate::web::Web;
use crate::webhooks::Webhooks;
use jiff::Timestamp;
use launchway_cloud::Clouds;
use launchway_plan::address::Rules;
use launchway_plan::secret::Unbound;
use launchway_plan::wake::Wake;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Returns the current time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything a pass may use.
pub struct Context {
    /// The Kubernetes API.
    pub kube: kube::Client,
    /// AWS, per account and Region.
    pub clouds: Clouds,
    /// HTTP to users' URLs, for verifications.
    pub web: Web,
    /// Polls of git branches, shared by Pipelines with the same URL and credential.
    pub polls: Polls,
    /// Lists of images that somebody else pushes, shared by Pipelines that follow the same ones.
    pub images: ImageLists,
    /// Which Pipelines take webhooks.
    pub webhooks: Arc<Webhooks>,
    /// Which Pipelines have a badge, and what it says.
    pub badges: Arc<Badges>,
    /// Git hosts that are told how commits fare.
    pub git_hosts: GitHosts,
    /// Which addresses users' URLs may name.
    pub rules: Rules,
    /// What becomes of Secrets that do not say where they may be sent.
    pub unbound_secrets: Unbound,
    /// The current time.
    pub clock: Clock,
    /// How long objects are left alone after a fault.
    pub backoff: Backoff,
    /// How fast AWS is polled.
    pub pace: Pace,
    /// In which order objects with nothing to do are checked.
    pub sweep: Sweep,
    /// The AwsAccounts, as their watch shows them.
    pub accounts: Accounts,
    /// How much of each namespace is at work.
    pub crowds: Crowds,
    /// The LogRequests, as their watch shows them.
    pub log_requests: LogRequests,
    /// Events on their way.
    pub events: Events,
    /// Which versions of objects our own passes wrote.
    pub own: OwnWrites,
    /// The name of this installation: the first part of owner tags and families.
    pub installation: String,
    /// How often a Service with nothing to do is checked for drift, in seconds.
    pub resync: i64,
    /// The namespaces that are watched; none: all.
    pub namespaces: Vec<String>,
    /// How long this process may change anything.
    pub term: Arc<Term>,
    /// Which watches do not work.
    pub watches: Watches,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

impl Context {
    /// How much longer the object is left alone, with what asks for a new try now (`Index::asks`); none: a pass may be made.
    pub fn left_alone(&self, key: &Key, asks: &BTreeSet<u64>) -> Option<Duration> {
        match key.kind {
            // It changes nothing in AWS, the polls of its source have an interval, and its Releases must not wait.
            Kind::Pipeline => None,
            Kind::AwsAccount | Kind::Release | Kind::Service | Kind::LogRequest => {
                self.backoff.left(key, asks, (self.clock)())
            }
        }
    }

    /// When the object's next pass is due, from now on; `None`: only on a change.
    pub fn delay(&self, key: &Key, wake: Wake, asks: &BTreeSet<u64>) -> Option<Duration> {
        let after = |delay| {
            self.backoff.forget(key);
            delay
        };
        let now = (self.clock)();
        let back_off =
            |range| self.backoff.left(key, asks, now).unwrap_or_else(|| self.backoff.next(key, range, asks, now));
        match wake {
            Wake::Now => Some(Duration::ZERO),
            Wake::After(seconds) => after(Some(self.pace.after(key.kind, duration(seconds)))),
            Wake::Every(seconds) => {
                let next = self.pace.until_next(key.kind, duration(seconds), now);
                after(Some(next + self.sweep.after(key, next)))
            }
            Wake::OnChange => after(None),
            Wake::Turn(seconds) => {
                self.backoff.until(key, duration(seconds), asks, now);
                Some(duration(seconds))
            }
            Wake::Backoff => Some(back_off(backoff::PASSING)),
            Wake::Operator => Some(back_off(backoff::OPERATOR)),
        }
    }

    /// The metrics as they are now.
    pub fn scraped(&self, format: Format) -> String {
        self.metrics.broken(&self.watches.broken());
        self.metrics.leader(self.term.is_sure());
        self.metrics.text(format, (self.clock)())
    }

    /// Forgets all that is remembered of an object that is gone.
    pub fn forget(&self, key: &Key) {
        self.backoff.forget(key);
        self.own.forget(key);
        self.sweep.forget(key);
        self.crowds.gone(key, (self.clock)());
        self.log_requests.gone(key);
        self.webhooks.gone(key);
        self.badges.gone(key);
    }
}

fn duration(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
