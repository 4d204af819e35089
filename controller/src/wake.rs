//! Which change wakes whom. Nothing is decided by why a pass was started.
//!
//! Each object says how it depends on others ([`Links`]). The [`Index`] keeps that of every object, in both directions: a
//! change looks up those who depend on the object and no others, and no object is kept for it.

use crate::key::{Key, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

#[cfg(test)]
mod tests;

/// How an object depends on others, and what it shows to those that follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Objects that it reads, such as its AwsAccount. Their changes wake it.
    pub uses: Vec<Key>,
    /// Objects that tell it what to do, as a Pipeline tells a Service. Their changes wake it, unless it has done already
    /// what they show. Its own change wakes their active parts.
    pub follows: Vec<Followed>,
    /// The object that it belongs to, as a Release belongs to its Pipeline.
    pub part_of: Option<Whole>,
    /// What it tells its followers to do.
    pub shows: Vec<Shown>,
    /// Objects that learn from its status what it says of them, as a Release learns which stages it holds. What is said anew
    /// wakes them, and so does a change of its followers, if they are active parts of it.
    pub tells: BTreeMap<Key, BTreeSet<String>>,
    /// A digest of what asks for a new try where one was refused: what people wrote into the object, and of an AwsAccount
    /// whether its credentials work.
    pub asks: u64,
}

/// An object that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The object.
    pub key: Key,
    /// What the follower has done of what it is shown, if it has come to rest.
    pub has: Option<Shown>,
}

/// What a follower is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The name of the follower.
    pub to: String,
    /// The stage.
    pub stage: String,
    /// The stage's grant.
    pub grant: i64,
}

/// The object that another one belongs to. A change of the part wakes the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The object.
    pub key: Key,
    /// Whether the part is woken too.
    pub part: Part,
}

/// Whether a part has work left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It has: it is woken by what people change in the whole, by anything that the whole uses, and by what the whole says of
    /// it. It is not woken by each status of the whole: of a thousand parts each would wake all others.
    Active,
    /// It has not, and nothing but its own change wakes it.
    Ended,
}

/// In which way an object is depended on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    User,
    Follower,
    ActivePart,
}

/// The links of all objects, kept up to date from watch events.
#[derive(Debug, Default)]
pub struct Index {
    links: BTreeMap<Key, Links>,
    dependents: BTreeMap<(Key, Role), BTreeSet<Key>>,
}

impl Index {
    /// Notes that the object is there, or has changed; whom that wakes, itself included. Who depended on it before the
    /// change is woken as well.
    pub fn changed(&mut self, key: &Key, links: Links) -> BTreeSet<Key> {
        let before = self.links.get(key);
        let mut woken = turned(before.unwrap_or(&Links::default()), &links);
        let is_changed = before.is_none_or(|before| before.asks != links.asks || before.uses != links.uses);
        woken.append(&mut self.forget(key));
        for entry in entries(&links) {
            self.dependents.entry(entry).or_default().insert(key.clone());
        }
        self.links.insert(key.clone(), links);
        woken.extend(self.woken_by(key));
        woken.extend(is_changed.then(|| self.all(key, Role::ActivePart)).into_iter().flatten().cloned());
        woken
    }

    /// Notes that the object has changed and cannot be read: what it depends on, and what it shows, stay as they were. Whom
    /// that wakes.
    pub fn obscured(&mut self, key: &Key) -> BTreeSet<Key> {
        let links = self.links.get(key).cloned().unwrap_or_default();
        self.changed(key, links)
    }

    /// Notes that the object is gone, and shows nothing any more; whom that wakes.
    pub fn gone(&mut self, key: &Key) -> BTreeSet<Key> {
        let Some(links) = self.links.get_mut(key) else { return BTreeSet::new() };
        links.shows.clear();
        let followed: Vec<Key> = links.follows.iter().map(|followed| followed.key.clone()).collect();
        let mut woken = self.woken_by(key);
        woken.extend(self.all(key, Role::ActivePart).cloned());
        woken.extend(followed);
        woken.append(&mut self.forget(key));
        woken
    }

    /// The objects of the kind that are known and not among these.
    pub fn missing(&self, kind: Kind, present: &BTreeSet<Key>) -> Vec<Key> {
        let is_gone = |key: &&Key| key.kind == kind && !present.contains(*key);
        self.links.keys().filter(is_gone).cloned().collect()
    }

    /// The objects that are known.
    pub fn keys(&self) -> Vec<Key> {
        self.links.keys().cloned().collect()
    }

    /// Whether the object is known.
    pub fn knows(&self, key: &Key) -> bool {
        self.links.contains_key(key)
    }

    /// All that asks for a try of what may have been refused for this object, digested: what people wrote into it and into
    /// those that it depends on, and what those tell it to do. While there is nothing new in it, nothing is to be gained by asking
    /// AWS before the back-off is over.
    pub fn asks(&self, key: &Key) -> BTreeSet<u64> {
        let Some(links) = self.links.get(key) else { return BTreeSet::new() };
        let whole = links.part_of.iter().map(|whole| &whole.key);
        let near = links.uses.iter().chain(links.follows.iter().map(|followed| &followed.key)).chain(whole);
        let mut asks = BTreeSet::from([digest(&links.asks)]);
        for near_key in near {
            let Some(near) = self.links.get(near_key) else {
                // That it is gone is something new too.
                asks.insert(digest(&(near_key, "gone")));
                continue;
            };
            asks.insert(digest(&near.asks));
            asks.extend(near.tells.get(key).into_iter().flatten().map(digest));
            let shown = near.shows.iter().filter(|shown| key.kind == Kind::Service && shown.to == key.name);
            asks.extend(shown.map(|shown| digest(&(&shown.stage, shown.grant))));
            asks.extend(near.uses.iter().filter_map(|used| self.links.get(used)).map(|used| digest(&used.asks)));
        }
        asks
    }

    /// Forgets the object; whom its own links woke.
    fn forget(&mut self, key: &Key) -> BTreeSet<Key> {
        let woken = self.links.get(key).map(|links| self.told(links)).unwrap_or_default();
        for entry in self.links.remove(key).iter().flat_map(entries) {
            if let Some(all) = self.dependents.get_mut(&entry) {
                all.remove(key);
                if all.is_empty() {
                    self.dependents.remove(&entry);
                }
            }
        }
        woken
    }

    /// Whom a change of the object wakes, whatever has changed.
    fn woken_by(&self, key: &Key) -> BTreeSet<Key> {
        let links = self.links.get(key);
        let mut woken = links.map(|links| self.told(links)).unwrap_or_default();
        woken.insert(key.clone());
        for user in self.all(key, Role::User) {
            woken.insert(user.clone());
            woken.extend(self.all(user, Role::ActivePart).cloned());
        }
        let shows = links.map(|links| links.shows.as_slice()).unwrap_or_default();
        woken.extend(self.all(key, Role::Follower).filter(|follower| !self.has_done(follower, key, shows)).cloned());
        woken
    }

    /// Whom a change of an object wakes by the object's own links: the whole that it is a part of, and the active parts
    /// of what it follows that are told something there.
    fn told(&self, links: &Links) -> BTreeSet<Key> {
        let whole = links.part_of.iter().map(|whole| &whole.key);
        let parts = links.follows.iter().flat_map(|followed| {
            let told = self.links.get(&followed.key).into_iter().flat_map(|links| links.tells.keys());
            told.filter(|part| self.is_active_part(part, &followed.key))
        });
        whole.chain(parts).cloned().collect()
    }

    fn is_active_part(&self, part: &Key, whole: &Key) -> bool {
        self.dependents.get(&(whole.clone(), Role::ActivePart)).is_some_and(|parts| parts.contains(part))
    }

    fn all(&self, key: &Key, role: Role) -> impl Iterator<Item = &Key> {
        self.dependents.get(&(key.clone(), role)).into_iter().flatten()
    }

    /// Whether the object has done what is shown to it, by all that it follows and that is known.
    pub fn is_done(&self, key: &Key) -> bool {
        let follows = self.links.get(key).into_iter().flat_map(|links| &links.follows);
        let mut shown = follows.filter_map(|one| Some((&one.key, self.links.get(&one.key)?.shows.as_slice())));
        shown.all(|(followed, shows)| self.has_done(key, followed, shows))
    }

    /// Whether the follower has done one of the things that it is shown.
    fn has_done(&self, follower: &Key, followed: &Key, shows: &[Shown]) -> bool {
        let follows = self.links.get(follower).into_iter().flat_map(|links| &links.follows);
        let has = follows.filter(|one| one.key == *followed).filter_map(|one| one.has.as_ref());
        has.into_iter().any(|has| shows.contains(has))
    }
}

/// Whom it wakes that an object's links have become others: those that it follows, where what it has done for them is another
/// thing now, and those of which it says something new.
fn turned(before: &Links, now: &Links) -> BTreeSet<Key> {
    let followed = before.follows.iter().chain(&now.follows);
    let turned = followed.filter(|one| !(before.follows.contains(one) && now.follows.contains(one)));
    let told = before.tells.iter().chain(&now.tells);
    let anew = told.filter(|(key, _)| before.tells.get(*key) != now.tells.get(*key));
    turned.map(|one| one.key.clone()).chain(anew.map(|(key, _)| key.clone())).collect()
}

/// A digest that means nothing to another process.
pub(crate) fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Under which entries an object with these links is found.
fn entries(links: &Links) -> impl Iterator<Item = (Key, Role)> {
    let uses = links.uses.iter().map(|key| (key.clone(), Role::User));
    let follows = links.follows.iter().map(|followed| (followed.key.clone(), Role::Follower));
    let active = links.part_of.iter().filter(|whole| match whole.part {
        Part::Active => true,
        Part::Ended => false,
    });
    uses.chain(follows).chain(active.map(|whole| (whole.key.clone(), Role::ActivePart)))
}
