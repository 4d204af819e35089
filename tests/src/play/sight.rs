//! How old the reads of a life are, and how many of its calls are throttled: by seed, so that it can be played again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchway::key::{Key, Kind};
use launchway_test_aws::limits::{Enforcement, Limits};
use launchway_test_aws::{Fault, When};
use launchway_test_kube::store::{Age, Reads};

use super::Life;

/// How old the reads of a life are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// None is old.
    Fresh,
    /// Those of its first two minutes waver: each by itself is fresh or old, so that a read may show less than the one
    /// before it. Lists of Kubernetes are up to five writes old, AWS's answers up to twenty seconds. Services see their
    /// Pipeline so too, as from a cache, once it has a past.
    Stale,
    /// They waver so for an hour and a half: to the end of every story, but for its quiet day.
    Wavering,
}

/// How much of AWS's rates is left for a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// It is never throttled.
    Whole,
    /// 10, 15 or 25 percent of the documented rates, because others use the rest; of the services that document none, now and then
    /// a call is throttled.
    Scarce,
}

/// The oldest that AWS's answers are: its reads are eventually consistent, and no figure is named anywhere.
const OLDEST: Duration = Duration::from_secs(20);

/// The ages of AWS's answers that are not fresh, each with its chance where none before it was taken: a quarter of the
/// reads each, and a quarter fresh.
const AGES: [(Duration, f64); 3] = [(OLDEST, 0.25), (Duration::from_secs(11), 0.33), (Duration::from_secs(4), 0.5)];

/// How many writes Kubernetes' lists may miss.
const WRITES: usize = 5;

/// How often a life whose lists may be old lists everything again: what a watch that fell behind brings in the end.
const RELISTED: SignedDuration = SignedDuration::from_mins(2);

/// How long the reads of a life are old at its beginning.
const AT_FIRST: SignedDuration = RELISTED;

/// Longer than anything happens in any story; shorter than the quiet day after it.
const THROUGHOUT: SignedDuration = SignedDuration::from_mins(90);

/// How many percent of the documented rates may be left: enough for one pass at a time, too little for several. With less a
/// pass that needs five calls of one kind would never have them all.
const SHARES: [u32; 3] = [10, 15, 25];

/// Services whose rates AWS does not document, and how many of their calls are throttled.
const UNDOCUMENTED: [&str; 3] = ["codebuild:*", "ecr:*", "logs:*"];
const THROTTLED: f64 = 0.05;

/// A Pipeline that was written so often has been through a release: none of its readers can find that it is not there yet.
const PAST: usize = 12;

/// Until when a life's reads are old.
pub(super) struct Seeing {
    relist_at: Option<Timestamp>,
    fresh_at: Option<Timestamp>,
}

impl Seeing {
    /// Lets old reads and throttling begin, as the life says. A life without either leaves AWS as it is.
    pub(super) fn begin(life: &Life<'_>) -> Seeing {
        let now = life.world.now();
        let lasts = match life.sight {
            Sight::Fresh => None,
            Sight::Stale => Some(AT_FIRST),
            Sight::Wavering => Some(THROUGHOUT),
        };
        if life.quota == Quota::Scarce || lasts.is_some() {
            life.world.aws().faults.clear();
        }
        if life.quota == Quota::Scarce {
            throttle(life);
        }
        if lasts.is_some() {
            waver(life);
        }
        Seeing { relist_at: lasts.map(|_| now + RELISTED), fresh_at: lasts.map(|lasts| now + lasts) }
    }

    /// When everything is listed again.
    pub(super) fn relist_at(&self) -> Option<Timestamp> {
        self.relist_at
    }

    /// Whether everything is to be listed again now; reads become fresh when it is time.
    pub(super) fn is_relist_due(&mut self, life: &Life<'_>) -> bool {
        let now = life.world.now();
        if self.relist_at.is_none_or(|at| at > now) {
            return false;
        }
        self.relist_at = Some(now + RELISTED);
        if self.fresh_at.is_some_and(|at| at <= now) {
            (self.relist_at, self.fresh_at) = (None, None);
            life.world.store.serve_fresh();
            life.world.aws().faults.clear();
            if life.quota == Quota::Scarce {
                throttle(life);
            }
        }
        true
    }

    /// Shows the object whose pass is next the Pipeline as it is to see it.
    pub(super) fn show_pipeline(&self, life: &Life<'_>, next: &Key) {
        if self.fresh_at.is_none() {
            return;
        }
        let written = life.world.store.writes().iter().filter(|write| &*write.kind == "Pipeline").count();
        let reads = if next.kind == Kind::Service && written >= PAST { Reads::All } else { Reads::Lists };
        life.world.store.serve_stale("Pipeline", reads, age(life)).expect("a served kind");
    }
}

fn age(life: &Life<'_>) -> Age {
    Age::Wavering { most: WRITES, seed: life.seed }
}

fn waver(life: &Life<'_>) {
    for kind in Kind::ALL {
        life.world.store.serve_stale(&kind.name(), Reads::Lists, age(life)).expect("a served kind");
    }
    let mut aws = life.world.aws();
    for (number, (older_by, of)) in (1..).zip(AGES) {
        let when = When::Chance { of, seed: life.seed.wrapping_add(number) };
        aws.faults.add("*", when, Fault::StaleReads { older_by });
    }
}

fn throttle(life: &Life<'_>) {
    let mut aws = life.world.aws();
    let share = SHARES[fastrand::Rng::with_seed(life.seed).usize(..SHARES.len())];
    aws.limits = Limits::enforced(Enforcement::Share(share));
    for (number, operations) in (10..).zip(UNDOCUMENTED) {
        let when = When::Chance { of: THROTTLED, seed: life.seed.wrapping_add(number) };
        aws.faults.add(operations, when, Fault::Throttle);
    }
}
