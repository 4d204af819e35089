//! Fuzz targets of answers to `fetch`, packs and what they are made of.

#![allow(clippy::unwrap_used)]

use launchway_test_fuzz::fuzz;

use super::samples::{SHA1, head, packed, whole, zlib};
use super::*;

const BASE: &[u8] = b"0123456789";

/// Differences from [`BASE`]: four bytes of it and `new`; itself twice; and nothing of it.
const DELTAS: [&[u8]; 3] = [b"\x0a\x07\x90\x04\x03new", b"\x0a\x14\xb0\x0a\x00\x91\x00\x0a", b"\x0a\x05\x05empty"];

fn framed(line: &[u8]) -> Vec<u8> {
    [format!("{:04x}", line.len() + 4).as_bytes(), line].concat()
}

/// An answer with that pack, in bands of so many bytes.
fn answer(pack: &[u8], band: usize) -> Vec<u8> {
    let bands: Vec<u8> = pack.chunks(band).flat_map(|part| framed(&[&[1], part].concat())).collect();
    [framed(b"packfile\n"), framed(b"\x02Counting"), bands, b"0000".to_vec()].concat()
}

/// What has to hold of the objects of any pack.
fn check(read: &Objects, most: usize) {
    assert!(read.len() <= most && read.values().map(|(_, data)| data.len()).sum::<usize>() <= LARGEST);
    for (id, (kind, data)) in read {
        assert_eq!(gix_object::compute_hash(id.kind(), *kind, data).unwrap(), *id, "each is known by its own bytes");
    }
}

#[test]
fn an_answer_has_the_same_pack_however_it_is_cut_into_bands() {
    let seeds = [
        answer(b"PACK and more", 5),
        [b"0011shallow-info\n0001".to_vec(), answer(b"PACK", 100)].concat(),
        [answer(b"", 1), b"0002".to_vec()].concat(),
    ];
    fuzz(&seeds, |bytes| match pack(bytes) {
        Ok(found) => {
            assert!(found.len() < bytes.len());
            for band in [1, 7, 60_000] {
                assert_eq!(pack(&answer(&found, band)).as_ref(), Ok(&found), "{band}");
            }
            true
        }
        Err(Told::Missing(id)) => {
            assert!(matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            false
        }
        Err(Told::NoFilter | Told::Malformed(_)) => false,
    });
}

#[test]
fn whatever_is_in_a_pack_its_objects_are_few_and_small_and_known_by_their_own_bytes() {
    let first = whole(3, BASE);
    let back = u8::try_from(first.len()).unwrap();
    let by_place = [head(6, DELTAS[0].len()), vec![back], zlib(DELTAS[0])].concat();
    let id = gix_object::compute_hash(SHA1, Kind::Blob, BASE).unwrap();
    let by_id = [head(7, DELTAS[1].len()), id.as_slice().to_vec(), zlib(DELTAS[1])].concat();
    let seeds =
        [packed(&[first.clone(), by_place]), packed(&[first, by_id, whole(1, b"c"), whole(2, b"")]), packed(&[])];
    fuzz(&seeds, |bytes| {
        let read = objects(bytes, &[id]);
        read.iter().for_each(|read| check(read, 1 + MORE));
        read.is_ok()
    });
}

#[test]
fn entries_that_are_well_packed_may_say_anything() {
    let kinds = [b"\x01commit".as_slice(), b"\x02\x00tree", b"\x03blob", b"\x04tag", b"\x01"];
    fuzz(&kinds, |bytes| {
        let Some((kind, data)) = bytes.split_first() else { return false };
        let read = objects(&packed(&[whole(kind & 7, data)]), &[]);
        assert_eq!(read.is_ok(), (1..=4).contains(&(kind & 7)), "{read:?}");
        read.iter().for_each(|read| check(read, 1));
        read.is_ok()
    });
}

#[test]
fn what_a_difference_makes_is_as_long_as_it_says_and_no_longer_than_it_may_be() {
    let id = gix_object::compute_hash(SHA1, Kind::Blob, BASE).unwrap();
    fuzz(&DELTAS, |bytes| {
        let made = applied(BASE, bytes, 1000);
        assert!(made.as_ref().is_ok_and(|made| made.len() <= 1000) || made.is_err());
        let entry = [head(7, bytes.len()), id.as_slice().to_vec(), zlib(bytes)].concat();
        let read = objects(&packed(&[whole(3, BASE), entry]), &[]);
        read.iter().for_each(|read| check(read, 2));
        assert!(made.is_err() || read.is_ok(), "what can be applied is taken from a pack too");
        made.is_ok()
    });
}
