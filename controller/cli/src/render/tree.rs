//! Entries as a tree of lines, aligned; or as single lines. What an entry says is decided elsewhere.

use crate::model::Mark;
use crate::text::{Line, Span, Tone, age};
use console::measure_text_width;
use jiff::Timestamp;

/// A thing with what is said of it, and the things below it.
#[derive(Debug)]
pub struct Entry {
    pub mark: Mark,
    pub label: String,
    /// What stands beside it, two spaces apart.
    pub rest: Line,
    /// Its age is said after everything else, and alone is no change.
    pub since: Option<Timestamp>,
    /// What stands below it, a line each.
    pub notes: Line,
    /// What was written by builds and tasks: stands below the notes, every line of it.
    pub log: Vec<String>,
    pub children: Vec<Entry>,
}

impl Entry {
    /// Nothing is said of it yet.
    pub fn new(mark: Mark, label: String) -> Self {
        Self { mark, label, rest: Vec::new(), since: None, notes: Vec::new(), log: Vec::new(), children: Vec::new() }
    }

    /// How wide the longest label is, with the branches before it.
    fn width(&self, depth: usize) -> usize {
        let own = if self.rest.is_empty() { 0 } else { depth * 3 + measure_text_width(&self.label) };
        self.children.iter().map(|child| child.width(depth + 1)).fold(own, usize::max)
    }
}

/// A tree for each entry.
pub fn lines(entries: &[Entry], now: Timestamp) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            lines.push(Vec::new());
        }
        let mut canvas = Canvas { width: entry.width(0), now, said: Vec::new() };
        canvas.draw(entry, "", "", &mut lines);
    }
    lines
}

struct Canvas {
    width: usize,
    now: Timestamp,
    /// The notes so far: what a stage says its Release and its Service say too, and once is enough.
    said: Vec<String>,
}

impl Canvas {
    /// `first` stands before the entry itself, `below` before everything under it.
    fn draw(&mut self, entry: &Entry, first: &str, below: &str, lines: &mut Vec<Line>) {
        lines.push(self.line(entry, first));
        let beside = if entry.children.is_empty() { "  " } else { "│ " };
        let log = entry.log.iter().map(|text| Span(Tone::Faint, text.clone()));
        for text in self.unsaid(&entry.notes).into_iter().chain(log) {
            lines.push(vec![Span(Tone::Faint, format!("{below}{beside}  ")), text]);
        }
        for (at, child) in entry.children.iter().enumerate() {
            let (branch, trunk) =
                if at + 1 == entry.children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.draw(child, &format!("{below}{branch}"), &format!("{below}{trunk}"), lines);
        }
    }

    fn unsaid(&mut self, notes: &[Span]) -> Line {
        let is_new = |Span(_, text): &&Span| !self.said.iter().any(|said| said.contains(text));
        let new: Line = notes.iter().filter(is_new).cloned().collect();
        self.said.extend(new.iter().map(|Span(_, text)| text.clone()));
        new
    }

    fn line(&self, entry: &Entry, first: &str) -> Line {
        let mut line = vec![
            Span(Tone::Faint, first.to_owned()),
            Span(tone(entry.mark), format!("{} ", sign(entry.mark))),
            Span(Tone::Plain, entry.label.clone()),
        ];
        let used = measure_text_width(first) + measure_text_width(&entry.label);
        let mut gap = self.width.saturating_sub(used) + 2;
        let age = entry.since.map(|since| Span(Tone::Faint, age(since, self.now)));
        for span in entry.rest.iter().cloned().chain(age) {
            line.push(Span(Tone::Plain, " ".repeat(gap)));
            line.push(span);
            gap = 2;
        }
        line
    }
}

/// A line for each entry, by the way to it; ages are left out.
pub fn flat(entries: &[Entry]) -> Vec<(String, Line)> {
    let mut all = Vec::new();
    entries.iter().for_each(|entry| flatten(entry, "", &mut all));
    all
}

fn flatten(entry: &Entry, above: &str, all: &mut Vec<(String, Line)>) {
    let way = if above.is_empty() { entry.label.clone() } else { format!("{above} {}", entry.label) };
    let mut line = vec![Span(tone(entry.mark), format!("{} ", sign(entry.mark))), Span(Tone::Plain, way.clone())];
    let log = entry.log.iter().map(|text| Span(Tone::Faint, text.clone()));
    for span in entry.rest.iter().chain(&entry.notes).cloned().chain(log) {
        line.extend([Span(Tone::Plain, "  ".to_owned()), span]);
    }
    all.push((way.clone(), line));
    entry.children.iter().for_each(|child| flatten(child, &way, all));
}

/// The colour of a mark.
pub fn tone(mark: Mark) -> Tone {
    match mark {
        Mark::Good => Tone::Good,
        Mark::Busy | Mark::Held => Tone::Busy,
        Mark::Bad => Tone::Bad,
        Mark::Idle => Tone::Faint,
    }
}

/// The sign of a mark, for those who see no colours.
fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "✓",
        Mark::Busy => "●",
        Mark::Held => "‖",
        Mark::Bad => "✗",
        Mark::Idle => "○",
    }
}
