//! The fuzz target of where a part of an object stands.

use super::span;
use launchway_test_fuzz::fuzz;

#[test]
fn a_range_that_is_read_says_these_numbers() {
    fuzz(&["bytes 5-9/1234", "bytes 0-99/18446744073709551615"], |bytes| {
        let range = String::from_utf8_lossy(bytes);
        let Some((from, length)) = span(&range) else { return false };
        let is_in = |number: u64| range.contains(&number.to_string());
        assert!(range.starts_with("bytes ") && is_in(from) && is_in(length), "{from} of {length}");
        true
    });
}
