//! The AwsAccounts as their watch shows them: for looks. What changes AWS reads its account live.

use crate::item::Item;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use launchway_crds::AwsAccount;
use launchway_crds::account::AwsAccountSpec;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What passes need of an AwsAccount.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its spec.
    pub spec: AwsAccountSpec,
    /// The ID of the AWS account, as its status has it.
    pub id: Option<String>,
}

impl Known {
    /// What passes need of it.
    pub fn of(account: &AwsAccount) -> Self {
        let id = account.status.as_ref().and_then(|status| status.account_id.clone());
        Self { spec: account.spec.clone(), id }
    }
}

/// What is known of each, by name; none before the first list is complete.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<HashMap<String, Seen>>,
    /// A list that is being read.
    list: HashMap<String, Seen>,
}

/// What is known of an account, and of which version; `None`: it cannot be read.
#[derive(Debug)]
struct Seen {
    known: Option<Known>,
    version: Option<u64>,
    /// Whether it was read live.
    live: bool,
}

impl Accounts {
    /// Follows the watch.
    pub fn follow(&self, event: &Event<Item<AwsAccount>>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => state.list.clear(),
            Event::InitApply(account) => {
                state.list.insert(account.name_any(), Seen::of(account));
            }
            Event::InitDone => {
                let mut before = state.known.take().unwrap_or_default();
                let list = std::mem::take(&mut state.list).into_iter();
                state.known = Some(list.map(|(name, seen)| (name.clone(), seen.after(before.remove(&name)))).collect());
            }
            Event::Apply(account) => {
                let known = state.known.get_or_insert_default();
                let seen = Seen::of(account).after(known.remove(&account.name_any()));
                known.insert(account.name_any(), seen);
            }
            Event::Delete(account) => {
                state.known.get_or_insert_default().remove(&account.name_any());
            }
        }
    }

    /// Notes an account that was read live. While the definitions are upgraded, a watch may show a version without the members
    /// that are new, and never show it again: what was read of that version, or of a newer one, counts more.
    pub fn read(&self, account: &AwsAccount) {
        let version = version(account.resource_version());
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = state.known.as_mut().and_then(|known| known.get_mut(&account.name_any()))
            && version >= seen.version
        {
            *seen = Seen { known: Some(Known::of(account)), version, live: true };
        }
    }

    /// The account of that name, or that there is none. Nothing is known before the first list, or of an account that cannot be
    /// read: it is there.
    pub fn get(&self, name: &str) -> Option<Option<Known>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.known.as_ref()?.get(name) {
            Some(Seen { known: Some(known), .. }) => Some(Some(known.clone())),
            Some(Seen { known: None, .. }) => None,
            None => Some(None),
        }
    }
}

impl Seen {
    fn of(account: &Item<AwsAccount>) -> Self {
        let known = match account {
            Item::Read(account) => Some(Known::of(account)),
            Item::Unreadable(_) => None,
        };
        Self { known, version: version(account.resource_version()), live: false }
    }

    /// What a watch shows, unless that version, or a newer one, was read live before.
    fn after(self, before: Option<Self>) -> Self {
        before
            .filter(|before| before.live && before.version.is_some() && before.version >= self.version)
            .unwrap_or(self)
    }
}

/// Versions of one kind can be compared as numbers (Kubernetes API concepts, "Resource versions").
fn version(version: Option<String>) -> Option<u64> {
    version?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use launchway_crds::name::Region;
    use serde_json::json;

    fn account(name: &str, region: &str) -> Item<AwsAccount> {
        let spec = json!({"regions": [region], "namespaces": {"names": ["shop"]}, "allow": {}});
        serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).expect("an account")
    }

    #[test]
    fn nothing_is_known_before_the_first_list_and_a_new_list_replaces_the_old_one() {
        let accounts = Accounts::default();
        accounts.follow(&Event::Init);
        accounts.follow(&Event::InitApply(account("a", "eu-west-1")));
        assert_eq!(accounts.get("a"), None);
        accounts.follow(&Event::InitDone);
        let region = |name| accounts.get(name).map(|found| found.map(|known| known.spec.regions));
        assert_eq!(region("a"), Some(Some(vec![Region::from("eu-west-1")])));
        assert_eq!(region("b"), Some(None));
        accounts.follow(&Event::Apply(account("b", "eu-west-2")));
        accounts.follow(&Event::Delete(account("a", "eu-west-1")));
        assert_eq!((region("a"), region("b")), (Some(None), Some(Some(vec![Region::from("eu-west-2")]))));
        let unreadable = json!({"metadata": {"name": "b"}, "spec": {"regions": 7}});
        accounts.follow(&Event::Apply(serde_json::from_value(unreadable).expect("an item")));
        assert_eq!(region("b"), None, "it is there: whoever needs it reads it live");
        accounts.follow(&Event::Init);
        accounts.follow(&Event::InitDone);
        assert_eq!(region("b"), Some(None));
    }

    #[test]
    fn what_was_read_live_of_a_version_counts_more_than_what_a_watch_showed_of_it() {
        let of = |version: &str, region: &str| {
            let mut item = account("a", region);
            if let Item::Read(account) = &mut item {
                account.metadata.resource_version = Some(version.to_owned());
            }
            item
        };
        let accounts = Accounts::default();
        let read = |version, region| {
            if let Item::Read(account) = of(version, region) {
                accounts.read(&account);
            }
        };
        let region = || accounts.get("a").map(|found| found.map(|known| known.spec.regions));
        read("9", "before-the-list");
        assert_eq!(region(), None);
        for event in [Event::Init, Event::InitApply(of("9", "eu-west-1")), Event::InitDone] {
            accounts.follow(&event);
        }
        accounts.follow(&Event::Apply(of("10", "pruned")));
        read("10", "whole");
        assert_eq!(region(), Some(Some(vec![Region::from("whole")])));
        read("9", "older");
        let again =
            [Event::Apply(of("10", "pruned")), Event::Init, Event::InitApply(of("10", "pruned")), Event::InitDone];
        again.iter().for_each(|event| accounts.follow(event));
        assert_eq!(region(), Some(Some(vec![Region::from("whole")])));
        accounts.follow(&Event::Apply(of("11", "newer")));
        assert_eq!(region(), Some(Some(vec![Region::from("newer")])));
        accounts.follow(&Event::Delete(of("12", "whole")));
        read("10", "whole");
        assert_eq!(region(), Some(None), "what is gone does not come back");
    }
}
