//! The fuzz target of zip archives.

use super::tests::{archive, fetched};
use super::*;
use launchway_test_fuzz::fuzz;

#[test]
fn whatever_an_archive_says_of_itself_a_file_in_it_is_short_and_the_same_by_whatever_parts_it_is_read() {
    let seeds = [
        archive(&[("one", b"one one one one one one one one one one"), ("two", b"2"), ("a/three", &[b'y'; 100])]),
        archive(&[("two", b"2"), ("one", b"1")]),
        archive(&[("one", b"")]),
    ];
    fuzz(&seeds, |bytes| {
        let (entry, fetched_bytes) = fetched(bytes, "one", 1 << 20);
        assert!(fetched_bytes <= bytes.len(), "nothing is fetched twice");
        for grain in [64, 1000] {
            assert_eq!(fetched(bytes, "one", grain).0, entry, "{grain}");
        }
        match entry {
            Entry::Held(held) => {
                assert!(held.len() <= 100);
                true
            }
            Entry::TooLong | Entry::Absent | Entry::Broken => false,
            Entry::Lacks(from) => unreachable!("all of it was given, and it lacks {from}"),
        }
    });
}
