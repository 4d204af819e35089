//! Arithmetic on times that never fails: a status may hold any time that the API server takes.

use jiff::{SignedDuration, Timestamp};

/// A moment so many seconds later; the last one that there is, if that lies beyond it.
pub fn after(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// A moment so many seconds earlier; the first one that there is, if that lies beyond it.
pub fn before(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}
