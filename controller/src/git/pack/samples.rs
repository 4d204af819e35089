//! Packs for the tests, put together by hand as gitformat-pack has them.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The hash of the tests' repositories.
pub const SHA1: gix_hash::Kind = gix_hash::Kind::Sha1;

/// The data as zlib has it.
pub fn zlib(data: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(data).unwrap();
    zlib.finish().unwrap()
}

/// The head of an entry, as gitformat-pack has it.
pub fn head(kind: u8, size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut byte, mut rest) = (kind << 4 | (size & 15) as u8, size >> 4);
    while rest > 0 {
        bytes.push(byte | 128);
        (byte, rest) = ((rest & 127) as u8, rest >> 7);
    }
    bytes.push(byte);
    bytes
}

/// A pack of SHA-1 with these entries.
pub fn packed(entries: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).unwrap();
    [b"PACK\0\0\0\x02".as_slice(), &count.to_be_bytes(), &entries.concat(), &[0; 20]].concat()
}

/// The entry of an object that is there whole.
pub fn whole(kind: u8, data: &[u8]) -> Vec<u8> {
    [head(kind, data.len()), zlib(data)].concat()
}
