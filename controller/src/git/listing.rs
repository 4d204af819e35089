//! What a server says of its refs, read strictly (gitprotocol-v2, gitprotocol-pack). Nothing is asked here.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::Advice;
use super::fault::GitFault;
use super::packet::{DELIMITER, FLUSH, Malformed, Packet, line, packets};
use launchway_crds::name::GitTag;
use launchway_plan::pipeline::refs::{self, Refs, branch_of, tag_of};
use url::Url;

/// The commit that a branch or a tag points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The commit's full ID: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    pub commit: String,
    /// The full name of the branch or the tag.
    pub of: String,
}

/// Where the rest of a listing is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    pub(super) base: Url,
    pub(super) abilities: Abilities,
}

/// The branches and tags that a server told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The branch that `HEAD` is, if the server says.
    pub default: Option<String>,
    /// Commit IDs by branch.
    pub branches: BTreeMap<String, String>,
    /// Commit IDs by tag, also of tags that are objects of their own.
    pub tags: BTreeMap<String, String>,
    /// How to ask for more; none if this is everything.
    pub more: Option<More>,
}

/// What a server of protocol version 2 can do, as far as it matters to `ls-refs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    object_format: Option<String>,
    agent: bool,
    filters: bool,
}

/// The first answer of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advertisement {
    /// Version 2: abilities; the refs have to be asked for.
    V2(Abilities),
    /// Versions 0 and 1: everything at once.
    Everything(Listing),
}

impl Listing {
    /// The head of each branch, and the newest of the tags, or what is there instead.
    pub fn heads(&self, wanted: &BTreeSet<Refs>) -> BTreeMap<Refs, Result<Head, GitFault>> {
        let mut advice = Advice::new();
        let mut head = |wanted: &Refs| match wanted {
            Refs::Branch(name) => match self.branches.get(name) {
                Some(commit) => Ok(Head { commit: commit.clone(), of: refs::branch(name) }),
                None => {
                    let missing = advice.missing(name, self.default.as_deref(), self.branches.keys());
                    Err(GitFault::NoSuchBranch(missing))
                }
            },
            Refs::Tags(tags) => {
                let newest = tags
                    .newest(self.tags.keys().map(String::as_str))
                    .and_then(|name| Some((name, self.tags.get(name)?)));
                newest
                    .map(|(name, commit)| Head { commit: commit.clone(), of: refs::tag(name) })
                    .ok_or_else(|| GitFault::NoTag(self.tags.keys().next_back().cloned()))
            }
        };
        wanted.iter().map(|refs| (refs.clone(), head(refs))).collect()
    }
}

/// Reads the answer to `GET info/refs`.
pub fn advertisement(body: &[u8]) -> Result<Advertisement, Malformed> {
    let mut lines = section_after_banner(body)?.into_iter();
    let first = lines.next();
    match first.unwrap_or_default() {
        b"version 2" => abilities(lines).map(Advertisement::V2),
        b"version 1" => everything(lines).map(Advertisement::Everything),
        line if line.starts_with(b"version ") => Err(Malformed::Version),
        _ => everything(first.into_iter().chain(lines)).map(Advertisement::Everything),
    }
}

/// The lines up to the last flush, without `# service=git-upload-pack` and its own flush, which not every server sends.
fn section_after_banner(body: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut sections = sections(body)?;
    let banner = sections.first().is_some_and(|lines| matches!(lines[..], [line] if line.starts_with(b"# service=")));
    if banner {
        sections.remove(0);
    }
    match sections.len() {
        0 => Err(Malformed::Truncated),
        1 => Ok(sections.remove(0)),
        _ => Err(Malformed::Trailing),
    }
}

/// Lines by the flush that ends them.
fn sections(body: &[u8]) -> Result<Vec<Vec<&[u8]>>, Malformed> {
    let mut sections = vec![];
    let mut open = vec![];
    for packet in packets(body) {
        match packet? {
            Packet::Line(line) if line.starts_with(b"ERR ") => return Err(Malformed::Error),
            Packet::Line(line) => open.push(line),
            Packet::Flush => sections.push(std::mem::take(&mut open)),
            Packet::Delimiter | Packet::End => return Err(Malformed::OutOfPlace),
        }
    }
    if open.is_empty() { Ok(sections) } else { Err(Malformed::Truncated) }
}

fn abilities<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Abilities, Malformed> {
    let mut abilities = Abilities::default();
    let mut lists_refs = false;
    for line in lines.map(String::from_utf8_lossy) {
        match line.split_once('=').unwrap_or((&line, "")) {
            ("ls-refs", _) => lists_refs = true,
            ("agent", _) => abilities.agent = true,
            ("fetch", features) => abilities.filters = features.split(' ').any(|feature| feature == "filter"),
            ("object-format", format) => abilities.object_format = Some(format.to_owned()),
            _ => {}
        }
    }
    let known = matches!(abilities.object_format.as_deref(), None | Some("sha1" | "sha256"));
    if lists_refs && known { Ok(abilities) } else { Err(Malformed::Version) }
}

impl Abilities {
    /// Whether it gives single objects (`filter`).
    pub fn gives_objects(&self) -> bool {
        self.filters
    }

    /// The beginning of a request's body.
    pub(super) fn command(&self, command: &str) -> String {
        let mut body = line(&format!("command={command}"));
        if self.agent {
            body += &line(concat!("agent=launchway/", env!("CARGO_PKG_VERSION")));
        }
        if let Some(format) = &self.object_format {
            body += &line(&format!("object-format={format}"));
        }
        body + DELIMITER
    }
}

/// The body of `POST git-upload-pack` that lists the refs whose full names begin with one of these, and says which branch `HEAD` is.
pub fn request(abilities: &Abilities, prefixes: &BTreeSet<String>) -> String {
    let mut body = abilities.command("ls-refs");
    body += &line("symrefs");
    if prefixes.iter().any(|prefix| tag_of(prefix).is_some()) {
        body += &line("peel");
    }
    body += &line("ref-prefix HEAD");
    body.extend(prefixes.iter().map(|prefix| line(&format!("ref-prefix {prefix}"))));
    body + FLUSH
}

/// Reads the answer to [`request`].
pub fn listing(body: &[u8]) -> Result<Listing, Malformed> {
    let body = body.strip_suffix(b"0002").unwrap_or(body);
    let mut sections = sections(body)?;
    let lines = match sections.len() {
        0 => return Err(Malformed::Truncated),
        1 => sections.remove(0),
        _ => return Err(Malformed::Trailing),
    };
    let mut listing = Listing::default();
    for line in lines {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(id), Some(name)) = (words.next(), words.next()) else { return Err(Malformed::Line) };
        let attribute = |name: &[u8]| words.clone().find_map(|word| word.strip_prefix(name));
        if name == b"HEAD" {
            listing.default = attribute(b"symref-target:").and_then(branch);
        }
        if id != b"unborn" {
            listing.add(attribute(b"peeled:").unwrap_or(id), name)?;
        }
    }
    Ok(listing)
}

/// Version 0 puts what it can do behind a NUL on the first line; an empty repository has one line that names no ref.
fn everything<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Listing, Malformed> {
    let mut listing = Listing::default();
    for line in lines {
        let (line, abilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, b"".as_ref()),
        };
        let symref = abilities.split(|byte| *byte == b' ').find_map(|word| word.strip_prefix(b"symref=HEAD:"));
        listing.default = listing.default.or_else(|| branch(symref?));
        if line.starts_with(b"shallow ") {
            continue;
        }
        let at = line.iter().position(|byte| *byte == b' ').ok_or(Malformed::Line)?;
        let (id, name) = (&line[..at], &line[at + 1..]);
        if name != b"capabilities^{}" {
            listing.add(id, name)?;
        }
    }
    Ok(listing)
}

impl Listing {
    /// Adds what else is there. What was told before stays: it was seen first, and the rest is advice.
    pub fn add_others(&mut self, others: Listing) {
        let (branches, tags) = (std::mem::take(&mut self.branches), std::mem::take(&mut self.tags));
        self.branches = others.branches.into_iter().chain(branches).collect();
        self.tags = others.tags.into_iter().chain(tags).collect();
        self.default = self.default.take().or(others.default);
    }

    fn add(&mut self, id: &[u8], name: &[u8]) -> Result<(), Malformed> {
        let digits = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let whole = matches!(id.len(), 40 | 64) && id.iter().all(digits) && id.iter().any(|byte| *byte != b'0');
        let id = std::str::from_utf8(id).ok().filter(|_| whole).ok_or(Malformed::ObjectId)?;
        if let Some(name) = branch(name) {
            self.branches.insert(name, id.to_owned());
        } else if let Some(name) = tag(name) {
            // An older protocol tells of a tag that is an object of its own twice: then the second line has the commit.
            self.tags.insert(name, id.to_owned());
        }
        Ok(())
    }
}

/// The branch that a ref is. A name that is not UTF-8 cannot be asked for, so it is passed over.
fn branch(name: &[u8]) -> Option<String> {
    let name = branch_of(std::str::from_utf8(name).ok()?)?;
    is_branch_name(name).then(|| name.to_owned())
}

/// The tag that a ref is. One whose name is long, or has letters that may look like others, is passed over.
fn tag(name: &[u8]) -> Option<String> {
    let name = tag_of(std::str::from_utf8(name).ok()?)?;
    let name = name.strip_suffix("^{}").unwrap_or(name);
    (name.is_ascii() && name.len() <= GitTag::MAX && is_branch_name(name)).then(|| name.to_owned())
}

/// Whether a server can be asked for them.
pub fn can_be_asked_for(refs: &Refs) -> bool {
    match refs {
        Refs::Branch(name) => is_branch_name(name),
        Refs::Tags(_) => true,
    }
}

/// The longest name of a branch that is read or asked for, in bytes: what most file systems bear.
const LONGEST_NAME: usize = 255;

/// Whether git would take `name` for a branch, or a tag (git-check-ref-format).
pub fn is_branch_name(name: &str) -> bool {
    let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let whole = !name.contains("..") && !name.contains("@{") && !name.ends_with('.') && !name.starts_with('-');
    whole && name.len() <= LONGEST_NAME && !name.contains(bad) && name.split('/').all(part)
}

#[cfg(test)]
mod tests;
