//! The objects in a server's answer to `fetch` (gitprotocol-v2, gitformat-pack). What an object says is read elsewhere. An object is
//! known by the hash of its own bytes, whatever the server says that it is.

use std::collections::HashMap;
use std::io::Read;

use flate2::bufread::ZlibDecoder;
use gix_hash::ObjectId;
use gix_object::Kind;

use super::packet::{Malformed, Packet, raw};

/// Objects by their IDs.
pub type Objects = HashMap<ObjectId, (Kind, Vec<u8>)>;

/// How large all objects of an answer may be together, inflated, in bytes. Sixteen comparisons at a time have to leave room within
/// the chart's limit of memory.
pub const LARGEST: usize = 2 << 20;

/// What a server says instead of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It does not have this object.
    Missing(String),
    /// It does not filter, or not by folders.
    NoFilter,
    /// Nothing that can be read.
    Malformed(Malformed),
}

impl From<Malformed> for Told {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// What an error of git's own says, in the words of its upload-pack.
fn told(error: &[u8]) -> Told {
    let words = String::from_utf8_lossy(error);
    let id = words.trim_end().rsplit_once("not our ref ").map(|(_, id)| id);
    match id.filter(|id| matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        Some(id) => Told::Missing(id.to_ascii_lowercase()),
        None if words.contains("filter") => Told::NoFilter,
        None => Told::Malformed(Malformed::Error),
    }
}

/// The pack in an answer to `fetch`: what stands in the first band of its last section. Other sections say what we know.
pub fn pack(body: &[u8]) -> Result<Vec<u8>, Told> {
    let mut pack = Vec::new();
    let mut is_pack = false;
    for packet in raw(body) {
        match packet? {
            Packet::Line(line) if line.starts_with(b"ERR ") && !is_pack => return Err(told(line)),
            Packet::Line(line) if is_pack => match line.split_first() {
                Some((1, data)) => pack.extend_from_slice(data),
                Some((2, _)) => {}
                Some((3, words)) => return Err(told(words)),
                Some(_) | None => return Err(Malformed::Line.into()),
            },
            Packet::Line(b"packfile\n" | b"packfile") => is_pack = true,
            Packet::Line(_) | Packet::Delimiter => {}
            Packet::Flush | Packet::End if is_pack => return Ok(pack),
            Packet::Flush | Packet::End => return Err(Malformed::OutOfPlace.into()),
        }
    }
    Err(Malformed::Truncated.into())
}

/// How many objects more than were asked for a pack may have: those that others are told by.
const MORE: usize = 64;

/// The objects of a pack that was asked for these.
pub fn objects(pack: &[u8], asked: &[ObjectId]) -> Result<Objects, Malformed> {
    let hash = asked.first().map_or(gix_hash::Kind::Sha1, |id| id.kind());
    let (head, mut rest) = pack.split_at_checked(12).ok_or(Malformed::Objects)?;
    let count = match head {
        [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, a, b, c, d] => u32::from_be_bytes([*a, *b, *c, *d]),
        _ => return Err(Malformed::Objects),
    };
    if usize::try_from(count).map_or(true, |count| count > asked.len().saturating_add(MORE)) {
        return Err(Malformed::TooLarge);
    }
    let mut read = Reading { hash, left: LARGEST, by_place: HashMap::new(), objects: Objects::new() };
    for _ in 0..count {
        rest = read.entry(pack.len() - rest.len(), rest)?;
    }
    // The checksum that follows says nothing that the objects' own hashes do not say.
    if rest.len() == hash.len_in_bytes() { Ok(read.objects) } else { Err(Malformed::Objects) }
}

struct Reading {
    hash: gix_hash::Kind,
    /// How many bytes may still be inflated.
    left: usize,
    /// Where in the pack each object begins.
    by_place: HashMap<usize, ObjectId>,
    objects: Objects,
}

/// What an entry of a pack is.
enum Entry {
    Whole(Kind),
    /// What differs from another object.
    Delta(ObjectId),
}

impl Reading {
    /// Reads the entry at this place, and returns what follows.
    fn entry<'a>(&mut self, place: usize, bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let (kind, size, bytes) = header(bytes)?;
        let (entry, bytes) = match kind {
            1 => (Entry::Whole(Kind::Commit), bytes),
            2 => (Entry::Whole(Kind::Tree), bytes),
            3 => (Entry::Whole(Kind::Blob), bytes),
            4 => (Entry::Whole(Kind::Tag), bytes),
            6 => {
                let (back, bytes) = offset(bytes)?;
                let base = place.checked_sub(back).and_then(|base| self.by_place.get(&base));
                (Entry::Delta(*base.ok_or(Malformed::Objects)?), bytes)
            }
            7 => {
                let (id, bytes) = bytes.split_at_checked(self.hash.len_in_bytes()).ok_or(Malformed::Objects)?;
                (Entry::Delta(ObjectId::try_from(id).map_err(|_| Malformed::Objects)?), bytes)
            }
            _ => return Err(Malformed::Objects),
        };
        let (data, used) = self.inflated(bytes, size)?;
        let (kind, data) = match entry {
            Entry::Whole(kind) => (kind, data),
            Entry::Delta(base) => {
                let (kind, base) = self.objects.get(&base).ok_or(Malformed::Objects)?;
                (*kind, applied(base, &data, self.left)?)
            }
        };
        self.left = self.left.checked_sub(data.len()).ok_or(Malformed::TooLarge)?;
        let id = gix_object::compute_hash(self.hash, kind, &data).map_err(|_| Malformed::Objects)?;
        self.by_place.insert(place, id);
        self.objects.insert(id, (kind, data));
        bytes.get(used..).ok_or(Malformed::Objects)
    }

    /// So many bytes, and how many they took.
    fn inflated(&self, bytes: &[u8], size: usize) -> Result<(Vec<u8>, usize), Malformed> {
        if size > self.left {
            return Err(Malformed::TooLarge);
        }
        let mut decoder = ZlibDecoder::new(bytes);
        let mut data = Vec::new();
        // One byte more, so that one that is too long is seen, and the end of the stream is read.
        let most = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
        decoder.by_ref().take(most).read_to_end(&mut data).map_err(|_| Malformed::Objects)?;
        let used = usize::try_from(decoder.total_in()).map_err(|_| Malformed::Objects)?;
        if data.len() == size { Ok((data, used)) } else { Err(Malformed::Objects) }
    }
}

/// Kind and size of an entry, and what follows.
fn header(bytes: &[u8]) -> Result<(u8, usize, &[u8]), Malformed> {
    let (first, mut rest) = bytes.split_first().ok_or(Malformed::Objects)?;
    let (kind, mut size, mut shift, mut goes_on) = (first >> 4 & 7, usize::from(first & 15), 4, first & 128 != 0);
    while goes_on {
        let (byte, after) = rest.split_first().filter(|_| shift < 32).ok_or(Malformed::Objects)?;
        size |= usize::from(byte & 127) << shift;
        (rest, shift, goes_on) = (after, shift + 7, byte & 128 != 0);
    }
    Ok((kind, size, rest))
}

/// How far back the other object begins, and what follows.
fn offset(bytes: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    let (first, mut rest) = bytes.split_first().ok_or(Malformed::Objects)?;
    let (mut back, mut goes_on) = (usize::from(first & 127), first & 128 != 0);
    while goes_on {
        let (byte, after) = rest.split_first().filter(|_| back < 1 << 32).ok_or(Malformed::Objects)?;
        back = ((back + 1) << 7) | usize::from(byte & 127);
        (rest, goes_on) = (after, byte & 128 != 0);
    }
    Ok((back, rest))
}

/// The object that a delta makes of another one.
fn applied(base: &[u8], delta: &[u8], most: usize) -> Result<Vec<u8>, Malformed> {
    let (of, rest) = length(delta)?;
    let (size, mut rest) = length(rest)?;
    if of != base.len() {
        return Err(Malformed::Objects);
    }
    if size > most {
        return Err(Malformed::TooLarge);
    }
    let mut made = Vec::new();
    while let Some((order, after)) = rest.split_first() {
        rest = after;
        let part = if order & 128 == 0 {
            let (part, after) = rest.split_at_checked(usize::from(*order)).ok_or(Malformed::Objects)?;
            rest = after;
            part
        } else {
            let (place, after) = number(rest, *order, 4)?;
            let (size, after) = number(after, order >> 4, 3)?;
            rest = after;
            let size = if size == 0 { 0x10000 } else { size };
            base.get(place..place.saturating_add(size)).ok_or(Malformed::Objects)?
        };
        if part.is_empty() || made.len() + part.len() > size {
            return Err(Malformed::Objects);
        }
        made.extend_from_slice(part);
    }
    if made.len() == size { Ok(made) } else { Err(Malformed::Objects) }
}

/// A length as a delta has it, and what follows.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    let (mut length, mut shift, mut rest) = (0, 0, bytes);
    loop {
        let (byte, after) = rest.split_first().filter(|_| shift < 35).ok_or(Malformed::Objects)?;
        length |= usize::from(byte & 127) << shift;
        (rest, shift) = (after, shift + 7);
        if byte & 128 == 0 {
            return Ok((length, rest));
        }
    }
}

/// A number whose bytes are there as the lowest `most` bits say, and what follows.
fn number(bytes: &[u8], bits: u8, most: u32) -> Result<(usize, &[u8]), Malformed> {
    let mut rest = bytes;
    let mut number = 0;
    for place in (0..most).filter(|place| bits & (1 << place) != 0) {
        let (byte, after) = rest.split_first().ok_or(Malformed::Objects)?;
        number |= usize::from(*byte) << (8 * place);
        rest = after;
    }
    Ok((number, rest))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
