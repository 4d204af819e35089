//! Pieces of text and what they mean, and how they look: with colours or without.

use console::Style;

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// Beside the point.
    Faint,
    Strong,
    Good,
    Busy,
    Bad,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span(pub Tone, pub String);

/// One line.
pub type Line = Vec<Span>;

/// Whether colours are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    Shown,
    Hidden,
}

impl Colours {
    /// As standard output understands them: a terminal, or CLICOLOR_FORCE says so, and NO_COLOR not set.
    pub fn of_output() -> Self {
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let understood = forced || console::Term::stdout().features().colors_supported();
        let shown = understood && std::env::var_os("NO_COLOR").is_none();
        if shown { Self::Shown } else { Self::Hidden }
    }
}

/// The text without what would steer a terminal: messages hold what builds and tasks wrote.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// The line as it is written.
pub fn painted(line: &Line, colours: Colours) -> String {
    line.iter().map(|span| paint(span, colours)).collect()
}

fn paint(Span(tone, text): &Span, colours: Colours) -> String {
    let text = clean(text).replace('\n', " ");
    let style = Style::new().force_styling(colours == Colours::Shown);
    match (colours, tone) {
        (Colours::Hidden, _) | (_, Tone::Plain) => text,
        (Colours::Shown, Tone::Faint) => style.dim().apply_to(text).to_string(),
        (Colours::Shown, Tone::Strong) => style.bold().apply_to(text).to_string(),
        (Colours::Shown, Tone::Good) => style.green().apply_to(text).to_string(),
        (Colours::Shown, Tone::Busy) => style.yellow().apply_to(text).to_string(),
        (Colours::Shown, Tone::Bad) => style.red().apply_to(text).to_string(),
    }
}

/// How long ago, as kubectl writes it: `45s`, `12m`, `3h20m`, `5d`.
pub fn age(from: jiff::Timestamp, now: jiff::Timestamp) -> String {
    let seconds = now.duration_since(from).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => format!("{hours}h{}m", minutes % 60),
        () if hours < 48 => format!("{hours}h"),
        () => format!("{days}d"),
    }
}

/// The first twelve digits of a commit.
pub fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_build_wrote_steers_the_terminal() {
        let line = vec![Span(Tone::Plain, "a\u{1b}[2Jb\nc".to_owned())];
        assert_eq!(painted(&line, Colours::Hidden), "a [2Jb c");
    }

    #[test]
    fn ages_are_as_long_as_kubectls() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let ago = |seconds| age(now - jiff::SignedDuration::from_secs(seconds), now);
        assert_eq!([45, 720, 12_000, 100_000, 500_000, -5].map(ago), ["45s", "12m", "3h20m", "27h", "5d", "0s"]);
    }
}
