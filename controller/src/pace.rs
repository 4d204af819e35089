//! When an object without faults is polled: the speed-up that the operator chose, and the grid of times at which idle
//! objects are polled together so that their looks share calls.

use crate::key::Kind;
use jiff::Timestamp;
use std::time::Duration;

/// How fast AWS is polled, and on which grid.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    factor: u32,
    /// Offset of this installation's polling grid, so that two installations in one AWS account do not poll together.
    offset: Duration,
}

impl Pace {
    /// The usual pace, with an offset that depends on the seed.
    pub fn new(seed: u64) -> Self {
        Self { factor: 1, offset: Duration::from_secs(seed % (60 * 60)) }
    }

    /// The same, polling builds, rollouts and verifications `factor` times as often. Delays after a fault stay as they
    /// are, and so do polls of branches, whose interval is the user's.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self { factor: factor.max(1), ..self }
    }

    /// The delay of an object of that kind that asks for this one.
    pub fn after(self, kind: Kind, delay: Duration) -> Duration {
        if is_paced(kind) { delay / self.factor } else { delay }
    }

    /// How long it is until the grid's next line; grid lines are one period apart. A line that is nearer than a tenth of the
    /// period is passed over: clocks and timers do not agree to the millisecond.
    pub fn until_next(self, kind: Kind, period: Duration, now: Timestamp) -> Duration {
        let since = now.duration_since(Timestamp::UNIX_EPOCH).unsigned_abs() + self.offset;
        let period = self.after(kind, period).as_nanos().max(1);
        let left = period - since.as_nanos() % period;
        let delay = if left < period / 10 { left + period } else { left };
        Duration::from_nanos(u64::try_from(delay).unwrap_or(u64::MAX))
    }
}

/// Whether passes of that kind poll AWS while something is in progress.
fn is_paced(kind: Kind) -> bool {
    match kind {
        Kind::Release | Kind::Service => true,
        Kind::AwsAccount | Kind::Pipeline | Kind::LogRequest => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_MINUTES: Duration = Duration::from_secs(600);

    fn due(pace: Pace, now: i64) -> i64 {
        let at = Timestamp::from_millisecond(now).expect("a time");
        now + i64::try_from(pace.until_next(Kind::Service, TEN_MINUTES, at).as_millis()).expect("a short delay")
    }

    #[test]
    fn idle_objects_are_polled_together_and_none_of_them_twice() {
        let pace = Pace::new(0);
        assert_eq!((due(pace, 1_000), due(pace, 301_000)), (600_000, 600_000));
        // A timer that fires a little early, and a pass that takes a while.
        assert_eq!((due(pace, 599_999), due(pace, 600_900)), (1_200_000, 1_200_000));
        assert_eq!(due(Pace::new(61), 1_000), 539_000, "another installation has another grid");
        assert_eq!(due(pace.times(5), 1_000), 120_000);
    }

    #[test]
    fn a_pace_shortens_the_polls_of_aws_and_not_those_of_branches() {
        let pace = Pace::new(1).times(5);
        let half_minute = Duration::from_secs(30);
        assert_eq!(pace.after(Kind::Release, half_minute), Duration::from_secs(6));
        assert_eq!(pace.after(Kind::Pipeline, half_minute), half_minute);
    }
}
