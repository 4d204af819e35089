//! `cargo crash-search`: cuts lives at every request of every story, and proves of six sabotages that it would notice.

use std::time::Instant;

use clap::Parser;
use launchway_tests::search::{self, Extent, table};
use launchway_tests::story::{STORIES, Story};

/// Cuts the controller's life at every request of every story and counts the harm in the world's log.
#[derive(Parser)]
struct Options {
    /// Only this story; may be repeated.
    #[arg(long)]
    story: Vec<String>,
    /// Only each n-th point.
    #[arg(long)]
    every: Option<usize>,
    /// Stops at the first harm.
    #[arg(long, conflicts_with = "every")]
    first: bool,
    /// How many points are played at the same time. Default: as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
    /// Only plays the stories, without any cut.
    #[arg(long)]
    references: bool,
}

fn main() -> std::process::ExitCode {
    let options = Options::parse();
    let chosen: Vec<&'static Story> = match options.story.is_empty() {
        true => STORIES.to_vec(),
        false => options.story.iter().filter_map(|name| Story::named(name)).collect(),
    };
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(2);
    let extent = match (options.first, options.every) {
        (true, _) => Extent::FirstHarm,
        (false, Some(n)) => Extent::Every(n),
        (false, None) => Extent::All,
    };
    let mut all = Vec::new();
    for story in chosen {
        let began = Instant::now();
        if options.references {
            let before = search::prelude(story);
            let reference = search::reference(story, before.as_ref());
            println!(
                "{}: {} requests, {:?}, {:?}",
                story.name,
                reference.requests.len(),
                began.elapsed(),
                reference.harm
            );
            continue;
        }
        let searched = search::search(story, extent, threads);
        eprintln!("{}: {} points in {:.1} s", story.name, searched.points, began.elapsed().as_secs_f64());
        searched.found.iter().for_each(|found| println!("{}", table::line(found)));
        let harmed = !searched.found.is_empty();
        all.push(searched);
        if harmed && extent == Extent::FirstHarm {
            break;
        }
    }
    println!("{}", table::table(&all));
    if all.iter().any(|one| !one.found.is_empty()) {
        std::process::ExitCode::FAILURE
    } else {
        std::process::ExitCode::SUCCESS
    }
}
