//! A file of a zip archive of which only parts are here. What else is needed is said, so that a large archive is never fetched whole.

use std::io::{self, Read, Seek, SeekFrom};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;

/// The longest list of files that is read of an archive, in bytes: some ten thousand files.
pub(super) const LIST: u64 = 1024 * 1024;

/// The record with which an archive ends: its length, and its first bytes (APPNOTE.TXT of PKWARE, 4.3.16).
const END: usize = 22;
const MARK: &[u8] = b"PK\x05\x06";

/// The shortest entry of the list, and its first bytes (4.3.12).
const ENTRY: u64 = 46;
const LISTED: &[u8; 4] = b"PK\x01\x02";

/// The parts of an archive that are here.
pub(super) struct Parts {
    length: u64,
    held: Vec<(u64, Vec<u8>)>,
    at: u64,
    lacks: Option<u64>,
    list: u64,
    count: u64,
}

/// What is known of a file in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// What it holds.
    Held(Vec<u8>),
    /// It holds more than was asked for.
    TooLong,
    /// There is none of that name.
    Absent,
    /// The archive cannot be read, or has more files than are read here.
    Broken,
    /// The part that begins here is needed.
    Lacks(u64),
}

impl Parts {
    /// An archive of so many bytes, by its end; and where its list of files begins. `None`: it is none that is read here. What the
    /// end says of the list is checked before anything believes it, so that no odd archive costs time or memory.
    pub fn new(length: u64, from: u64, end: Vec<u8>) -> Option<(Self, u64)> {
        let record = end.get(end.len().checked_sub(END)?..)?;
        let word = |at: usize| Some(u64::from(u16::from_le_bytes([*record.get(at)?, *record.get(at + 1)?])));
        let long = |at: usize| Some(word(at)? | word(at + 2)? << 16);
        let (count, size, list) = (word(10)?, long(12)?, long(16)?);
        let is_one_piece =
            record.starts_with(MARK) && word(4)? == 0 && word(6)? == 0 && word(8)? == count && word(20)? == 0;
        let is_before_the_end = list + size + END as u64 == length && from + end.len() as u64 == length;
        let fits = size <= LIST && count * ENTRY <= size;
        // The mark of an archive whose true numbers stand elsewhere, zip64.
        let is_small = list != u64::from(u32::MAX);
        let parts = Self { length, held: vec![(from, end)], at: 0, lacks: None, list, count };
        (is_one_piece && is_before_the_end && fits && is_small).then_some((parts, list))
    }

    /// Adds what begins there.
    pub fn add(&mut self, from: u64, bytes: Vec<u8>) {
        self.held.push((from, bytes));
    }

    /// The file of that name, of at most so many bytes.
    pub fn entry(&mut self, name: &str, most: u64) -> Entry {
        if self.count == 0 {
            return Entry::Absent;
        }
        // Where no list begins, the crate would look for another end, which nobody has checked.
        (self.at, self.lacks) = (self.list, None);
        let mut begins = [0; LISTED.len()];
        let read_list = self.read_exact(&mut begins);
        match self.lacks {
            Some(from) => return Entry::Lacks(from),
            None if read_list.is_err() || begins != *LISTED => return Entry::Broken,
            None => self.at = 0,
        }
        let read = read(self, name, most);
        match (self.lacks, read) {
            (Some(from), _) => Entry::Lacks(from),
            (None, Ok(bytes)) if bytes.len() as u64 > most => Entry::TooLong,
            (None, Ok(bytes)) => Entry::Held(bytes),
            (None, Err(ZipError::FileNotFound)) => Entry::Absent,
            (None, Err(_)) => Entry::Broken,
        }
    }
}

fn read(parts: &mut Parts, name: &str, most: u64) -> Result<Vec<u8>, ZipError> {
    // Where the archive begins is not looked for.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(config, parts)?;
    let mut bytes = Vec::new();
    archive.by_name(name)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length {
            return Ok(0);
        }
        let here = self.held.iter().find_map(|(from, bytes)| {
            let skipped = usize::try_from(self.at.checked_sub(*from)?).ok()?;
            bytes.get(skipped..).filter(|rest| !rest.is_empty())
        });
        let Some(mut rest) = here else {
            self.lacks.get_or_insert(self.at);
            return Err(io::Error::other("this part is not here"));
        };
        let read = rest.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Parts {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::CompressionMethod::{Deflated, Stored};
    use zip::write::SimpleFileOptions;

    pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (index, (name, bytes)) in files.iter().enumerate() {
            let method = if index % 2 == 0 { Deflated } else { Stored };
            writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Fetches what is said to be lacking, so many bytes at a time; the entry, and how much was fetched.
    pub(super) fn fetched(bytes: &[u8], name: &str, grain: usize) -> (Entry, usize) {
        let tail = bytes.len().saturating_sub(grain.max(END));
        let Some((mut parts, _)) = Parts::new(bytes.len() as u64, tail as u64, bytes[tail..].to_vec()) else {
            return (Entry::Broken, 0);
        };
        let mut sum = bytes.len() - tail;
        for _ in 0..10_000 {
            let entry = parts.entry(name, 100);
            let Entry::Lacks(from) = entry else { return (entry, sum) };
            let from = usize::try_from(from).unwrap();
            let part = &bytes[from..(from + grain).min(bytes.len())];
            sum += part.len();
            parts.add(from as u64, part.to_vec());
        }
        panic!("it comes to no end");
    }

    #[test]
    fn a_file_is_found_in_an_archive_of_which_little_is_fetched() {
        let noise: Vec<u8> = (0..200_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let bytes =
            archive(&[("big.bin", &noise), ("big2.bin", &noise), ("a/images.json", b"[]"), ("big3.bin", &noise)]);
        let (entry, fetched) = fetched(&bytes, "a/images.json", 1_000);
        assert_eq!(entry, Entry::Held(b"[]".to_vec()));
        assert!(fetched < 10_000 && bytes.len() > 400_000, "{fetched} of {}", bytes.len());
    }

    #[test]
    fn whatever_the_grain_the_answer_is_the_same() {
        let long = [b'x'; 101];
        let bytes = archive(&[("one", b"1"), ("long", &long), ("three", &[b'y'; 100])]);
        for grain in [1, 2, 7, 30, 100, 10_000] {
            assert_eq!(fetched(&bytes, "one", grain).0, Entry::Held(b"1".to_vec()), "{grain}");
            assert_eq!(fetched(&bytes, "three", grain).0, Entry::Held(vec![b'y'; 100]), "{grain}");
            assert_eq!(fetched(&bytes, "long", grain).0, Entry::TooLong, "{grain}");
            assert_eq!(fetched(&bytes, "two", grain).0, Entry::Absent, "{grain}");
        }
    }

    #[test]
    fn what_is_no_archive_is_said_to_be_broken_and_a_bomb_is_not_blown_up() {
        for odd in [&b"no archive"[..], b"", b"PK\x05\x06"] {
            assert_eq!(fetched(odd, "one", 64).0, Entry::Broken, "{odd:?}");
        }
        let bytes = archive(&[("one", b"1"), ("two", b"2")]);
        for cut in 0..bytes.len() {
            assert_eq!(fetched(&bytes[..cut], "one", 64).0, Entry::Broken, "{cut}");
        }
        let bomb = archive(&[("one", &vec![0; 10_000_000])]);
        assert!(bomb.len() < 20_000);
        assert_eq!(fetched(&bomb, "one", 64).0, Entry::TooLong);
    }

    /// An end that says so many files and so long a list that begins there.
    fn end(count: u16, size: u32, list: u32) -> Vec<u8> {
        let mut end = [MARK, &[0; 4], &count.to_le_bytes(), &count.to_le_bytes()].concat();
        end.extend([size.to_le_bytes(), list.to_le_bytes()].concat());
        end.extend([0; 2]);
        end
    }

    #[test]
    fn what_an_archive_claims_of_itself_is_not_believed() {
        let junk = b"PK\x01\x02".repeat(10_000);
        let whole = u32::try_from(junk.len()).unwrap();
        for (claim, what) in [
            (end(1, u32::MAX - 16, 0), "a list that is longer than all"),
            (end(u16::MAX, whole, 0), "more files than the list has room for"),
            (end(u16::MAX, u32::MAX, u32::MAX), "zip64"),
            (end(1, whole, 4), "a list that does not end before the end"),
            ([end(1, whole, 0), end(1, whole, 0)].concat(), "two ends"),
        ] {
            assert_eq!(fetched(&[junk.clone(), claim].concat(), "one", 1_000).0, Entry::Broken, "{what}");
        }
        let zeros = vec![0; 4_000];
        let claims = [end(u16::MAX, u32::MAX, u32::MAX), zeros.clone(), end(1, 4_000, 22 + 4_000)].concat();
        assert_eq!(fetched(&[zeros, claims].concat(), "one", 64).0, Entry::Broken, "an end behind the end");
        assert_eq!(fetched(&end(0, 0, 0), "one", 64).0, Entry::Absent, "an archive of nothing");
        let long = vec![0; usize::try_from(LIST).unwrap() + 1];
        let claim = end(1, u32::try_from(long.len()).unwrap(), 0);
        assert_eq!(fetched(&[long, claim].concat(), "one", 1_000).0, Entry::Broken);
        assert_eq!(fetched(&[junk, end(1, whole, 0)].concat(), "one", 1_000).0, Entry::Broken, "a list of nonsense");
    }
}
