//! `status`: asks, and shows once or again and again. What is shown is decided in `model` and `render`.

use crate::args::Status;
use crate::ask::Scope;
use crate::connect::Cluster;
use crate::failure::Failure;
use crate::model::{Seen, Tree};
use crate::print::{Trouble, aside, say};
use crate::render::{entries, flat, lines};
use crate::text::{Colours, Line, painted};
use console::{Term, truncate_str};
use futures::stream::StreamExt;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Shows a Pipeline, or all.
pub async fn run(cluster: &Cluster, asked: &Status) -> Result<(), Failure> {
    if asked.pipeline.is_some() && asked.all_namespaces {
        return Err(Failure::error("a resource cannot be retrieved by name across all namespaces"));
    }
    let scope = cluster.scope(asked.all_namespaces);
    match (asked.watch, asked.output) {
        (true, Some(_)) => Err(Failure::error("--watch and --output do not go together")),
        (true, None) => watch(cluster, asked, &scope).await,
        (false, Some(_)) => say(&json(&tree(cluster, asked, &scope).await?)?),
        (false, None) => once(&tree(cluster, asked, &scope).await?, &scope),
    }
}

fn json(tree: &Tree) -> Result<String, Failure> {
    serde_json::to_string_pretty(tree).map_err(Failure::error)
}

async fn tree(cluster: &Cluster, asked: &Status, scope: &Scope) -> Result<Tree, Failure> {
    let pipelines = match &asked.pipeline {
        Some(name) => vec![cluster.one(name).await?],
        None => cluster.list(scope).await?,
    };
    let (releases, services) = tokio::try_join!(cluster.list(scope), cluster.list(scope))?;
    Ok(Tree::of(&Seen { pipelines, releases, services }))
}

fn once(tree: &Tree, scope: &Scope) -> Result<(), Failure> {
    if tree.pipelines.is_empty() {
        aside(&nothing(scope));
    }
    let colours = Colours::of_output();
    lines(&entries(tree, scope), Timestamp::now()).iter().try_for_each(|line| say(&painted(line, colours)))
}

/// As kubectl words it.
fn nothing(scope: &Scope) -> String {
    match scope {
        Scope::Namespace(name) => format!("No resources found in {name} namespace."),
        Scope::Everywhere => "No resources found".to_owned(),
    }
}

/// Where changes are shown.
enum Display {
    /// A terminal, with as many lines as were last drawn on it.
    Terminal(Term, usize),
    /// What is no terminal, with the lines that were last said, by the way to each.
    Log(BTreeMap<String, Line>),
}

async fn watch(cluster: &Cluster, asked: &Status, scope: &Scope) -> Result<(), Failure> {
    let term = Term::stdout();
    let mut display = if term.is_term() { Display::Terminal(term, 0) } else { Display::Log(BTreeMap::new()) };
    let mut changes = std::pin::pin!(cluster.changes(scope));
    let mut trouble = Trouble::default();
    while changes.next().await.is_some() {
        match tree(cluster, asked, scope).await {
            Ok(tree) => {
                display.show(&tree, scope)?;
                trouble.passed();
            }
            // What is shown stays.
            Err(failure) => trouble.met(failure)?,
        }
    }
    Ok(())
}

impl Display {
    fn show(&mut self, tree: &Tree, scope: &Scope) -> Result<(), Failure> {
        let entries = entries(tree, scope);
        let colours = Colours::of_output();
        match self {
            Self::Terminal(term, drawn) => {
                let frame = frame(&lines(&entries, Timestamp::now()), term.size(), colours);
                term.write_str(&redrawn(&frame, *drawn))?;
                *drawn = frame.len();
                Ok(())
            }
            Self::Log(said) => {
                let now = flat(&entries);
                changed(said, &now).into_iter().try_for_each(|line| say(&painted(line, colours)))?;
                *said = now.into_iter().collect();
                Ok(())
            }
        }
    }
}

/// The lines that are new or say something else than before.
fn changed<'a>(before: &BTreeMap<String, Line>, now: &'a [(String, Line)]) -> Vec<&'a Line> {
    now.iter().filter(|(way, line)| before.get(way) != Some(line)).map(|(_, line)| line).collect()
}

/// What fits on a terminal of that many rows and columns: what would wrap could not be drawn over.
fn frame(lines: &[Line], (rows, columns): (u16, u16), colours: Colours) -> Vec<String> {
    let room = usize::from(rows).saturating_sub(1).max(1);
    let cut = |line: &Line| truncate_str(&painted(line, colours), usize::from(columns), "…").into_owned();
    if lines.len() <= room {
        return lines.iter().map(cut).collect();
    }
    let more = format!("… {} more lines", lines.len() + 1 - room);
    lines.iter().take(room - 1).map(cut).chain([more]).collect()
}

/// The frame drawn over the one before, which had that many lines, without a moment in which nothing is there.
fn redrawn(frame: &[String], before: usize) -> String {
    let up = if before > 0 { format!("\r\u{1b}[{before}A") } else { String::new() };
    let lines: String = frame.iter().map(|line| format!("{line}\u{1b}[K\r\n")).collect();
    format!("{up}{lines}\u{1b}[J")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Span, Tone};

    fn line(text: &str) -> Line {
        vec![Span(Tone::Plain, text.to_owned())]
    }

    #[test]
    fn only_lines_that_changed_are_said_again() {
        let before = BTreeMap::from([("a".to_owned(), line("a 1")), ("b".to_owned(), line("b 1"))]);
        let now = [("a".to_owned(), line("a 1")), ("b".to_owned(), line("b 2")), ("c".to_owned(), line("c 1"))];
        assert_eq!(changed(&before, &now), [&line("b 2"), &line("c 1")]);
    }

    #[test]
    fn a_frame_fits_the_terminal() {
        let lines: Vec<Line> = ["abcdef", "b", "c", "d", "e"].map(line).into();
        assert_eq!(frame(&lines, (24, 4), Colours::Hidden)[0], "abc…");
        assert_eq!(frame(&lines, (4, 80), Colours::Hidden), ["abcdef", "b", "… 3 more lines"]);
        assert_eq!(redrawn(&["a".to_owned()], 2), "\r\u{1b}[2Aa\u{1b}[K\r\n\u{1b}[J");
    }
}
