//! Values of the SDK in ours.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// A time; one that no calendar has is the beginning of 1970.
pub(crate) fn time(at: &DateTime) -> Timestamp {
    let nanos = i32::try_from(at.subsec_nanos()).unwrap_or_default();
    Timestamp::new(at.secs(), nanos).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time that may be absent.
pub(crate) fn moment(at: Option<&DateTime>) -> Option<Timestamp> {
    at.map(time)
}

/// A text that says something.
pub(crate) fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A reason of AWS's, fit for a status.
pub(crate) fn reason(text: Option<&str>) -> Option<String> {
    self::text(text).map(|text| crate::scrub::message(&text))
}
