//! What the days of merges look like: a row for each.

use comfy_table::Table;

use super::Row;

/// The whole table, and the sum as its last line.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "build",
        "mode",
        "limit",
        "released",
        "never built",
        "build stopped",
        "built, not released",
        "lost",
        "built twice",
        "age of what runs",
        "push to prod",
        "calls to AWS",
        "writes to Kubernetes",
        "caught up after",
    ]);
    for row in rows {
        let (day, fates) = (row.day, row.fates);
        table.add_row([
            format!("{} min", day.build),
            day.mode.to_owned(),
            day.limit.to_string(),
            format!("{} of {}", fates.released, day.commits),
            fates.left_out.to_string(),
            fates.stopped.to_string(),
            fates.overtaken.to_string(),
            row.lost.len().to_string(),
            row.twice.len().to_string(),
            spread(row.age),
            spread(row.took),
            row.calls.to_string(),
            row.writes.to_string(),
            format!("{:.0} min", row.rest),
        ]);
    }
    let lost: usize = rows.iter().map(|row| row.lost.len()).sum();
    let twice: usize = rows.iter().map(|row| row.twice.len()).sum();
    format!("{table}\n{} days, {lost} lost commits, {twice} commits built twice", rows.len())
}

fn spread((average, most): (f64, f64)) -> String {
    if most == 0.0 { String::new() } else { format!("{average:.0}, at most {most:.0} min") }
}
