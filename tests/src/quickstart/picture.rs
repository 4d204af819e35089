//! A picture of what the quick start told, as SVG: the lines of a terminal, in its colours. What was told is not known here.

use super::screen::{Line, Scene, Span, Tone};

/// The scenes that are shown: how it begins, the first release, the crash loop.
const SHOWN: [usize; 3] = [0, 1, 4];

/// How many characters fit into a line.
const COLUMNS: usize = 150;
/// Of one character, in pixels; the font is fixed to that width.
const CHARACTER: f32 = 7.8;
const LINE: usize = 18;
const MARGIN: usize = 16;
/// Room for the window's bar.
const BAR: usize = 28;

/// The picture of the scenes that are shown; long lines are cut.
pub fn svg(scenes: &[Scene]) -> String {
    let typed: Line = vec![Span(Tone::Faint, "$ ".into()), Span(Tone::Strong, "cargo quickstart --play".into())];
    let told = SHOWN.iter().filter_map(|scene| scenes.get(*scene)).flatten();
    let lines: Vec<&Line> = std::iter::once(&typed).chain(told).collect();
    let width = MARGIN * 2 + (COLUMNS as f32 * CHARACTER) as usize;
    let height = BAR + MARGIN * 2 + lines.len() * LINE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#16181d\"/>\n"
    );
    for (index, colour) in ["#ff5f56", "#ffbd2e", "#27c93f"].iter().enumerate() {
        out += &format!("<circle cx=\"{}\" cy=\"16\" r=\"5\" fill=\"{colour}\"/>\n", 18 + index * 18);
    }
    for (index, line) in lines.into_iter().enumerate() {
        out += &row(line, BAR + MARGIN + index * LINE + 10);
    }
    out + "</svg>\n"
}

fn row(line: &Line, y: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for Span(tone, text) in line {
        let left = COLUMNS.saturating_sub(column);
        let shown = cut(text, left);
        let count = shown.chars().count();
        if !shown.trim().is_empty() {
            let x = MARGIN as f32 + column as f32 * CHARACTER;
            let length = count as f32 * CHARACTER;
            out += &format!(
                "<text x=\"{x:.1}\" y=\"{y}\" textLength=\"{length:.1}\" xml:space=\"preserve\" {}>{}</text>\n",
                look(*tone),
                escaped(&shown)
            );
        }
        column += count;
    }
    out
}

fn cut(text: &str, left: usize) -> String {
    match text.chars().count() <= left {
        true => text.to_owned(),
        false => text.chars().take(left.saturating_sub(1)).chain(['…']).take(left).collect(),
    }
}

fn look(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "fill=\"#d6d9e0\"",
        Tone::Faint => "fill=\"#8a90a0\"",
        Tone::Good => "fill=\"#5fd787\"",
        Tone::Bad => "fill=\"#ff7b72\"",
        Tone::Busy => "fill=\"#e5c07b\"",
        Tone::Strong => "fill=\"#ffffff\" font-weight=\"bold\"",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_the_picture_ends_and_its_text_is_escaped() {
        let long = "<a & b> ".repeat(40);
        let picture = svg(&[vec![vec![Span(Tone::Plain, "12:00 ".into()), Span(Tone::Bad, long)]]]);
        assert!(picture.contains("&lt;a &amp; b&gt;") && picture.contains("…</text>"), "{picture}");
        assert!(!picture.contains("<a & b>"));
    }
}
