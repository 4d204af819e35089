//! How much a Release's calls to AWS matter.

use super::decide::Action;
use super::desired::Desired;
use crate::life::Life;
use crate::rank::Rank;
use launchway_crds::release::{ReleasePhase, ReleaseStatus};

/// The rank of a pass's looks. A Release that has ended, or is being deleted, only looks in order to stop what it started.
pub fn of_looks(desired: &Desired, record: &ReleaseStatus) -> Rank {
    let goes_on = record.phase.is_none_or(|phase| phase == ReleasePhase::Active) && desired.life == Life::Stays;
    if goes_on { Rank::Rollout } else { Rank::Rollback }
}

/// The rank of an effect.
pub fn of_action(action: &Action) -> Rank {
    match action {
        Action::Stop { .. } => Rank::Rollback,
        Action::Guard | Action::Unguard | Action::Start(_) | Action::Repeat(_) => Rank::Rollout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::release::{begun, release};
    use serde_json::Value;

    #[test]
    fn a_release_that_is_over_looks_only_in_order_to_stop_what_it_started() {
        let desired = Desired::parse(&release(1, 0, Value::Null));
        for (phase, rank) in [
            (None, Rank::Rollout),
            (Some(ReleasePhase::Active), Rank::Rollout),
            (Some(ReleasePhase::Superseded), Rank::Rollback),
        ] {
            assert_eq!(of_looks(&desired, &ReleaseStatus { phase, ..begun() }), rank, "{phase:?}");
        }
        assert_eq!(of_looks(&Desired { life: Life::Ends, ..desired }, &begun()), Rank::Rollback);
    }
}
