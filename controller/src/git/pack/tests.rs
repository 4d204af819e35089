#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::samples::{SHA1, head, packed, whole, zlib};
use super::*;

/// The objects of a pack of which nothing is known that it should have.
fn objects(pack: &[u8]) -> Result<Objects, Malformed> {
    super::objects(pack, &[])
}

fn id(kind: Kind, data: &[u8]) -> ObjectId {
    gix_object::compute_hash(SHA1, kind, data).unwrap()
}

/// A delta: from a base of that length, to `0123` of it and `new`.
fn delta(of: u8) -> Vec<u8> {
    vec![of, 7, 0b1001_0000, 4, 3, b'n', b'e', b'w']
}

#[test]
fn an_object_is_known_by_its_own_bytes_and_so_is_one_that_is_told_by_what_differs_from_another() {
    let base = b"0123456789".as_slice();
    let first = whole(3, base);
    let back = u8::try_from(first.len()).unwrap();
    let by_place = [head(6, 8), vec![back], zlib(&delta(10))].concat();
    let by_id = [head(7, 8), id(Kind::Blob, b"0123new").as_slice().to_vec(), zlib(&delta(7))].concat();
    let read = objects(&packed(&[first, by_place, by_id, whole(1, b"c"), whole(2, b"")])).unwrap();
    for (kind, data) in [(Kind::Blob, base), (Kind::Blob, b"0123new"), (Kind::Commit, b"c"), (Kind::Tree, b"")] {
        assert_eq!(read.get(&id(kind, data)), Some(&(kind, data.to_vec())), "{kind}");
    }
    assert_eq!(read.len(), 4);
}

#[test]
fn what_lies_about_its_size_or_its_base_or_has_more_than_was_said_is_refused() {
    let bomb = [head(3, LARGEST + 1), zlib(&vec![0; 1 << 20])].concat();
    let cases: [(&str, Vec<u8>); 12] = [
        ("nothing", Vec::new()),
        ("another format", b"PICK\0\0\0\x02\0\0\0\0".to_vec()),
        ("another version", [b"PACK\0\0\0\x09\0\0\0\0".as_slice(), &[0; 20]].concat()),
        ("more entries than there are", [b"PACK\0\0\0\x02\0\0\0\x09".as_slice(), &[0; 20]].concat()),
        ("bytes behind the end", [packed(&[whole(3, b"a")]), vec![0]].concat()),
        ("a kind that there is not", packed(&[whole(5, b"a")])),
        ("shorter than it says", packed(&[[head(3, 2), zlib(b"a")].concat()])),
        ("longer than it says", packed(&[[head(3, 1), zlib(b"ab")].concat()])),
        ("too large", packed(&[bomb])),
        ("before the first", packed(&[[head(6, 8), vec![50], zlib(&delta(10))].concat()])),
        ("of nothing", packed(&[[head(7, 8), vec![7; 20], zlib(&delta(10))].concat()])),
        (
            "of another length",
            packed(&[
                whole(3, b"0123"),
                [head(7, 8), id(Kind::Blob, b"0123").as_slice().to_vec(), zlib(&delta(10))].concat(),
            ]),
        ),
    ];
    for (name, pack) in cases {
        let wanted = if name == "too large" { Malformed::TooLarge } else { Malformed::Objects };
        assert_eq!(objects(&pack), Err(wanted), "{name}");
    }
}

#[test]
fn one_entry_that_blows_up_by_differences_is_not_inflated() {
    let base = vec![b'a'; 60_000];
    // Each order copies all of it; a hundred thousand of them are 6 GB.
    let order = [0b1011_0000, 0x60, 0xea];
    let orders: Vec<u8> = order.iter().copied().cycle().take(3 * 100_000).collect();
    let large = [length_of(60_000), length_of(6_000_000_000), orders].concat();
    let bomb = [head(7, large.len()), id(Kind::Blob, &base).as_slice().to_vec(), zlib(&large)].concat();
    assert_eq!(objects(&packed(&[whole(3, &base), bomb])), Err(Malformed::TooLarge));
}

fn length_of(mut length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length > 127 {
        bytes.push((length & 127) as u8 | 128);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes
}

#[test]
fn the_pack_is_what_the_first_band_of_the_last_section_holds() {
    let body = b"0011shallow-info\n0001000dpackfile\n0007\x01PA0006\x02x0007\x01CK0000";
    assert_eq!(pack(body), Ok(b"PACK".to_vec()));
    let gone = "0123456789abcdef0123456789abcdef01234567";
    let missing = || Told::Missing(gone.to_owned());
    let framed = |text: &str| format!("{:04x}{text}", text.len() + 4);
    for (body, told) in [
        (String::new(), Malformed::Truncated.into()),
        ("0000".to_owned(), Malformed::OutOfPlace.into()),
        (framed("ERR try again later"), Malformed::Error.into()),
        (framed(&format!("ERR upload-pack: not our ref {gone}\n")), missing()),
        (framed("ERR filter 'tree' not supported"), Told::NoFilter),
        (framed("packfile\n") + &framed(&format!("\x03fatal: not our ref {gone}")) + "0000", missing()),
        (framed("packfile\n") + &framed("\x03no") + "0000", Malformed::Error.into()),
        (framed("packfile\n") + &framed("\x04no") + "0000", Malformed::Line.into()),
        (framed("packfile\n") + &framed("\x01PA"), Malformed::Truncated.into()),
    ] {
        assert_eq!(pack(body.as_bytes()), Err(told), "{body}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, count in 0_u8..4) {
        let pack_of = [b"PACK\0\0\0\x02\0\0\0".as_slice(), &[count], &bytes].concat();
        let _ = (pack(&bytes), objects(&bytes), objects(&pack_of), applied(b"0123", &bytes, 100));
    }

    /// Whatever is changed in a pack: under the ID of an object is that object or none.
    #[test]
    fn what_was_changed_in_a_pack_is_not_found_under_its_old_id(
        at in 0_usize..200, byte: u8, texts in prop::collection::vec("[a-z]{0,40}", 1..4),
    ) {
        let mut entries: Vec<Vec<u8>> = texts.iter().map(|text| whole(3, text.as_bytes())).collect();
        entries.push(whole(3, b"0123456789"));
        entries.push([head(7, 8), id(Kind::Blob, b"0123456789").as_slice().to_vec(), zlib(&delta(10))].concat());
        let mut pack = packed(&entries);
        let at = at % pack.len();
        pack[at] = byte;
        let read = objects(&pack).unwrap_or_default();
        for text in texts.iter().map(String::as_bytes).chain([b"0123456789".as_slice(), b"0123new"]) {
            let found = read.get(&id(Kind::Blob, text));
            prop_assert!(found.is_none_or(|(kind, data)| (*kind, data.as_slice()) == (Kind::Blob, text)));
        }
    }
}
