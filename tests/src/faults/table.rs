//! What the fault table looks like: a row for each story and what befell it, and the sum.

use comfy_table::Table;

use super::{Befalls, Row};

/// The whole table, and the sum as its last line. The rows of a story begin with the one that nothing befell.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["story", "fault", "minutes", "calls", "harm", "made unready", "calls by operation"]);
    let (mut harm, mut unready) = (0, 0);
    for row in rows {
        let made = row.undisturbed(rows).map(|other| row.unready_beyond(other).count()).unwrap_or_default();
        (harm, unready) = (harm + row.harm.len(), unready + made);
        table.add_row([
            row.story.to_owned(),
            row.befalls.name().to_owned(),
            format!("{:.1}", row.minutes),
            row.calls.values().sum::<usize>().to_string(),
            row.harm.len().to_string(),
            made.to_string(),
            by_operation(row),
        ]);
    }
    let faults = rows.iter().filter(|row| row.befalls != Befalls::Nothing).count();
    format!("{table}\n{faults} stories with a fault, {harm} harm, {unready} made unready")
}

impl Row {
    /// The row of the same story that nothing befell.
    pub fn undisturbed<'a>(&self, rows: &'a [Row]) -> Option<&'a Row> {
        rows.iter().find(|other| other.story == self.story && other.befalls == Befalls::Nothing)
    }

    /// What is wrong with it, a line for each harm and each object that was made unready.
    pub fn wrong(&self, rows: &[Row]) -> Vec<String> {
        let whose = format!("{}, {}", self.story, self.befalls.name());
        let harm = self.harm.iter().map(|harm| format!("{whose}: {harm}"));
        let unready = self.undisturbed(rows).into_iter().flat_map(|other| self.unready_beyond(other));
        harm.chain(unready.map(|object| format!("{whose}: {object} was made unready"))).collect()
    }
}

/// Operations without their services, which their names tell.
fn by_operation(row: &Row) -> String {
    let name = |operation: &str| operation.split_once(':').map_or(operation, |(_, name)| name).to_owned();
    let counts = row.calls.iter().map(|(operation, times)| format!("{} {times}", name(operation)));
    counts.collect::<Vec<_>>().join(", ")
}
