//! Fuzzing on stable Rust, within `cargo test`: good messages, spoiled as strangers spoil them, are given to a parser, and what it
//! promises is asserted. What the messages mean is not known here.
//!
//! A target is a test in a module called `fuzz`, next to its parser:
//!
//! ```
//! use launchway_test_fuzz::fuzz;
//!
//! fuzz(&["12", "-7"], |bytes| {
//!     let Some(number) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<i32>().ok()) else { return false };
//!     assert_eq!(number.to_string().parse(), Ok(number));
//!     true
//! });
//! ```
//!
//! `LAUNCHWAY_FUZZ=600 cargo test --workspace fuzz::` tries each target for 600 seconds.

#![allow(clippy::expect_used, clippy::panic)]

mod spoil;

use proptest::test_runner::{Config, TestError, TestRunner};
use rustix::time::{ClockId, clock_gettime};
use spoil::{Input, spoiled};
use std::time::{Duration, Instant};

/// How many inputs a target is given, where nobody asks for more: all targets together then take less than a minute.
const CASES: u32 = 4000;

/// How many seconds each target is tried, in place of a number of inputs.
const SECONDS: &str = "LAUNCHWAY_FUZZ";

/// How long a parser may work on one input, in time of the processor: others that use the machine do not count. Inputs have at most
/// [`spoil::LONGEST`] bytes, so that this is a hundred times what any of them takes.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many smaller inputs are tried to find the smallest one that fails.
const SMALLER: u32 = 2000;

/// And for how long, in milliseconds: each of them may take as long as [`PATIENCE`].
const SHRINKS: u32 = 20_000;

/// Gives a parser the seeds, and then what becomes of them when they are spoiled. `parse` says whether the parser took the input for a
/// good one, and asserts what it promises of those that it took and of those that it refused.
///
/// # Panics
/// A seed is not taken; or `parse` panics, or takes longer than two seconds: then the input stands in the message, as a byte string that can
/// be pasted into a test.
pub fn fuzz<S: AsRef<[u8]>>(seeds: &[S], parse: impl Fn(&[u8]) -> bool) {
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.as_ref().to_vec()).collect();
    for seed in &seeds {
        assert!(
            parse(seed),
            "this seed is not taken, so that what is made of it tests little: {:?}",
            Input(seed.clone())
        );
    }
    let seconds = std::env::var(SECONDS).ok().map(|text| text.parse().expect("LAUNCHWAY_FUZZ is a number of seconds"));
    let (began, long) = (Instant::now(), seconds.map(Duration::from_secs));
    let config = Config {
        cases: CASES,
        max_shrink_iters: SMALLER,
        max_shrink_time: SHRINKS,
        failure_persistence: None,
        ..Config::default()
    };
    let inputs = spoiled(seeds);
    loop {
        // One that has run all its cases runs none any more.
        let run = TestRunner::new(config.clone()).run(&inputs, |input| {
            timed(&parse, &input.0, PATIENCE);
            Ok(())
        });
        match run {
            Ok(()) => {}
            Err(TestError::Fail(why, input)) => panic!("{why}\nThe input, of {} bytes:\n{input:?}\n", input.0.len()),
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
        if long.is_none_or(|long| began.elapsed() >= long) {
            return;
        }
    }
}

fn timed(parse: impl Fn(&[u8]) -> bool, input: &[u8], patience: Duration) {
    let began = processor();
    parse(input);
    let took = processor().saturating_sub(began);
    assert!(took < patience, "the parser worked for {took:?} on {} bytes", input.len());
}

/// How long the processor has worked for this thread.
fn processor() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::hint::black_box;

    /// A length, and so many bytes.
    fn framed(bytes: &[u8]) -> Option<&[u8]> {
        let (length, rest) = bytes.split_first()?;
        rest.get(..usize::from(*length))
    }

    #[test]
    fn what_a_good_parser_refuses_and_takes_is_both_tried() {
        let (taken, refused) = (Cell::new(0), Cell::new(0));
        fuzz(&["\x03abc", "\x00"], |bytes| {
            let count = if framed(bytes).is_some() { &taken } else { &refused };
            count.set(count.get() + 1);
            framed(bytes).is_some()
        });
        assert!(taken.get() > 100 && refused.get() > 100, "{} taken, {} refused", taken.get(), refused.get());
    }

    #[test]
    #[should_panic(expected = "bytes:\nb\"")]
    fn a_parser_that_believes_a_length_is_found_out_by_a_message_that_was_spoiled_once() {
        fuzz(&["\x03abc"], |bytes| {
            let Some((length, rest)) = bytes.split_first() else { return false };
            !black_box(&rest[..usize::from(*length)]).is_empty()
        });
    }

    #[test]
    #[should_panic(expected = "on 3 bytes")]
    fn a_parser_that_works_for_too_long_is_found_out() {
        let patience = Duration::from_millis(20);
        let began = processor();
        let works = |_: &[u8]| processor().saturating_sub(began) > 2 * patience;
        timed(
            |bytes| loop {
                if works(bytes) {
                    return true;
                }
            },
            b"abc",
            patience,
        );
    }

    #[test]
    #[should_panic(expected = "this seed is not taken")]
    fn a_seed_that_is_not_taken_fails_its_target() {
        fuzz(&["\x04abc"], |bytes| framed(bytes).is_some());
    }
}
