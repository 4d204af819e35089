//! How long this process may change anything. Asked on the line before every effect, on AWS and in Kubernetes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Time that goes by, since some moment: never set back, whatever happens to the wall clock.
pub type Monotonic = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The time in which this process leads. It has one at the most: who has lost the lease never leads again.
pub struct Term {
    clock: Monotonic,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no election: nobody else runs.
    Always,
    /// Another one leads, or nobody.
    NotYet,
    /// It leads until then, by its clock, if the lease is not renewed.
    Until(Duration),
    /// It has led.
    Over,
}

impl Term {
    /// Of a process that runs alone.
    pub fn always() -> Arc<Self> {
        Arc::new(Self { clock: Arc::new(|| Duration::ZERO), state: watch::Sender::new(State::Always) })
    }

    /// Of a process that waits for the lease.
    pub fn awaited(clock: Monotonic) -> Arc<Self> {
        Arc::new(Self { clock, state: watch::Sender::new(State::NotYet) })
    }

    /// The time by its clock.
    pub fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Whether this process is sure that it leads. Once it is not, after it was, it never is again.
    pub fn is_sure(&self) -> bool {
        let state = *self.state.borrow();
        match state {
            State::Always => true,
            State::Until(end) if self.now() < end => true,
            State::Until(_) => {
                self.end();
                false
            }
            State::NotYet | State::Over => false,
        }
    }

    /// Whether it has led and does no longer.
    pub fn is_over(&self) -> bool {
        !self.is_sure() && *self.state.borrow() == State::Over
    }

    /// Leads until then, unless the time is over.
    pub fn extend(&self, end: Duration) {
        if self.is_over() {
            return;
        }
        self.state.send_if_modified(|state| match state {
            State::NotYet | State::Until(_) => {
                *state = State::Until(end);
                true
            }
            State::Always | State::Over => false,
        });
    }

    /// From now on it changes nothing.
    pub fn end(&self) {
        self.state.send_replace(State::Over);
    }

    /// Comes to an end when this process begins to lead: never, if there is no election.
    pub async fn begun(&self) {
        // The sender is `self`, so that an error cannot come.
        let _ = self.state.subscribe().wait_for(|state| matches!(state, State::Until(_))).await;
    }

    /// Comes to an end when it has led and does no longer.
    pub async fn over(&self) {
        let _ = self.state.subscribe().wait_for(|state| *state == State::Over).await;
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Term").field(&*self.state.borrow()).finish()
    }
}

/// A clock that goes on while the machine sleeps: a process that was suspended for a minute must know that. `Instant` stands
/// still meanwhile on Linux (it is CLOCK_MONOTONIC).
#[cfg(target_os = "linux")]
pub fn clock() -> Monotonic {
    use rustix::time::{ClockId, clock_gettime};
    Arc::new(|| Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default())
}

/// A clock that may stand still while the machine sleeps: elsewhere than on Linux nothing better is known.
#[cfg(not(target_os = "linux"))]
pub fn clock() -> Monotonic {
    let began = std::time::Instant::now();
    Arc::new(move || began.elapsed())
}
