//! The AwsAccounts as their watch shows them: for looks. What changes AWS reads its account live.

use kube::ResourceExt;
use kube::runtime::watcher::Event;
use launchway_crds::AwsAccount;
use launchway_crds::account::AwsAccountSpec;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Their specs, by name; none before the first list is complete.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<HashMap<String, AwsAccountSpec>>,
    /// A list that is being read.
    list: HashMap<String, AwsAccountSpec>,
}

impl Accounts {
    /// Follows the watch.
    pub fn follow(&self, event: &Event<AwsAccount>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => state.list.clear(),
            Event::InitApply(account) => {
                state.list.insert(account.name_any(), account.spec.clone());
            }
            Event::InitDone => state.known = Some(std::mem::take(&mut state.list)),
            Event::Apply(account) => {
                state.known.get_or_insert_default().insert(account.name_any(), account.spec.clone());
            }
            Event::Delete(account) => {
                state.known.get_or_insert_default().remove(&account.name_any());
            }
        }
    }

    /// The account of that name, or that there is none. Nothing is known before the first list.
    pub fn get(&self, name: &str) -> Option<Option<AwsAccountSpec>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.known.as_ref().map(|known| known.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use launchway_crds::name::Region;
    use serde_json::json;

    fn account(name: &str, region: &str) -> AwsAccount {
        let spec = json!({"regions": [region], "namespaces": {"names": ["shop"]}, "allow": {}});
        AwsAccount::new(name, serde_json::from_value(spec).expect("a spec"))
    }

    #[test]
    fn nothing_is_known_before_the_first_list_and_a_new_list_replaces_the_old_one() {
        let accounts = Accounts::default();
        accounts.follow(&Event::Init);
        accounts.follow(&Event::InitApply(account("a", "eu-west-1")));
        assert_eq!(accounts.get("a"), None);
        accounts.follow(&Event::InitDone);
        let region = |name| accounts.get(name).map(|found| found.map(|spec| spec.regions));
        assert_eq!(region("a"), Some(Some(vec![Region::from("eu-west-1")])));
        assert_eq!(region("b"), Some(None));
        accounts.follow(&Event::Apply(account("b", "eu-west-2")));
        accounts.follow(&Event::Delete(account("a", "eu-west-1")));
        assert_eq!((region("a"), region("b")), (Some(None), Some(Some(vec![Region::from("eu-west-2")]))));
        accounts.follow(&Event::Init);
        accounts.follow(&Event::InitDone);
        assert_eq!(region("b"), Some(None));
    }
}
