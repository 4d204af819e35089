//! `cargo crash-search`: cuts lives at every request of every story, and proves by sabotages that it would notice.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use launchway_tests::docs::Part;
use launchway_tests::sabotage::{SABOTAGES, Sabotaged};
use launchway_tests::search::{self, Extent, Searched, table};
use launchway_tests::shape::repository;
use launchway_tests::story::{STORIES, Story};
use launchway_tests::threads;

/// Cuts the controller's life at every request of every story, lets its reads be old and its calls be throttled, and
/// counts the harm in the world. Then does the same to sabotaged copies of the controller, until the first harm of each.
#[derive(Parser)]
#[command(name = "cargo crash-search", bin_name = "cargo crash-search")]
struct Options {
    /// Only this story, without the sabotages; may be repeated.
    #[arg(long, value_parser = PossibleValuesParser::new(STORIES.iter().map(|story| story.name)))]
    story: Vec<String>,
    /// Only each n-th point, without the sabotages.
    #[arg(long)]
    every: Option<usize>,
    /// Prints the first harm alone, and stops there.
    #[arg(long, conflicts_with = "every")]
    first: bool,
    /// Only the sabotages.
    #[arg(long, conflicts_with_all = ["story", "every", "first"])]
    sabotages: bool,
    /// Writes what it prints into docs/reliability.md.
    #[arg(long, conflicts_with_all = ["story", "every", "first", "sabotages"])]
    write: bool,
    /// How many points are played at the same time. Default: as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let stories: Vec<&'static Story> = match options.story.is_empty() {
        true => STORIES.to_vec(),
        false => options.story.iter().filter_map(|name| Story::named(name)).collect(),
    };
    let threads = options.threads.unwrap_or_else(threads::all);
    if options.first {
        return Ok(first(&stories, threads));
    }
    let ended = |well: bool| if well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if options.sabotages {
        let (told, caught) = sabotaged()?;
        print!("{told}");
        return Ok(ended(caught));
    }
    let whole = options.story.is_empty() && options.every.is_none();
    let all = searched(&stories, options.every.map_or(Extent::All, Extent::Every), threads);
    let table = table::table(&all);
    println!("{table}");
    let (told, caught) = if whole { sabotaged()? } else { (String::new(), true) };
    print!("{told}");
    if options.write {
        let text = format!("{table}\n\n```\n{}\n```\n", told.trim());
        Part { document: "docs/reliability.md", name: "crash-search", text }.write(&repository())?;
    }
    Ok(ended(caught && all.iter().all(|one| one.found.is_empty() && one.replays())))
}

/// The first harm of the stories in their order.
fn first(stories: &[&'static Story], threads: usize) -> ExitCode {
    let mut found = stories.iter().flat_map(|story| search::search(story, Extent::FirstHarm, threads).found);
    let Some(found) = found.next() else { return ExitCode::SUCCESS };
    println!("{}", table::line(&found));
    ExitCode::FAILURE
}

fn searched(stories: &[&'static Story], extent: Extent, threads: usize) -> Vec<Searched> {
    let search = |story: &&'static Story| {
        let began = Instant::now();
        let searched = search::search(story, extent, threads);
        eprintln!("{}: {} points in {:.1} s", story.name, searched.points, began.elapsed().as_secs_f64());
        searched.found.iter().for_each(|found| println!("{}", table::line(found)));
        searched
    };
    stories.iter().map(search).collect()
}

/// Where each sabotage is caught, in words, and whether each is.
fn sabotaged() -> anyhow::Result<(String, bool)> {
    eprintln!("building a copy of the controller with the sabotages in it …");
    let program = Sabotaged::build()?;
    let (mut told, mut all) = (String::new(), true);
    for sabotage in &SABOTAGES {
        eprintln!("searching it with {} …", sabotage.what);
        let caught = program.caught(sabotage)?;
        all &= caught.is_some();
        let first = caught.map_or_else(|| "NOTHING CATCHES IT".to_owned(), |first| format!("caught at {first}"));
        told.push_str(&format!("\nsabotage: {} ({})\n  {first}\n", sabotage.what, sabotage.name));
    }
    Ok((told, all))
}
