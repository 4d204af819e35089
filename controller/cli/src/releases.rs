//! `releases`: a table as kubectl prints one, newest first.

use crate::args::{Releases, TableForm};
use crate::connect::Cluster;
use crate::failure::Failure;
use crate::item::Item;
use crate::model::{ReleaseView, newest_first};
use crate::print::{aside, say};
use crate::text::{age, clean, short};
use console::measure_text_width;
use jiff::Timestamp;
use launchway_crds::{Pipeline, Release};
use serde_json::value::RawValue;

/// Lists the Releases of a Pipeline, or of all.
pub async fn run(cluster: &Cluster, asked: &Releases) -> Result<(), Failure> {
    if let (Some(pipeline), false) = (&asked.pipeline, asked.all_namespaces) {
        cluster.one::<Pipeline>(pipeline).await?;
    }
    let texts = cluster.texts::<Release>(&cluster.scope(asked.all_namespaces)).await?;
    let mut found: Vec<(ReleaseView, &RawValue)> = texts.iter().filter_map(|text| seen(text, asked)).collect();
    found.sort_by(|(a, _), (b, _)| newest_first(a, b));
    if asked.output == Some(TableForm::Json) {
        return say(&json(found.into_iter().map(|(_, text)| text)));
    }
    if found.is_empty() {
        aside("No resources found");
        return Ok(());
    }
    let views: Vec<ReleaseView> = found.into_iter().map(|(view, _)| view).collect();
    table(&rows(&views, asked, Timestamp::now())).iter().try_for_each(|line| say(line))
}

fn seen<'a>(text: &'a RawValue, asked: &Releases) -> Option<(ReleaseView, &'a RawValue)> {
    let view = ReleaseView::of(&Item::parse(text.get()).ok()?);
    asked.pipeline.as_ref().is_none_or(|pipeline| *pipeline == view.pipeline).then_some((view, text))
}

/// The objects as the API server has them, in a list as kubectl prints it.
fn json<'a>(texts: impl Iterator<Item = &'a RawValue>) -> String {
    // What is nested too deep to be laid out stays as it is.
    let laid_out = |text: &RawValue| {
        let value = serde_json::from_str::<serde_json::Value>(text.get());
        value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.get().to_owned())
    };
    let items: Vec<String> = texts.map(laid_out).collect();
    format!("{{\n\"apiVersion\": \"v1\",\n\"kind\": \"List\",\n\"items\": [\n{}\n]\n}}", items.join(",\n"))
}

type Column = (&'static str, fn(&ReleaseView) -> String);

const COLUMNS: [Column; 5] = [
    ("PIPELINE", |view| view.pipeline.clone()),
    ("COMMIT", |view| short(&view.commit)),
    ("PHASE", |view| view.phase.clone()),
    ("STAGE", |view| view.stage.clone()),
    ("REASON", |view| view.standing.reason.clone()),
];

/// Those that `-o wide` adds.
const WIDE: [Column; 3] = [
    ("FULL COMMIT", |view| view.commit.clone()),
    ("GIT TAG", |view| view.git_tag.clone()),
    ("MESSAGE", |view| view.standing.message.clone()),
];

/// The head, and a row for each.
fn rows(views: &[ReleaseView], asked: &Releases, now: Timestamp) -> Vec<Vec<String>> {
    let wide: &[Column] = if asked.output == Some(TableForm::Wide) { &WIDE } else { &[] };
    let mut columns: Vec<Column> = COLUMNS.to_vec();
    columns.insert(0, ("NAME", |view| view.name.clone()));
    if asked.all_namespaces {
        columns.insert(0, ("NAMESPACE", |view| view.namespace.clone()));
    }
    columns.extend(wide);
    let with_age = |mut cells: Vec<String>, age: String| {
        cells.insert(columns.len() - wide.len(), age);
        cells
    };
    let head = with_age(columns.iter().map(|(name, _)| (*name).to_owned()).collect(), "AGE".to_owned());
    let row = |view: &ReleaseView| {
        let since = view.created.map_or_else(|| "<unknown>".to_owned(), |created| age(created, now));
        with_age(columns.iter().map(|(_, cell)| cell(view)).collect(), since)
    };
    std::iter::once(head).chain(views.iter().map(row)).collect()
}

/// Columns as wide as their widest cell, three spaces apart.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().map(|row| measure_text_width(&row[at])).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let gap = " ".repeat(width + 3 - measure_text_width(cell));
            format!("{}{gap}", clean(cell).replace('\n', " "))
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn the_newest_is_first_and_one_that_cannot_be_read_has_a_row() {
        let mut views: Vec<ReleaseView> = samples::releases().iter().map(ReleaseView::of).collect();
        views.sort_by(newest_first);
        let asked = Releases { pipeline: None, all_namespaces: false, output: None };
        let lines = table(&rows(&views, &asked, samples::now())).join("\n");
        assert_eq!(format!("{lines}\n"), include_str!("samples/releases.txt"));
    }

    #[test]
    fn a_wide_table_has_the_tag_and_the_message_behind_the_age() {
        let view = ReleaseView::of(&samples::releases()[0]);
        let asked = Releases { pipeline: None, all_namespaces: false, output: Some(TableForm::Wide) };
        let rows = rows(&[ReleaseView { git_tag: "v1.2.0".to_owned(), ..view.clone() }], &asked, samples::now());
        assert_eq!(rows[0][5..], ["REASON", "AGE", "FULL COMMIT", "GIT TAG", "MESSAGE"]);
        assert_eq!(rows[1][7..], [view.commit, "v1.2.0".to_owned(), view.standing.message]);
    }
}
