//! AWS's clock, as far as it can be known here: the local one, corrected by the newest reply's `Date`.

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The local clock and how far AWS's is ahead of it.
#[derive(Debug)]
pub(crate) struct Clock {
    local: SharedTimeSource,
    ahead_millis: AtomicI64,
}

/// `Date` has whole seconds, and a reply takes a while to arrive: a smaller difference means nothing.
const NO_DIFFERENCE_MILLIS: i64 = 2_000;

impl Clock {
    /// A clock that AWS has not corrected yet.
    pub fn new(local: SharedTimeSource) -> Self {
        Self { local, ahead_millis: AtomicI64::new(0) }
    }

    /// The local time.
    pub fn local(&self) -> SystemTime {
        self.local.now()
    }

    /// AWS's time.
    pub fn now(&self) -> Timestamp {
        let millis = self.local_millis().saturating_add(self.ahead_millis.load(Ordering::Relaxed));
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Takes a reply's `Date` in, if that is a time.
    pub fn correct(&self, date: &str) {
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else { return };
        let Some(millis) = date.to_millis().ok().filter(|millis| Timestamp::from_millisecond(*millis).is_ok()) else {
            return;
        };
        let ahead = millis - self.local_millis();
        let ahead = if ahead.abs() < NO_DIFFERENCE_MILLIS { 0 } else { ahead };
        self.ahead_millis.store(ahead, Ordering::Relaxed);
    }

    fn local_millis(&self) -> i64 {
        let since = self.local.now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The same clock for the SDK: requests are signed, and credentials end, by AWS's time.
#[derive(Debug)]
pub(crate) struct Corrected(pub Arc<Clock>);

impl TimeSource for Corrected {
    fn now(&self) -> SystemTime {
        SystemTime::from(self.0.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_async::time::StaticTimeSource;

    fn clock(seconds: u64) -> Clock {
        Clock::new(SharedTimeSource::from(StaticTimeSource::from_secs(seconds)))
    }

    #[test]
    fn a_local_clock_that_is_wrong_is_corrected_by_the_date_of_a_reply() {
        let clock = clock(1_000_000);
        clock.correct("Sat, 21 Nov 2026 10:00:00 GMT");
        assert_eq!(clock.now().to_string(), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn a_difference_that_the_date_cannot_show_changes_nothing() {
        let clock = clock(1_795_255_201);
        clock.correct("Sat, 21 Nov 2026 10:00:00 GMT");
        assert_eq!(clock.now().as_second(), 1_795_255_201);
    }

    #[test]
    fn a_date_that_is_none_changes_nothing() {
        let clock = clock(1_000);
        clock.correct("yesterday");
        clock.correct("Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(clock.now().as_second(), 1_000);
    }
}
