//! Fuzz targets of what is typed, and of what is printed that builds and tasks wrote.

use crate::named::{Named, named};
use crate::text::{Colours, Span, Tone, clean, painted, short};
use launchway_test_fuzz::fuzz;

#[test]
fn what_is_named_is_what_stands_behind_the_kind() {
    fuzz(&["web", "service/web", "ecsservices.launchway.dev/web", "lwr/web-1", "pipelines/web"], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match named(&text) {
            Ok(Named::Any(name)) => assert!(name == text && !name.contains('/')),
            Ok(Named::Pipeline(name) | Named::Service(name) | Named::Release(name)) => {
                assert_eq!(text.split_once('/').map(|(_, name)| name), Some(name));
            }
            Err(_) => {
                assert!(text.contains('/'));
                return false;
            }
        }
        true
    });
}

#[test]
fn nothing_that_is_printed_steers_the_terminal() {
    fuzz(&["Build failed\n\u{1b}[2Jexit status 1\t", "0123456789abcdef0123456789abcdef01234567"], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (all, line) = (clean(&text), painted(&vec![Span(Tone::Bad, text.to_string())], Colours::Hidden));
        assert!(!all.contains(|c: char| c.is_control() && c != '\n') && !line.contains(char::is_control), "{line}");
        assert_eq!(all.chars().count(), text.chars().count(), "each letter stays in its place");
        assert!(short(&text).chars().count() <= 12);
        true
    });
}
