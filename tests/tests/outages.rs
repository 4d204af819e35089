//! Outages that begin at a StartBuild, and hours of merges: no build twice, no commit lost. All of them are played by
//! `cargo outages` and `cargo merges`.

use launchway_tests::merges::{self, Day};
use launchway_tests::outages::{self, LENGTHS, Way};
use launchway_tests::story::Story;
use launchway_tests::threads;

/// What is played here: builds of a commit, of two, after a fault, and once more by hand.
const STORIES: [&str; 4] = ["first release", "newer commit", "fault of CodeBuild", "image of a failed build"];
/// Each so manieth outage of theirs. It has no factor in common with how many each StartBuild has, so that they differ.
const STEP: usize = 33;
/// So many commits are enough for each mode to leave some out, or to let them wait.
const COMMITS: usize = 6;

#[test]
fn no_outage_at_a_start_of_a_build_builds_twice_or_loses_a_commit() {
    let stories: Vec<&'static Story> = STORIES.iter().filter_map(|name| Story::named(name)).collect();
    let stories = outages::undisturbed(&stories, threads::all());
    assert_eq!(stories.len(), STORIES.len());
    let rows = outages::rows(&stories, STEP, threads::all());
    println!("{}", outages::table::table(&stories, &rows));
    let wrong: Vec<String> = rows.iter().flat_map(outages::Row::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(LENGTHS.iter().all(|length| rows.iter().any(|row| row.outage.length == *length)), "a length is missing");
    assert!(Way::ALL.iter().all(|way| rows.iter().any(|row| row.outage.way == *way)), "a way is missing");
}

#[test]
fn when_commits_come_faster_than_builds_each_is_released_or_says_why_not_and_none_is_built_twice() {
    let days = Day::all().into_iter().filter(|day| day.build == 25).map(|day| Day { commits: COMMITS, ..day });
    let rows = merges::rows(&days.collect::<Vec<_>>(), threads::all());
    println!("{}", merges::table::table(&rows));
    let wrong: Vec<String> = rows.iter().flat_map(merges::Row::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left_out = |mode: &str| -> usize {
        let of_mode = rows.iter().filter(|row| row.day.mode == mode);
        of_mode.map(|row| row.fates.left_out + row.fates.stopped + row.fates.overtaken).sum()
    };
    assert!(left_out("Newest") > 0 && left_out("Supersede") > 0, "no commit was overtaken");
    assert_eq!(left_out("Queue"), 0, "a queue leaves nobody out");
}
