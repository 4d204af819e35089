//! What a commit says, and whether a file that counts differs between it and another commit: folder by folder, those only that differ
//! and in which a file may count. Whoever holds the server may send anything, so all of it is bounded.

use std::collections::BTreeMap;
use std::time::Duration;

use gix_hash::ObjectId;
use gix_object::{CommitRef, CommitRefIter, Kind, TreeRefIter};
use launchway_plan::pipeline::change::{Change, Differs, Unknown};
use launchway_plan::pipeline::paths::{At, Paths};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::GitFault;
use super::objects::{Found, Store, What};
use super::packet::Malformed;

/// How many folders are looked into, how many names that differ, and how many names one folder has.
const FOLDERS: usize = 4000;
const DIFFERING: usize = 50_000;
const NAMES: usize = 20_000;
/// How long folders are looked into: less than a comparison may take.
const TAKES: Duration = Duration::from_secs(40);
/// How many folders are compared at a time.
const AT_ONCE: usize = 64;
/// How deep, and how long a path and a name in it are, in bytes: what is used anywhere.
const DEPTH: usize = 100;
const PATH: usize = 1024;
const NAME: usize = 255;
/// How much of a message is kept, in bytes.
const MESSAGE: usize = 4 << 10;

/// What is to be told.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The commit.
    pub commit: String,
    /// The commit that it is compared with; absent: none.
    pub base: Option<String>,
    /// The files that count; absent: all, and nothing is compared.
    pub paths: Option<Paths>,
}

/// What the commit says and changes.
pub async fn change(store: &mut Store<'_>, asked: &Asked) -> Result<Change, GitFault> {
    let head = id(&asked.commit).ok_or(GitFault::Protocol(Malformed::ObjectId))?;
    let compared = asked.base.as_deref().and_then(id).zip(asked.paths.as_ref());
    // A repository has one kind of hash: a commit with another one is of another repository.
    let base = compared.map(|(base, _)| base).filter(|base| base.kind() == head.kind());
    let wanted: Vec<ObjectId> = [Some(head), base].into_iter().flatten().collect();
    let (commits, base) = match store.get(&wanted, What::Commits).await {
        Err(GitFault::Moved(gone)) if base.is_some() && id(&gone) == base => {
            (store.get(&[head], What::Commits).await?, None)
        }
        both => (both?, base),
    };
    let commit = object(&commits, head, Kind::Commit)
        .and_then(|data| CommitRef::from_bytes(data, head.kind()).ok())
        .ok_or(GitFault::Protocol(Malformed::Objects))?;
    let differs = match (compared, base) {
        (None, _) => Differs::NotAsked,
        (Some(_), None) => Differs::Unknown(Unknown::Rewritten),
        (Some((_, paths)), Some(base)) => {
            let data = object(&commits, base, Kind::Commit);
            match data.and_then(|data| CommitRefIter::from_bytes(data, base.kind()).tree_id().ok()) {
                Some(old) => told(Walk { store, paths }.differing(old, commit.tree()).await)?,
                None => Differs::Unknown(Unknown::Unreadable),
            }
        }
    };
    let said = commit.message.get(..MESSAGE).unwrap_or(commit.message);
    let message = String::from_utf8_lossy(said).into_owned();
    Ok(Change { commit: asked.commit.clone(), base: asked.base.clone(), message, differs })
}

/// What cannot be read for good is no reason to wait for it: then every file counts.
fn told(differs: Result<Differs, GitFault>) -> Result<Differs, GitFault> {
    match differs {
        Err(GitFault::Protocol(Malformed::TooLarge)) => Ok(Differs::Unknown(Unknown::TooMuch)),
        Err(GitFault::Protocol(_) | GitFault::Moved(_)) => Ok(Differs::Unknown(Unknown::Unreadable)),
        differs => differs,
    }
}

fn id(commit: &str) -> Option<ObjectId> {
    ObjectId::from_hex(commit.as_bytes()).ok()
}

fn object(found: &Found, id: ObjectId, kind: Kind) -> Option<&[u8]> {
    found.get(&id).filter(|object| object.0 == kind).map(|object| object.1.as_slice())
}

/// A folder in both commits, or in one.
struct Folder {
    /// Where the patterns of paths are there.
    at: At,
    /// Its path, and how deep it lies.
    path: String,
    depth: usize,
    ids: [Option<ObjectId>; 2],
}

struct Walk<'a, 's> {
    store: &'a mut Store<'s>,
    paths: &'a Paths,
}

impl Walk<'_, '_> {
    async fn differing(self, old: ObjectId, new: ObjectId) -> Result<Differs, GitFault> {
        if old == new {
            return Ok(Differs::Nothing);
        }
        let root = Folder { at: self.paths.root(), path: String::new(), depth: 0, ids: [Some(old), Some(new)] };
        let (mut folders, mut looked_into, mut names) = (vec![root], 0, 0);
        let end = Instant::now() + TAKES;
        while !folders.is_empty() {
            let part: Vec<Folder> = folders.drain(folders.len().saturating_sub(AT_ONCE)..).collect();
            looked_into += part.len();
            if Instant::now() > end {
                return Ok(Differs::Unknown(Unknown::TooMuch));
            }
            let wanted: Vec<ObjectId> = part.iter().flat_map(|folder| folder.ids).flatten().collect();
            let found = self.store.get(&wanted, What::Folders).await?;
            for folder in part {
                for (name, entries) in differing(&found, folder.ids).map_err(GitFault::Protocol)? {
                    names += 1;
                    if names % 256 == 0 {
                        // So that the work of one comparison holds nobody up, and its time can be over.
                        yield_now().await;
                    }
                    let Some((path, is_file, inner)) = self.step(&folder, name, entries) else { continue };
                    if is_file {
                        return Ok(Differs::File(path));
                    }
                    folders.extend(inner.map(|(at, ids)| Folder { at, path, depth: folder.depth + 1, ids }));
                    let is_over = |folder: &Folder| folder.depth > DEPTH || folder.path.len() > PATH;
                    if looked_into + folders.len() > FOLDERS || names > DIFFERING || folders.last().is_some_and(is_over)
                    {
                        return Ok(Differs::Unknown(Unknown::TooMuch));
                    }
                }
            }
        }
        Ok(Differs::Nothing)
    }

    /// What differs under a name: its path, whether it is a file that counts, and else the folders to look into, if there are any.
    #[allow(clippy::type_complexity)]
    fn step(
        &self,
        folder: &Folder,
        name: &[u8],
        entries: [Option<Entry>; 2],
    ) -> Option<(String, bool, Option<(At, [Option<ObjectId>; 2])>)> {
        // No file system has such a name, and no pattern.
        let name = name.get(..NAME.min(name.len())).map(String::from_utf8_lossy)?;
        let at = self.paths.enter(&folder.at, &name);
        let is_file = entries.iter().flatten().any(|entry| !entry.is_folder) && self.paths.counts_at(&at);
        let ids = entries.map(|entry| entry.filter(|entry| entry.is_folder).map(|entry| entry.id));
        let is_inner = ids.iter().any(Option::is_some) && self.paths.may_count_in(&at);
        let path = if folder.path.is_empty() { name.into_owned() } else { format!("{}/{name}", folder.path) };
        (is_file || is_inner).then(|| (path, is_file, is_inner.then_some((at, ids))))
    }
}

/// What stands in a folder under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    is_folder: bool,
    mode: u16,
    id: ObjectId,
}

/// What differs between two folders, by name: old and new.
fn differing(found: &Found, ids: [Option<ObjectId>; 2]) -> Result<BTreeMap<&[u8], [Option<Entry>; 2]>, Malformed> {
    let mut names = BTreeMap::<&[u8], [Option<Entry>; 2]>::new();
    for (side, id) in ids.into_iter().enumerate() {
        let Some(id) = id else { continue };
        let data = object(found, id, Kind::Tree).ok_or(Malformed::Objects)?;
        for entry in TreeRefIter::from_bytes(data, id.kind()) {
            let entry = entry.map_err(|_| Malformed::Objects)?;
            let of = Entry { is_folder: entry.mode.is_tree(), mode: entry.mode.value(), id: entry.oid.to_owned() };
            let both = names.entry(entry.filename).or_default();
            if let Some(place) = both.get_mut(side) {
                *place = Some(of);
            }
            if names.len() > NAMES {
                return Err(Malformed::TooLarge);
            }
        }
    }
    names.retain(|_, [old, new]| old != new);
    Ok(names)
}

#[cfg(test)]
mod fuzz;
