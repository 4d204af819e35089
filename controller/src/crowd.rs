//! How much of each namespace is at work in each AwsAccount, as the watch of the Releases shows it, and what passes have begun that
//! the watch does not show yet.

use crate::item::Item;
use crate::key::Key;
use jiff::{SignedDuration, Timestamp};
use kube::runtime::watcher::Event;
use launchway_crds::Release;
use launchway_plan::release::Record;
use launchway_plan::release::crowd::{Counted, Load};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// For how long something counts that a pass has begun and that the watch does not show: it shows what was written within a
/// second, and what could not be written was not begun.
const SHOWN: SignedDuration = SignedDuration::from_secs(60);

/// For how long a build counts whose Release is gone: CodeBuild's own timeout, where a project says nothing else.
const LEFT: SignedDuration = SignedDuration::from_hours(1);

/// A namespace and an AwsAccount.
type Crowd = (String, String);

/// What is at work, by Release.
#[derive(Debug, Default)]
pub struct Crowds(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    crowds: HashMap<Crowd, HashMap<Key, Member>>,
    /// In which crowd each Release is that is at work.
    of: HashMap<Key, Crowd>,
}

/// What a Release adds to its crowd.
#[derive(Clone, Copy, Debug, Default)]
struct Member {
    /// What its status says.
    shown: Load,
    /// What a pass has begun, and until when that counts.
    begun: Option<(Load, Timestamp)>,
}

impl Member {
    fn load(&self, now: Timestamp) -> Load {
        let begun = self.begun.filter(|(_, until)| now < *until).map(|(load, _)| load).unwrap_or_default();
        Load { releases: self.shown.releases.max(begun.releases), builds: self.shown.builds.max(begun.builds) }
    }
}

impl Crowds {
    /// Follows the watch of the Releases. One that cannot be read counts as it did.
    pub fn follow(&self, event: &Event<Item<Release>>) {
        if let Event::InitApply(Item::Read(release)) | Event::Apply(Item::Read(release)) = event {
            self.state().note(release);
        }
    }

    /// Notes that a Release is gone. Builds that it left running count on for as long as a build may take: a Release that is
    /// deleted as it should be has stopped its builds before that.
    pub fn gone(&self, release: &Key, now: Timestamp) {
        let mut state = self.state();
        match state.of.get(release).cloned().map(|crowd| state.member(release, crowd)) {
            Some(member) if member.load(now).builds > 0 => {
                let left = Load { releases: 0, builds: member.load(now).builds };
                (member.shown, member.begun) = (Load::default(), Some((left, now + LEFT)));
            }
            Some(_) | None => state.forget(release),
        }
        state.clear(now);
    }

    /// How much of the namespace is at work in the AwsAccount.
    pub fn load(&self, namespace: &str, account: &str, now: Timestamp) -> Load {
        self.state().load(&(namespace.to_owned(), account.to_owned()), now)
    }

    /// Lets a Release begin something, unless as much is at work as may be: of many passes at once, only so many get a place.
    pub fn enter(&self, release: &Key, account: &str, counted: Counted, most: i32, now: Timestamp) -> bool {
        let crowd = (release.namespace.clone(), account.to_owned());
        let mut state = self.state();
        if usize::try_from(most).is_ok_and(|most| state.load(&crowd, now).count(counted) >= most) {
            return false;
        }
        let member = state.member(release, crowd);
        let mut load = member.load(now);
        match counted {
            Counted::Releases => load.releases = 1,
            Counted::Builds => load.builds += 1,
        }
        member.begun = Some((load, now + SHOWN));
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn load(&self, crowd: &Crowd, now: Timestamp) -> Load {
        let members = self.crowds.get(crowd).into_iter().flat_map(HashMap::values);
        members.map(|member| member.load(now)).fold(Load::default(), |sum, one| Load {
            releases: sum.releases + one.releases,
            builds: sum.builds + one.builds,
        })
    }

    fn note(&mut self, release: &Release) {
        let (key, record) = (Key::of(release), Record::parse(release));
        let crowd = record.work.as_ref().map(|work| (key.namespace.clone(), work.account.to_string()));
        match crowd.or_else(|| self.of.get(&key).cloned()) {
            Some(crowd) if record.ended.is_none() => self.member(&key, crowd).shown = Load::of(&record),
            Some(_) | None => self.forget(&key),
        }
    }

    /// The entry of a Release in that crowd, and in no other.
    fn member(&mut self, key: &Key, crowd: Crowd) -> &mut Member {
        if self.of.get(key).is_some_and(|other| *other != crowd) {
            self.forget(key);
        }
        self.of.insert(key.clone(), crowd.clone());
        self.crowds.entry(crowd).or_default().entry(key.clone()).or_default()
    }

    /// Forgets those that are gone and whose builds have ended by now.
    fn clear(&mut self, now: Timestamp) {
        let is_over = |member: &Member| member.shown == Load::default() && member.load(now) == Load::default();
        let over = self.crowds.values().flatten().filter(|(_, member)| is_over(member));
        let over: Vec<Key> = over.map(|(key, _)| key.clone()).collect();
        over.iter().for_each(|key| self.forget(key));
    }

    fn forget(&mut self, key: &Key) {
        let Some(crowd) = self.of.remove(key) else { return };
        if let Some(members) = self.crowds.get_mut(&crowd) {
            members.remove(key);
            if members.is_empty() {
                self.crowds.remove(&crowd);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Reconciled;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn key(name: &str) -> Key {
        Key { kind: Release::KIND, namespace: "shop".into(), name: name.into() }
    }

    fn release(name: &str, status: &Value) -> Item<Release> {
        let spec = json!({"pipeline": "web", "commit": "0123456789abcdef0123456789abcdef01234567", "reason": "Manual"});
        serde_json::from_value(json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec, "status": status}))
            .expect("an item")
    }

    /// A Release that has begun, and whose build is in that phase.
    fn begun(name: &str, phase: &str) -> Item<Release> {
        let started = json!({"id": "web-build:1", "startedAt": "2026-11-23T08:00:00Z"});
        let step = json!({"name": "build", "phase": phase, "attempt": 1, "started": started});
        let plan = json!({
            "account": "default", "region": "eu-central-1", "checksInParallel": 1,
            "build": {"codeBuild": {"project": "web-build"}}, "images": [{"name": "web", "repository": "web"}],
        });
        release(name, &json!({"phase": "Active", "plan": plan, "steps": [step]}))
    }

    fn load(crowds: &Crowds, now: Timestamp) -> (usize, usize) {
        let load = crowds.load("shop", "default", now);
        (load.releases, load.builds)
    }

    #[test]
    fn of_many_that_ask_at_once_only_so_many_enter() {
        let crowds = Crowds::default();
        let enter = |name: &str, now| crowds.enter(&key(name), "default", Counted::Releases, 2, now);
        assert_eq!(["a", "b", "c"].map(|name| enter(name, NOW)), [true, true, false]);
        assert!(crowds.enter(&key("c"), "another", Counted::Releases, 2, NOW), "each account counts by itself");
        let elsewhere = Key { namespace: "bank".into(), ..key("c") };
        assert!(crowds.enter(&elsewhere, "default", Counted::Releases, 2, NOW), "and each namespace");
        assert!(enter("d", NOW + SHOWN), "what never showed had not begun");
    }

    #[test]
    fn what_the_watch_shows_counts_until_it_has_ended() {
        let crowds = Crowds::default();
        crowds.follow(&Event::Apply(begun("a", "Running")));
        crowds.follow(&Event::Apply(begun("b", "Waiting")));
        assert_eq!(load(&crowds, NOW), (2, 1));
        assert!(crowds.enter(&key("b"), "default", Counted::Builds, 2, NOW));
        crowds.follow(&Event::Apply(begun("b", "Waiting")));
        assert_eq!(load(&crowds, NOW), (2, 2), "it has begun, and a late event shows what was before");
        crowds.follow(&Event::Apply(begun("b", "Running")));
        assert_eq!((load(&crowds, NOW), load(&crowds, NOW + SHOWN)), ((2, 2), (2, 2)));
        crowds.follow(&Event::Apply(release("b", &json!({"phase": "Succeeded"}))));
        crowds.follow(&Event::Delete(begun("a", "Running")));
        assert_eq!(load(&crowds, NOW), (1, 1), "who follows the watch says who is gone");
        assert!(!crowds.enter(&key("c"), "default", Counted::Builds, 1, NOW), "the build of a runs");
        crowds.gone(&key("a"), NOW);
        assert_eq!(load(&crowds, NOW), (0, 1), "somebody took our finalizer away, and the build runs on");
        crowds.gone(&key("b"), NOW + LEFT);
        assert_eq!(load(&crowds, NOW + LEFT), (0, 0));
        assert!(crowds.state().crowds.is_empty());
    }
}
