//! The rank of a Release's calls to AWS: which of them go first when the budget for calls is short.

use super::decide::Action;
use super::desired::Desired;
use super::record::Record;
use crate::life::Life;
use crate::rank::Rank;

/// The rank of the looks of a pass. A Release that has ended, or is being deleted, looks at AWS only in order to stop
/// what it started.
pub fn of_looks(desired: &Desired, record: &Record) -> Rank {
    let is_at_work = record.ended.is_none() && desired.life == Life::Stays;
    if is_at_work { Rank::Rollout } else { Rank::Rollback }
}

/// The rank of an effect.
pub fn of_action(action: &Action) -> Rank {
    match action {
        Action::Stop { .. } => Rank::Rollback,
        Action::Guard | Action::Unguard | Action::Start(_) | Action::Repeat(_) | Action::Report { .. } => Rank::Rollout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::record::Ending;
    use crate::samples::release::release;
    use serde_json::Value;

    #[test]
    fn a_release_that_is_over_looks_only_in_order_to_stop_what_it_started() {
        let desired = Desired::parse(&release(1, 0, Value::Null)).unwrap();
        for (ended, rank) in [(None, Rank::Rollout), (Some(Ending::Superseded), Rank::Rollback)] {
            assert_eq!(of_looks(&desired, &Record { ended, ..Record::default() }), rank, "{ended:?}");
        }
        assert_eq!(of_looks(&Desired { life: Life::Ends, ..desired }, &Record::default()), Rank::Rollback);
    }
}
