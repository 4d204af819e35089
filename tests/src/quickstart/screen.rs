//! Where the quick start is told, line by line: coloured and cut on a terminal, plain and whole elsewhere; kept for the
//! picture. What is told is decided elsewhere.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::{Term, measure_text_width, truncate_str};

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Beside the point.
    Faint,
    /// All is well.
    Good,
    /// Something failed.
    Bad,
    /// Work is going on.
    Busy,
    /// A heading, or a command that is typed.
    Strong,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span(pub Tone, pub String);

/// One line.
pub type Line = Vec<Span>;

/// What was told under one heading; the heading is its first line.
pub type Scene = Vec<Line>;

/// Where lines go. Clones are the same screen.
#[derive(Clone)]
pub struct Screen(Arc<Inner>);

struct Inner {
    colours: Colours,
    kept: Mutex<Vec<Scene>>,
}

/// Whether colours are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Shown,
    Hidden,
}

/// Whether a line may be cut to the width of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    ToWidth,
    Never,
}

impl Screen {
    /// Standard output: coloured and cut if it is a terminal.
    pub fn of_terminal() -> Screen {
        let colours = if console::colors_enabled() { Colours::Shown } else { Colours::Hidden };
        Screen(Arc::new(Inner { colours, kept: Mutex::default() }))
    }

    /// One line, cut to the terminal's width.
    pub fn tell(&self, line: Line) {
        self.put(line, Cut::ToWidth);
    }

    /// A heading: a scene begins.
    pub fn title(&self, text: &str) {
        self.blank();
        self.scenes().push(Vec::new());
        self.put(vec![Span(Tone::Strong, format!("── {text}"))], Cut::Never);
    }

    /// Something that was prepared or proved, and how.
    pub fn done(&self, what: &str, how: &str) {
        self.tell(vec![
            Span(Tone::Good, "✓ ".into()),
            Span(Tone::Plain, format!("{what:<24}")),
            Span(Tone::Faint, how.into()),
        ]);
    }

    /// Progress of something that takes time.
    pub fn progress(&self, text: &str) {
        self.tell(vec![Span(Tone::Faint, format!("  {text}"))]);
    }

    /// A command, as a person would type it.
    pub fn typed(&self, command: &str) {
        self.put(vec![Span(Tone::Faint, "$ ".into()), Span(Tone::Strong, command.into())], Cut::Never);
    }

    /// Text of other programs, as it is.
    pub fn verbatim(&self, text: &str) {
        for line in text.lines() {
            self.put(vec![Span(Tone::Plain, line.to_owned())], Cut::Never);
        }
    }

    /// An empty line.
    pub fn blank(&self) {
        self.put(Vec::new(), Cut::Never);
    }

    /// Everything that was told since the first heading.
    pub fn kept(&self) -> Vec<Scene> {
        self.scenes().clone()
    }

    fn scenes(&self) -> MutexGuard<'_, Vec<Scene>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, line: Line, cut: Cut) {
        let text = self.rendered(&line, cut);
        if let Some(scene) = self.scenes().last_mut() {
            scene.push(line);
        }
        // A closed terminal is no reason to fail.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    fn rendered(&self, line: &Line, cut: Cut) -> String {
        let text: String = line.iter().map(|span| self.coloured(span)).collect();
        let width = Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        match (cut, width) {
            (Cut::ToWidth, Some(width)) if measure_text_width(&text) > width => {
                truncate_str(&text, width, "…").into_owned()
            }
            (Cut::ToWidth | Cut::Never, _) => text,
        }
    }

    fn coloured(&self, Span(tone, text): &Span) -> String {
        match self.0.colours {
            Colours::Shown => tone.style().force_styling(true).apply_to(text).to_string(),
            Colours::Hidden => text.clone(),
        }
    }
}

impl Tone {
    fn style(self) -> console::Style {
        let style = console::Style::new();
        match self {
            Tone::Plain => style,
            Tone::Faint => style.dim(),
            Tone::Good => style.green(),
            Tone::Bad => style.red(),
            Tone::Busy => style.yellow(),
            Tone::Strong => style.bold(),
        }
    }
}
