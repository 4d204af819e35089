//! One pass over an AwsAccount: whose credentials are these? Nothing is changed.

use crate::context::Context;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kind::Reconciled;
use crate::kube_api::found_in_cluster;
use crate::status;
use crate::unreachable::Unreachable;
use crate::wake::{Links, digest};
use kube::api::Api;
use kube::runtime::watcher::Event;
use launchway_crds::AwsAccount;
use launchway_crds::account::AwsAccountStatus;
use launchway_plan::account::{place, report};
use launchway_plan::condition::find_true;
use launchway_plan::fault::Fault;
use launchway_plan::rank::Rank;
use launchway_plan::reason::ConditionType;
use launchway_plan::wake::Wake;

impl Reconciled for AwsAccount {
    const KIND: Kind = Kind::AwsAccount;

    fn links(&self) -> Links {
        // Each time that its credentials begin to work, what was refused is tried again.
        let conditions = self.status.as_ref().map_or(&[][..], |status| &status.conditions);
        let ready = find_true(conditions, ConditionType::Ready);
        let works_since = ready.map(|ready| ready.last_transition_time.0.as_second());
        Links { asks: digest(&works_since), ..Links::default() }
    }

    fn followed(event: &Event<Item<Self>>, context: &Context) {
        context.accounts.follow(event);
    }

    async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
        pass(key, context).await
    }
}

/// One pass over an AwsAccount.
async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    let Some(account) = found_in_cluster::<AwsAccount>(&key.name, context).await? else {
        return Ok(Wake::OnChange);
    };
    if account.metadata.deletion_timestamp.is_some() {
        return Ok(Wake::OnChange);
    }
    let identity = context.clouds.at(&place(&account.spec), "", Rank::Look).identity().await;
    if let Some(seconds) = identity.as_ref().err().and_then(Fault::turn) {
        return Ok(Wake::Turn(seconds));
    }
    let record: Option<&AwsAccountStatus> = account.status.as_ref();
    let generation = account.metadata.generation.unwrap_or_default();
    let next = report(record, generation, &identity, (context.clock)());
    let wake = identity.as_ref().err().map_or(Wake::OnChange, Wake::of);
    let api = Api::all(context.kube.clone());
    Ok(status::write(&account, next, api, context).await?.wake(wake))
}
