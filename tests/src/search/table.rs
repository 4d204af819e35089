//! What a search prints: a line for each story, one for each finding, and the sum.

use std::fmt::Write;

use comfy_table::Table;

use launchway_plan::condition::cut;

use super::{Befell, Cut, Finding, Searched};
use crate::harm::Kind;
use crate::play::Sight;

/// The whole table, and the sum as its last line.
pub fn table(all: &[Searched]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    let heads = ["story", "requests", "throttled", "points", "worlds"].into_iter().chain(Kind::ALL.map(Kind::name));
    let heads = heads.chain(["log", "again"]);
    table.set_header(heads);
    for one in all {
        let count =
            |kind: Kind| one.found.iter().filter(|found| found.harm.iter().any(|harm| harm.kind == kind)).count();
        let cells = [
            one.story.to_owned(),
            one.requests.to_string(),
            one.throttled.to_string(),
            one.points.to_string(),
            one.worlds.to_string(),
        ];
        table.add_row(cells.into_iter().chain(Kind::ALL.map(|kind| count(kind).to_string())).chain(one.hashes.clone()));
    }
    let (points, harm) =
        (all.iter().map(|one| one.points).sum::<usize>(), all.iter().map(|one| one.found.len()).sum::<usize>());
    format!("{table}\n{points} points, {harm} harm")
}

/// How many harms of a finding are printed.
const HARMS: usize = 3;
/// How much of a harm is printed, in bytes.
const HARM: usize = 240;

/// A finding, in some lines.
pub fn line(found: &Finding) -> String {
    let mut text = match &found.befell {
        Befell::Nothing => format!("{}: without any cut", found.story),
        Befell::OldReads(seed) => format!("{}: without any cut, old reads by seed {seed}", found.story),
        Befell::Cut(Cut { request, position, sight }) => {
            let sight = match sight {
                Sight::Fresh => "fresh reads",
                Sight::Stale | Sight::Wavering => "old reads",
            };
            format!("{}: request {} ({}), {position}, {sight}", found.story, request.number, request.name)
        }
    };
    for harm in found.harm.iter().take(HARMS) {
        let _ = write!(text, "\n    {}", cut(&harm.to_string(), HARM));
    }
    if found.harm.len() > HARMS {
        let _ = write!(text, "\n    and {} more", found.harm.len() - HARMS);
    }
    text
}
