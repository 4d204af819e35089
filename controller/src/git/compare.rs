//! Comparisons of commits on their way, for who releases only some commits. Like a poll, one goes on although the pass that asked
//! for it does not wait any longer, and the next pass finds its answer.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use launchway_plan::pipeline::change::Change;
use launchway_plan::pipeline::relevance::Question;
use tokio::time::{Instant, timeout};

use super::changes::{Asked, change};
use super::credential::Key;
use super::objects::Store;
use super::polls::{Ask, LANDS, Polls, WAITS};
use super::remote::Remote;
use super::standing::{Comparison, Comparisons, Failed, LASTS, Landed, Of};
use super::{Access, GitFault};
use crate::web::WebFault;

/// How long a comparison may take once it is its turn: it holds a place among the polls.
const TAKES: Duration = Duration::from_secs(75);

/// Why it is not known what a commit says and changes, and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Why; absent: the server has not answered yet.
    pub fault: Option<GitFault>,
    /// When to ask again.
    pub again: Timestamp,
}

impl Polls {
    /// What a commit says and changes.
    ///
    /// # Errors
    /// The server cannot be asked; or it takes so long that it would hold a pass up: then the last fault stands, if there was one.
    pub async fn change(&self, ask: &Ask<'_>, question: &Question<'_>, now: Timestamp) -> Result<Change, Untold> {
        let lane = ask.access.digest(ask.url);
        let last = self.comparisons().failed.get(&lane).cloned();
        if let Some(Failed { fault, until, .. }) = last.as_ref().filter(|last| now < last.until) {
            return Err(Untold { fault: Some(fault.clone()), again: *until });
        }
        let flying = self.comparison(lane, ask, question, now);
        let before = flying.as_ref().and_then(|flying| flying.before.clone()).or(last.map(|last| last.fault));
        let seen = match flying {
            Some(Comparison { landing, .. }) => timeout(WAITS, landing).await.ok(),
            None => None,
        };
        match seen {
            Some(Landed { outcome, until }) => {
                outcome.map_err(|fault| Untold { fault: Some(fault), again: until.max(now + LANDS) })
            }
            None => Err(Untold { fault: before, again: now + LANDS }),
        }
    }

    /// The comparison that answers; absent: too many are on their way.
    fn comparison(&self, lane: Key, ask: &Ask<'_>, question: &Question<'_>, now: Timestamp) -> Option<Comparison> {
        let Question { commit, base, rules, paths } = question.clone();
        let namespace = ask.namespace.to_owned();
        let of = Of { lane, namespace, commit: commit.clone(), base: base.clone(), rules: rules.to_owned() };
        let mut comparisons = self.comparisons();
        let before = match comparisons.by_question.get(&of) {
            Some(known) => match known.landing.peek() {
                Some(landed) if landed.until <= now => landed.outcome.clone().err(),
                Some(_) | None => return Some(known.clone()),
            },
            None => None,
        };
        comparisons.by_question.remove(&of);
        if !comparisons.has_room(&of.namespace, now) {
            return None;
        }
        let asked = Asked { commit, base, paths: paths.cloned() };
        let whose = (ask.url.to_owned(), ask.access.clone());
        let flight = self.clone().compared((of.lane, of.namespace.clone()), asked, whose, now);
        let broken = move |_| Landed { outcome: Err(GitFault::Web(WebFault::Broken)), until: now + LASTS };
        let landing = AssertUnwindSafe(flight).catch_unwind().map(move |flown| flown.unwrap_or_else(broken));
        let comparison = Comparison { before, landing: landing.boxed().shared() };
        tokio::spawn(comparison.landing.clone());
        comparisons.by_question.insert(of, comparison.clone());
        Some(comparison)
    }

    /// The comparison itself, when it is its turn.
    async fn compared(
        self,
        (lane, namespace): (Key, String),
        asked: Asked,
        (url, access): (String, Access),
        now: Timestamp,
    ) -> Landed {
        let began = Instant::now();
        let clock = move || {
            let seconds = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
            now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
        };
        let _places = self.hosts.enter(&url, &namespace).await;
        let sent = clock();
        let (standing, kept) = {
            let comparisons = self.comparisons();
            (comparisons.failed.get(&lane).filter(|failed| sent < failed.until).cloned(), Arc::clone(&comparisons.kept))
        };
        if let Some(Failed { fault, until, .. }) = standing {
            return Landed { outcome: Err(fault), until };
        }
        let compared = async {
            let door = self.door(lane, &url, &access, sent).await?;
            let remote = Remote::of(&door.web, &url, door.credential.as_ref()).await?;
            change(&mut Store::new(remote, lane, &kept), &asked).await
        };
        let compared = timeout(TAKES, compared).await.unwrap_or(Err(GitFault::Web(WebFault::Timeout)));
        let outcome = compared.map_err(|fault| self.turned_away(&lane, &access, fault));
        let until = self.comparisons().landed(lane, outcome.as_ref().err(), sent, clock());
        Landed { outcome, until }
    }

    fn comparisons(&self) -> MutexGuard<'_, Comparisons> {
        self.comparisons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
