//! The framing of git's wire protocols: pkt-lines (gitprotocol-common). What the lines mean is not known here.

/// How an answer breaks the protocol. Nothing of the answer itself is kept: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A length that is not four hexadecimal digits, or a reserved one.
    #[error("a packet's length cannot be read")]
    Length,
    /// The answer ends inside a packet, or before its end was announced.
    #[error("the answer ends too early")]
    Truncated,
    /// There is more after the announced end.
    #[error("the answer goes on after its end")]
    Trailing,
    /// A packet that does not belong there.
    #[error("a packet is out of place")]
    OutOfPlace,
    /// A line that is no "object ID, space, name".
    #[error("a line does not name an object and a ref")]
    Line,
    /// Neither SHA-1 nor SHA-256.
    #[error("an object ID is neither 40 nor 64 hexadecimal digits")]
    ObjectId,
    /// An error packet. Its text is the server's, and is not shown.
    #[error("the server sent an error instead of an answer")]
    Error,
    /// An object, or what several of them are packed into.
    #[error("the objects that it sent cannot be read")]
    Objects,
    /// Objects that are larger together than what is read.
    #[error("the objects that it sent are too large")]
    TooLarge,
    /// An object that was asked for, and that is not in the answer.
    #[error("an object that was asked for is missing in its answer")]
    Missing,
    /// A protocol version that nobody asked for, or one without `ls-refs`.
    #[error("the server speaks another version of the protocol")]
    Version,
}

/// One pkt-line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A line, without its length.
    Line(&'a [u8]),
    /// `0000`: the end of a message or section.
    Flush,
    /// `0001`: between sections.
    Delimiter,
    /// `0002`: the end of a stateless answer.
    End,
}

/// The longest pkt-line, its length included (gitprotocol-common).
const LONGEST: usize = 65_520;

/// The packets of `bytes`, which hold lines; after the first malformed one there are none.
pub fn packets(bytes: &[u8]) -> impl Iterator<Item = Result<Packet<'_>, Malformed>> {
    raw(bytes).map(|packet| {
        packet.map(|packet| match packet {
            Packet::Line(line) => Packet::Line(line.strip_suffix(b"\n").unwrap_or(line)),
            mark @ (Packet::Flush | Packet::Delimiter | Packet::End) => mark,
        })
    })
}

/// The packets of `bytes` as they are.
pub fn raw(bytes: &[u8]) -> impl Iterator<Item = Result<Packet<'_>, Malformed>> {
    let mut rest = Some(bytes).filter(|bytes| !bytes.is_empty());
    std::iter::from_fn(move || {
        let (packet, after) = match first(rest?) {
            Ok((packet, after)) => (Ok(packet), Some(after)),
            Err(malformed) => (Err(malformed), None),
        };
        rest = after.filter(|after| !after.is_empty());
        Some(packet)
    })
}

fn first(bytes: &[u8]) -> Result<(Packet<'_>, &[u8]), Malformed> {
    let (digits, rest) = bytes.split_at_checked(4).ok_or(Malformed::Truncated)?;
    match length(digits)? {
        0 => Ok((Packet::Flush, rest)),
        1 => Ok((Packet::Delimiter, rest)),
        2 => Ok((Packet::End, rest)),
        length @ 4..=LONGEST => {
            let (line, rest) = rest.split_at_checked(length - 4).ok_or(Malformed::Truncated)?;
            Ok((Packet::Line(line), rest))
        }
        _ => Err(Malformed::Length),
    }
}

fn length(digits: &[u8]) -> Result<usize, Malformed> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Malformed::Length);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| Malformed::Length)?;
    usize::from_str_radix(digits, 16).map_err(|_| Malformed::Length)
}

/// `line` and a newline as one packet. Lines that we send are short: a command, a capability, a ref's name.
pub fn line(line: &str) -> String {
    format!("{:04x}{line}\n", line.len() + 5)
}

/// A flush packet.
pub const FLUSH: &str = "0000";

/// A delimiter packet.
pub const DELIMITER: &str = "0001";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_and_marks_are_told_apart() {
        let all: Result<Vec<_>, _> = packets(b"0006a\n0005b0004000000010002").collect();
        let lines = [b"a".as_ref(), b"b", b""].map(Packet::Line);
        let marks = [Packet::Flush, Packet::Delimiter, Packet::End];
        assert_eq!(all.unwrap(), [lines, marks].concat());
    }

    #[test]
    fn what_is_cut_or_no_length_is_malformed() {
        let cases: [(&[u8], Malformed); 6] = [
            (b"000", Malformed::Truncated),
            (b"0006a", Malformed::Truncated),
            (b"0003", Malformed::Length),
            (b"fff1", Malformed::Length),
            (b"+004", Malformed::Length),
            (b"<!DOCTYPE html>", Malformed::Length),
        ];
        for (bytes, malformed) in cases {
            assert_eq!(packets(bytes).collect::<Vec<_>>(), [Err(malformed)], "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_every_list_ends(bytes: Vec<u8>) {
            let all: Vec<_> = packets(&bytes).collect();
            prop_assert!(all.len() <= bytes.len() / 4 + 1);
            prop_assert!(all.iter().rev().skip(1).all(Result::is_ok));
        }

        #[test]
        fn what_is_written_is_read_again(texts in prop::collection::vec("[^\n]{0,300}", 0..20)) {
            let written: String = texts.iter().map(|text| line(text)).chain([FLUSH.to_owned()]).collect();
            let read: Vec<_> = packets(written.as_bytes()).map(Result::unwrap).collect();
            let expected: Vec<_> = texts.iter().map(|text| Packet::Line(text.as_bytes())).chain([Packet::Flush]).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
