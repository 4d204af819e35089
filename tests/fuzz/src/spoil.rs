//! What strangers make of a good message: bytes that are changed, cut, doubled, moved and taken from another message, and numbers that
//! lie. Each input shrinks to as few of these as it needs.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use std::fmt;

/// The longest input, in bytes: what is as long as the longest packet of git.
pub const LONGEST: usize = 64 << 10;

/// How many changes are made to one message at most. Of more, little of it is left.
const CHANGES: usize = 6;

/// An input. `Debug` writes it as a byte string of Rust.
#[derive(Clone)]
pub struct Input(pub Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A change. Places and lengths are counted modulo what is there.
#[derive(Clone, Debug)]
enum Change {
    /// Changes bits of a byte.
    Flip(Index, u8),
    /// Puts something in.
    Insert(Index, Vec<u8>),
    /// Puts something in the place of as many bytes.
    Overwrite(Index, Vec<u8>),
    /// Puts a number in the place of a number in decimal digits.
    Count(Index, &'static str),
    /// Takes so many bytes out.
    Cut(Index, usize),
    /// Ends it here.
    End(Index),
    /// Repeats so many bytes so often.
    Repeat(Index, usize, usize),
    /// Moves so many bytes to another place.
    Move(Index, usize, Index),
    /// Puts so many bytes of another message in.
    Splice(Index, Vec<u8>),
}

/// Numbers, and lengths of packets, that are at the end of what fits, or just behind it.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "00",
    "0000",
    "0001",
    "0003",
    "ffff",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "99999999999999999999",
];

/// The same in bytes, and what parsers are known to stumble over.
const PIECES: [&[u8]; 20] = [
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\x01\x00\x00\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\r\n",
    b"\n\n",
    b" ",
    b"\"",
    b"\\",
    b"\xc3",
    "\u{202e}".as_bytes(),
    "\u{130}\u{df}".as_bytes(),
    "\u{1f600}".as_bytes(),
];

/// Seeds with a few changes, and now and then what has nothing to do with any.
pub fn spoiled(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    let changes = vec(change(seeds.clone()), 0..=CHANGES);
    let spoiled = (select(seeds), changes).prop_map(|(seed, changes)| {
        let mut bytes = seed;
        changes.iter().for_each(|change| change.make(&mut bytes));
        Input(bytes)
    });
    prop_oneof![
        15 => spoiled,
        1 => vec(any::<u8>(), 0..200).prop_map(Input),
    ]
}

fn change(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    let number = || select(&NUMBERS[..]);
    let piece = || {
        prop_oneof![
            vec(any::<u8>(), 1..8),
            select(&PIECES[..]).prop_map(<[u8]>::to_vec),
            number().prop_map(|text| text.as_bytes().to_vec()),
        ]
    };
    let length = || prop_oneof![3 => 1..9_usize, 1 => 1..200_usize];
    let times = prop_oneof![6 => 1..4_usize, 1 => Just(300), 1 => Just(LONGEST)];
    let part = (select(seeds), place(), length()).prop_map(|(seed, from, length)| part(&seed, &from, length).to_vec());
    prop_oneof![
        3 => (place(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Flip(at, bits)),
        2 => (place(), piece()).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (place(), piece()).prop_map(|(at, bytes)| Change::Overwrite(at, bytes)),
        2 => (place(), number()).prop_map(|(at, text)| Change::Count(at, text)),
        2 => (place(), length()).prop_map(|(at, length)| Change::Cut(at, length)),
        1 => place().prop_map(Change::End),
        2 => (place(), length(), times).prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        1 => (place(), length(), place()).prop_map(|(at, length, to)| Change::Move(at, length, to)),
        2 => (place(), part).prop_map(|(at, bytes)| Change::Splice(at, bytes)),
    ]
}

/// So many bytes from there on, or as many as there are.
fn part<'a>(bytes: &'a [u8], from: &Index, length: usize) -> &'a [u8] {
    let from = from.index(bytes.len() + 1);
    &bytes[from..bytes.len().min(from + length)]
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
        match self {
            Self::Flip(at, bits) => {
                let at = place(at, bytes);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bits);
            }
            Self::Insert(at, piece) | Self::Splice(at, piece) => insert(bytes, place(at, bytes), piece),
            Self::Overwrite(at, piece) => {
                let at = place(at, bytes);
                let end = bytes.len().min(at + piece.len());
                bytes.splice(at..end, piece.iter().copied());
            }
            Self::Count(at, text) => {
                let numbers = numbers(bytes);
                if !numbers.is_empty() {
                    bytes.splice(numbers[at.index(numbers.len())].clone(), text.bytes());
                }
            }
            Self::Cut(at, length) => drop(taken(bytes, at, *length)),
            Self::End(at) => bytes.truncate(place(at, bytes)),
            Self::Repeat(at, length, times) => {
                let piece = part(bytes, at, *length).to_vec();
                let room = LONGEST.saturating_sub(bytes.len()) / piece.len().max(1);
                insert(bytes, place(at, bytes), &piece.repeat(room.min(*times)));
            }
            Self::Move(at, length, to) => {
                let piece = taken(bytes, at, *length);
                insert(bytes, place(to, bytes), &piece);
            }
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() + piece.len() <= LONGEST {
        bytes.splice(at..at, piece.iter().copied());
    }
}

/// Takes so many bytes out.
fn taken(bytes: &mut Vec<u8>, at: &Index, length: usize) -> Vec<u8> {
    let from = at.index(bytes.len() + 1);
    bytes.drain(from..bytes.len().min(from + length)).collect()
}

/// Where numbers in decimal digits stand.
fn numbers(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut all: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match all.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            Some(_) | None => all.push(at..at + 1),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_written_as_rust_reads_it() {
        assert_eq!(format!("{:?}", Input(b"a\"\\\n\x00\xff".to_vec())), r#"b"a\"\\\n\x00\xff""#);
    }

    #[test]
    fn numbers_are_found_whole() {
        assert_eq!(numbers(b"12a345 6"), [0..2, 3..6, 7..8]);
        assert_eq!(numbers(b""), []);
    }
}
