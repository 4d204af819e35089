//! Single objects of a repository, asked for by their IDs (gitprotocol-v2, `fetch` with `filter tree:0`): commits without what they
//! are made of, and folders without what is in them. Never files.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix_hash::ObjectId;
use gix_object::Kind;

use super::GitFault;
use super::credential::Key;
use super::listing::{Abilities, More};
use super::pack::{Objects, Told, objects, pack};
use super::packet::{FLUSH, Malformed, line};
use super::remote::Remote;
use crate::web::{Cap, WebFault};

/// How many objects are asked for at a time.
const AT_ONCE: usize = 128;
/// How many bytes of objects one comparison may have sent to it, and how many answers that are too large and are asked for in parts.
const MOST: usize = 4 << 20;
const SPLITS: u32 = 32;
/// How many bytes of objects are kept, of all repositories.
const KEPT: usize = 8 << 20;
/// What an object takes beside its own bytes.
const EACH: usize = 200;

/// An object: what it is, and its bytes.
type Object = Arc<(Kind, Vec<u8>)>;

/// Objects by their IDs.
pub type Found = HashMap<ObjectId, Object>;

/// Objects that were fetched a short while ago, for who asks for the same ones: two hundred Pipelines of one repository, for example.
/// Those of one credential are not shown to another.
#[derive(Debug, Default)]
pub struct Kept {
    by_id: HashMap<(Key, ObjectId), Object>,
    order: VecDeque<(Key, ObjectId)>,
    bytes: usize,
}

impl Kept {
    fn keep(&mut self, lane: Key, id: ObjectId, object: Object) {
        let size = |object: &(Kind, Vec<u8>)| object.1.len() + EACH;
        self.bytes += size(&object);
        if let Some(before) = self.by_id.insert((lane, id), object) {
            self.bytes -= size(&before);
        } else {
            self.order.push_back((lane, id));
        }
        while self.bytes > KEPT
            && let Some(first) = self.order.pop_front()
        {
            self.bytes -= self.by_id.remove(&first).map_or(0, |object| size(&object));
        }
    }
}

/// The objects of a repository, as somebody sees it, for one comparison.
pub struct Store<'a> {
    remote: Remote<'a>,
    /// Which repository it is, and who sees it.
    lane: Key,
    /// What was fetched before.
    kept: &'a Mutex<Kept>,
    /// Where objects are asked for, once that is known.
    more: Option<More>,
    /// How many bytes more may come, and how many answers that are too large.
    left: usize,
    splits: u32,
}

/// Whether commits are asked for, which are there without their history then, or folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Commits.
    Commits,
    /// Folders.
    Folders,
}

impl<'a> Store<'a> {
    /// The objects of a repository.
    pub fn new(remote: Remote<'a>, lane: Key, kept: &'a Mutex<Kept>) -> Self {
        Self { remote, lane, kept, more: None, left: MOST, splits: SPLITS }
    }

    /// These objects.
    ///
    /// # Errors
    /// One of them is not there ([`GitFault::Moved`]), or all that was asked for so far is too large.
    pub async fn get(&mut self, ids: &[ObjectId], what: What) -> Result<Found, GitFault> {
        let (mut found, mut missing) = (Found::new(), BTreeSet::new());
        for id in ids {
            match self.kept().by_id.get(&(self.lane, *id)) {
                Some(object) => drop(found.insert(*id, Arc::clone(object))),
                None => drop(missing.insert(*id)),
            }
        }
        // In the order in which they were asked for: of several that are not there the server names the first.
        let missing: Vec<ObjectId> = ids.iter().copied().filter(|id| missing.remove(id)).collect();
        let mut parts: Vec<&[ObjectId]> = missing.chunks(AT_ONCE).collect();
        while let Some(ids) = parts.pop() {
            let mut objects = match self.fetched(ids, what).await {
                Err(GitFault::Protocol(Malformed::TooLarge)) if ids.len() > 1 && self.splits > 0 => {
                    self.splits -= 1;
                    let (one, other) = ids.split_at(ids.len() / 2);
                    parts.extend([one, other]);
                    continue;
                }
                fetched => fetched?,
            };
            for id in ids {
                let object = objects.remove(id).ok_or_else(|| GitFault::Moved(id.to_string()))?;
                let left = self.left.checked_sub(object.1.len() + EACH);
                self.left = left.ok_or(GitFault::Protocol(Malformed::TooLarge))?;
                let object = Arc::new(object);
                self.kept().keep(self.lane, *id, Arc::clone(&object));
                found.insert(*id, object);
            }
        }
        Ok(found)
    }

    async fn fetched(&mut self, ids: &[ObjectId], what: What) -> Result<Objects, GitFault> {
        if self.more.is_none() {
            self.more = self.remote.abilities().await?;
        }
        let Some(More { base, abilities }) = self.more.as_ref().filter(|more| more.abilities.gives_objects()) else {
            return Err(GitFault::NoObjects);
        };
        let body = match self.remote.commanded(base, request(abilities, ids, what), Cap::OBJECTS).await {
            Err(GitFault::Web(WebFault::TooLarge(_))) => return Err(GitFault::Protocol(Malformed::TooLarge)),
            body => body?,
        };
        let read = pack(&body).and_then(|pack| objects(&pack, ids).map_err(Told::Malformed));
        read.map_err(|told| match told {
            Told::Missing(id) => GitFault::Moved(id),
            Told::NoFilter => GitFault::NoObjects,
            Told::Malformed(malformed) => GitFault::Protocol(malformed),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of the request for these objects.
fn request(abilities: &Abilities, ids: &[ObjectId], what: What) -> String {
    let mut body = abilities.command("fetch") + &line("no-progress") + &line("filter tree:0");
    if what == What::Commits {
        body += &line("deepen 1");
    }
    body.extend(ids.iter().map(|id| line(&format!("want {id}"))));
    body + &line("done") + FLUSH
}
