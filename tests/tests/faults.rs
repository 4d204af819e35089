//! The fault table: whatever befalls a story, it comes to the same end, does no harm, and makes nothing unready that was.

use launchway_tests::faults::{rows, table};
use launchway_tests::story::STORIES;

#[test]
fn no_fault_of_aws_does_harm_in_any_story_or_makes_anything_unready() {
    let rows = rows(STORIES);
    println!("{}", table(&rows));
    let wrong: Vec<String> = rows.iter().flat_map(|row| row.wrong(&rows)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
