//! What the outages come to: a row for each story, and the sum.

use comfy_table::Table;
use jiff::SignedDuration;

use super::{LENGTHS, Row, Undisturbed};
use crate::play::Sight;

/// The whole table, and the sum as its last line.
pub fn table(stories: &[Undisturbed], rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    let heads = ["story", "builds", "outages", "duplicate builds", "lost commits", "other harm", "undisturbed"];
    table.set_header(heads.map(str::to_owned).into_iter().chain(LENGTHS.map(|length| format!("after {length:#}"))));
    for story in stories {
        let own: Vec<&Row> = rows.iter().filter(|row| row.story == story.story.name).collect();
        let [builds, lost, other] = sums(own.iter().copied());
        let cells = [
            story.story.name.to_owned(),
            story.starts().to_string(),
            own.len().to_string(),
            builds.to_string(),
            lost.to_string(),
            other.to_string(),
            format!("{:.1}", story.minutes()),
        ];
        table.add_row(cells.into_iter().chain(LENGTHS.map(|length| longest(&own, length))));
    }
    let [builds, lost, other] = sums(rows.iter());
    format!("{table}\n{} outages, {builds} duplicate builds, {lost} lost commits, {other} other harm", rows.len())
}

fn sums<'a>(rows: impl Iterator<Item = &'a Row>) -> [usize; 3] {
    rows.fold([0; 3], |[builds, lost, other], row| {
        [builds + row.builds.len(), lost + row.lost.len(), other + row.other.len()]
    })
}

/// The longest time until the end after outages of that length. What is written once old reads become fresh comes too late to be
/// compared.
fn longest(rows: &[&Row], length: SignedDuration) -> String {
    let all = rows
        .iter()
        .filter(|row| row.outage.length == length && row.outage.sight == Sight::Fresh)
        .map(|row| row.minutes);
    all.max_by(f64::total_cmp).map_or_else(String::new, |minutes| format!("{minutes:.1}"))
}

impl Row {
    /// What is wrong with it, a line for each harm.
    pub fn wrong(&self) -> Vec<String> {
        let outage = &self.outage;
        let sight = match outage.sight {
            Sight::Fresh => "fresh reads",
            Sight::Stale | Sight::Wavering => "old reads",
        };
        let whose = format!(
            "{}, StartBuild {}: {:?} out of reach for {:#}, {}, {sight}",
            self.story,
            outage.at + 1,
            outage.reach,
            outage.length,
            outage.way.name()
        );
        let harm = self.builds.iter().chain(&self.other).map(ToString::to_string);
        harm.chain(self.lost.iter().map(|lost| format!("lost: {lost}")))
            .map(|what| format!("{whose}: {what}"))
            .collect()
    }
}
