//! How a badge looks: a label and what it says, side by side, as READMEs know them. A picture of its own: it loads nothing and runs
//! nothing.

use launchway_plan::pipeline::badge::{Standing, Words};

const HEIGHT: usize = 20;
/// The room on either side of a text, in pixels.
const MARGIN: usize = 6;

/// The picture, as SVG.
pub(super) fn of(words: &Words) -> String {
    let (label, message) = (escaped(&words.pipeline), escaped(&words.message));
    let (left, right) = (room(&words.pipeline), room(&words.message));
    let (width, colour) = (left + right, colour(words.standing));
    let text = |text: &str, from: usize, room: usize| {
        format!(
            r##"<text x="{}" y="14" textLength="{}" lengthAdjust="spacingAndGlyphs" fill="#fff">{text}</text>"##,
            from + MARGIN,
            room - 2 * MARGIN,
        )
    };
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" role="img" aria-label="{label}: {message}"><title>{label}: {message}</title><clipPath id="r"><rect width="{width}" height="{HEIGHT}" rx="3"/></clipPath><g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="#444c56"/><rect x="{left}" width="{right}" height="{HEIGHT}" fill="{colour}"/></g><g font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">{}{}</g></svg>"##,
        text(&label, 0, left),
        text(&message, left, right),
    )
}

fn room(text: &str) -> usize {
    text.chars().map(width).sum::<usize>() + 2 * MARGIN
}

/// About the width of a letter in the font, in pixels. Each text is stretched to its room, whatever font there is.
fn width(letter: char) -> usize {
    match letter {
        'i' | 'j' | 'l' => 4,
        ' ' | '-' | 'f' | 'r' | 't' => 5,
        'm' | 'w' => 10,
        _ => 7,
    }
}

/// Dark enough for white letters.
fn colour(standing: Standing) -> &'static str {
    match standing {
        Standing::Released => "#1a7f37",
        Standing::UnderWay => "#0969da",
        Standing::Held | Standing::Suspended => "#8a5a00",
        Standing::Failed => "#cf222e",
        Standing::New => "#6e7781",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
