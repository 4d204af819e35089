//! Writes tar archives that depend on nothing but their content: sorted, everything root's, everything at one time. Reads none.

use std::collections::BTreeMap;

use anyhow::ensure;

/// What a name in an archive is.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A folder; its name ends without a slash.
    Folder,
    /// A file that everybody may read.
    File(Vec<u8>),
    /// A file that everybody may run.
    Program(Vec<u8>),
}

/// The entries of an archive by their names, folders before what is in them.
pub type Entries = BTreeMap<String, Entry>;

/// tar counts in blocks of this size.
const BLOCK: usize = 512;
/// The field for a name has so many bytes. The ways around that differ, and nothing here needs one.
const LONGEST: usize = 100;

/// The archive.
///
/// # Errors
/// A name is longer than 100 bytes, or leads out of the archive.
pub fn tar(entries: &Entries, seconds: u64) -> anyhow::Result<Vec<u8>> {
    let mut archive = Vec::new();
    for (name, entry) in entries {
        let (name, content): (_, &[u8]) = match entry {
            Entry::Folder => (format!("{name}/"), &[]),
            Entry::File(content) | Entry::Program(content) => (name.clone(), content),
        };
        ensure!(name.len() <= LONGEST, "{name} is longer than {LONGEST} bytes");
        ensure!(name.split('/').all(|part| part != "..") && !name.starts_with('/'), "{name} leads out of the archive");
        archive.extend(header(&name, entry, content.len(), seconds));
        archive.extend(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    Ok(archive)
}

/// A header of POSIX's ustar: fields at fixed places, numbers in octal.
fn header(name: &str, entry: &Entry, size: usize, seconds: u64) -> [u8; BLOCK] {
    let (mode, kind) = match entry {
        Entry::Folder => ("0000755\0", b"5"),
        Entry::File(_) => ("0000644\0", b"0"),
        Entry::Program(_) => ("0000755\0", b"0"),
    };
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, mode.as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, format!("{seconds:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, kind);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_or_leads_outside_is_refused() {
        for name in ["a".repeat(101), "../a".to_owned(), "/a".to_owned()] {
            let entries = Entries::from([(name, Entry::File(Vec::new()))]);
            assert!(tar(&entries, 0).is_err());
        }
    }
}
