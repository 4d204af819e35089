//! How new what is seen of the source has to be: after a webhook newer than that, and while webhooks come polls may be rare.

use super::desired::Desired;
use super::record::Record;
use crate::condition::is_true;
use crate::reason::ConditionType;
use jiff::{SignedDuration, Timestamp};

/// How long after a webhook the source is looked at once more, because some hosts tell of a push before all of their servers show it.
const SETTLES: SignedDuration = SignedDuration::from_secs(5);
/// By how much the clock of the replica that took the webhook may be ahead. A later time is not believed.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// How long webhooks count as coming after the last one.
const COMING: SignedDuration = SignedDuration::from_hours(24);
/// How many times as seldom the source is looked at meanwhile.
const SELDOM: i64 = 5;
/// The longest interval, in seconds.
const LONGEST: i64 = 24 * 3600;

/// How new what is seen of the source has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How often to look, in seconds.
    pub interval: i64,
    /// What is seen has to have been asked for because of this, or of something later. It is told by another clock than ours, and is
    /// compared with its like only.
    pub since: Option<Timestamp>,
    /// When to look again whatever the interval is.
    pub again: Option<Timestamp>,
}

/// How seldom a source of that interval is looked at, at the most, in seconds.
pub fn slowest(interval: i64) -> i64 {
    interval.saturating_mul(SELDOM).min(LONGEST)
}

/// How new what is seen of the source has to be in a pass at that time. One that could not be read is looked at as often as without a
/// webhook.
pub fn freshness(desired: &Desired, record: &Record, now: Timestamp) -> Freshness {
    let interval = desired.source.interval();
    let told = record.status().webhook_at.as_ref().map(|time| time.0).filter(|_| desired.has_webhook);
    let Some(told) = told.filter(|told| *told <= now + SKEW && now.duration_since(*told) < COMING) else {
        return Freshness { interval, since: None, again: None };
    };
    let settled = told + SETTLES;
    let is_settled = settled <= now;
    let is_well = is_true(&record.status().conditions, ConditionType::SourceReady);
    Freshness {
        interval: if is_well { slowest(interval) } else { interval },
        since: Some(if is_settled { settled } else { told }),
        again: Some(settled).filter(|_| !is_settled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::rows::{parsed, recorded};
    use crate::samples::{at, time};
    use serde_json::{Value, json};

    fn after(told: &Value, webhook: &Value, now: i64) -> Freshness {
        let desired = parsed(&json!({"source": {"webhook": webhook}}));
        let ready = json!({"type": "SourceReady", "status": "True", "reason": "Succeeded", "message": "",
            "lastTransitionTime": time(0)});
        let status = json!({"observedGeneration": 1, "conditions": [ready], "webhookAt": told});
        let status = serde_json::from_value(status).unwrap();
        freshness(&desired, &recorded(&status), at(now))
    }

    #[test]
    fn after_a_webhook_the_source_is_looked_at_now_and_once_more_and_then_seldom() {
        let webhook = json!({"provider": "GitHub", "secretRef": {"name": "hook"}});
        let of = |now| after(&json!(time(1000)), &webhook, now);
        let seldom = |since, again| Freshness { interval: 300, since: Some(at(since)), again };
        assert_eq!(of(1000), seldom(1000, Some(at(1005))));
        assert_eq!(of(999), seldom(1000, Some(at(1005))), "this replica's clock is behind");
        assert_eq!(of(1004), seldom(1000, Some(at(1005))));
        assert_eq!(of(1005), seldom(1005, None));
        assert_eq!(of(1000 + 24 * 3600 - 1), seldom(1005, None));
        let usual = Freshness { interval: 60, since: None, again: None };
        for (told, webhook, now) in [
            (json!(time(1000)), webhook.clone(), 1000 + 24 * 3600),
            (json!(time(1000)), webhook.clone(), 939),
            (json!(time(1000)), Value::Null, 1000),
            (Value::Null, webhook, 1000),
        ] {
            assert_eq!(after(&told, &webhook, now), usual, "{told} {webhook} {now}");
        }
    }

    #[test]
    fn a_source_that_cannot_be_read_is_looked_at_as_often_as_without_a_webhook() {
        let desired = parsed(&json!({"source": {"webhook": {"provider": "GitHub", "secretRef": {"name": "hook"}}}}));
        for status in ["False", "Unknown"] {
            let condition = json!({"type": "SourceReady", "status": status, "reason": "SourceRefused", "message": "",
                "lastTransitionTime": time(0)});
            let status = json!({"observedGeneration": 1, "conditions": [condition], "webhookAt": time(1000)});
            let seen = freshness(&desired, &recorded(&serde_json::from_value(status).unwrap()), at(1010));
            assert_eq!(seen, Freshness { interval: 60, since: Some(at(1005)), again: None });
        }
    }
}
